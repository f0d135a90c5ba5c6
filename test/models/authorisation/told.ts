/** Webhook receivers for one room, for one user, and for one direct conversation. They must get exactly these messages. */
import type { Test } from 'tap'
import { inTime } from '../../helpers/patience.js'
import { Receiver } from '../../helpers/receiver.js'
import type { Company } from './company.js'
import { LOOKS, markersIn, Violation } from './listener.js'
import type { Secret } from './world.js'

const SECRET = `whsec_${Buffer.from('a secret that only the tests know').toString('base64')}`

interface Hook {
  config: { rooms?: string[]; users?: string[]; direct?: boolean }
  /** Whether a message may be delivered to it; unless deleted, it then must be. */
  concerns(secret: Pick<Secret, 'of' | 'from'>): boolean
}

const HOOKS: Record<string, Hook> = {
  room: {
    config: { rooms: ['den'], direct: true },
    concerns: ({ of }) => of.kind === 'room' && of.room === 'den',
  },
  user: {
    config: { users: ['bob'] },
    concerns: ({ of, from }) =>
      (from === 'bob' && of.kind === 'room') || (of.kind === 'pair' && of.users.join() === 'bob'),
  },
  direct: {
    config: { users: ['ann'], direct: true },
    concerns: ({ of, from }) => (of.kind === 'pair' ? of.users.includes('ann') : of.kind === 'room' && from === 'ann'),
  },
}

export class Told {
  readonly #receivers: Map<string, Receiver>

  private constructor(receivers: Map<string, Receiver>) {
    this.#receivers = receivers
  }

  static async start(owner: Test): Promise<Told> {
    const names = Object.keys(HOOKS)
    const receivers = await Promise.all(names.map(async (name) => [name, await Receiver.start(owner)] as const))
    return new Told(new Map(receivers))
  }

  get config(): object[] {
    return [...this.#receivers].map(([id, { url }]) => {
      return { id, url, secret: SECRET, events: ['*'], ...HOOKS[id]!.config }
    })
  }

  /** Waits for the required deliveries, then checks all that arrived. */
  async check({ secrets, world }: Company): Promise<void> {
    for (const [name, receiver] of this.#receivers) {
      const { concerns } = HOOKS[name]!
      for (const secret of secrets.values()) {
        const said = secret.of.kind === 'room' && secret.topics.some((topic) => topic.endsWith('/messages'))
        if (said && concerns(secret) && !world.erased.has(secret.marker))
          await inTime(
            receiver.wait(1, ({ body }) => markersIn(body).includes(secret.marker)),
            LOOKS,
            () => new Violation(`the webhook ${name} was never told ${JSON.stringify(secret)}`),
          )
      }
      for (const { body } of receiver.received)
        for (const marker of markersIn(body)) {
          const secret = secrets.get(marker)!
          const copies = (secret.copies ?? []).map(({ of, by }) => ({ of, from: by }))
          if (![secret, ...copies].some(concerns)) throw new Violation(`the webhook ${name} was told ${body}`)
        }
    }
  }
}
