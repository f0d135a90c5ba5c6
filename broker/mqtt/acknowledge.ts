import type { StoreError } from '../store/changes.js'
import type { AckPacket } from './codec/packets.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import type { ConnectedClient } from './connected-client.js'
import type { Flight } from './inflight.js'

/** Acknowledgements of messages that the broker sent. */
type Answer = Exclude<AckPacket['type'], 'pubrel'>

/** PUBACK, PUBREC, PUBREL and PUBCOMP [MQTT-4.3]. */
export function acknowledge(client: ConnectedClient, { type, packetId, reason }: AckPacket): void {
  if (type === 'pubrel') return release(client, packetId)
  const flight = flightOf(client, type, packetId)
  // A PUBREC with which the client refuses the message ends its flow [MQTT5-4.3.3].
  if (type === 'pubrec' && reason < 0x80) received(client, packetId)
  else if (flight) complete(client, flight)
}

/**
 * An in-flight message accepts only the acknowledgement that its QoS and state allow [MQTT-4.3.2-2, MQTT-4.3.3-2]: after another it would stay in
 * flight for ever. An unknown id is accepted: it may be from before a crash.
 */
function flightOf({ session }: ConnectedClient, type: Answer, packetId: number): Flight | undefined {
  const flight = session.inflight.get(packetId)
  if (!flight || fits(flight, type)) return flight
  throw new ProtocolError(
    Reason.protocolError,
    `${type.toUpperCase()} ${packetId} for a message of QoS ${flight.qos} that awaits another answer [MQTT-4.8.0-1, MQTT5-4.13.1-1]`,
  )
}

/** A PUBREC may be repeated: the client has not seen the PUBREL. */
function fits({ qos, released }: Flight, type: Answer): boolean {
  if (type === 'puback') return qos === 1
  return qos === 2 && (type === 'pubrec' || released)
}

function complete(client: ConnectedClient, flight: Flight): void {
  client.session.complete(flight)
  if (client.broker.listenerCount('ack') === 0) return
  const { packetId, qos } = flight
  client.broker.emit('ack', { cmd: qos === 1 ? 'publish' : 'pubrel', messageId: packetId, qos }, client.connection)
}

/**
 * PUBREC is answered with PUBREL even for an id that is not known: the client must be able to finish [MQTT-4.3.3-1]. The packets
 * behind it do not wait for the disk: the PUBRECs of a whole window share one save.
 */
function received(client: ConnectedClient, packetId: number): void {
  client.connection.packets.began(0)
  client.session
    .release(packetId)
    .then(
      (known) => client.sendAck('pubrel', packetId, reasonOf(client, known)),
      (error: unknown) => unstored(client, error),
    )
    .finally(() => client.connection.packets.settled(0))
}

/** PUBREL: the packet id is free again, durably, before PUBCOMP says so [MQTT-4.3.3-2]. */
function release(client: ConnectedClient, packetId: number): void {
  const { session } = client
  // The client did not wait for its PUBREC, which was withheld: it goes out now, before the PUBCOMP.
  if (client.inboundQos2.isWithheld(packetId)) client.sendAck('pubrec', packetId)
  const known = client.inboundQos2.end(packetId)
  client.connection.packets.began(0)
  const settled = (error?: StoreError | null): void => {
    if (error) unstored(client, error)
    else client.sendAck('pubcomp', packetId, reasonOf(client, known))
    client.sendWithheldPubrecs()
    client.connection.packets.settled(0)
  }
  const { sessions } = client.services.store
  if (!known || !session.persistent) client.lane.after(settled)
  else client.lane.commit({ drafts: [], ops: [sessions.dropIncomingOp(session.id, packetId)], settled })
}

/** Not acknowledged: the client reconnects and resumes the exchange. */
function unstored(client: ConnectedClient, error: unknown): void {
  if (client.closed) return
  client.services.log.error({ err: error, client: client.id }, 'an acknowledgement could not be stored')
  void client.finish({ reason: Reason.unspecified, why: 'an acknowledgement could not be stored' })
}

/** In a resumed session an unknown id is no error: the exchange may have ended with the connection before [MQTT5-3.7.2.1]. */
function reasonOf({ version, resumed }: ConnectedClient, known: boolean): number {
  return known || resumed || version !== 5 ? Reason.success : Reason.packetIdNotFound
}
