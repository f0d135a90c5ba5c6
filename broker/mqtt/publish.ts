import { isUtf8 } from 'node:buffer'
import { Refusal } from '../../schemas/errors.js'
import { topicNameFault } from '../../schemas/topics.js'
import type { AnswerTo } from '../chat/model/actor.js'
import type { Publication, Publisher } from '../chat/model/publication.js'
import type { SendResult } from '../chat/model/replies.js'
import type { Op } from '../store/op.js'
import type { Publish } from './codec/packets.js'
import type { Properties } from './codec/properties.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import type { Connection } from './connection.js'
import { checkResponseTopic, keptProperties } from './message-properties.js'

/**
 * PUBLISH from a client [MQTT-3.3]. Acks leave in the order of the publishes, each after its commit [MQTT-4.6.0-2, MQTT-4.6.0-3].
 * @param skipped Bytes of its payload that were too many to be kept.
 */
export function publish(connection: Connection, packet: Publish, skipped = 0): void | Promise<void> {
  if (connection.version === 5) checkVersion5(connection, packet)
  const fault = topicNameFault(packet.topic, connection.services.limits.topicLevels)
  // One that is too deep for this broker is a topic all the same: it is refused, and violates nothing.
  if (fault && topicNameFault(packet.topic, Number.POSITIVE_INFINITY))
    throw new ProtocolError(Reason.topicNameInvalid, `${fault} [MQTT-3.3.2-2]`)
  const ms = connection.services.rates.published(connection.rateKey, packet.bytes + skipped)
  if (ms > 0) connection.rest(ms)
  const ops = packet.qos === 2 ? remember(connection, packet.packetId) : NO_OPS
  if (skipped > 0) connection.services.counters.add('skipped.payload_bytes', skipped)
  connection.unsettled++
  connection.unsettledBytes += packet.bytes
  if (packet.qos === 1) connection.unsettledQos1++
  if (!ops) {
    repeatPubrec(connection, packet)
    return
  }
  if (fault) return pass(connection, packet, ops, new Refusal('bad_request', `${fault} (limits.topicLevels)`, TOPIC))
  if (skipped > 0) return pass(connection, packet, ops, tooLong(connection, skipped))
  const gate = connection.broker.publishGate(connection, packet)
  if (gate) {
    return gate.then((denied) => {
      // A successor may have loaded the session by now: the client sends it again, there.
      if (!connection.closed) return pass(connection, packet, ops, denied)
    })
  }
  return pass(connection, packet, ops, null)
}

function tooLong({ services: { limits } }: Connection, skipped: number): Refusal {
  const why = `the payload has ${skipped} bytes; a packet at most ${limits.packetBytes} (limits.packetBytes)`
  return new Refusal('too_large', why)
}

/** What is wrong with a publish is where it goes. */
const TOPIC = { field: 'topic', reason: Reason.topicNameInvalid }

/** What MQTT 5 adds to a publish: the alias becomes its topic, the properties are checked. */
function checkVersion5(connection: Connection, packet: Publish): void {
  const { topicAlias, subscriptionIds } = packet.properties
  if (subscriptionIds)
    throw new ProtocolError(Reason.protocolError, 'a client set a subscription identifier [MQTT5-3.3.4-6]')
  checkResponseTopic(packet.properties)
  // One that is sent again is under way already.
  const known = packet.qos === 2 && connection.incoming.has(packet.packetId)
  if (packet.qos > 0 && !known && connection.underWay >= connection.services.limits.receiveMaximum) {
    throw new ProtocolError(
      Reason.receiveMaximumExceeded,
      `more than ${connection.underWay} messages under way [MQTT5-3.3.4-7]`,
    )
  }
  if (topicAlias !== undefined) resolveAlias(connection, packet, topicAlias)
  else if (packet.topic === '')
    throw new ProtocolError(Reason.protocolError, 'neither topic nor topic alias [MQTT5-3.3.2.3.4]')
}

function resolveAlias({ aliases, services }: Connection, packet: Publish, alias: number): void {
  if (alias === 0 || alias > services.limits.topicAliases) {
    throw new ProtocolError(Reason.topicAliasInvalid, `topic alias ${alias} [MQTT5-3.3.2-8, MQTT5-3.3.2-9]`)
  }
  if (packet.topic !== '') {
    aliases.set(alias, packet.topic)
    return
  }
  const topic = aliases.get(alias)
  if (topic === undefined)
    throw new ProtocolError(Reason.protocolError, `topic alias ${alias} was not set [MQTT5-3.3.2.3.4]`)
  packet.topic = topic
}

const NO_OPS: readonly Op[] = []

/** Notes a QoS 2 packet id; null where it is known: the message is not taken a second time [MQTT-4.3.3-2]. */
function remember(connection: Connection, packetId: number): readonly Op[] | null {
  const { incoming, services, login } = connection
  if (!incoming.take(packetId)) return null
  const { session } = login!
  return session.persistent ? [services.store.sessions.incomingOp(session.id, packetId)] : NO_OPS
}

function repeatPubrec(connection: Connection, { packetId, bytes }: Publish): void {
  const settled = (): void => {
    connection.receive(packetId)
    connection.settled(2, bytes)
  }
  connection.services.store.commit({ drafts: [], ops: [], settled })
}

function pass(
  connection: Connection,
  packet: Publish,
  ops: readonly Op[],
  denied: Refusal | null,
): void | Promise<void> {
  const { pipeline } = connection.services
  const { actor } = connection.login!
  const publication: Publication = {
    topic: packet.topic,
    payload: packet.payload,
    qos: packet.qos,
    retain: packet.retain,
    ops,
    joins: true,
    extra: keptProperties(packet.topic, packet.properties),
    answer: answerTo(packet),
  }
  const publisher = new Inbound(connection, packet)
  if (packet.properties.payloadFormat === 1 && !isUtf8(packet.payload)) {
    denied ??= new Refusal('bad_request', 'the payload is not the UTF-8 its format says it is')
  }
  if (denied) return pipeline.reject(actor, publication, publisher, denied)
  const entering = pipeline.publish(actor, publication, publisher)
  if (entering) connection.entering = entering.catch(() => {})
  return entering
}

/** Where an MQTT 5 request wants its reply [MQTT5-4.10]. */
function answerTo({ properties: { responseTopic, correlationData } }: Publish): AnswerTo | null {
  if (responseTopic === undefined && !correlationData) return null
  return { topic: responseTopic ?? null, correlationData: correlationData ? Buffer.from(correlationData) : null }
}

/** A publish on its way: acknowledges it, or not, when the store has spoken. */
class Inbound implements Publisher {
  readonly #connection: Connection
  readonly #packet: Publish

  constructor(connection: Connection, packet: Publish) {
    this.#connection = connection
    this.#packet = packet
  }

  rest(ms: number): void {
    this.#connection.rest(ms)
  }

  settled(refusal: Refusal | null, result: SendResult | null): void {
    const connection = this.#connection
    if (refusal) this.#refused(refusal)
    else {
      this.#ack(Reason.success, this.#resultProperties(result))
      connection.broker.announce(this.#packet, connection)
    }
    connection.settled(this.#packet.qos, this.#packet.bytes)
  }

  #ack(reason: number, properties?: Properties): void {
    const { qos, packetId } = this.#packet
    if (qos === 1) this.#connection.sendAck('puback', packetId, reason, properties)
    else if (qos === 2) this.#connection.receive(packetId, reason, properties)
  }

  /** `id`, `seq` and `ts` of the message, unless the client asked not to be told [MQTT5-3.1.2-29]. */
  #resultProperties(result: SendResult | null): Properties | undefined {
    if (!result || !this.#connection.explains) return undefined
    const { id, seq, ts } = result
    return {
      userProperties: [
        ['id', id],
        ['seq', String(seq)],
        ['ts', String(ts)],
      ],
    }
  }

  /** Permanent: acknowledged, for sending it again would change nothing. Transient: never acknowledged, so that the client keeps it. */
  #refused(refusal: Refusal): void {
    const connection = this.#connection
    const { counters, refusals, onRefused } = connection.services
    counters.add(`refused.${refusal.code}`)
    const facts = { client: connection.id, topic: this.#packet.topic, code: refusal.code, why: refusal.message }
    refusals.note('publish refused', connection.id, facts)
    if (!refusal.transient && onRefused === 'ack') {
      // A PUBREC that refuses ends the flow: its packet id is free [MQTT5-4.3.3].
      if (connection.version === 5 && this.#packet.qos === 2) this.#forgetId()
      this.#ack(refusal.reason, connection.explanation(refusal.message))
      return
    }
    if (this.#packet.qos === 2) connection.incoming.end(this.#packet.packetId)
    if (this.#packet.qos > 0 || !refusal.transient) {
      void connection.finish({ reason: refusal.reason, why: `publish refused: ${refusal.message}` })
    }
  }

  #forgetId(): void {
    const { incoming, login, services } = this.#connection
    incoming.end(this.#packet.packetId)
    const { session } = login!
    if (!session.persistent) return
    const ops = [services.store.sessions.dropIncomingOp(session.id, this.#packet.packetId)]
    services.store.commit({ drafts: [], ops, settled() {} })
  }
}
