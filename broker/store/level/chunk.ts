/**
 * A chunk: the unit of read, delete and retention of a log. At most 64 entries and 64 kB, unless one entry is larger.
 *
 *   crc32 u32 | version u8 | entries u16 | first seq u48 | entries…
 */
import type { LogEntry } from '../logs.js'
import { checksum } from './checksum.js'
import { decodeEntries, encodeEntries, sizeOf } from './entry-codec.js'
import type { RunReader } from './run.js'

const VERSION = 1
const HEADER = 13

export const CHUNK_ENTRIES = 64
export const CHUNK_BYTES = 65_536

/** Encoded entries of a log, decoded on first use. */
export class Chunk {
  readonly first: number
  readonly last: number
  readonly value: Buffer
  #entries: LogEntry[] | null = null

  private constructor(value: Buffer) {
    this.value = value
    this.first = value.readUIntLE(7, 6)
    this.last = this.first + value.readUInt16LE(5) - 1
  }

  /** Null if the checksum or format is wrong. */
  static read(value: Buffer): Chunk | null {
    if (value.length < HEADER || value.readUInt32LE(0) !== checksum(value.subarray(4)) || value[4] !== VERSION)
      return null
    return new Chunk(value)
  }

  get count(): number {
    return this.last - this.first + 1
  }

  get entries(): readonly LogEntry[] {
    return (this.#entries ??= decodeEntries(this.value, HEADER, this.first, this.count))
  }

  /** A chunk of the entries of `before` and as many of `source` as fit; without `before`, at least one. */
  static pack(before: Chunk | null, source: RunReader): Chunk {
    const first = before?.first ?? source.next
    const stretches: Uint8Array[] = []
    let count = before?.count ?? 0
    let size = before?.value.length ?? HEADER
    while (count < CHUNK_ENTRIES && !source.done) {
      const stretch = source.take(CHUNK_ENTRIES - count, CHUNK_BYTES - size, count === 0 ? 1 : 0)
      if (!stretch) break
      stretches.push(stretch)
      count = source.next - first
      size += stretch.length
    }
    const value = Buffer.allocUnsafeSlow(size)
    let at = before ? before.value.copy(value) : HEADER
    for (const stretch of stretches) {
      value.set(stretch, at)
      at += stretch.length
    }
    return Chunk.#sealed(value, first, count)
  }

  /** A chunk of exactly these entries: those of an existing chunk, of which some are gone now. */
  static of(entries: readonly LogEntry[]): Chunk {
    const value = Buffer.allocUnsafeSlow(HEADER + sizeOf(entries))
    encodeEntries(value, HEADER, entries)
    return Chunk.#sealed(value, entries[0]!.seq, entries.length)
  }

  static #sealed(value: Buffer, first: number, count: number): Chunk {
    value[4] = VERSION
    value.writeUInt16LE(count, 5)
    value.writeUIntLE(first, 7, 6)
    value.writeUInt32LE(checksum(value.subarray(4)), 0)
    return new Chunk(value)
  }
}
