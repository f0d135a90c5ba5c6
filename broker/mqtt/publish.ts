import type { Refusal } from '../../schemas/errors.js'
import { topicNameFault } from '../../schemas/topics.js'
import type { Incoming, Receipt } from '../chat/pipeline.js'
import type { SendResult } from '../chat/replies.js'
import type { Op } from '../store/store.js'
import type { Publish } from './codec/packets.js'
import { ProtocolError, Reason } from './codec/reader.js'
import type { Connection } from './connection.js'

/** PUBLISH from a client [MQTT-3.3]. Acks leave in the order of the publishes, each after its commit [MQTT-4.6.0-3]. */
export function publish(connection: Connection, packet: Publish): void | Promise<void> {
  const fault = topicNameFault(packet.topic, connection.services.limits.topicLevels)
  if (fault) throw new ProtocolError(Reason.topicNameInvalid, `${fault} [MQTT-3.3.2-2]`)
  const ops = packet.qos === 2 ? remember(connection, packet.packetId) : NO_OPS
  connection.unsettled++
  if (!ops) {
    repeatPubrec(connection, packet.packetId)
    return
  }
  const gate = connection.broker.publishGate(connection, packet)
  if (gate) {
    return gate.then((denied) => {
      // A successor may have loaded the session by now: the client sends it again, there.
      if (!connection.closed) return pass(connection, packet, ops, denied)
    })
  }
  return pass(connection, packet, ops, null)
}

const NO_OPS: readonly Op[] = []

/** Notes a QoS 2 packet id; null where it is known: the message is not taken a second time [MQTT-4.3.3-2]. */
function remember(connection: Connection, packetId: number): readonly Op[] | null {
  const { incoming, services, login } = connection
  if (incoming.has(packetId)) return null
  if (incoming.size >= services.limits.inboundQos2) {
    throw new ProtocolError(
      Reason.receiveMaximumExceeded,
      `${incoming.size} QoS 2 messages await PUBREL (limits.inboundQos2)`,
    )
  }
  incoming.add(packetId)
  const { session } = login!
  return session.persistent ? [services.store.sessions.incomingOp(session.id, packetId)] : NO_OPS
}

function repeatPubrec(connection: Connection, packetId: number): void {
  const settled = (): void => {
    connection.sendAck('pubrec', packetId)
    connection.settled()
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
  const incoming: Incoming = {
    topic: packet.topic,
    payload: packet.payload,
    qos: packet.qos,
    retain: packet.retain,
    ops,
    joins: true,
  }
  const receipt = new Inbound(connection, packet)
  if (denied) return pipeline.reject(actor, incoming, receipt, denied)
  const entering = pipeline.publish(actor, incoming, receipt)
  if (entering) connection.entering = entering.catch(() => {})
  return entering
}

/** A publish on its way: acknowledges it, or not, when the store has spoken. */
class Inbound implements Receipt {
  readonly #connection: Connection
  readonly #packet: Publish

  constructor(connection: Connection, packet: Publish) {
    this.#connection = connection
    this.#packet = packet
  }

  settled(refusal: Refusal | null, _result: SendResult | null): void {
    const connection = this.#connection
    if (refusal) this.#refused(refusal)
    else {
      this.#ack()
      connection.broker.announce(this.#packet, connection)
    }
    connection.settled()
  }

  #ack(): void {
    const { qos, packetId } = this.#packet
    if (qos === 1) this.#connection.sendAck('puback', packetId)
    else if (qos === 2) this.#connection.sendAck('pubrec', packetId)
  }

  /** Permanent: acknowledged, for sending it again would change nothing. Transient: never acknowledged, so that the client keeps it. */
  #refused(refusal: Refusal): void {
    const connection = this.#connection
    const { counters, log, onRefused } = connection.services
    counters.add(`refused.${refusal.code}`)
    log.info(
      { client: connection.id, topic: this.#packet.topic, code: refusal.code, why: refusal.message },
      'publish refused',
    )
    if (!refusal.transient && onRefused === 'ack') {
      this.#ack()
      return
    }
    if (this.#packet.qos === 2) connection.incoming.delete(this.#packet.packetId)
    if (this.#packet.qos > 0 || !refusal.transient) {
      void connection.finish({ reason: Reason.unspecified, why: `publish refused: ${refusal.message}` })
    }
  }
}
