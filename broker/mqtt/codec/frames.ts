import { malformed, ProtocolError, Reason } from './reader.js'

/**
 * Cuts a byte stream into control packets: fixed header and body [MQTT-2.2]. A body is a view of the received chunk where
 * one chunk holds all of it; a packet larger than `maxBytes` is refused from its header alone, before it is gathered.
 */
export class FrameReader {
  /** Fixed header of the frame found last: packet type in the high four bits, flags in the low. */
  header = 0
  body: Buffer = EMPTY

  readonly #maxBytes: number
  #chunk: Buffer = EMPTY
  #at = 0
  /** Chunks of a packet that is larger than what arrived so far; joined once, when it is complete. */
  #gathered: Buffer[] = []
  #missing = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes received and not yet given out. */
  get buffered(): number {
    let bytes = this.#chunk.length - this.#at
    for (const part of this.#gathered) bytes += part.length
    return bytes
  }

  push(chunk: Buffer): void {
    if (this.#missing > 0) {
      this.#gathered.push(chunk)
      this.#missing -= chunk.length
      if (this.#missing > 0) return
      this.#chunk = Buffer.concat(this.#gathered)
      this.#gathered = []
      this.#missing = 0
      this.#at = 0
      return
    }
    this.#chunk = this.#at < this.#chunk.length ? Buffer.concat([this.#chunk.subarray(this.#at), chunk]) : chunk
    this.#at = 0
  }

  /** Moves to the next whole frame and shows it in `header` and `body`; false when there is none yet. */
  next(): boolean {
    const chunk = this.#chunk
    const start = this.#at
    if (this.#missing > 0 || start >= chunk.length) return false
    let at = start + 1
    let length = 0
    for (let shift = 0; ; shift += 7) {
      if (shift === 28) throw malformed('the remaining length is longer than four bytes [MQTT-2.2.3]')
      if (at >= chunk.length) return false
      const byte = chunk[at++]!
      length += (byte & 0x7f) << shift
      if ((byte & 0x80) === 0) break
    }
    if (at - start + length > this.#maxBytes) {
      throw new ProtocolError(
        Reason.packetTooLarge,
        `a packet of ${length} bytes is larger than ${this.#maxBytes} (limits.packetBytes)`,
      )
    }
    if (at + length > chunk.length) {
      this.#gather(chunk, start, at + length)
      return false
    }
    this.header = chunk[start]!
    this.body = chunk.subarray(at, at + length)
    this.#at = at + length
    return true
  }

  #gather(chunk: Buffer, start: number, end: number): void {
    this.#gathered = [chunk.subarray(start)]
    this.#missing = end - chunk.length
    this.#chunk = EMPTY
    this.#at = 0
  }
}

const EMPTY = Buffer.alloc(0)
