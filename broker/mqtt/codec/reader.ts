import { isUtf8 } from 'node:buffer'
import { malformed } from './reason-codes.js'

/** Reads the body of one packet, field by field, and refuses to read past its end. */
export class PacketReader {
  #at = 0
  readonly #body: Buffer

  constructor(body: Buffer) {
    this.#body = body
  }

  get remaining(): number {
    return this.#body.length - this.#at
  }

  byte(what: string): number {
    if (this.remaining < 1) throw malformed(`the packet ends before its ${what}`)
    return this.#body[this.#at++]!
  }

  uint16(what: string): number {
    if (this.remaining < 2) throw malformed(`the packet ends before its ${what}`)
    const value = this.#body.readUInt16BE(this.#at)
    this.#at += 2
    return value
  }

  uint32(what: string): number {
    if (this.remaining < 4) throw malformed(`the packet ends before its ${what}`)
    const value = this.#body.readUInt32BE(this.#at)
    this.#at += 4
    return value
  }

  /** A packet identifier is never 0 [MQTT-2.3.1-1]. */
  packetId(): number {
    const id = this.uint16('packet identifier')
    if (id === 0) throw malformed('packet identifier 0 [MQTT-2.3.1-1]')
    return id
  }

  /** Variable byte integer, at most four bytes and no longer than needed [MQTT5-1.5.5-1]. */
  varint(what: string): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte(what)
      value += (byte & 0x7f) << shift
      if ((byte & 0x80) === 0) {
        if (shift > 0 && byte === 0) throw malformed(`${what} is not in its shortest form`)
        return value
      }
    }
    throw malformed(`${what} is longer than four bytes`)
  }

  binary(what: string): Buffer {
    const length = this.uint16(`${what} length`)
    return this.take(length, what)
  }

  /** UTF-8 encoded string: well formed, no surrogates, no U+0000 [MQTT-1.5.3-1, MQTT-1.5.3-2]. */
  string(what: string): string {
    const bytes = this.binary(what)
    if (!isUtf8(bytes)) throw malformed(`${what} is not valid UTF-8 [MQTT-1.5.3-1]`)
    if (bytes.includes(0)) throw malformed(`${what} contains U+0000 [MQTT-1.5.3-2]`)
    return bytes.toString('utf8')
  }

  take(length: number, what: string): Buffer {
    if (this.remaining < length) throw malformed(`the packet ends within its ${what}`)
    const bytes = this.#body.subarray(this.#at, this.#at + length)
    this.#at += length
    return bytes
  }

  rest(): Buffer {
    return this.take(this.remaining, 'payload')
  }

  /** The remaining length must fit the content exactly. */
  end(packet: string): void {
    if (this.remaining > 0) throw malformed(`${packet} has ${this.remaining} bytes too many`)
  }
}
