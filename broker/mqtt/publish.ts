import { isUtf8 } from 'node:buffer'
import { Refusal } from '../../schemas/errors.js'
import { topicNameFault } from '../../schemas/topics.js'
import type { AnswerTo } from '../chat/model/actor.js'
import type { Publication, Publisher } from '../chat/model/publication.js'
import type { SendResult } from '../chat/model/replies.js'
import type { Op } from '../store/op.js'
import type { PublishPacket } from './codec/packets.js'
import type { Properties } from './codec/properties.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import type { ConnectedClient } from './connected-client.js'
import { checkResponseTopic, keptProperties } from './message-properties.js'

/**
 * PUBLISH from a client [MQTT-3.3]. Acks leave in the order of the publishes, each after its commit [MQTT-4.6.0-2, MQTT-4.6.0-3].
 * @param skipped Bytes of payload beyond `limits.packetBytes`, which were discarded.
 */
export function publish(client: ConnectedClient, packet: PublishPacket, skipped = 0): void | Promise<void> {
  if (client.version === 5) checkVersion5(client, packet)
  const fault = topicNameFault(packet.topic, client.services.limits.topicLevels)
  // A topic with too many levels is valid MQTT: the message is refused, without a protocol error.
  if (fault && topicNameFault(packet.topic, Number.POSITIVE_INFINITY))
    throw new ProtocolError(Reason.topicNameInvalid, `${fault} [MQTT-3.3.2-2]`)
  const ms = client.services.rates.chargePublish(client.rateKey, packet.bytes + skipped)
  if (ms > 0) client.connection.packets.pauseFor(ms)
  const ops = packet.qos === 2 ? remember(client, packet.packetId) : NO_OPS
  if (skipped > 0) client.services.counters.add('skipped.payload_bytes', skipped)
  client.connection.packets.began(packet.qos, packet.bytes)
  if (!ops) {
    repeatPubrec(client, packet)
    return
  }
  if (fault) return pass(client, packet, ops, new Refusal('bad_request', `${fault} (limits.topicLevels)`, TOPIC))
  if (skipped > 0) return pass(client, packet, ops, tooLong(client, skipped))
  const gate = client.broker.gates.publish(client.connection, client.actor, packet)
  if (gate) {
    return gate.then((denied) => {
      // Another connection may have loaded the session by now: the client sends the message again on it.
      if (!client.closed) return pass(client, packet, ops, denied)
    })
  }
  return pass(client, packet, ops, null)
}

function tooLong({ services: { limits } }: ConnectedClient, skipped: number): Refusal {
  const why = `the payload has ${skipped} bytes; a packet at most ${limits.packetBytes} (limits.packetBytes)`
  return new Refusal('too_large', why)
}

/** Of refusals because of the topic. */
const TOPIC = { field: 'topic', reason: Reason.topicNameInvalid }

/** What MQTT 5 adds to a publish: the alias becomes its topic, the properties are checked. */
function checkVersion5(client: ConnectedClient, packet: PublishPacket): void {
  const { topicAlias, subscriptionIds } = packet.properties
  if (subscriptionIds)
    throw new ProtocolError(Reason.protocolError, 'a client set a subscription identifier [MQTT5-3.3.4-6]')
  checkResponseTopic(packet.properties)
  // A repeated packet already counts.
  const known = packet.qos === 2 && client.inboundQos2.has(packet.packetId)
  if (packet.qos > 0 && !known && client.underWay >= client.services.limits.receiveMaximum) {
    throw new ProtocolError(
      Reason.receiveMaximumExceeded,
      `more than ${client.underWay} messages under way [MQTT5-3.3.4-7]`,
    )
  }
  if (topicAlias !== undefined) resolveAlias(client, packet, topicAlias)
  else if (packet.topic === '')
    throw new ProtocolError(Reason.protocolError, 'neither topic nor topic alias [MQTT5-3.3.2.3.4]')
}

function resolveAlias({ aliases, services }: ConnectedClient, packet: PublishPacket, alias: number): void {
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
function remember(client: ConnectedClient, packetId: number): readonly Op[] | null {
  const { inboundQos2, services, session } = client
  if (!inboundQos2.take(packetId)) return null
  return session.persistent ? [services.store.sessions.incomingOp(session.id, packetId)] : NO_OPS
}

function repeatPubrec(client: ConnectedClient, { packetId, bytes }: PublishPacket): void {
  const settled = (): void => {
    client.sendPubrec(packetId)
    client.connection.packets.settled(2, bytes)
  }
  client.lane.after(settled)
}

function pass(
  client: ConnectedClient,
  packet: PublishPacket,
  ops: readonly Op[],
  denied: Refusal | null,
): void | Promise<void> {
  const { pipeline } = client.services
  const { actor } = client
  const publication: Publication = {
    topic: packet.topic,
    payload: packet.payload,
    qos: packet.qos,
    retain: packet.retain,
    ops,
    lane: client.lane,
    joins: true,
    extra: keptProperties(packet.topic, packet.properties),
    answer: answerTo(packet),
  }
  const publisher = new InboundPublish(client, packet)
  if (packet.properties.payloadFormat === 1 && !isUtf8(packet.payload)) {
    denied ??= new Refusal('bad_request', 'the payload is not the UTF-8 its format says it is')
  }
  if (denied) return pipeline.reject(actor, publication, publisher, denied)
  const entering = pipeline.publish(actor, publication, publisher)
  if (entering) client.entering = entering.catch(() => {})
  return entering
}

/** Where an MQTT 5 request wants its reply [MQTT5-4.10]. */
function answerTo({ properties: { responseTopic, correlationData } }: PublishPacket): AnswerTo | null {
  if (responseTopic === undefined && !correlationData) return null
  return { topic: responseTopic ?? null, correlationData: correlationData ? Buffer.from(correlationData) : null }
}

/** A publish that waits for the store: acknowledged, or not, when its outcome is known. */
class InboundPublish implements Publisher {
  readonly #client: ConnectedClient
  readonly #packet: PublishPacket

  constructor(client: ConnectedClient, packet: PublishPacket) {
    this.#client = client
    this.#packet = packet
  }

  pause(ms: number): void {
    this.#client.connection.packets.pauseFor(ms)
  }

  settled(refusal: Refusal | null, result: SendResult | null): void {
    const client = this.#client
    if (refusal) this.#refused(refusal)
    else {
      this.#ack(Reason.success, this.#resultProperties(result))
      client.broker.announce(this.#packet, client.connection)
    }
    client.connection.packets.settled(this.#packet.qos, this.#packet.bytes)
  }

  #ack(reason: number, properties?: Properties): void {
    const { qos, packetId } = this.#packet
    if (qos === 1) this.#client.sendAck('puback', packetId, reason, properties)
    else if (qos === 2) this.#client.sendPubrec(packetId, reason, properties)
  }

  /** `id`, `seq` and `ts` of the message, unless the client asked not to be told [MQTT5-3.1.2-29]. */
  #resultProperties(result: SendResult | null): Properties | undefined {
    if (!result || !this.#client.wantsProblemInformation) return undefined
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
    const client = this.#client
    const { counters, refusals, onRefused } = client.services
    counters.add(`refused.${refusal.code}`)
    const facts = { client: client.id, topic: this.#packet.topic, code: refusal.code, why: refusal.message }
    refusals.note('publish refused', client.id, facts)
    if (!refusal.transient && onRefused === 'ack') {
      // A PUBREC that refuses ends the flow: its packet id is free [MQTT5-4.3.3].
      if (client.version === 5 && this.#packet.qos === 2) this.#forgetId()
      this.#ack(refusal.reason, client.reasonFor(refusal.message))
      return
    }
    if (this.#packet.qos === 2) client.inboundQos2.end(this.#packet.packetId)
    if (this.#packet.qos > 0 || !refusal.transient) {
      void client.finish({ reason: refusal.reason, why: `publish refused: ${refusal.message}` })
    }
  }

  #forgetId(): void {
    const { inboundQos2, lane, session, services } = this.#client
    inboundQos2.end(this.#packet.packetId)
    if (!session.persistent) return
    const ops = [services.store.sessions.dropIncomingOp(session.id, this.#packet.packetId)]
    lane.commit({ drafts: [], ops, settled() {} })
  }
}
