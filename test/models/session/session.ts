/** The model of one session: its subscriptions, and every message that is due or in flight. */
import { isRoom, matches } from './matching.js'
import { type FilterWish, type QoS, SHORT, type WillWish } from './words.js'

export interface Message {
  readonly topic: string
  readonly payload: string
  readonly qos: QoS
  readonly retain: boolean
  /** Name of the publishing session. */
  readonly from: string
  readonly user: string
  readonly expiry: number
  /** A will, published for a disconnected client: the specification does not say whether No Local applies to it. */
  readonly isWill: boolean
  /** In a room: its seq, or the possible seqs if several messages were sent at once; which one it is shows on first arrival. */
  readonly numbers: Map<number, Message | null>
}

export interface Subscription extends FilterWish {
  identifier: number
}

/** One valid form of a delivery. */
export interface Way {
  qos: QoS
  ids: string
  retain: readonly boolean[]
}

/** `due`: not seen yet. `sent`: PUBLISH arrived. `received`: PUBREC was sent. */
export type State = 'due' | 'sent' | 'received'

export interface Delivery {
  readonly message: Message
  /** Sent in answer to a SUBSCRIBE. */
  readonly retained: boolean
  /** Several, where the specification leaves a choice. */
  ways: Way[]
  /** Whether it must arrive; otherwise it may. */
  must: boolean
  /** Whether it stays due when the connection ends. */
  survives: 'yes' | 'no' | 'perhaps'
  state: State
  /** It may have been sent on a connection that broke before it arrived. */
  perhapsSent: boolean
  /** The following fields apply while it is in flight. */
  packetId: number
  qos: QoS
  /** PUBLISH arrived on this connection; otherwise it is expected again. */
  here: boolean
  /** PUBREL arrived on this connection. */
  released: boolean
  /** The client acknowledges it at once, without a command. */
  swift: boolean
}

export class SessionModel {
  readonly name: string
  readonly user: string
  version: 4 | 5 = 4
  /** Session expiry in seconds. */
  expiry = 0
  connected = false
  window = 0
  will: { wish: WillWish; payload: string } | null = null
  readonly subscriptions = new Map<string, Subscription>()
  /** In the order in which they became due. */
  deliveries: Delivery[] = []
  /** In flight, in the order in which they were sent. */
  flows: Delivery[] = []
  /** QoS 2 publishes of the client that await its PUBREL, by packet id. */
  readonly halfway = new Map<number, { topic: string; payload: string; retain: boolean }>()

  constructor(name: string, user: string) {
    this.name = name
    this.user = user
  }

  get kept(): boolean {
    return this.expiry > 0
  }

  matching(topic: string): Subscription[] {
    return [...this.subscriptions.values()].filter(({ filter }) => matches(filter, topic))
  }

  /** The valid forms of a delivery of `message` by the present subscriptions; empty: none. `lax`: its own message may or may not arrive. */
  waysOf(message: Message): { ways: Way[]; lax: boolean } {
    const all = this.matching(message.topic)
    const own = message.from === this.name
    const open = own ? all.filter(({ noLocal }) => !noLocal) : all
    // No Local exists in MQTT 5 only, and refers to a connection's own messages [MQTT5-3.8.3-3]; for a waiting cursor it counts when the
    // cursor continues.
    const waits = isRoom(message.topic) && this.flows.length >= this.limit
    const lax = own && open.length < all.length && (message.isWill || this.version === 4 || waits)
    if (open.length === 0 && !lax) return { ways: [], lax }
    // The specification does not say whether a filter with No Local counts beside others that matched the message.
    const lists = open.length > 0 && open.length < all.length ? [all, open] : [all]
    return {
      ways: lists.filter((list) => list.length > 0).map((list) => this.#way(list, message)),
      lax: lax && open.length === 0,
    }
  }

  #way(list: readonly Subscription[], { topic, qos, retain }: Message): Way {
    const granted = Math.max(...list.map((subscription) => subscription.qos))
    const plain = this.version === 5 && !isRoom(topic)
    const flags = plain ? list.map(({ asPublished }) => asPublished && retain) : [false]
    return { qos: Math.min(qos, granted) as QoS, ids: this.idsOf(list), retain: [...new Set(flags)] }
  }

  /** Subscription identifiers as text, ascending [MQTT5-3.3.4-3]. */
  idsOf(list: readonly Subscription[]): string {
    if (this.version === 4) return ''
    const ids = list.map(({ identifier }) => identifier).filter((id) => id > 0)
    return ids.sort((a, b) => a - b).join()
  }

  /** A message becomes due. */
  schedule(message: Message, ways: Way[], must: boolean, retained = false): void {
    if (ways.length === 0) return
    const survives = this.#survival(message, ways, retained)
    if (!this.connected && survives === 'no') return
    this.deliveries.push({
      message,
      retained,
      ways,
      must: must && message.expiry !== SHORT && (this.connected || survives === 'yes'),
      survives,
      state: 'due',
      perhapsSent: false,
      packetId: 0,
      qos: 0,
      here: false,
      released: false,
      swift: false,
    })
  }

  /** A persistent session has a cursor in rooms that it follows at QoS 1 or 2, and a queue for plain topics at QoS 1 or 2. */
  #survival({ topic }: Message, ways: readonly Way[], retained: boolean): Delivery['survives'] {
    if (!this.kept) return 'no'
    if (isRoom(topic)) return this.#follows(topic) ? 'yes' : 'no'
    const queued = ways.filter(({ qos }) => qos > 0).length
    if (queued === 0) return 'no'
    // A retained message may be lost if the connection breaks before it was sent.
    return queued === ways.length && !retained ? 'yes' : 'perhaps'
  }

  #follows(room: string): boolean {
    return this.matching(room).some(({ qos }) => qos > 0)
  }

  /** A subscription changed: what it made due may still arrive if no other one matches. */
  reconsider(filter: string): void {
    for (const delivery of this.deliveries) {
      const { topic } = delivery.message
      if (!matches(filter, topic)) continue
      const now = this.matching(topic)
      const own = isRoom(topic) && delivery.message.from === this.name
      if (now.length === 0 || (own && now.every(({ noLocal }) => noLocal))) delivery.must = false
      if (isRoom(topic)) this.#reconsiderCursor(delivery)
    }
  }

  /** Without a cursor, a due message arrives now or never; a new cursor may have passed it already. */
  #reconsiderCursor(delivery: Delivery): void {
    const follows = this.#follows(delivery.message.topic)
    if (!follows) delivery.survives = 'no'
    else if (delivery.survives !== 'yes')
      Object.assign(delivery, { must: false, survives: this.kept ? 'perhaps' : 'no' })
  }

  /** The connection ended. `inHaste`: due messages may have been in flight on it. */
  drop(inHaste = false): void {
    this.connected = false
    for (const delivery of this.deliveries) {
      if (inHaste) delivery.perhapsSent = true
      if (inHaste && delivery.ways.some(({ qos }) => qos === 0)) delivery.must = false
    }
    this.deliveries = this.deliveries.filter(({ survives }) => survives !== 'no')
    for (const delivery of this.deliveries) if (delivery.survives === 'perhaps') delivery.must = false
    for (const flow of this.flows) Object.assign(flow, { here: false, released: false, swift: false })
  }

  /** Maximum number of messages the broker may have in flight. */
  get limit(): number {
    return this.window || 32
  }

  /** Number of messages in flight that arrived on this connection. */
  get underWay(): number {
    return this.flows.filter(({ here }) => here).length
  }

  /** What the broker still has to send now; null: nothing. */
  get awaited(): string | null {
    const release = this.flows.find(({ state, released }) => state === 'received' && !released)
    if (release) return `PUBREL ${release.packetId}`
    const again = this.flows.find(({ state, here }) => state === 'sent' && !here)
    if (again && this.underWay < this.limit) return `again ${again.packetId} ${describe(again)}`
    const next = this.deliveries.find(({ must }) => must)
    return next && this.flows.length < this.limit ? describe(next) : null
  }
}

export function describe({ message: { topic, payload, numbers }, ways, retained }: Delivery): string {
  const how = ways.map(({ qos, ids, retain }) => `q${qos}${ids && ` ids ${ids}`} retain ${retain.join('/')}`)
  const seq = numbers.size > 0 ? ` seq ${[...numbers.keys()].join('/')}` : ''
  return `${topic} ${JSON.stringify(payload)}${seq} (${how.join(' or ')}${retained ? ', retained' : ''})`
}
