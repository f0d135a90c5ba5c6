/**
 * The encoded form of an entry, the same in the journal and in chunks, so that folding copies bytes:
 *
 *   flags u8 | ts u48 | from length u16 | payload length u32 | origin length u16 | from | origin | [extra] | payload
 *
 * Numbers are little-endian. In an entry that is gone the payload is the reason, as JSON.
 */

import { remains } from '../gone.js'
import type { LogEntry } from '../logs.js'
import type { QoS } from '../qos.js'
import { extraEnd, extraSize, readExtra, writeExtra } from './extra-codec.js'

export const ENTRY_HEADER = 15
const EXTRA_FLAG = 8
const GONE_FLAG = 16
const CHANGE_FLAG = 32

type Facts = Pick<LogEntry, 'ts' | 'qos'> & Partial<Pick<LogEntry, 'extra' | 'gone' | 'isChange'>>

/** Writes the fixed header of an entry; lengths in bytes. */
export function writeEntryHeader(
  into: Buffer,
  at: number,
  { ts, qos, extra, gone, isChange }: Facts,
  from: number,
  origin: number,
  payload: number,
): void {
  if (from > 0xffff || origin > 0xffff) throw new RangeError('a name is too long for the log')
  into[at] = qos | (extra ? EXTRA_FLAG : 0) | (gone ? GONE_FLAG : 0) | (isChange ? CHANGE_FLAG : 0)
  into.writeUIntLE(ts, at + 1, 6)
  into.writeUInt16LE(from, at + 7)
  into.writeUInt32LE(payload, at + 9)
  into.writeUInt16LE(origin, at + 13)
}

/** Encoded size of the entries. */
export function sizeOf(entries: readonly LogEntry[]): number {
  let size = 0
  for (const entry of entries) {
    const { from, origin, extra } = entry
    const names = Buffer.byteLength(from) + Buffer.byteLength(origin)
    size += ENTRY_HEADER + names + stored(entry).length + (extra ? extraSize(extra) : 0)
  }
  return size
}

/** Writes entries back to back. */
export function encodeEntries(into: Buffer, at: number, entries: readonly LogEntry[]): void {
  for (const entry of entries) at = encodeEntry(into, at, entry)
}

/** The offset behind the entry at `at`. */
export function entryEnd(value: Buffer, at: number): number {
  const extraAt = at + ENTRY_HEADER + value.readUInt16LE(at + 7) + value.readUInt16LE(at + 13)
  const payloadAt = value[at]! & EXTRA_FLAG ? extraEnd(value, extraAt) : extraAt
  return payloadAt + value.readUInt32LE(at + 9)
}

/** Whether the entry at `at` is gone, or has MQTT 5 properties or an expiry. */
export function isMarked(value: Buffer, at: number): boolean {
  return (value[at]! & (EXTRA_FLAG | GONE_FLAG)) !== 0
}

export function isNoChange(value: Buffer, at: number): boolean {
  return (value[at]! & CHANGE_FLAG) === 0
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

/** Decodes `count` entries from an offset of `value` on, numbered from `first`. */
export function decodeEntries(value: Buffer, at: number, first: number, count: number): LogEntry[] {
  const entries: LogEntry[] = []
  for (let seq = first; seq < first + count; seq++) {
    const flags = value[at]!
    const fromEnd = at + ENTRY_HEADER + value.readUInt16LE(at + 7)
    const originEnd = fromEnd + value.readUInt16LE(at + 13)
    const payloadAt = flags & EXTRA_FLAG ? extraEnd(value, originEnd) : originEnd
    const end = payloadAt + value.readUInt32LE(at + 9)
    const entry: LogEntry = {
      seq,
      ts: value.readUIntLE(at + 1, 6),
      qos: (flags & 3) as QoS,
      from: value.toString('utf8', at + ENTRY_HEADER, fromEnd),
      origin: value.toString('utf8', fromEnd, originEnd),
      payload: value.subarray(payloadAt, end),
      extra: flags & EXTRA_FLAG ? readExtra(value, originEnd) : null,
    }
    entries.push(flags & (CHANGE_FLAG | GONE_FLAG) ? withFlags(entry, flags) : entry)
    at = end
  }
  return entries
}

function withFlags(plain: LogEntry, flags: number): LogEntry {
  const entry = flags & CHANGE_FLAG ? { ...plain, isChange: true } : plain
  return flags & GONE_FLAG ? remains(entry, JSON.parse(entry.payload.toString())) : entry
}
