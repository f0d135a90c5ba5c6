/**
 * Strict decoding of what clients send. Every clause that says "MUST" about the bytes is checked here, so that the rest of the broker
 * sees only well-formed packets. Clauses are of MQTT 3.1.1; `MQTT5-` marks those of 5.0.
 */
import { isUtf8 } from 'node:buffer'
import type { QoS } from '../../store/qos.js'
import type {
  AckPacket,
  AuthPacket,
  ConnectPacket,
  DisconnectPacket,
  Packet,
  PublishPacket,
  RequestedSubscription,
  SubscribePacket,
  UnsubscribePacket,
  Version,
  Will,
} from './packets.js'
import { NO_PROPERTIES, type Properties, readProperties } from './properties.js'
import { PacketReader } from './reader.js'
import { malformed, ProtocolError, Reason } from './reason-codes.js'

const NONE = NO_PROPERTIES as Properties

/** Decodes a packet after the CONNECT. `header` is the first byte of the fixed header. */
export function decodePacket(header: number, body: Buffer, version: Version): Packet {
  switch (header >> 4) {
    case 3:
      return decodePublish(header, body, 0, body.length, version)
    case 4:
      return decodeAck('puback', header, 0, body, version)
    case 5:
      return decodeAck('pubrec', header, 0, body, version)
    case 6:
      return decodeAck('pubrel', header, 2, body, version)
    case 7:
      return decodeAck('pubcomp', header, 0, body, version)
    case 8:
      return decodeSubscribe(header, body, version)
    case 10:
      return decodeUnsubscribe(header, body, version)
    case 12:
      requireFlags('PINGREQ', header, 0, version)
      if (body.length > 0) throw malformed('PINGREQ has a body [MQTT-3.12.1]')
      return { type: 'pingreq' }
    case 14:
      return decodeDisconnect(header, body, version)
    case 1:
      throw new ProtocolError(Reason.protocolError, 'a second CONNECT [MQTT-3.1.0-2]')
    case 15:
      return decodeAuth(header, body, version)
    default:
      throw notOfClients(header)
  }
}

function notOfClients(header: number): ProtocolError {
  return new ProtocolError(Reason.protocolError, `packet type ${header >> 4} is not one that clients send`)
}

/** Reserved flag bits must have their listed value [MQTT-2.2.2-2]. MQTT 3.1 has no such clause: they are DUP and RETAIN there, or not used. */
function requireFlags(packet: string, header: number, expected: number, version: Version): void {
  const flags = header & 0x0f
  if (flags === expected) return
  if (version === 3 && (expected === 0 || (flags & 0x06) === expected)) return
  throw malformed(`${packet} has flags ${flags}, not ${expected} [MQTT-2.2.2-2]`)
}

/** The most frequent packet: decoded by hand rather than through PacketReader, in place in the received chunk, for speed. */
export function decodePublish(
  header: number,
  chunk: Buffer,
  from: number,
  to: number,
  version: Version,
): PublishPacket {
  const qos = (header >> 1) & 3
  if (qos === 3) throw malformed('PUBLISH has both QoS bits set [MQTT-3.3.1-4]')
  const dup = (header & 0x08) !== 0
  if (dup && qos === 0 && version !== 3) throw malformed('PUBLISH of QoS 0 has DUP set [MQTT-3.3.1-2]')
  if (to - from < 2) throw malformed('the packet ends before its topic')
  let at = from + 2 + ((chunk[from]! << 8) | chunk[from + 1]!)
  if (at > to) throw malformed('the packet ends within its topic')
  const topic = topicText(chunk, from + 2, at)
  let packetId = 0
  if (qos > 0) {
    if (at + 2 > to) throw malformed('the packet ends before its packet identifier')
    packetId = (chunk[at]! << 8) | chunk[at + 1]!
    if (packetId === 0) throw malformed('packet identifier 0 [MQTT-2.3.1-1]')
    at += 2
  }
  let payload = chunk.subarray(at, to)
  let properties = NONE
  if (version === 5) {
    const reader = new PacketReader(payload)
    properties = readProperties(reader, 'publish')
    payload = reader.rest()
  }
  return {
    type: 'publish',
    topic,
    payload,
    qos: qos as QoS,
    retain: (header & 1) !== 0,
    dup,
    packetId,
    properties,
    bytes: to - from,
  }
}

/** Most topics are ASCII: they need no subarray and no UTF-8 validation. */
function topicText(chunk: Buffer, from: number, to: number): string {
  for (let at = from; at < to; at++) {
    const byte = chunk[at]!
    if (byte === 0) throw malformed('topic contains U+0000 [MQTT-1.5.3-2]')
    if (byte < 0x80) continue
    if (chunk.subarray(at, to).includes(0)) throw malformed('topic contains U+0000 [MQTT-1.5.3-2]')
    if (!isUtf8(chunk.subarray(from, to))) throw malformed('topic is not valid UTF-8 [MQTT-1.5.3-1]')
    return chunk.toString('utf8', from, to)
  }
  return chunk.toString('latin1', from, to)
}

const RECEIVED: readonly number[] = [
  Reason.success,
  Reason.noMatchingSubscribers,
  Reason.unspecified,
  Reason.implementationSpecific,
  Reason.notAuthorized,
  Reason.topicNameInvalid,
  Reason.packetIdInUse,
  Reason.quotaExceeded,
  Reason.payloadFormatInvalid,
]
const RELEASED: readonly number[] = [Reason.success, Reason.packetIdNotFound]
/** What each may say [MQTT5-3.4.2-1, MQTT5-3.5.2-1, MQTT5-3.6.2-1, MQTT5-3.7.2-1]. */
const ACK_REASONS: Record<AckPacket['type'], readonly number[]> = {
  puback: RECEIVED,
  pubrec: RECEIVED,
  pubrel: RELEASED,
  pubcomp: RELEASED,
}

function requireReason(packet: string, reason: number, known: readonly number[]): void {
  if (!known.includes(reason))
    throw new ProtocolError(Reason.protocolError, `reason code ${reason} has no place in ${packet} [MQTT5-4.13.1-1]`)
}

/** Nearly all acknowledgements are a packet id and nothing else: these are read without a PacketReader. */
function decodeAck(type: AckPacket['type'], header: number, flags: number, body: Buffer, version: Version): AckPacket {
  const short = body.length === 2 && (header & 0x0f) === flags
  const id = short ? (body[0]! << 8) | body[1]! : 0
  if (id > 0) return { type, packetId: id, reason: Reason.success, properties: NONE }
  requireFlags(type.toUpperCase(), header, flags, version)
  const reader = new PacketReader(body)
  const packetId = reader.packetId()
  let reason: number = Reason.success
  let properties = NONE
  if (version === 5 && reader.remaining > 0) {
    reason = reader.byte('reason code')
    requireReason(type.toUpperCase(), reason, ACK_REASONS[type])
    if (reader.remaining > 0) properties = readProperties(reader, 'ack')
  }
  reader.end(type.toUpperCase())
  return { type, packetId, reason, properties }
}

function decodeSubscribe(header: number, body: Buffer, version: Version): SubscribePacket {
  requireFlags('SUBSCRIBE', header, 2, version)
  const reader = new PacketReader(body)
  const packetId = reader.packetId()
  const properties = version === 5 ? readProperties(reader, 'subscribe') : NONE
  const subscriptions: RequestedSubscription[] = []
  while (reader.remaining > 0) subscriptions.push(decodeSubscription(reader, version))
  if (subscriptions.length === 0)
    throw new ProtocolError(Reason.protocolError, 'SUBSCRIBE without a topic filter [MQTT-3.8.3-3]')
  return { type: 'subscribe', packetId, subscriptions, properties }
}

function decodeSubscription(reader: PacketReader, version: Version): RequestedSubscription {
  const filter = reader.string('topic filter')
  const options = reader.byte('requested QoS')
  const qos = options & 3
  const reserved = version === 5 ? options & 0xc0 : options & 0xfc
  if (version === 5 && qos === 3) throw new ProtocolError(Reason.protocolError, 'maximum QoS 3 [MQTT5-3.8.3.1]')
  if (qos === 3 || reserved !== 0) throw malformed('SUBSCRIBE has a requested QoS that is not 0, 1 or 2 [MQTT-3.8.3-4]')
  const retainHandling = (options >> 4) & 3
  if (retainHandling === 3) throw new ProtocolError(Reason.protocolError, 'retain handling 3 [MQTT5-3.8.3.1]')
  return {
    filter,
    qos: qos as QoS,
    noLocal: (options & 4) !== 0,
    retainAsPublished: (options & 8) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  }
}

function decodeUnsubscribe(header: number, body: Buffer, version: Version): UnsubscribePacket {
  requireFlags('UNSUBSCRIBE', header, 2, version)
  const reader = new PacketReader(body)
  const packetId = reader.packetId()
  const properties = version === 5 ? readProperties(reader, 'unsubscribe') : NONE
  const filters: string[] = []
  while (reader.remaining > 0) filters.push(reader.string('topic filter'))
  if (filters.length === 0)
    throw new ProtocolError(Reason.protocolError, 'UNSUBSCRIBE without a topic filter [MQTT-3.10.3-2]')
  return { type: 'unsubscribe', packetId, filters, properties }
}

/** Of clients and servers [MQTT5-3.14.2.1]. */
const DISCONNECT_REASONS: readonly number[] = [
  ...[0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90],
  ...[0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2],
]

function decodeDisconnect(header: number, body: Buffer, version: Version): DisconnectPacket {
  requireFlags('DISCONNECT', header, 0, version)
  const reader = new PacketReader(body)
  let reason: number = Reason.success
  let properties = NONE
  if (version === 5 && reader.remaining > 0) {
    reason = reader.byte('reason code')
    requireReason('DISCONNECT', reason, DISCONNECT_REASONS)
    if (reader.remaining > 0) properties = readProperties(reader, 'disconnect')
  }
  reader.end('DISCONNECT')
  return { type: 'disconnect', reason, properties }
}

const AUTH_REASONS: readonly number[] = [Reason.success, Reason.continueAuthentication, Reason.reAuthenticate]

/** An empty body means success without properties; the authentication method is required all the same [MQTT5-3.15.2.2.2]. */
function decodeAuth(header: number, body: Buffer, version: Version): AuthPacket {
  if (version !== 5) throw notOfClients(header)
  if ((header & 0x0f) !== 0) throw malformed('AUTH has flags [MQTT5-3.15.1-1]')
  const reader = new PacketReader(body)
  const reason = reader.remaining > 0 ? reader.byte('reason code') : Reason.success
  requireReason('AUTH', reason, AUTH_REASONS)
  const { authMethod, authData } = reader.remaining > 0 ? readProperties(reader, 'auth') : NONE
  reader.end('AUTH')
  if (authMethod === undefined)
    throw new ProtocolError(Reason.protocolError, 'AUTH without an authentication method [MQTT5-3.15.2.2.2]')
  return { type: 'auth', reason, method: authMethod, data: authData && Buffer.from(authData) }
}

/** The protocol level is not one this broker speaks: answered with CONNACK 0x01, or 0x84 for those after 3.1.1 [MQTT-3.1.2-2]. */
export class UnsupportedVersion extends ProtocolError {
  readonly level: number
  constructor(level: number) {
    super(Reason.unsupportedProtocolVersion, `protocol level ${level} is not supported [MQTT-3.1.2-2]`)
    this.level = level
  }

  /** Newer than 5: such a client reads an answer of MQTT 5. Bridges of 3.1.1 set the highest bit. */
  get isNewer(): boolean {
    return this.level > 5 && this.level < 0x80
  }
}

/** The version named by the first packet of a connection: errors in the rest of the packet are answered in that version. */
export function versionOfConnect(header: number, body: Buffer): Version {
  if (header >> 4 !== 1)
    throw new ProtocolError(Reason.protocolError, 'the first packet is not a CONNECT [MQTT-3.1.0-1]')
  const version = readVersion(new PacketReader(body))
  requireFlags('CONNECT', header, 0, version)
  return version
}

/** Decodes the first packet of a connection, which must be a CONNECT [MQTT-3.1.0-1]. */
export function decodeConnect(header: number, body: Buffer): ConnectPacket {
  versionOfConnect(header, body)
  const reader = new PacketReader(body)
  const version = readVersion(reader)
  const flags = reader.byte('connect flags')
  checkConnectFlags(flags, version)
  const keepalive = reader.uint16('keep alive')
  const properties = version === 5 ? readProperties(reader, 'connect') : NONE
  const clientId = reader.string('client identifier')
  const will = flags & 0x04 ? readWill(reader, flags, version) : null
  const username = flags & 0x80 ? reader.string('user name') : undefined
  const password = flags & 0x40 ? Buffer.from(reader.binary('password')) : undefined
  reader.end('CONNECT')
  return {
    type: 'connect',
    version,
    clientId,
    clean: (flags & 0x02) !== 0,
    keepalive,
    username,
    password,
    will,
    properties,
  }
}

function readVersion(reader: PacketReader): Version {
  const name = reader.string('protocol name')
  if (name !== 'MQTT' && name !== 'MQIsdp')
    throw new ProtocolError(Reason.unsupportedProtocolVersion, 'the protocol name is not MQTT [MQTT-3.1.2-1]')
  const level = reader.byte('protocol level')
  const known = name === 'MQTT' ? level === 4 || level === 5 : level === 3
  if (!known) throw new UnsupportedVersion(level)
  return level as Version
}

/** MQTT 3.1 ignores the reserved flag, and will QoS and will retain where there is no will. */
function checkConnectFlags(flags: number, version: Version): void {
  const hasWill = (flags & 0x04) !== 0
  if (version !== 3 && flags & 0x01) throw malformed('CONNECT has its reserved flag set [MQTT-3.1.2-3]')
  if ((hasWill || version !== 3) && ((flags >> 3) & 3) === 3) throw malformed('will QoS 3 [MQTT-3.1.2-14]')
  if (version !== 3 && !hasWill && flags & 0x38)
    throw malformed('will QoS or will retain without a will [MQTT-3.1.2-11]')
  if (version !== 5 && flags & 0x40 && !(flags & 0x80))
    throw malformed('a password without a user name [MQTT-3.1.2-22]')
}

function readWill(reader: PacketReader, flags: number, version: Version): Will {
  const properties = version === 5 ? readProperties(reader, 'will') : NONE
  const topic = reader.string('will topic')
  const payload = Buffer.from(reader.binary('will message'))
  return { topic, payload, qos: ((flags >> 3) & 3) as QoS, retain: (flags & 0x20) !== 0, properties }
}
