/** People who talk, and change what was said, at random. Refusals are part of it. */
import { httpCalls } from '../../../client/requests/http-calls.js'
import { type Methods, methods } from '../../../client/requests/methods.js'
import type { TestBroker } from '../broker.js'
import { httpUrl } from '../http.js'
import type { Random } from '../random.js'

/** Asks over HTTP, as a client of its own. */
export async function personOf(broker: TestBroker, user: string): Promise<Methods> {
  const token = await broker.token(user)
  return methods(async (...given) => httpCalls({ url: httpUrl(broker), token: () => token })(...given))
}

const KINDS = [
  ...(['send', 'send', 'send', 'send', 'reply', 'reply', 'edit', 'edit', 'delete', 'react', 'react'] as const),
  ...(['brief', 'react', 'pin', 'read', 'markUnread', 'settings', 'update', 'burst', 'away', 'anew'] as const),
]

/** In the rooms tea and den, and in the conversations of alice, as whom the client is logged in. */
export class Crowd {
  readonly #random: Random
  readonly #alice: Methods
  readonly #bob: Methods
  readonly #carol: Methods

  /** Who made the rooms is bob. */
  static async gather(random: Random, broker: TestBroker): Promise<Crowd> {
    const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((user) => personOf(broker, user)))
    for (const room of ['tea', 'den', 'own']) {
      await bob!.rooms.create({ room })
      for (const who of [alice!, carol!]) await who.rooms.join({ room })
    }
    return new Crowd(random, [alice!, bob!, carol!])
  }

  private constructor(random: Random, [alice, bob, carol]: readonly [Methods, Methods, Methods]) {
    this.#random = random
    this.#alice = alice
    this.#bob = bob
    this.#carol = carol
  }

  get alice(): Methods {
    return this.#alice
  }

  /** One or several things at once. */
  async act(): Promise<void> {
    const acts = this.#random.chance(0.3) ? 3 : 1
    await Promise.all(Array.from({ length: acts }, () => this.#tryOne()))
  }

  async #tryOne(): Promise<void> {
    await this.#one().catch((error: Error) => {
      if (error.name !== 'ChatError') throw error
    })
  }

  async #one(): Promise<unknown> {
    const random = this.#random
    const who = random.pick([this.#alice, this.#bob, this.#carol])
    const room = random.pick(['tea', 'tea', 'den', who === this.#alice ? '@bob' : '@alice'])
    const newest = (await who.history({ room, limit: 1 })).messages.at(-1)?.seq ?? 0
    const target = random.chance(0.7)
      ? random.between(Math.max(1, newest - 8), newest + 1)
      : random.between(1, newest + 1)
    const emoji = random.pick(['👍', '🎉'])
    const ofAlice = room === '@alice' ? '@bob' : room
    switch (random.pick(KINDS)) {
      case 'send':
        return who.send({ room, text: `after ${newest}`, ...(random.chance(0.2) ? { mentions: ['@alice'] } : {}) })
      case 'burst':
        return Promise.all(Array.from({ length: 70 }, (_, i) => who.send({ room, text: `burst ${i}` })))
      case 'brief':
        return who.send({ room, text: 'brief', ttl: random.between(1, 3) })
      case 'reply':
        return who.send({ room, text: 'reply', thread: target, ...(random.chance(0.2) ? { ttl: 1 } : {}) })
      case 'edit':
        return who.send({ room, type: 'edit', target, text: `edited after ${newest}` })
      case 'delete':
        return who.send({ room, type: 'delete', target })
      case 'react':
        return who.send({ room, type: 'reaction', target, data: { emoji, remove: random.chance(0.4) } })
      case 'pin':
        return who.send({ room, type: random.pick(['pin', 'unpin']), target })
      case 'read':
        return this.#alice.read({ room: ofAlice, seq: random.below(newest + 1) })
      case 'markUnread':
        return this.#alice.markUnread({ room: ofAlice, seq: target })
      case 'settings':
        return this.#alice.rooms.settings({ room: 'den', pinned: random.chance(0.5) })
      case 'update':
        return this.#bob.rooms.update({ room: 'tea', topic: `after ${newest}` })
      case 'away':
        return this.#leaveAndJoin()
      case 'anew':
        return this.#makeAnew()
    }
  }

  async #leaveAndJoin(): Promise<void> {
    if (this.#random.chance(0.5)) await this.#bob.rooms.remove({ room: 'den', user: 'alice' })
    else await this.#alice.rooms.leave({ room: 'den' })
    if (this.#random.chance(0.3)) await this.#bob.send({ room: 'den', text: 'without alice' })
    await this.#alice.rooms.join({ room: 'den' })
  }

  async #makeAnew(): Promise<void> {
    await this.#bob.rooms.delete({ room: 'den' })
    await this.#bob.rooms.create({ room: 'den' })
    await Promise.all([this.#alice, this.#carol].map((each) => each.rooms.join({ room: 'den' })))
    for (let i = this.#random.below(5); i > 0; i--) await this.#bob.send({ room: 'den', text: 'anew' })
  }
}
