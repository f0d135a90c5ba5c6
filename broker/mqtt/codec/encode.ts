/** Encoders. PUBLISH is the hot path: encoded once per (version, QoS) and shared between sessions; the packet id is patched per session. */
import type { QoS } from '../../store/qos.js'
import { writeText } from '../../util/utf8.js'
import { Type, type Version } from './packets.js'
import { encodeProperties, NO_PROPERTIES, type Properties } from './properties.js'

const NONE = NO_PROPERTIES as Properties
const NO_PROPERTY_BYTES = Buffer.from([0])

function packet(type: number, flags: number, ...parts: Buffer[]): Buffer {
  let length = 0
  for (const part of parts) length += part.length
  const bytes = Buffer.allocUnsafe(1 + varintSize(length) + length)
  bytes[0] = (type << 4) | flags
  let at = writeVarint(bytes, 1, length)
  for (const part of parts) at += part.copy(bytes, at)
  return bytes
}

export function varintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  return value < 0x200000 ? 3 : 4
}

/** Writes a variable byte integer and returns the offset behind it. */
export function writeVarint(into: Buffer, at: number, value: number): number {
  while (value > 0x7f) {
    into[at++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  into[at++] = value
  return at
}

/** `code` is a return code on 3.1 and 3.1.1, a reason code on 5. */
export function encodeConnack(
  version: Version,
  sessionPresent: boolean,
  code: number,
  properties: Properties = NONE,
): Buffer {
  const head = Buffer.from([sessionPresent && version !== 3 ? 1 : 0, code])
  return version === 5 ? packet(Type.connack, 0, head, encodeProperties(properties)) : packet(Type.connack, 0, head)
}

export function encodeAck(
  version: Version,
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  packetId: number,
  reason = 0,
  properties: Properties = NONE,
): Buffer {
  const flags = type === 'pubrel' ? 2 : 0
  if (version !== 5 || (reason === 0 && properties === NONE)) {
    const bytes = Buffer.allocUnsafe(4)
    bytes[0] = (Type[type] << 4) | flags
    bytes[1] = 2
    bytes[2] = packetId >> 8
    bytes[3] = packetId & 0xff
    return bytes
  }
  const head = Buffer.from([packetId >> 8, packetId & 0xff, reason])
  return packet(Type[type], flags, head, encodeProperties(properties))
}

export function encodeSuback(
  version: Version,
  packetId: number,
  codes: readonly number[],
  properties: Properties = NONE,
): Buffer {
  const id = Buffer.from([packetId >> 8, packetId & 0xff])
  const middle = version === 5 ? encodeProperties(properties) : Buffer.alloc(0)
  return packet(Type.suback, 0, id, middle, Buffer.from(codes))
}

export function encodeUnsuback(
  version: Version,
  packetId: number,
  codes: readonly number[],
  properties: Properties = NONE,
): Buffer {
  const id = Buffer.from([packetId >> 8, packetId & 0xff])
  return version === 5
    ? packet(Type.unsuback, 0, id, encodeProperties(properties), Buffer.from(codes))
    : packet(Type.unsuback, 0, id)
}

export function encodeDisconnect(reason: number, properties: Properties = NONE): Buffer {
  return packet(Type.disconnect, 0, Buffer.from([reason]), encodeProperties(properties))
}

export function encodeAuth(reason: number, properties: Properties): Buffer {
  return packet(Type.auth, 0, Buffer.from([reason]), encodeProperties(properties))
}

export const PINGRESP: Buffer = Buffer.from([Type.pingresp << 4, 0])

export interface Outgoing {
  readonly payload: Buffer
  readonly qos: QoS
}

export interface EncodedPublishes<M extends Outgoing = Outgoing> {
  readonly bytes: Buffer
  /** Offset of each packet id to patch, in packet order; packets of QoS 0 have none. */
  readonly idAt: readonly number[]
  /** The messages those ids belong to. */
  readonly numbered: readonly M[]
  /** Highest QoS among the packets. */
  readonly qos: QoS
}

export interface PublishOptions<M extends Outgoing> {
  readonly retain?: boolean
  /** The property section of a message, its length in front; MQTT 5 only. */
  readonly properties?: (message: M) => Buffer
}

// Shared by all encodings without packet ids; never added to.
const NO_IDS: number[] = []
const NO_MESSAGES: never[] = []

/** Encodes publishes on one topic back to back, each at the lower of its own QoS and `qos`. */
export function encodePublishes<M extends Outgoing>(
  version: Version,
  topic: string,
  messages: readonly M[],
  qos: QoS,
  { retain = false, properties }: PublishOptions<M> = {},
): EncodedPublishes<M> {
  const sections = version === 5 ? messages.map((message) => properties?.(message) ?? NO_PROPERTY_BYTES) : null
  const topicBytes = Buffer.byteLength(topic)
  let total = 0
  for (let i = 0; i < messages.length; i++) {
    const length = bodyLength(topicBytes, messages[i]!, qos, sections?.[i])
    total += 1 + varintSize(length) + length
  }
  const bytes = Buffer.allocUnsafe(total)
  let idAt: number[] = NO_IDS
  let numbered: M[] = NO_MESSAGES
  let highest: QoS = 0
  let at = 0
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i]!
    const level = message.qos < qos ? message.qos : qos
    if (level > highest) highest = level
    bytes[at++] = (Type.publish << 4) | (level << 1) | (retain ? 1 : 0)
    at = writeVarint(bytes, at, bodyLength(topicBytes, message, qos, sections?.[i]))
    bytes[at++] = topicBytes >> 8
    bytes[at++] = topicBytes & 0xff
    at = writeText(bytes, topic, at)
    if (level > 0) {
      if (idAt === NO_IDS) {
        idAt = []
        numbered = []
      }
      numbered.push(message)
      idAt.push(at)
      at += 2
    }
    if (sections) at += sections[i]!.copy(bytes, at)
    at += message.payload.copy(bytes, at)
  }
  return { bytes, idAt, numbered, qos: highest }
}

/** Bytes of one such packet. */
export function publishSize(version: Version, topic: string, message: Outgoing, qos: QoS, section: Buffer): number {
  const length = bodyLength(Buffer.byteLength(topic), message, qos, version === 5 ? section : undefined)
  return 1 + varintSize(length) + length
}

function bodyLength(topicBytes: number, message: Outgoing, qos: QoS, section: Buffer | undefined): number {
  const id = message.qos > 0 && qos > 0 ? 2 : 0
  return 2 + topicBytes + id + (section?.length ?? 0) + message.payload.length
}

/** Sets DUP on a single encoded PUBLISH that is sent again [MQTT-3.3.1-1]. */
export function markDuplicate(publish: Buffer): void {
  publish[0] = publish[0]! | 0x08
}
