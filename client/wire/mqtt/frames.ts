import { malformed, packetTooLarge } from './malformed.js'

/** A control packet: the first byte of its fixed header (type, flags), and what follows the remaining length. */
export interface Frame {
  readonly header: number
  readonly body: Uint8Array
}

/** Marked so that bundlers may leave it out. */
const EMPTY = /* @__PURE__ */ new Uint8Array(0)

/**
 * Cuts what arrives into control packets [MQTT5-2.1], wherever WebSocket frames begin and end in them. It keeps one incomplete packet at
 * most, in memory that grows with the bytes that have arrived, not with the length that the packet claims.
 */
export class FrameReader {
  readonly #maxPacket: number
  /** Bytes handed out are never overwritten: new ones go behind `#to`, or into a larger buffer. */
  #buffer: Uint8Array = EMPTY
  #from = 0
  #to = 0

  /** `maxPacket`: bytes of the longest packet that is accepted. */
  constructor(maxPacket: number) {
    this.#maxPacket = maxPacket
  }

  /** Bytes received and not yet given out. */
  get buffered(): number {
    return this.#to - this.#from
  }

  /** Memory that is held. */
  get capacity(): number {
    return this.#buffer.length
  }

  push(chunk: Uint8Array): void {
    if (this.buffered === 0) {
      this.#buffer = chunk
      this.#from = 0
      this.#to = chunk.length
      return
    }
    // A buffer that came as a chunk is full, so nothing is ever written into memory of others.
    if (this.#to + chunk.length > this.#buffer.length) this.#grow(this.buffered + chunk.length)
    this.#buffer.set(chunk, this.#to)
    this.#to += chunk.length
  }

  /** The next whole packet; null: none yet. Throws `Malformed`. */
  next(): Frame | null {
    const header = this.#buffer[this.#from]
    if (this.buffered === 0 || header === undefined) {
      this.#buffer = EMPTY
      this.#from = this.#to = 0
      return null
    }
    let length = 0
    let at = this.#from + 1
    for (let shift = 0; ; shift += 7) {
      if (shift === 28) throw malformed('the remaining length is longer than four bytes')
      if (at >= this.#to) return null
      const byte = this.#buffer[at++]!
      length += (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    const end = at + length
    if (end - this.#from > this.#maxPacket)
      throw packetTooLarge(`a packet of ${end - this.#from} bytes; at most ${this.#maxPacket} are accepted`)
    if (end > this.#to) return null
    this.#from = end
    return { header, body: this.#buffer.subarray(at, end) }
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(needed * 2)
    larger.set(this.#buffer.subarray(this.#from, this.#to))
    this.#buffer = larger
    this.#to -= this.#from
    this.#from = 0
  }
}
