/**
 * An entry as an element of a list (lua/logs.lua reads it too):
 *
 *   flags u8 | ts u48 | length of from u16 | length of origin u16 | from | origin | [expires u48 | length of properties u32 | properties] | payload
 *
 * Numbers are big-endian. The payload is what is left; in an entry that is gone it is the reason, as JSON.
 */
import type { Draft } from '../changes.js'
import { isNameless, remains } from '../gone.js'
import type { Extra, LogEntry } from '../logs.js'
import type { QoS } from '../qos.js'

/** Entries in one list. Lists are removed as a whole, so it is the unit of retention. */
export const BLOCK_ENTRIES = 64

const HEADER = 11
const EXTRA_HEADER = 10
const EXTRA_FLAG = 8
const GONE_FLAG = 16
const CHANGE_FLAG = 32
/** The author's name is removed too (lua/logs.lua). */
const NAMELESS_FLAG = 64
const LONGEST_NAME = 0xffff

type EncodedDraft = Pick<Draft, 'ts' | 'from' | 'origin' | 'qos' | 'extra' | 'isChange' | 'body'>

/** The entry of a draft, before and behind its number. @throws RangeError if a name is too long */
export function encodeDraft({ ts, from, origin = '', qos, extra, body, isChange }: EncodedDraft): [Buffer, Buffer] {
  const fromLength = Buffer.byteLength(from)
  const originLength = Buffer.byteLength(origin)
  if (fromLength > LONGEST_NAME || originLength > LONGEST_NAME) throw new RangeError('a name is too long for the log')
  const { bytes, seqAt } = body
  const extraAt = HEADER + fromLength + originLength
  const payloadAt = extraAt + (extra ? EXTRA_HEADER + extra.properties.length : 0)
  const before = Buffer.allocUnsafe(payloadAt + seqAt)
  before[0] = qos | (extra ? EXTRA_FLAG : 0) | (isChange ? CHANGE_FLAG : 0)
  before.writeUIntBE(ts, 1, 6)
  before.writeUInt16BE(fromLength, 7)
  before.writeUInt16BE(originLength, 9)
  before.write(from, HEADER)
  before.write(origin, HEADER + fromLength)
  if (extra) writeExtra(before, extra, extraAt)
  bytes.copy(before, payloadAt, 0, seqAt)
  return [before, bytes.subarray(seqAt)]
}

/** An entry that has its number. @throws RangeError if a name is too long */
export function encodeEntry({ ts, from, origin, qos, extra, payload, isChange, gone }: LogEntry): Buffer {
  const draft = { ts, from, origin, qos, extra, isChange: isChange ?? false }
  const bytes = gone ? Buffer.from(JSON.stringify(gone)) : payload
  const [before] = encodeDraft({ ...draft, body: { bytes, seqAt: bytes.length } })
  if (gone) before[0]! |= GONE_FLAG | (isNameless(gone) ? NAMELESS_FLAG : 0)
  return before
}

function writeExtra(into: Buffer, { properties, expiresAt }: Extra, at: number): void {
  into.writeUIntBE(expiresAt, at, 6)
  into.writeUInt32BE(properties.length, at + 6)
  properties.copy(into, at + EXTRA_HEADER)
}

export function decodeEntry(value: Buffer, seq: number): LogEntry {
  const flags = value[0]!
  const fromEnd = HEADER + value.readUInt16BE(7)
  const originEnd = fromEnd + value.readUInt16BE(9)
  const hasExtra = (flags & EXTRA_FLAG) !== 0
  const payloadAt = hasExtra ? originEnd + EXTRA_HEADER + value.readUInt32BE(originEnd + 6) : originEnd
  const entry: LogEntry = {
    seq,
    ts: value.readUIntBE(1, 6),
    qos: (flags & 3) as QoS,
    from: value.toString('utf8', HEADER, fromEnd),
    origin: value.toString('utf8', fromEnd, originEnd),
    payload: value.subarray(payloadAt),
    extra: hasExtra ? readExtra(value, originEnd, payloadAt) : null,
  }
  return flags & (CHANGE_FLAG | GONE_FLAG) ? withFlags(entry, flags) : entry
}

function readExtra(value: Buffer, at: number, end: number): Extra {
  return { properties: value.subarray(at + EXTRA_HEADER, end), expiresAt: value.readUIntBE(at, 6) }
}

function withFlags(plain: LogEntry, flags: number): LogEntry {
  const entry = flags & CHANGE_FLAG ? { ...plain, isChange: true } : plain
  return flags & GONE_FLAG ? remains(entry, JSON.parse(entry.payload.toString())) : entry
}
