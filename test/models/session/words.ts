/** The commands of a program of the session test. They are data, so that a failing program can be shrunk, printed and repeated. */
import fc from '../../helpers/fast-check.js'

export type QoS = 0 | 1 | 2

/** Slots of clients: two users, one of them with two devices. */
export const CAST = [
  { user: 'ann', id: 'phone' },
  { user: 'bob', id: 'phone' },
  { user: 'ann', id: 'tablet' },
] as const

/** Seconds that outlast every program. */
export const LONG = 1000
/** The only interval that passes, in seconds. */
export const SHORT = 1

export interface WillWish {
  /** A retained will has a topic of its own: if many clients end at once, the order of their wills is undefined. */
  topic: string
  qos: QoS
  retain: boolean
  /** Seconds; MQTT 5 only. */
  delay: number
}

export interface Connecting {
  version: 4 | 5
  clean: boolean
  /** Seconds; MQTT 5 only. */
  expiry: number
  /** Receive Maximum, MQTT 5 only; 0: not given. */
  window: number
  acks: 'at once' | 'held'
  will: WillWish | null
}

export interface FilterWish {
  filter: string
  qos: QoS
  noLocal: boolean
  asPublished: boolean
  handling: 0 | 1 | 2
}

export interface Publishing {
  topic: string
  qos: QoS
  retain: boolean
  /** An empty payload, which clears the retained message. */
  empty: boolean
  /** Message expiry in seconds, MQTT 5 only; 0: none. */
  expiry: number
  /** Number of publishes at once. */
  count: number
  /** QoS 2: PUBREL is sent later. */
  halfway: boolean
}

/** `who`: a slot; for commands of connected clients, an index into those. */
export type Command =
  | ({ do: 'connect'; who: number } & Connecting)
  /** The same for a disconnected client. */
  | ({ do: 'return'; who: number } & Connecting)
  | { do: 'leave'; who: number; expiry: number | null; withWill: boolean }
  | { do: 'cut'; who: number }
  | { do: 'subscribe'; who: number; filters: FilterWish[]; identifier: number }
  | { do: 'unsubscribe'; who: number; filters: string[] }
  | ({ do: 'publish'; who: number } & Publishing)
  /** One client publishes, and the connection of the next one breaks before that arrives. `taken`: after the ack. */
  | ({ do: 'lose'; who: number; taken: boolean } & Publishing)
  /** Several clients publish one message each at the same time, in undefined order. */
  | { do: 'together'; who: number; wishes: Publishing[] }
  /** PUBREL for an incomplete publish. */
  | { do: 'release'; who: number }
  /** Repeats an incomplete publish, as after a lost PUBREC. */
  | { do: 'repeat'; who: number }
  /** Acknowledges one message in flight: completely, by one packet, or with an error code. */
  | { do: 'acknowledge'; who: number; which: number; how: 'wholly' | 'one step' | 'refuse' }
  /** A persistent session expires while its client is disconnected. */
  | { do: 'expire'; who: number }
  | { do: 'restart' }
  /**
   * Time passes: a client with this will connects, publishes a message with a short expiry and disconnects; when the will is published, the
   * session and the message have expired.
   */
  | { do: 'outlive'; who: number; will: WillWish; publishing: Publishing }

export interface Program {
  cast: (Connecting & { filters: FilterWish[]; identifier: number })[]
  commands: Command[]
}

export const ROOMS = ['rooms/lobby/messages', 'rooms/den/messages']
const TOPICS = ['a', 'a/b', 'a/', '/a', 'b', ...ROOMS]
const FILTERS = [
  ...['a', 'a/b', 'a/+', 'a/#', '+', '+/b', '+/+', '/+', '#', 'b', 'w/+', 'w/#'],
  ...['rooms/lobby/messages', 'rooms/den/messages', 'rooms/+/messages'],
]

const who = fc.nat(CAST.length - 1)
const qos = fc.constantFrom<QoS>(1, 2, 0)
const filter = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...FILTERS) },
  { weight: 1, arbitrary: fc.constantFrom('#', 'a/#', 'rooms/+/messages') },
)
const rarely = fc.nat(3).map((n) => n === 3)

const will: fc.Arbitrary<WillWish> = fc.record({
  topic: fc.constantFrom(...TOPICS),
  qos,
  retain: fc.boolean(),
  delay: fc.constantFrom(0, LONG),
})

const connecting: fc.Arbitrary<Connecting> = fc.record({
  version: fc.constantFrom(4 as const, 5 as const),
  clean: rarely,
  expiry: fc.constantFrom(LONG, LONG, 0),
  window: fc.constantFrom(0, 0, 1, 2, 3),
  acks: fc.constantFrom('at once' as const, 'held' as const, 'held' as const),
  will: fc.option(will, { freq: 2 }),
})

const filterWish: fc.Arbitrary<FilterWish> = fc.record({
  filter,
  qos,
  noLocal: rarely,
  asPublished: fc.boolean(),
  handling: fc.constantFrom(0 as const, 1 as const, 2 as const),
})

const subscribing = {
  filters: fc.array(filterWish, { minLength: 1, maxLength: 2 }),
  identifier: fc.nat(3),
}

const publishing: fc.Arbitrary<Publishing> = fc.record({
  topic: fc.constantFrom(...TOPICS),
  qos,
  retain: rarely,
  empty: rarely,
  expiry: fc.constantFrom(0, 0, LONG),
  count: fc.constantFrom(1, 1, 3),
  halfway: rarely,
})

function command<C extends Command['do']>(
  what: C,
  rest: { [K in keyof Omit<Extract<Command, { do: C }>, 'do'>]: fc.Arbitrary<Extract<Command, { do: C }>[K]> },
): fc.Arbitrary<Command> {
  return fc.record(
    { do: fc.constant(what), ...rest } as never,
    { noNullPrototype: true } as never,
  ) as fc.Arbitrary<Command>
}

const coming = fc.constantFrom('connect' as const, 'return' as const, 'return' as const)
const connect = fc
  .tuple(coming, who, connecting)
  .map(([what, owner, wish]): Command => ({ do: what, who: owner, ...wish }))
const publish = fc.tuple(who, publishing).map(([owner, wish]): Command => ({ do: 'publish', who: owner, ...wish }))
const lose = fc
  .tuple(who, fc.boolean(), publishing)
  .map(([owner, taken, wish]): Command => ({ do: 'lose', who: owner, taken, ...wish }))

const together = command('together', {
  who,
  wishes: fc.array(
    publishing.map((wish) => ({ ...wish, retain: false, count: 1 })),
    { minLength: 2, maxLength: CAST.length },
  ),
})

const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 10, arbitrary: publish },
  {
    weight: 6,
    arbitrary: command('subscribe', { who, ...subscribing }),
  },
  {
    weight: 6,
    arbitrary: command('acknowledge', {
      who,
      which: fc.nat(5),
      how: fc.constantFrom('wholly', 'one step', 'wholly', 'one step', 'refuse'),
    }),
  },
  { weight: 4, arbitrary: connect },
  { weight: 3, arbitrary: command('cut', { who }) },
  { weight: 2, arbitrary: command('release', { who }) },
  {
    weight: 2,
    arbitrary: command('unsubscribe', { who, filters: fc.array(filter, { minLength: 1, maxLength: 2 }) }),
  },
  {
    weight: 1,
    arbitrary: command('leave', { who, expiry: fc.constantFrom(null, 0, LONG), withWill: fc.boolean() }),
  },
  { weight: 2, arbitrary: lose },
  { weight: 2, arbitrary: together },
  { weight: 1, arbitrary: command('repeat', { who }) },
  { weight: 1, arbitrary: command('expire', { who }) },
  { weight: 1, arbitrary: command('restart', {}) },
)

/** Each begins with all clients connected and subscribed in one of several ways. */
export const programs: fc.Arbitrary<Program> = fc.record({
  cast: fc.tuple(
    ...CAST.map(() => fc.tuple(connecting, fc.record(subscribing)).map(([wish, first]) => ({ ...wish, ...first }))),
  ),
  commands: fc.array(commands, { minLength: 1, maxLength: 60, size: 'max' }),
})

const outliving = command('outlive', {
  who,
  will: will.map((wish) => ({ ...wish, delay: LONG })),
  publishing: publishing.map((wish) => ({ ...wish, expiry: SHORT })),
})

/** Programs in which time passes once. */
export const timedPrograms: fc.Arbitrary<Program> = fc
  .tuple(programs, outliving, fc.nat(30))
  .map(([{ cast, commands }, passing, at]) => ({
    cast,
    commands: [...commands.slice(0, at), passing, ...commands.slice(at)],
  }))
