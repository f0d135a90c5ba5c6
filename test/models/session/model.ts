/**
 * A small model of sessions in MQTT 3.1.1 and 5.0 and of this broker's rooms: which session gets which message, and how. It shares no code
 * with the broker. It is told what clients do, and checks what arrives; where the specification leaves a choice, so does the model. Clauses
 * are those of MQTT 5 unless they begin with MQTT-.
 */
import { Arrivals } from './arrivals.js'
import { isRoom, matches } from './matching.js'
import { type Message, SessionModel, type Subscription, type Way } from './session.js'
import { type Connecting, type FilterWish, type QoS, SHORT } from './words.js'

export interface Told {
  topic: string
  payload: string
  qos: QoS
  retain: boolean
  expiry: number
}

export class Model {
  readonly sessions = new Map<string, SessionModel>()
  readonly arrivals = new Arrivals()
  /** Retained messages by topic. */
  readonly #retained = new Map<string, Message>()
  /** The head of each room. */
  readonly #heads = new Map<string, number>()

  /** CONNECT of a client that is not connected. Returns whether a session is present. */
  connect(name: string, user: string, payload: string, wish: Connecting): boolean {
    const { version, clean } = wish
    const before = this.sessions.get(name)
    if (before && clean) this.end(name)
    const session = (before && !clean ? before : undefined) ?? new SessionModel(name, user)
    this.sessions.set(name, session)
    session.connected = true
    session.version = version
    session.expiry = version === 5 ? wish.expiry : clean ? 0 : Number.POSITIVE_INFINITY
    session.window = version === 5 ? wish.window : 0
    session.will = wish.will && { wish: version === 5 ? wish.will : { ...wish.will, delay: 0 }, payload }
    return before !== undefined && !clean
  }

  /** A disconnected session expires; a pending delayed will is published [MQTT5-3.1.3-9]. */
  end(name: string): void {
    const session = this.sessions.get(name)!
    this.sessions.delete(name)
    this.#sendWill(session)
  }

  /** A connection ends: broken, taken over, or by a DISCONNECT that may keep the will. `inHaste`: with packets in flight. */
  drop(name: string, keepsWill = true, inHaste = false): void {
    const session = this.sessions.get(name)!
    session.drop(inHaste)
    if (!keepsWill) session.will = null
    if (!session.kept) this.end(name)
    else if (!isDelayed(session)) this.#sendWill(session)
  }

  /** Messages with a short expiry expire: they must not be sent any more, and need not have been [MQTT5-3.3.2-5]. */
  passTime(): void {
    for (const session of this.sessions.values())
      session.deliveries = session.deliveries.filter(({ message }) => message.expiry !== SHORT)
    for (const [topic, { expiry }] of this.#retained) if (expiry === SHORT) this.#retained.delete(topic)
  }

  /** All connections end at once: the order of their wills, and who still receives them, is undefined. */
  shutDown(): void {
    const open = [...this.sessions.values()].filter(({ connected }) => connected)
    const dying = open.filter((session) => session.will && !(session.kept && isDelayed(session)))
    const counts = new Map<string, Message['numbers']>()
    for (const { will } of dying)
      counts.set(will!.wish.topic, this.numbers(will!.wish.topic, counts.get(will!.wish.topic)))
    for (const session of dying) this.#sendWill(session, counts.get(session.will!.wish.topic))
    for (const session of open)
      for (const delivery of session.deliveries) if (delivery.survives !== 'yes') delivery.must = false
  }

  /** Called after `shutDown`, when all connections are closed. */
  stopped(): void {
    for (const [name, session] of this.sessions) {
      session.drop()
      if (!session.kept) this.sessions.delete(name)
    }
  }

  #sendWill(session: SessionModel, numbers?: Message['numbers']): void {
    const { will } = session
    session.will = null
    if (!will) return
    const { wish, payload } = will
    this.#send({ ...wish, payload, expiry: 0 }, session, true, numbers)
  }

  publish(name: string, told: Told, numbers?: Message['numbers']): void {
    this.#send(told, this.sessions.get(name)!, false, numbers)
  }

  #send(told: Told, { name, user }: SessionModel, isWill: boolean, numbers = this.numbers(told.topic)): void {
    const { topic, retain, payload } = told
    const message: Message = { ...told, from: name, user, isWill, numbers }
    if (retain && !isRoom(topic)) {
      this.#supersede(topic)
      if (payload === '') this.#retained.delete(topic)
      else this.#retained.set(topic, message)
    }
    for (const session of this.sessions.values()) {
      const { ways, lax } = session.waysOf(message)
      session.schedule(message, ways, !lax)
    }
  }

  /** The next seq of a room, beside those already assigned at the same time. */
  numbers(topic: string, known: Message['numbers'] = new Map()): Message['numbers'] {
    if (!isRoom(topic)) return known
    const next = (this.#heads.get(topic) ?? 0) + 1
    this.#heads.set(topic, next)
    return known.set(next, null)
  }

  /** A retained message that was requested and not sent yet may be replaced by the next one. */
  #supersede(topic: string): void {
    for (const { deliveries } of this.sessions.values())
      for (const delivery of deliveries)
        if (delivery.retained && delivery.message.topic === topic) delivery.must = false
  }

  subscribe(name: string, filters: readonly FilterWish[], identifier: number): void {
    const session = this.sessions.get(name)!
    const five = session.version === 5
    const asking: Subscription[] = []
    const before = new Set(session.subscriptions.keys())
    for (const wish of filters) {
      const options = five ? wish : { ...wish, noLocal: false, asPublished: false, handling: 0 as const }
      const subscription = { ...options, identifier: five ? identifier : 0 }
      session.subscriptions.set(wish.filter, subscription)
      session.reconsider(wish.filter)
      asking.push(subscription)
    }
    const effective = asking.filter((subscription) => session.subscriptions.get(subscription.filter) === subscription)
    this.#sendRetained(
      session,
      effective.filter(({ handling, filter }) => handling === 0 || (handling === 1 && !before.has(filter))),
    )
  }

  /** Sends each once, at the QoS of the requesting filters [MQTT5-3.3.1-9…11]. */
  #sendRetained(session: SessionModel, asking: readonly Subscription[]): void {
    for (const [topic, message] of this.#retained) {
      const matching = asking.filter(({ filter }) => matches(filter, topic))
      const own = message.from === session.name && matching.every(({ noLocal }) => noLocal)
      if (matching.length === 0 || (own && !message.isWill && session.version === 5)) continue
      const all = session.matching(topic)
      const way = (list: readonly Subscription[]): Way => {
        const qos = Math.min(message.qos, Math.max(...list.map((one) => one.qos))) as QoS
        return { qos, ids: session.idsOf(list), retain: [true] }
      }
      // As with live messages, the specification does not say whether a filter with No Local counts beside others.
      const others = message.from === session.name ? all.filter(({ noLocal }) => !noLocal) : all
      const ids = [all, others].map((list) => session.idsOf(list))
      const ways = [way(matching), way(all), ...ids.map((these) => ({ ...way(matching), ids: these }))]
      session.schedule(message, ways, !own, true)
    }
  }

  /** Returns whether the filter existed. */
  unsubscribe(name: string, filter: string): boolean {
    const session = this.sessions.get(name)!
    const had = session.subscriptions.delete(filter)
    session.reconsider(filter)
    return had
  }
}

function isDelayed({ will }: SessionModel): boolean {
  return will !== null && will.wish.delay > 0
}
