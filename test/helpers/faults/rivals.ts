/**
 * Pairs of clients that ask two nodes for the same thing at the same time: the last place in a room, to be an owner no longer, to accept one invitation,
 * to send a message under one cid; and one who is removed while sending. What comes of it is judged by the events of the rooms (models/history/rooms.ts).
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../random.js'
import type { Recorder } from './recorder.js'
import type { Requests } from './requests.js'
import type { Wanderer } from './wanderer.js'

type Asker = Pick<Wanderer, 'request' | 'send' | 'user'>

/** Who asks, each of one node. */
export interface Rivals {
  /** The owner of all rooms, at either node. */
  readonly ann: readonly [Asker, Asker]
  readonly bea: readonly [Asker, Asker]
  readonly coy: readonly [Asker, Asker]
}

/** Rooms with messages of those who come and go. */
export const GATE = 'gate'
export const RIVAL_ROOMS = ['cap', 'duo', 'nest', GATE]

/** Ms between two rounds. */
const PACE = 150
/** Ms for which somebody stays removed: the silence that is promised, and some more. */
const REMOVED = 5000

export class Race {
  readonly #rivals: Rivals
  readonly #recorder: Recorder
  readonly #random: Random
  #going: Promise<unknown> | null = null
  #isOver = false
  #count = 0

  constructor(rivals: Rivals, recorder: Recorder, random: Random) {
    this.#rivals = rivals
    this.#recorder = recorder
    this.#random = random
  }

  /** Makes the rooms, before anybody listens to them. */
  async prepare(): Promise<void> {
    const { ann, bea } = this.#rivals
    const owner = ann[0]
    await done(owner.request('rooms.create', { room: 'cap', maxMembers: 2 }))
    await done(owner.request('rooms.create', { room: 'duo' }))
    await done(bea[0].request('rooms.join', { room: 'duo' }))
    await done(owner.request('rooms.setRole', { room: 'duo', user: 'bea', role: 'owner' }))
    await done(owner.request('rooms.create', { room: 'nest', access: 'private' }))
    await done(owner.request('rooms.create', { room: GATE }))
  }

  /** Somebody listens to their events. */
  start(): void {
    const found = (room: string, members: Record<string, string>, most: number | null, isPrivate: boolean): void =>
      this.#recorder.add({ type: 'founded', room, members: { ann: 'owner', ...members }, most, isPrivate })
    found('cap', {}, 2, false)
    found('duo', { bea: 'owner' }, null, false)
    found('nest', {}, null, true)
    found(GATE, {}, null, false)
    const rounds = [
      this.#lastPlace,
      this.#lastOwner,
      this.#oneInvitation,
      this.#oneMessage,
      this.#reading,
      this.#removed,
    ]
    this.#going = Promise.all(rounds.map((round) => this.#repeat(round)))
  }

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#isOver = true
    await this.#going
  }

  async #repeat(round: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      await round()
      await pause(this.#random.below(2 * PACE))
    }
  }

  readonly #lastPlace = async (): Promise<void> => {
    const { bea, coy } = this.#rivals
    const room = 'cap'
    await Promise.all([bea[0].request('rooms.join', { room }), coy[1].request('rooms.join', { room })])
    await Promise.all([bea[1], coy[0]].map((one) => this.#act(one, 'rooms.leave', { room }, 'left', one.user)))
  }

  readonly #lastOwner = async (): Promise<void> => {
    const { ann, bea } = this.#rivals
    const give = (by: Asker, user: string, role: string) =>
      this.#act(by, 'rooms.setRole', { room: 'duo', user, role }, 'role', user)
    await Promise.all([give(ann[0], 'ann', 'admin'), give(bea[1], 'bea', 'admin')])
    // Who is an owner now makes the other one an owner.
    await Promise.all([give(ann[0], 'bea', 'owner'), give(bea[1], 'ann', 'owner')])
  }

  readonly #oneInvitation = async (): Promise<void> => {
    const { ann, coy } = this.#rivals
    const room = 'nest'
    await ann[0].request('rooms.invite', { room, user: 'coy' })
    await Promise.all(coy.map((one) => one.request('rooms.join', { room })))
    await Promise.all(coy.map((one) => this.#act(one, 'rooms.leave', { room }, 'left', 'coy')))
  }

  /** To a room that is judged by its log. */
  readonly #oneMessage = async (): Promise<void> => {
    for (const one of this.#rivals.coy) this.#say(one, 'tea', `coy-same-${this.#count}`)
    this.#count++
  }

  readonly #reading = async (): Promise<void> => {
    const room = 'den'
    const seq = (): number => this.#random.below(this.#recorder.head(room) + 1)
    await Promise.all(this.#rivals.ann.map((one) => one.request('read', { room, seq: seq() })))
  }

  readonly #removed = async (): Promise<void> => {
    const { ann, bea } = this.#rivals
    this.#recorder.add({ type: 'returning', room: GATE, user: 'bea' })
    const joined = await bea[1].request('rooms.join', { room: GATE })
    for (let i = 0; i < 5; i++) await this.#talk(bea[1])
    if (joined?.ok) await this.#act(ann[0], 'rooms.remove', { room: GATE, user: 'bea' }, 'removed', 'bea')
    const until = performance.now() + REMOVED
    while (!this.#isOver && performance.now() < until) await this.#talk(bea[1])
  }

  async #talk(other: Asker): Promise<void> {
    for (const one of [other, this.#rivals.ann[0]]) this.#say(one, GATE, `${one.user}-gate-${this.#count++}`)
    await pause(PACE)
  }

  #say(from: Asker, log: string, message: string): void {
    const payload = JSON.stringify({ cid: message, text: message })
    from.send({ message, log, topic: `rooms/${log}/messages`, payload, qos: 1 })
  }

  async #act(
    by: Asker,
    method: string,
    params: { readonly room: string; readonly user?: string; readonly role?: string },
    kind: 'left' | 'removed' | 'role',
    user: string,
  ): Promise<void> {
    const reply = await by.request(method, params)
    if (reply?.ok) this.#recorder.add({ type: 'acted', room: params.room, kind, user })
  }
}

async function done(asked: ReturnType<Requests['ask']>): Promise<void> {
  const reply = await asked
  if (!reply?.ok) throw new Error(`refused: ${reply?.error?.message ?? 'no reply'}`)
}
