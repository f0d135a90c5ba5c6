import type { Bytes } from '../../base/platform.js'
import { utf8 } from '../utf8.js'
import { WireError } from '../wire.js'

/** Longest string or binary value [MQTT5-1.5.4, MQTT5-1.5.6]. */
const MAX_FIELD = 0xffff

/** Writes the body of a packet. Throws a `WireError` for values that MQTT has no form for. */
export class PacketWriter {
  readonly #parts: Uint8Array[] = []
  #bytes = 0

  byte(value: number): void {
    this.raw(Uint8Array.of(value))
  }

  uint16(value: number): void {
    this.raw(Uint8Array.of(value >> 8, value))
  }

  uint32(value: number): void {
    this.raw(Uint8Array.of(value >>> 24, value >> 16, value >> 8, value))
  }

  varint(value: number): void {
    this.raw(varint(value))
  }

  binary(value: Uint8Array): void {
    if (value.length > MAX_FIELD)
      throw new WireError('rejected', `${value.length} bytes, where MQTT has ${MAX_FIELD} at most`)
    this.uint16(value.length)
    this.raw(value)
  }

  string(value: string): void {
    if (value.includes('\0')) throw new WireError('rejected', 'U+0000 in a string')
    this.binary(utf8(value))
  }

  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes)
    this.#bytes += bytes.length
  }

  /** A place before which the length of what follows is to stand. */
  mark(): { part: number; bytes: number } {
    return { part: this.#parts.length, bytes: this.#bytes }
  }

  lengthSince({ part, bytes }: { part: number; bytes: number }): void {
    const length = varint(this.#bytes - bytes)
    this.#parts.splice(part, 0, length)
    this.#bytes += length.length
  }

  /** The packet: `header`, the remaining length, and what was written. */
  packet(header: number): Bytes {
    const length = varint(this.#bytes)
    const packet = new Uint8Array(1 + length.length + this.#bytes)
    packet[0] = header
    packet.set(length, 1)
    let at = 1 + length.length
    for (const part of this.#parts) {
      packet.set(part, at)
      at += part.length
    }
    return packet
  }
}

/** Largest variable byte integer [MQTT5-1.5.5]. */
const MAX_VARINT = 0xfffffff

function varint(value: number): Bytes {
  if (value > MAX_VARINT) throw new WireError('rejected', `${value} bytes: more than a packet of MQTT has`)
  const bytes: number[] = []
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0))
    value >>>= 7
  } while (value > 0)
  return Uint8Array.from(bytes)
}
