/**
 * The journal value of a commit: the entries of all its logs, in order, and the dedupe records that ride with them.
 *
 *   crc32 u32 | version u8 | entries u32 | names at u32 | entries… | names u32, then per log: length u16, name, first seq u48
 *   entry: log u32 | flags u8 | ts u48 | from length u16 | payload length u32 | origin length u16
 *          | [cid, hash, id lengths u16] | strings | [extra] | payload
 *
 * Numbers are little-endian. The seq of an entry follows from its place: a log's entries in a commit are dense.
 */
import type { Draft, LogEntry, QoS } from '../store.js'
import { checksum } from './checksum.js'
import { extraSize, readExtra, writeExtra } from './extra-codec.js'

const VERSION = 1
const HEADER = 13
const ENTRY_HEADER = 19
const DEDUPE_HEADER = 6
const DEDUPE_FLAG = 4
const EXTRA_FLAG = 8
const ASIDE_FLAG = 32
const INITIAL_SCRATCH = 65_536
const MAX_KEPT_SCRATCH = 8 * 1024 * 1024

export interface DedupeRecord {
  readonly hash: string
  readonly id: string
  readonly seq: number
  readonly ts: number
}

/** What a log got in a commit, as read back. */
export interface CommittedLog {
  readonly log: string
  readonly entries: LogEntry[]
  /** Of the entries that asked for idempotency. */
  readonly dedupe: { readonly from: string; readonly cid: string; readonly record: DedupeRecord }[]
}

/** Writes one commit at a time into a buffer it keeps: entries are encoded once, payloads become views of the value. */
export class CommitEncoder {
  #scratch: Buffer = Buffer.allocUnsafeSlow(INITIAL_SCRATCH)
  #at = HEADER
  /** Ends of the payloads; with the lengths they give the views. */
  #payloads: number[] = []

  begin(): void {
    if (this.#scratch.length > MAX_KEPT_SCRATCH) this.#scratch = Buffer.allocUnsafeSlow(INITIAL_SCRATCH)
    this.#at = HEADER
    this.#payloads = []
  }

  /** `log` is the place of the log's name in what `finish` is given. */
  add(log: number, draft: Draft, seq: number): void {
    const { head, tail, from, origin = '', dedupe, extra = null } = draft
    const text = head + seq + tail
    const strings = dedupe ? dedupe.cid.length + dedupe.hash.length + draft.id.length : 0
    const names = from.length + origin.length + strings
    this.#reserve(ENTRY_HEADER + DEDUPE_HEADER + 3 * (text.length + names) + (extra ? extraSize(extra) : 0))
    const buffer = this.#scratch
    const start = this.#at
    let at = start + ENTRY_HEADER + (dedupe ? DEDUPE_HEADER : 0)
    buffer.writeUInt32LE(log, start)
    buffer[start + 4] = flagsOf(draft)
    buffer.writeUIntLE(draft.ts, start + 5, 6)
    at += writeShort(buffer, from, at, start + 11)
    at += writeShort(buffer, origin, at, start + 17)
    if (dedupe) {
      at += writeShort(buffer, dedupe.cid, at, start + 19)
      at += writeShort(buffer, dedupe.hash, at, start + 21)
      at += writeShort(buffer, draft.id, at, start + 23)
    }
    if (extra) at = writeExtra(buffer, extra, at)
    const length = buffer.write(text, at)
    buffer.writeUInt32LE(length, start + 13)
    this.#payloads.push(at, at + length)
    this.#at = at + length
  }

  /** The value, and the payloads in the order they were added. */
  finish(logs: readonly { readonly name: string; readonly first: number }[]): { value: Buffer; payloads: Buffer[] } {
    const namesAt = this.#at
    this.#reserve(4)
    this.#at = this.#scratch.writeUInt32LE(logs.length, namesAt)
    for (const { name, first } of logs) {
      this.#reserve(8 + 3 * name.length)
      const length = writeShort(this.#scratch, name, this.#at + 2, this.#at)
      this.#at = this.#scratch.writeUIntLE(first, this.#at + 2 + length, 6)
    }
    const value = Buffer.allocUnsafeSlow(this.#at)
    this.#scratch.copy(value, 0, 0, this.#at)
    value[4] = VERSION
    value.writeUInt32LE(this.#payloads.length / 2, 5)
    value.writeUInt32LE(namesAt, 9)
    value.writeUInt32LE(checksum(value.subarray(4)), 0)
    const payloads: Buffer[] = []
    for (let i = 0; i < this.#payloads.length; i += 2)
      payloads.push(value.subarray(this.#payloads[i]!, this.#payloads[i + 1]!))
    return { value, payloads }
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#scratch.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#scratch.length))
    this.#scratch.copy(larger, 0, 0, this.#at)
    this.#scratch = larger
  }
}

function writeShort(buffer: Buffer, text: string, at: number, lengthAt: number): number {
  const length = buffer.write(text, at)
  if (length > 0xffff) throw new RangeError(`a name of ${length} bytes is too long for the log`)
  buffer.writeUInt16LE(length, lengthAt)
  return length
}

/** The logs of a commit, or null when the value is not what was written. */
export function decodeCommit(value: Buffer): CommittedLog[] | null {
  if (value.length < HEADER || value.readUInt32LE(0) !== checksum(value.subarray(4)) || value[4] !== VERSION)
    return null
  const count = value.readUInt32LE(5)
  const { logs, firsts } = decodeNames(value, value.readUInt32LE(9))
  let at = HEADER
  for (let i = 0; i < count; i++) {
    const index = value.readUInt32LE(at)
    const log = logs[index]!
    at = decodeEntry(value, at, log, firsts[index]! + log.entries.length)
  }
  return logs
}

function decodeNames(value: Buffer, start: number): { logs: CommittedLog[]; firsts: number[] } {
  const logs: CommittedLog[] = []
  const firsts: number[] = []
  let at = start + 4
  for (let count = value.readUInt32LE(start); count > 0; count--) {
    const length = value.readUInt16LE(at)
    logs.push({ log: value.toString('utf8', at + 2, at + 2 + length), entries: [], dedupe: [] })
    firsts.push(value.readUIntLE(at + 2 + length, 6))
    at += 8 + length
  }
  return { logs, firsts }
}

function decodeEntry(value: Buffer, start: number, log: CommittedLog, seq: number): number {
  const flags = value[start + 4]!
  const ts = value.readUIntLE(start + 5, 6)
  let at = start + ENTRY_HEADER + (flags & DEDUPE_FLAG ? DEDUPE_HEADER : 0)
  const read = (lengthAt: number): string => {
    const end = at + value.readUInt16LE(lengthAt)
    const text = value.toString('utf8', at, end)
    at = end
    return text
  }
  const from = read(start + 11)
  const origin = read(start + 17)
  if (flags & DEDUPE_FLAG) {
    const cid = read(start + 19)
    const hash = read(start + 21)
    const id = read(start + 23)
    log.dedupe.push({ from, cid, record: { hash, id, seq, ts } })
  }
  const extra = flags & EXTRA_FLAG ? readExtra(value, at) : null
  if (extra) at += extraSize(extra)
  const end = at + value.readUInt32LE(start + 13)
  const entry = { seq, ts, qos: (flags & 3) as QoS, from, origin, payload: value.subarray(at, end), extra }
  log.entries.push(flags & ASIDE_FLAG ? { ...entry, aside: true } : entry)
  return end
}

function flagsOf({ qos, dedupe, extra, aside }: Draft): number {
  return qos | (dedupe ? DEDUPE_FLAG : 0) | (extra ? EXTRA_FLAG : 0) | (aside ? ASIDE_FLAG : 0)
}
