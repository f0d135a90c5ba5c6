/** Checks packets from the broker: whether the session is owed the packet, and in this order. */
import type { IPublishPacket } from 'mqtt-packet'
import { isRoom } from './matching.js'
import { type Delivery, describe, type SessionModel, type Way } from './session.js'
import type { QoS } from './words.js'

/** The broker did what the model forbids. */
export class Violation extends Error {}

interface Arrived {
  topic: string
  payload: string
  qos: QoS
  retain: boolean
  ids: string
  expiry: number | undefined
  packetId: number
  /** Seq of a message in a room; null: a plain topic. */
  seq: number | null
  user: string | null
}

export class Arrivals {
  /** A PUBLISH arrived. Returns the delivery if it must be acknowledged. */
  published(session: SessionModel, packet: IPublishPacket): Delivery | null {
    const arrived = read(packet)
    const delivery = packet.dup ? this.#again(session, arrived) : this.#first(session, arrived, false)
    if (delivery && session.window > 0 && session.underWay > session.window)
      throw new Violation(`${session.underWay} messages under way, ${session.window} allowed [MQTT5-4.9.0-2]`)
    return delivery
  }

  /** A redelivery: packets in flight come first, unchanged and in order [MQTT-4.4.0-1, MQTT-4.6.0-1]. */
  #again(session: SessionModel, arrived: Arrived): Delivery | null {
    const flow = session.flows.find(({ state, here }) => state === 'sent' && !here)
    if (!flow && arrived.qos > 0) return this.#first(session, arrived, true)
    const fits = flow?.packetId === arrived.packetId && flow.qos === arrived.qos && isThat(flow, arrived)
    if (!fits) throw new Violation(`DUP, but awaited was ${flow ? `${flow.packetId} ${describe(flow)}` : 'nothing'}`)
    this.#requireWay(session, { ...flow, ways: flow.ways.map((way) => ({ ...way, qos: flow.qos })) }, arrived, true)
    flow.here = true
    return flow
  }

  /** A first delivery. `dup`: an earlier transmission was lost with its connection. */
  #first(session: SessionModel, arrived: Arrived, dup: boolean): Delivery | null {
    // Deliveries that may or may not arrive were not waited for, so their first transmission may have been missed.
    const mayBeAgain = ({ perhapsSent, must }: Delivery): boolean => perhapsSent || !must
    const same = session.deliveries.filter((delivery) => isThat(delivery, arrived) && (!dup || mayBeAgain(delivery)))
    const fitting = same.filter((candidate) => this.#comesAs(session, candidate, arrived))
    const exact = fitting.find(({ ways }) => ways.some((way) => isExactly(way, arrived))) ?? fitting[0]
    // If a message is due twice, the first one comes first, even if it waited until a later filter matched it too.
    const delivery = fitting.find(({ message, retained }) => message === exact?.message && retained === exact.retained)
    if (!delivery) {
      const expected = same.map(describe).join('; ') || 'nothing of the kind'
      throw new Violation(`unexpected${dup ? ' with DUP' : ''}; expected was ${expected}`)
    }
    this.#requireWay(session, delivery, arrived, false)
    this.#requireTurn(session, delivery, arrived)
    this.#leaveEither(delivery, fitting)
    this.#learnNumber(delivery, arrived)
    session.deliveries = session.deliveries.filter((other) => other !== delivery)
    if (arrived.qos === 0) return null
    const { packetId, qos } = arrived
    if (session.flows.some((flow) => flow.packetId === packetId))
      throw new Violation(`packet id ${packetId} is under way already [MQTT-2.3.1-4]`)
    Object.assign(delivery, { packetId, qos, state: 'sent', here: true })
    session.flows.push(delivery)
    return delivery
  }

  /** A message that is due both live and retained cannot always be told apart on arrival, so the other one may come in either way. */
  #leaveEither(delivery: Delivery, fitting: readonly Delivery[]): void {
    for (const other of fitting)
      if (other !== delivery && other.message === delivery.message && other.retained !== delivery.retained)
        other.ways = [...other.ways, ...delivery.ways]
  }

  #comesAs(session: SessionModel, delivery: Delivery, { qos, ids, retain }: Arrived): boolean {
    // Subscriptions and the version may have changed since the message became due: the present ones are valid too.
    const now = delivery.retained ? [] : session.waysOf(delivery.message).ways
    const matching = session.matching(delivery.message.topic)
    const ways = [...delivery.ways, ...now]
    if (!ways.some((way) => way.qos === qos)) return false
    // MQTT 3.1.1 has no identifiers, and sets RETAIN only in answer to a SUBSCRIBE [MQTT-3.3.1-9].
    if (session.version === 4) return ids === '' && retain === delivery.retained
    const asNow = ids === session.idsOf(matching)
    const unasked = matching.length === 0 && !retain && !delivery.retained
    return (
      (asNow || ways.some((way) => way.ids === ids)) && (unasked || ways.some((way) => way.retain.includes(retain)))
    )
  }

  #requireWay(session: SessionModel, delivery: Delivery, arrived: Arrived, again: boolean): void {
    if (!this.#comesAs(session, delivery, arrived))
      throw new Violation(`${again ? 'again, ' : ''}but not as it should be: ${describe(delivery)}`)
    const { expiry } = delivery.message
    const { expiry: left } = arrived
    const wanted = session.version === 5 && expiry > 0
    if (wanted ? !(left! > expiry - 300 && left! <= expiry) : left !== undefined)
      throw new Violation(`message expiry ${left} of ${expiry} [MQTT5-3.3.2-6]`)
  }

  /** Messages arrive in order per topic and publisher at equal QoS [MQTT-4.6.0-5]; in a room, all in one order. */
  #requireTurn(session: SessionModel, delivery: Delivery, arrived: Arrived): void {
    const waiting = session.flows.filter(({ state, here }) => state === 'sent' && !here)
    // Messages that are read from a room by a cursor have one order at every QoS.
    const follows = isRoom(arrived.topic) && delivery.survives === 'yes'
    const stuck = waiting.find((flow) => (follows || flow.qos === arrived.qos) && areInLine(flow, delivery))
    if (stuck) throw new Violation(`before ${stuck.packetId}, which is to be sent again [MQTT-4.6.0-1]`)
    const earlier = session.deliveries.slice(0, session.deliveries.indexOf(delivery))
    const comesAlike = ({ ways }: Delivery): boolean => ways.every(({ qos }) => qos === arrived.qos)
    const overtaken = earlier.find(
      (other) => other.must && (isRoom(arrived.topic) || comesAlike(other)) && areInLine(other, delivery),
    )
    if (overtaken) throw new Violation(`it overtakes ${describe(overtaken)}`)
  }

  #learnNumber({ message }: Delivery, { seq }: Arrived): void {
    if (seq !== null) message.numbers.set(seq, message)
  }

  /** A PUBREL arrived. */
  released(session: SessionModel, packetId: number): Delivery {
    const flow = session.flows.find((one) => one.packetId === packetId)
    if (flow?.state !== 'received' || flow.released) throw new Violation(`PUBREL ${packetId}, which was not awaited`)
    flow.released = true
    return flow
  }

  /** The client has completed the acknowledgement. */
  done(session: SessionModel, delivery: Delivery): void {
    session.flows = session.flows.filter((flow) => flow !== delivery)
  }
}

function read({ topic, payload, qos, retain, properties, messageId }: IPublishPacket): Arrived {
  const ids = [properties?.subscriptionIdentifier ?? []].flat().sort((a, b) => a - b)
  const bare = payload.toString()
  const body = isRoom(topic) ? JSON.parse(bare) : { text: bare, seq: null, from: null }
  return {
    topic,
    payload: body.text,
    seq: body.seq,
    user: body.from,
    qos: qos as QoS,
    retain,
    ids: ids.join(),
    expiry: properties?.messageExpiryInterval,
    packetId: messageId ?? 0,
  }
}

function isExactly(way: Way, { qos, ids, retain }: Arrived): boolean {
  return way.qos === qos && way.ids === ids && way.retain.includes(retain)
}

function isThat({ message }: Delivery, { topic, payload, seq, user }: Arrived): boolean {
  if (message.topic !== topic || message.payload !== payload) return false
  if (!isRoom(topic)) return true
  const known = [...message.numbers].find(([, whose]) => whose === message)?.[0]
  return user === message.user && (known === undefined ? message.numbers.get(seq!) === null : known === seq)
}

/** Whether the broker must keep the order of two deliveries. */
function areInLine(earlier: Delivery, later: Delivery): boolean {
  const [a, b] = [earlier.message, later.message]
  if (a.topic !== b.topic || earlier.retained !== later.retained) return false
  return isRoom(a.topic) ? a.numbers !== b.numbers : a.from === b.from
}
