/**
 * An entry as it lies in the journal and in chunks alike, so that it goes from the one into the other as it is:
 *
 *   flags u8 | ts u48 | from length u16 | payload length u32 | origin length u16 | from | origin | [extra] | payload
 *
 * Numbers are little-endian. In the place of a payload that is gone stands why, as JSON.
 */
import type { LogEntry, QoS } from '../store.js'
import { extraSize, readExtra, writeExtra } from './extra-codec.js'
import { remains } from './gone.js'

export const ENTRY_HEADER = 15
const EXTRA_FLAG = 8
const GONE_FLAG = 16
const ASIDE_FLAG = 32

/** An entry that is a view of its encoded form. */
export interface PackedEntry extends LogEntry {
  /** Where that begins, in the memory that the payload is a view of; it ends with the payload. Absent: it has to be made. */
  readonly at?: number
}

type Facts = Pick<LogEntry, 'ts' | 'qos'> & Partial<Pick<LogEntry, 'extra' | 'gone' | 'aside'>>

/** What stands before the texts of an entry; their lengths are in bytes. */
export function writeEntryHeader(
  into: Buffer,
  at: number,
  { ts, qos, extra, gone, aside }: Facts,
  from: number,
  origin: number,
  payload: number,
): void {
  if (from > 0xffff || origin > 0xffff) throw new RangeError('a name is too long for the log')
  into[at] = qos | (extra ? EXTRA_FLAG : 0) | (gone ? GONE_FLAG : 0) | (aside ? ASIDE_FLAG : 0)
  into.writeUIntLE(ts, at + 1, 6)
  into.writeUInt16LE(from, at + 7)
  into.writeUInt32LE(payload, at + 9)
  into.writeUInt16LE(origin, at + 13)
}

export function entrySize(entry: PackedEntry): number {
  const { from, origin, extra, payload, at } = entry
  if (at !== undefined) return payload.byteOffset + payload.length - at
  const names = Buffer.byteLength(from) + Buffer.byteLength(origin)
  return ENTRY_HEADER + names + stored(entry).length + (extra ? extraSize(extra) : 0)
}

/** Writes `count` entries back to back and returns the place behind them. */
export function copyEntries(
  into: Buffer,
  at: number,
  entries: readonly PackedEntry[],
  first: number,
  count: number,
): number {
  for (let i = first; i < first + count; ) {
    const run = runLength(entries, i, first + count)
    at = run > 0 ? copyRun(into, at, entries[i]!, entries[i + run - 1]!) : encodeEntry(into, at, entries[i]!)
    i += Math.max(1, run)
  }
  return at
}

/** How many of them lie one behind another in memory, as those of one log in one commit often do. */
function runLength(entries: readonly PackedEntry[], first: number, end: number): number {
  const { at, payload } = entries[first]!
  if (at === undefined) return 0
  let last = payload
  let i = first + 1
  for (; i < end; i++) {
    const next = entries[i]!
    if (next.at !== last.byteOffset + last.length || next.payload.buffer !== payload.buffer) break
    last = next.payload
  }
  return i - first
}

function copyRun(
  into: Buffer,
  at: number,
  { at: start, payload }: PackedEntry,
  { payload: last }: PackedEntry,
): number {
  const run = new Uint8Array(payload.buffer, start, last.byteOffset + last.length - start!)
  into.set(run, at)
  return at + run.length
}

function stored({ payload, gone }: LogEntry): Buffer {
  return gone ? Buffer.from(JSON.stringify(gone)) : payload
}

function encodeEntry(into: Buffer, start: number, entry: LogEntry): number {
  const { from, origin, extra } = entry
  const payload = stored(entry)
  const fromLength = into.write(from, start + ENTRY_HEADER)
  const originLength = into.write(origin, start + ENTRY_HEADER + fromLength)
  writeEntryHeader(into, start, entry, fromLength, originLength, payload.length)
  let at = start + ENTRY_HEADER + fromLength + originLength
  if (extra) at = writeExtra(into, extra, at)
  return at + payload.copy(into, at)
}

/** `count` entries from a place of `value` on, numbered from `first`, and the place behind them. */
export function decodeEntries(
  value: Buffer,
  at: number,
  first: number,
  count: number,
): { entries: LogEntry[]; end: number } {
  const entries: LogEntry[] = []
  for (let seq = first; seq < first + count; seq++) {
    const flags = value[at]!
    const fromEnd = at + ENTRY_HEADER + value.readUInt16LE(at + 7)
    const originEnd = fromEnd + value.readUInt16LE(at + 13)
    const extra = flags & EXTRA_FLAG ? readExtra(value, originEnd) : null
    const payloadAt = extra ? originEnd + extraSize(extra) : originEnd
    const end = payloadAt + value.readUInt32LE(at + 9)
    const entry: PackedEntry = {
      seq,
      ts: value.readUIntLE(at + 1, 6),
      qos: (flags & 3) as QoS,
      from: value.toString('utf8', at + ENTRY_HEADER, fromEnd),
      origin: value.toString('utf8', fromEnd, originEnd),
      payload: value.subarray(payloadAt, end),
      extra,
      at: value.byteOffset + at,
    }
    entries.push(flags & (ASIDE_FLAG | GONE_FLAG) ? withFlags(entry, flags) : entry)
    at = end
  }
  return { entries, end: at }
}

function withFlags(plain: PackedEntry, flags: number): LogEntry {
  const entry = flags & ASIDE_FLAG ? { ...plain, aside: true } : plain
  return flags & GONE_FLAG ? remains(entry, JSON.parse(entry.payload.toString())) : entry
}
