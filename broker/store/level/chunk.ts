/**
 * A chunk: the unit of read, delete and retention of a log. At most 64 entries and 64 kB, unless one entry is larger.
 *
 *   crc32 u32 | version u8 | entries u16 | first seq u48 | entries…
 *   entry: qos u8 | ts u48 | from length u16 | payload length u32 | from | payload
 */
import type { LogEntry, QoS } from '../store.js'
import { checksum } from './checksum.js'

const VERSION = 1
const HEADER = 13
const ENTRY_HEADER = 13

export const CHUNK_ENTRIES = 64
export const CHUNK_BYTES = 65_536

/** Entries as they lie in the log, decoded when first asked for. */
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

  /** Null when the value is not what was written. */
  static read(value: Buffer): Chunk | null {
    if (value.length < HEADER || value.readUInt32LE(0) !== checksum(value.subarray(4)) || value[4] !== VERSION)
      return null
    return new Chunk(value)
  }

  get count(): number {
    return this.last - this.first + 1
  }

  get entries(): readonly LogEntry[] {
    return (this.#entries ??= decodeEntries(this.value, this.first, this.count))
  }

  /** A chunk of `before`'s entries and those of `entries` from `from` on that still fit: at least one. */
  static pack(before: Chunk | null, entries: readonly LogEntry[], from: number): Chunk {
    let count = before?.count ?? 0
    let size = before?.value.length ?? HEADER
    const sizes: number[] = []
    for (let i = from; i < entries.length && count < CHUNK_ENTRIES; i++) {
      const entry = entries[i]!
      const bytes = ENTRY_HEADER + Buffer.byteLength(entry.from) + entry.payload.length
      if (count > 0 && size + bytes > CHUNK_BYTES) break
      sizes.push(bytes)
      size += bytes
      count++
    }
    const value = Buffer.allocUnsafeSlow(size)
    let at = before ? before.value.copy(value) : HEADER
    for (let i = 0; i < sizes.length; i++) at = encodeEntry(value, at, entries[from + i]!)
    value[4] = VERSION
    value.writeUInt16LE(count, 5)
    value.writeUIntLE(before?.first ?? entries[from]!.seq, 7, 6)
    value.writeUInt32LE(checksum(value.subarray(4)), 0)
    return new Chunk(value)
  }
}

function encodeEntry(value: Buffer, start: number, entry: LogEntry): number {
  const at = start + ENTRY_HEADER
  const length = value.write(entry.from, at)
  value[start] = entry.qos
  value.writeUIntLE(entry.ts, start + 1, 6)
  value.writeUInt16LE(length, start + 7)
  value.writeUInt32LE(entry.payload.length, start + 9)
  return at + length + entry.payload.copy(value, at + length)
}

function decodeEntries(value: Buffer, first: number, count: number): LogEntry[] {
  const entries: LogEntry[] = []
  let at = HEADER
  for (let seq = first; seq < first + count; seq++) {
    const fromEnd = at + ENTRY_HEADER + value.readUInt16LE(at + 7)
    const end = fromEnd + value.readUInt32LE(at + 9)
    entries.push({
      seq,
      ts: value.readUIntLE(at + 1, 6),
      qos: value[at]! as QoS,
      from: value.toString('utf8', at + ENTRY_HEADER, fromEnd),
      payload: value.subarray(fromEnd, end),
    })
    at = end
  }
  return entries
}
