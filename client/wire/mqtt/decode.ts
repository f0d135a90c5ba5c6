/** The packets that a broker sends, decoded strictly: what is not well formed throws `Malformed`. */
import type { Incoming, Properties } from '../wire.js'
import type { Frame } from './frames.js'
import { Malformed, malformed, protocolError } from './malformed.js'
import { readProperties } from './properties.js'
import { PacketReader } from './reader.js'
import { Reason } from './reason-codes.js'

/** `packetId`: 0 at QoS 0. */
export type PublishPacket = Incoming & { readonly type: 'publish'; readonly packetId: number }

export type Packet =
  | PublishPacket
  | { type: 'connack'; sessionPresent: boolean; reason: number; properties: Properties }
  | { type: 'puback'; packetId: number; reason: number; properties: Properties }
  | { type: 'suback' | 'unsuback'; packetId: number; reasons: readonly number[]; properties: Properties }
  | { type: 'pingresp' }
  | { type: 'disconnect' | 'auth'; reason: number; properties: Properties }

const PUBLISH = 3

export function decode({ header, body }: Frame): Packet {
  const reader = new PacketReader(body)
  const type = header >> 4
  if (type === PUBLISH) return decodePublish(header, reader)
  if ((header & 0x0f) !== 0) throw malformed(`a packet of type ${type} has flags`)
  switch (type) {
    case 2:
      return decodeConnack(reader)
    case 4: {
      const packetId = reader.packetId()
      return { type: 'puback', packetId, ...outcome(reader, 'ack') }
    }
    case 9:
      return decodeReasons('suback', reader)
    case 11:
      return decodeReasons('unsuback', reader)
    case 13:
      reader.end('PINGRESP')
      return { type: 'pingresp' }
    case 14:
      return { type: 'disconnect', ...outcome(reader, 'disconnect') }
    case 15:
      return { type: 'auth', ...outcome(reader, 'auth') }
    default:
      // PUBREC, PUBREL and PUBCOMP are of QoS 2, which this client neither publishes with nor subscribes with.
      throw protocolError(`a packet of type ${type}, which a broker does not send to this client`)
  }
}

function decodeConnack(reader: PacketReader): Packet {
  const flags = reader.byte('acknowledge flags')
  if (flags > 1) throw malformed('CONNACK has reserved flags set')
  const reason = reader.byte('reason code')
  const properties = readProperties(reader, 'connack')
  reader.end('CONNACK')
  return { type: 'connack', sessionPresent: flags === 1, reason, properties }
}

function decodePublish(header: number, reader: PacketReader): PublishPacket {
  const qos = ((header >> 1) & 3) as 0 | 1 | 2 | 3
  const dup = (header & 0x08) !== 0
  if (qos === 3 || (dup && qos === 0)) throw malformed('PUBLISH has contradictory flags')
  if (qos === 2) throw protocolError('PUBLISH of QoS 2, which was not subscribed to')
  const topic = reader.string('topic')
  const packetId = qos > 0 ? reader.packetId() : 0
  const properties = readProperties(reader, 'publish')
  // The client allows no aliases, so each PUBLISH has its topic [MQTT5-3.3.2.3.4].
  if (properties.topicAlias !== undefined)
    throw new Malformed(Reason.topicAliasInvalid, 'a topic alias, of none allowed')
  if (topic === '' || /[+#]/.test(topic)) throw malformed('PUBLISH has no valid topic name')
  return { type: 'publish', topic, packetId, qos, retain: (header & 1) !== 0, properties, payload: reader.rest() }
}

function decodeReasons(type: 'suback' | 'unsuback', reader: PacketReader): Packet {
  const packetId = reader.packetId()
  const properties = readProperties(reader, 'ack')
  return { type, packetId, reasons: [...reader.rest()], properties }
}

/** Reason code and properties: both, or only the latter, may be left out [MQTT5-3.4.2.1, MQTT5-3.14.2.1, MQTT5-3.15.2.1]. */
function outcome(
  reader: PacketReader,
  carrier: 'ack' | 'disconnect' | 'auth',
): { reason: number; properties: Properties } {
  const reason = reader.remaining > 0 ? reader.byte('reason code') : Reason.success
  const properties = reader.remaining > 0 ? readProperties(reader, carrier) : {}
  reader.end(carrier)
  return { reason, properties }
}
