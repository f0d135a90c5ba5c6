/** What the model knows of one session: its subscriptions, and every message that is due to it or under way. */
import { isRoom, matches } from './matching.js'
import { type FilterWish, type QoS, SHORT, type WillWish } from './words.js'

export interface Message {
  readonly topic: string
  readonly payload: string
  readonly qos: QoS
  readonly retain: boolean
  /** Name of the session that published it. */
  readonly from: string
  readonly user: string
  readonly expiry: number
  /** Sent on behalf of a client that is gone: whether it is its own is not said anywhere. */
  readonly isWill: boolean
  /** In a room: the number it has, or may have where several were sent at once; whose each is, is known when it is first seen. */
  readonly numbers: Map<number, Message | null>
}

export interface Subscription extends FilterWish {
  identifier: number
}

/** One way in which a message may be delivered. */
export interface Way {
  qos: QoS
  ids: string
  retain: readonly boolean[]
}

/** `due`: not seen yet. `sent`: PUBLISH came. `received`: PUBREC was sent. */
export type State = 'due' | 'sent' | 'received'

export interface Delivery {
  readonly message: Message
  /** In answer to a SUBSCRIBE. */
  readonly retained: boolean
  /** More than one where the specification leaves the choice. */
  ways: Way[]
  /** It has to come; else it may. */
  must: boolean
  /** It is still due when the connection is gone. */
  survives: 'yes' | 'no' | 'perhaps'
  state: State
  /** It may have been sent on a connection that broke before it arrived. */
  perhapsSent: boolean
  /** From here on: of what is under way. */
  packetId: number
  qos: QoS
  /** PUBLISH came on this connection; if not, it is awaited again. */
  here: boolean
  /** PUBREL came on this connection. */
  released: boolean
  /** The client goes on without being told. */
  swift: boolean
}

export class SessionModel {
  readonly name: string
  readonly user: string
  version: 4 | 5 = 4
  /** Seconds the session outlives its connection. */
  expiry = 0
  connected = false
  window = 0
  will: { wish: WillWish; payload: string } | null = null
  readonly subscriptions = new Map<string, Subscription>()
  /** In the order in which they became due. */
  deliveries: Delivery[] = []
  /** Under way, in the order in which they were sent. */
  flows: Delivery[] = []
  /** QoS 2 messages of the client that await its PUBREL, by packet id. */
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

  /** How `message` may reach this session by its subscriptions of now; empty: not at all. `lax`: its own may come, or not. */
  waysOf(message: Message): { ways: Way[]; lax: boolean } {
    const all = this.matching(message.topic)
    const own = message.from === this.name
    const open = own ? all.filter(({ noLocal }) => !noLocal) : all
    // No local is of MQTT 5, and speaks of a connection's messages [MQTT5-3.8.3-3]; where a cursor waits, it counts when that goes on.
    const waits = isRoom(message.topic) && this.flows.length >= this.limit
    const lax = own && open.length < all.length && (message.isWill || this.version === 4 || waits)
    if (open.length === 0 && !lax) return { ways: [], lax }
    // Whether a filter with no local counts beside others that brought the message is nowhere said.
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

  /** A kept session has a cursor in rooms it sees at QoS 1 or 2, and a queue of what comes at QoS 1 or 2 on other topics. */
  #survival({ topic }: Message, ways: readonly Way[], retained: boolean): Delivery['survives'] {
    if (!this.kept) return 'no'
    if (isRoom(topic)) return this.#follows(topic) ? 'yes' : 'no'
    const queued = ways.filter(({ qos }) => qos > 0).length
    if (queued === 0) return 'no'
    // What a SUBSCRIBE asked for may be lost when the connection breaks before it could be sent.
    return queued === ways.length && !retained ? 'yes' : 'perhaps'
  }

  #follows(room: string): boolean {
    return this.matching(room).some(({ qos }) => qos > 0)
  }

  /** A subscription changed: what it had made due may come all the same where nothing else asks for it. */
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

  /** Without a cursor what is due comes now or never; where there is one again, it may have been reached by it. */
  #reconsiderCursor(delivery: Delivery): void {
    const follows = this.#follows(delivery.message.topic)
    if (!follows) delivery.survives = 'no'
    else if (delivery.survives !== 'yes')
      Object.assign(delivery, { must: false, survives: this.kept ? 'perhaps' : 'no' })
  }

  /** The connection is gone. `inHaste`: what is due may have been on it. */
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

  /** Most messages the broker may have under way. */
  get limit(): number {
    return this.window || 32
  }

  /** Messages under way that came on this connection. */
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
