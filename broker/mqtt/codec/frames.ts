import { Gathering } from './gathering.js'
import { LongPublish } from './long-publish.js'
import { Type } from './packets.js'
import { malformed, ProtocolError, Reason } from './reason-codes.js'

/**
 * Cuts a byte stream into control packets: fixed header and body [MQTT-2.2]. A body is a view of the received chunk where
 * one chunk holds all of it. A packet larger than `maxBytes` is refused by its header alone, before it is gathered; if it is a PUBLISH and
 * `skipsPayloads` is set, its payload is discarded while it arrives, and the packet is returned without it.
 */
export class FrameReader {
  /** Fixed header of the frame found last: packet type in the high four bits, flags in the low. */
  header = 0
  /** Its body: offsets into the chunk. */
  chunk: Buffer = EMPTY
  from = 0
  to = 0
  /** Bytes of its payload that were not kept; 0: it is whole. */
  skipped = 0

  /** Longest packet; applies to the next packets. */
  maxBytes: number
  /** The client does not know `maxBytes` (before MQTT 5). If it were disconnected, it would send the same packet again, for ever. */
  skipsPayloads = false
  #at = 0
  /** What arrived of a packet larger than its chunk. */
  readonly #partial = new Gathering()
  #missing = 0
  /** The PUBLISH being received that is longer than `maxBytes`. */
  #long: LongPublish | null = null

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get body(): Buffer {
    return this.chunk.subarray(this.from, this.to)
  }

  /** Bytes received and not yet given out. */
  get buffered(): number {
    return this.chunk.length - this.#at + this.#partial.length + (this.#long?.length ?? 0)
  }

  push(chunk: Buffer): void {
    if (this.#missing > 0) {
      this.#gather(chunk)
      if (this.#missing > 0) return
      this.chunk = this.#partial.take()
      this.#at = 0
      return
    }
    if (this.#long && !this.#long.complete) {
      this.chunk = chunk.subarray(this.#long.take(chunk))
      this.#at = 0
      return
    }
    this.chunk = this.#at < this.chunk.length ? Buffer.concat([this.chunk.subarray(this.#at), chunk]) : chunk
    this.#at = 0
  }

  /** Moves to the next whole frame and shows it; false when there is none yet. */
  next(): boolean {
    if (this.#long) return this.#nextLong(this.#long)
    const { chunk } = this
    const start = this.#at
    if (this.#missing > 0 || start >= chunk.length) {
      // An idle connection keeps no chunk in memory.
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
    if (at - start + length > this.maxBytes) return this.#beginLong(chunk[start]!, length, at)
    if (at + length > chunk.length) {
      this.#missing = at - start + length
      this.chunk = EMPTY
      this.#at = 0
      this.#gather(chunk.subarray(start))
      return false
    }
    this.header = chunk[start]!
    this.skipped = 0
    this.from = at
    this.#at = this.to = at + length
    return true
  }

  #gather(piece: Buffer): void {
    this.#missing -= piece.length
    this.#partial.add(piece, Math.max(this.#missing, 0))
  }

  #beginLong(header: number, length: number, at: number): boolean {
    if (!this.skipsPayloads || header >> 4 !== Type.publish)
      throw tooLarge(`a packet of ${length} bytes`, this.maxBytes)
    this.#long = new LongPublish(header, length)
    this.#at = at + this.#long.take(this.chunk.subarray(at))
    return this.#nextLong(this.#long)
  }

  /** The gathered packet and the bytes behind it become one chunk. */
  #nextLong(long: LongPublish): boolean {
    if (FIXED_HEADER + long.headLength > this.maxBytes) throw tooLarge('a PUBLISH without its payload', this.maxBytes)
    if (!long.complete) {
      this.chunk = EMPTY
      this.from = this.to = this.#at = 0
      return false
    }
    this.#long = null
    const head = long.head()
    this.header = long.header
    this.skipped = long.skipped
    this.chunk = Buffer.concat([head, this.chunk.subarray(this.#at)])
    this.from = 0
    this.#at = this.to = head.length
    return true
  }
}

function tooLarge(what: string, maxBytes: number): ProtocolError {
  return new ProtocolError(Reason.packetTooLarge, `${what} is larger than ${maxBytes} (limits.packetBytes)`)
}

const EMPTY = Buffer.alloc(0)

/** The longest there is: a byte, and four of remaining length. */
const FIXED_HEADER = 5
