/**
 * A chunk: the unit of read, delete and retention of a log. At most 64 entries and 64 kB, unless one entry is larger.
 *
 *   crc32 u32 | version u8 | entries u16 | first seq u48 | entries…
 *   entry: flags u8 | ts u48 | from length u16 | payload length u32 | origin length u16 | from | origin | [extra] | payload
 *
 * In the place of a payload that is gone stands why, as JSON.
 */
import type { LogEntry, QoS } from '../store.js'
import { checksum } from './checksum.js'
import { extraSize, readExtra, writeExtra } from './extra-codec.js'
import { remains } from './gone.js'

const VERSION = 1
const HEADER = 13
const ENTRY_HEADER = 15
const EXTRA_FLAG = 8
const GONE_FLAG = 16
const ASIDE_FLAG = 32

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
      const bytes = entrySize(entry)
      if (count > 0 && size + bytes > CHUNK_BYTES) break
      sizes.push(bytes)
      size += bytes
      count++
    }
    const value = Buffer.allocUnsafeSlow(size)
    let at = before ? before.value.copy(value) : HEADER
    for (let i = 0; i < sizes.length; i++) at = encodeEntry(value, at, entries[from + i]!)
    return Chunk.#sealed(value, before?.first ?? entries[from]!.seq, count)
  }

  /** A chunk of exactly these entries: those of one there was, some of which are gone now. */
  static of(entries: readonly LogEntry[]): Chunk {
    const value = Buffer.allocUnsafeSlow(entries.reduce((size, entry) => size + entrySize(entry), HEADER))
    let at = HEADER
    for (const entry of entries) at = encodeEntry(value, at, entry)
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

function stored({ payload, gone }: LogEntry): Buffer {
  return gone ? Buffer.from(JSON.stringify(gone)) : payload
}

function encodeEntry(value: Buffer, start: number, entry: LogEntry): number {
  const { qos, ts, from, origin, extra, gone, aside } = entry
  const payload = stored(entry)
  const fromLength = value.write(from, start + ENTRY_HEADER)
  const originLength = value.write(origin, start + ENTRY_HEADER + fromLength)
  value[start] = qos | (extra ? EXTRA_FLAG : 0) | (gone ? GONE_FLAG : 0) | (aside ? ASIDE_FLAG : 0)
  value.writeUIntLE(ts, start + 1, 6)
  value.writeUInt16LE(fromLength, start + 7)
  value.writeUInt32LE(payload.length, start + 9)
  value.writeUInt16LE(originLength, start + 13)
  let at = start + ENTRY_HEADER + fromLength + originLength
  if (extra) at = writeExtra(value, extra, at)
  return at + payload.copy(value, at)
}

function entrySize(entry: LogEntry): number {
  const { from, origin, extra } = entry
  const names = Buffer.byteLength(from) + Buffer.byteLength(origin)
  return ENTRY_HEADER + names + stored(entry).length + (extra ? extraSize(extra) : 0)
}

function withFlags(plain: LogEntry, flags: number): LogEntry {
  const entry = flags & ASIDE_FLAG ? { ...plain, aside: true } : plain
  return flags & GONE_FLAG ? remains(entry, JSON.parse(entry.payload.toString())) : entry
}

function decodeEntries(value: Buffer, first: number, count: number): LogEntry[] {
  const entries: LogEntry[] = []
  let at = HEADER
  for (let seq = first; seq < first + count; seq++) {
    const fromEnd = at + ENTRY_HEADER + value.readUInt16LE(at + 7)
    const originEnd = fromEnd + value.readUInt16LE(at + 13)
    const extra = value[at]! & EXTRA_FLAG ? readExtra(value, originEnd) : null
    const payloadAt = extra ? originEnd + extraSize(extra) : originEnd
    const end = payloadAt + value.readUInt32LE(at + 9)
    const entry: LogEntry = {
      seq,
      ts: value.readUIntLE(at + 1, 6),
      qos: (value[at]! & 3) as QoS,
      from: value.toString('utf8', at + ENTRY_HEADER, fromEnd),
      origin: value.toString('utf8', fromEnd, originEnd),
      payload: value.subarray(payloadAt, end),
      extra,
    }
    entries.push(value[at]! & (ASIDE_FLAG | GONE_FLAG) ? withFlags(entry, value[at]!) : entry)
    at = end
  }
  return entries
}
