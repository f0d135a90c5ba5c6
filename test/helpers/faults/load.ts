/** A small load: rooms, a direct conversation and plain topics, at every QoS, by clients with and without sessions that last. */
import type { QoS } from '../../models/history/events.js'
import type { Random } from '../random.js'
import { GATE } from './rivals.js'
import type { Outgoing } from './sender.js'
import type { Subscription, Wanderer } from './wanderer.js'

export const ROOMS = ['den', 'tea']
const CONVERSATION = 'dm:ann:bob'
export const LOGS = [...ROOMS, CONVERSATION, GATE]

/** Ms between two messages of a client. */
const PACE = 150

const rooms = (qos: QoS): Subscription[] =>
  ROOMS.map((room) => ({ filter: `rooms/${room}/messages`, qos, logs: [room] }))
const direct = (user: string, qos: QoS): Subscription => ({
  filter: `users/${user}/messages`,
  qos,
  logs: [CONVERSATION],
})
const plain = (qos: QoS): Subscription => ({ filter: 'plain/#', qos, logs: [null] })

/** Who is only there, and goes. */
export const GOES = 'gil'

export const PEOPLE: readonly {
  readonly user: string
  readonly clientId: string
  readonly persistent: boolean
  readonly subscriptions: readonly Subscription[]
}[] = [
  { user: 'ann', clientId: 'phone', persistent: true, subscriptions: [...rooms(2), direct('ann', 2)] },
  { user: 'ann', clientId: 'tablet', persistent: true, subscriptions: [...rooms(1), direct('ann', 1)] },
  { user: 'bob', clientId: 'phone', persistent: true, subscriptions: [...rooms(1), direct('bob', 2)] },
  { user: 'cid', clientId: 'phone', persistent: true, subscriptions: [...rooms(2), plain(2)] },
  { user: 'dan', clientId: 'phone', persistent: true, subscriptions: [plain(1)] },
  { user: 'eve', clientId: 'phone', persistent: true, subscriptions: [plain(2)] },
  { user: 'eve', clientId: 'live', persistent: false, subscriptions: rooms(0) },
  { user: GOES, clientId: 'phone', persistent: true, subscriptions: [] },
  { user: 'fay', clientId: 'sensor', persistent: true, subscriptions: [] },
]

const only = (filter: string, qos: QoS): Subscription[] => [{ filter, qos, logs: [] }]

/** Who only hears: presence and receipts, with a client at each node. */
export const WATCHER = 'wat'

export const LISTENERS: typeof PEOPLE = [
  { user: WATCHER, clientId: 'wills', persistent: true, subscriptions: only('wills/#', 2) },
  ...['first', 'second', 'third'].map((clientId) => ({
    ...{ user: 'wes', clientId, persistent: true },
    subscriptions: only('$share/crew/jobs/#', 2),
  })),
]

/** A message of a share group; the state of its sender. */
const JOB = 'job'
const STATE = 'state'

/** Who sends what; the rest only listens. Null: on plain topics. */
const SENDERS: Readonly<Record<string, readonly (string | null)[]>> = {
  'ann/phone': [...ROOMS, CONVERSATION],
  'bob/phone': [...ROOMS, CONVERSATION],
  'cid/phone': ['den', null],
  'eve/phone': [null, 'tea'],
  'fay/sensor': [null, JOB, STATE],
  'dan/phone': [JOB, STATE],
}

/** Topics with a state. */
export const STATES = 2

export class Load {
  readonly #clients: readonly Wanderer[]
  readonly #random: Random
  #timer: NodeJS.Timeout | null = null
  #count = 0

  constructor(clients: readonly Wanderer[], random: Random) {
    this.#clients = clients
    this.#random = random
  }

  start(): void {
    this.#timer = setInterval(() => this.#round(), PACE)
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
  }

  #round(): void {
    for (const client of this.#clients) {
      const logs = SENDERS[client.session]
      if (logs && this.#random.chance(0.8)) client.send(this.#compose(client.user, this.#random.pick(logs)))
    }
  }

  #compose(user: string, what: string | null): Outgoing {
    const message = `${user}-${++this.#count}`
    const qos = this.#random.chance(0.1) ? 0 : this.#random.chance(0.5) ? 1 : 2
    if (what === JOB) return { message, log: null, topic: `jobs/${user}`, payload: message, qos, use: JOB }
    // At one QoS they stay in their order.
    if (what === STATE) return { message, log: null, topic: `state/${user}`, payload: message, qos: 1, use: STATE }
    const payload = what === null ? message : JSON.stringify({ cid: message, text: message })
    return { message, log: what, topic: this.#topic(user, what, message), payload, qos }
  }

  #topic(user: string, log: string | null, message: string): string {
    if (log === null) return `plain/${message}`
    return log === CONVERSATION ? `users/${user === 'ann' ? 'bob' : 'ann'}/messages` : `rooms/${log}/messages`
  }
}
