import { textOf } from '../utf8.js'
import { malformed, protocolError } from './malformed.js'

/** Reads the body of a packet, field by field, and never past its end. Throws `Malformed`. */
export class PacketReader {
  readonly #body: Uint8Array
  #at = 0

  constructor(body: Uint8Array) {
    this.#body = body
  }

  get remaining(): number {
    return this.#body.length - this.#at
  }

  byte(what: string): number {
    return this.take(1, what)[0]!
  }

  uint16(what: string): number {
    const bytes = this.take(2, what)
    return (bytes[0]! << 8) | bytes[1]!
  }

  uint32(what: string): number {
    return this.uint16(what) * 0x10000 + this.uint16(what)
  }

  /** A packet identifier is never 0 [MQTT5-2.2.1-3]. */
  packetId(): number {
    const id = this.uint16('packet identifier')
    if (id === 0) throw protocolError('packet identifier 0')
    return id
  }

  /** Variable byte integer: at most four bytes, and no longer than needed [MQTT5-1.5.5-1]. */
  varint(what: string): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte(what)
      value += (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (shift > 0 && byte === 0) throw malformed(`${what} is longer than needed`)
        return value
      }
    }
    throw malformed(`${what} is longer than four bytes`)
  }

  binary(what: string): Uint8Array {
    return this.take(this.uint16(what), what)
  }

  /** Well-formed UTF-8 without U+0000 [MQTT5-1.5.4-1, MQTT5-1.5.4-2]. */
  string(what: string): string {
    const text = textOf(this.binary(what))
    if (text === null) throw malformed(`${what} is not valid UTF-8`)
    if (text.includes('\0')) throw malformed(`${what} contains U+0000`)
    return text
  }

  take(length: number, what: string): Uint8Array {
    if (length > this.remaining) throw malformed(`the packet ends within its ${what}`)
    this.#at += length
    return this.#body.subarray(this.#at - length, this.#at)
  }

  rest(): Uint8Array {
    return this.take(this.remaining, 'payload')
  }

  end(packet: string): void {
    if (this.remaining > 0) throw malformed(`${packet} has ${this.remaining} bytes too many`)
  }
}
