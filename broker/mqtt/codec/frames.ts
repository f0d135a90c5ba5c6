import { malformed, ProtocolError, Reason } from './reader.js'

/**
 * Cuts a byte stream into control packets: fixed header and body [MQTT-2.2]. A body is a view of the received chunk where
 * one chunk holds all of it; a packet larger than `maxBytes` is refused from its header alone, before it is gathered.
 */
export class FrameReader {
  /** Fixed header of the frame found last: packet type in the high four bits, flags in the low. */
  header = 0
  /** Its body, from one place of what was received to another. */
  chunk: Buffer = EMPTY
  from = 0
  to = 0

  /** Longest packet; those to come are held against it. */
  maxBytes: number
  #at = 0
  /** What arrived of a packet larger than its chunk: copied, and grown with what comes, so that neither a claimed length costs memory nor many small pieces. */
  #partial: Buffer = EMPTY
  #filled = 0
  #missing = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get body(): Buffer {
    return this.chunk.subarray(this.from, this.to)
  }

  /** Bytes received and not yet given out. */
  get buffered(): number {
    return this.chunk.length - this.#at + this.#filled
  }

  push(chunk: Buffer): void {
    if (this.#missing > 0) {
      this.#gather(chunk)
      if (this.#missing > 0) return
      this.chunk = this.#partial.subarray(0, this.#filled)
      this.#partial = EMPTY
      this.#filled = 0
      this.#at = 0
      return
    }
    this.chunk = this.#at < this.chunk.length ? Buffer.concat([this.chunk.subarray(this.#at), chunk]) : chunk
    this.#at = 0
  }

  /** Moves to the next whole frame and shows it; false when there is none yet. */
  next(): boolean {
    const { chunk } = this
    const start = this.#at
    if (this.#missing > 0 || start >= chunk.length) {
      // An idle connection keeps nothing of what it said last.
      this.chunk = EMPTY
      this.from = this.to = this.#at = 0
      return false
    }
    let at = start + 1
    let length = 0
    for (let shift = 0; ; shift += 7) {
      if (shift === 28) throw malformed('the remaining length is longer than four bytes [MQTT-2.2.3]')
      if (at >= chunk.length) return false
      const byte = chunk[at++]!
      length += (byte & 0x7f) << shift
      if ((byte & 0x80) === 0) break
    }
    if (at - start + length > this.maxBytes) {
      throw new ProtocolError(
        Reason.packetTooLarge,
        `a packet of ${length} bytes is larger than ${this.maxBytes} (limits.packetBytes)`,
      )
    }
    if (at + length > chunk.length) {
      this.#missing = at - start + length
      this.chunk = EMPTY
      this.#at = 0
      this.#gather(chunk.subarray(start))
      return false
    }
    this.header = chunk[start]!
    this.from = at
    this.#at = this.to = at + length
    return true
  }

  #gather(piece: Buffer): void {
    const filled = this.#filled + piece.length
    if (filled > this.#partial.length) this.#grow(filled)
    piece.copy(this.#partial, this.#filled)
    this.#filled = filled
    this.#missing -= piece.length
  }

  /** To twice the size, but no larger than the packet needs. */
  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, Math.min(2 * needed, this.#filled + this.#missing)))
    this.#partial.copy(larger, 0, 0, this.#filled)
    this.#partial = larger
  }
}

const EMPTY = Buffer.alloc(0)
