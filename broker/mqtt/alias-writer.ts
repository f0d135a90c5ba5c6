/**
 * Topic aliases towards a client that allows them [MQTT5-3.1.2.11.5]. Publishes are encoded once for all sessions, without aliases; they are
 * rewritten here, just before they go to the connection: the first of a topic sets an alias, the following carry it instead of the topic.
 * Packets must be passed in the order they are sent.
 */
import { varintSize, writeVarint } from './codec/encode.js'

/** Bytes of the Topic Alias property; a shorter topic would not be worth it. */
const ALIAS_BYTES = 3
const TOPIC_ALIAS = 0x23

export class AliasWriter {
  readonly #maximum: number
  readonly #maxPacket: number
  /** By topic, as its bytes in Latin-1. */
  readonly #aliases = new Map<string, number>()

  /** `maximum`: the client's topic alias maximum; `maxPacket`: its maximum packet size. */
  constructor(maximum: number, maxPacket: number) {
    this.#maximum = maximum
    this.#maxPacket = maxPacket
  }

  /** `publishes`: whole PUBLISH packets of MQTT 5, one after another. */
  rewrite(publishes: Buffer): Buffer {
    const packets: Buffer[] = []
    for (let at = 0; at < publishes.length; ) {
      const length = readVarint(publishes, at + 1)
      const body = at + 1 + varintSize(length)
      const end = body + length
      packets.push(this.#rewriteOne(publishes.subarray(at, end), body - at))
      at = end
    }
    return packets.length === 1 ? packets[0]! : Buffer.concat(packets)
  }

  /** `body`: where the variable header begins. */
  #rewriteOne(packet: Buffer, body: number): Buffer {
    const topicEnd = body + 2 + packet.readUInt16BE(body)
    if (topicEnd - body - 2 <= ALIAS_BYTES) return packet
    const topic = packet.toString('latin1', body + 2, topicEnd)
    const known = this.#aliases.get(topic)
    if (known !== undefined) return withAlias(packet, body, topicEnd, known, false)
    if (this.#aliases.size >= this.#maximum) return packet
    const alias = this.#aliases.size + 1
    const setting = withAlias(packet, body, topicEnd, alias, true)
    if (setting.length > this.#maxPacket) return packet
    this.#aliases.set(topic, alias)
    return setting
  }
}

/** The packet with the alias in front of its properties; with its topic, or with an empty one. */
function withAlias(packet: Buffer, body: number, topicEnd: number, alias: number, keepsTopic: boolean): Buffer {
  const idEnd = topicEnd + ((packet[0]! & 0x06) > 0 ? 2 : 0)
  const properties = readVarint(packet, idEnd)
  const propertiesAt = idEnd + varintSize(properties)
  const topic = keepsTopic ? packet.subarray(body, topicEnd) : Buffer.alloc(2)
  const id = packet.subarray(topicEnd, idEnd)
  const rest = packet.subarray(propertiesAt)
  const length = topic.length + id.length + varintSize(properties + ALIAS_BYTES) + ALIAS_BYTES + rest.length
  const bytes = Buffer.allocUnsafe(1 + varintSize(length) + length)
  bytes[0] = packet[0]!
  let at = writeVarint(bytes, 1, length)
  at += topic.copy(bytes, at)
  at += id.copy(bytes, at)
  at = writeVarint(bytes, at, properties + ALIAS_BYTES)
  bytes[at++] = TOPIC_ALIAS
  at = bytes.writeUInt16BE(alias, at)
  rest.copy(bytes, at)
  return bytes
}

function readVarint(bytes: Buffer, at: number): number {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!
    value += (byte & 0x7f) << shift
    if ((byte & 0x80) === 0) return value
  }
}
