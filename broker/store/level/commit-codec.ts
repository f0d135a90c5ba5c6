/**
 * The journal value of a commit: the entries of all its logs, in order, and the dedupe records that ride with them.
 *
 *   crc32 u32 | version u8 | entries u32 | logs at u32 | entries…
 *     | logs u32, each: name, first seq u48 | runs u32, each: log u32, entries u32 | records u32, each: entry u32, cid, hash, id
 *
 * Numbers are little-endian; a text has its length in front, u16. A run is of entries of one log. The seq of an entry follows from its
 * place: a log's entries in a commit are dense.
 */
import { BYTES_PER_UNIT, digitsOf, writeNumber, writeText } from '../body.js'
import type { Draft, LogEntry } from '../store.js'
import { checksum } from './checksum.js'
import { decodeEntries, ENTRY_HEADER, writeEntryHeader } from './entry-codec.js'
import { extraSize, writeExtra } from './extra-codec.js'

const VERSION = 2
const HEADER = 13
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

/** Where an entry lies in the value: from `at`, its payload from `payloadAt`, to `end`. */
export interface EntryPlace {
  readonly at: number
  readonly payloadAt: number
  readonly end: number
}

/** Entries of one log, one behind another. */
interface Run {
  readonly log: number
  entries: number
}

/** Writes one commit at a time into a buffer it keeps: entries are encoded once, payloads become views of the value. */
export class CommitEncoder {
  #scratch: Buffer = Buffer.allocUnsafeSlow(INITIAL_SCRATCH)
  #at = HEADER
  #places: EntryPlace[] = []
  #runs: Run[] = []
  #records: { readonly entry: number; readonly texts: readonly string[] }[] = []

  begin(): void {
    if (this.#scratch.length > MAX_KEPT_SCRATCH) this.#scratch = Buffer.allocUnsafeSlow(INITIAL_SCRATCH)
    this.#at = HEADER
    this.#places = []
    this.#runs = []
    this.#records = []
  }

  /** `log` is the place of the log's name in what `finish` is given. */
  add(log: number, draft: Draft, seq: number): void {
    const { from, origin = '', dedupe, extra = null } = draft
    const { bytes, seqAt } = draft.body
    const digits = digitsOf(seq)
    const length = bytes.length + digits
    this.#reserve(
      ENTRY_HEADER + BYTES_PER_UNIT * (from.length + origin.length) + (extra ? extraSize(extra) : 0) + length,
    )
    const buffer = this.#scratch
    const start = this.#at
    const fromEnd = writeText(buffer, from, start + ENTRY_HEADER)
    const originEnd = writeText(buffer, origin, fromEnd)
    writeEntryHeader(buffer, start, draft, fromEnd - start - ENTRY_HEADER, originEnd - fromEnd, length)
    const at = extra ? writeExtra(buffer, extra, originEnd) : originEnd
    buffer.set(bytes, at)
    buffer.copyWithin(at + seqAt + digits, at + seqAt, at + bytes.length)
    writeNumber(buffer, seq, at + seqAt)
    if (dedupe) this.#records.push({ entry: this.#places.length, texts: [dedupe.cid, dedupe.hash, draft.id] })
    this.#at = at + length
    this.#places.push({ at: start, payloadAt: at, end: this.#at })
    const run = this.#runs.at(-1)
    if (run?.log === log) run.entries++
    else this.#runs.push({ log, entries: 1 })
  }

  /** The value, and where the entries are in it, in the order they were added. */
  finish(logs: readonly { readonly name: string; readonly first: number }[]): {
    value: Buffer
    places: readonly EntryPlace[]
  } {
    const logsAt = this.#at
    this.#uint32(logs.length)
    for (const { name, first } of logs) {
      this.#text(name)
      this.#reserve(6)
      this.#at = this.#scratch.writeUIntLE(first, this.#at, 6)
    }
    this.#uint32(this.#runs.length)
    for (const { log, entries } of this.#runs) {
      this.#uint32(log)
      this.#uint32(entries)
    }
    this.#uint32(this.#records.length)
    for (const { entry, texts } of this.#records) {
      this.#uint32(entry)
      for (const text of texts) this.#text(text)
    }
    return { value: this.#sealed(logsAt), places: this.#places }
  }

  #sealed(logsAt: number): Buffer {
    const value = Buffer.allocUnsafeSlow(this.#at)
    this.#scratch.copy(value, 0, 0, this.#at)
    value[4] = VERSION
    value.writeUInt32LE(this.#places.length, 5)
    value.writeUInt32LE(logsAt, 9)
    value.writeUInt32LE(checksum(value.subarray(4)), 0)
    return value
  }

  #uint32(number: number): void {
    this.#reserve(4)
    this.#at = this.#scratch.writeUInt32LE(number, this.#at)
  }

  #text(text: string): void {
    this.#reserve(2 + BYTES_PER_UNIT * text.length)
    const end = writeText(this.#scratch, text, this.#at + 2)
    const length = end - this.#at - 2
    if (length > 0xffff) throw new RangeError(`a name of ${length} bytes is too long for the log`)
    this.#scratch.writeUInt16LE(length, this.#at)
    this.#at = end
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#scratch.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#scratch.length))
    this.#scratch.copy(larger, 0, 0, this.#at)
    this.#scratch = larger
  }
}

/** The logs of a commit, or null when the value is not what was written. */
export function decodeCommit(value: Buffer): CommittedLog[] | null {
  if (value.length < HEADER || value.readUInt32LE(0) !== checksum(value.subarray(4)) || value[4] !== VERSION)
    return null
  const reader = new ValueReader(value, value.readUInt32LE(9))
  const logs = reader.list(() => ({ log: reader.text(), first: reader.uint48() }))
  const runs = reader.list(() => ({ log: reader.uint32(), entries: reader.uint32() }))
  const committed: Committed[] = logs.map(({ log }) => ({ log, entries: [], dedupe: [] }))
  const order: { readonly committed: Committed; readonly entry: LogEntry }[] = []
  let at = HEADER
  for (const { log, entries: count } of runs) {
    const whole = committed[log]!
    const { entries, end } = decodeEntries(value, at, logs[log]!.first + whole.entries.length, count)
    for (const entry of entries) {
      whole.entries.push(entry)
      order.push({ committed: whole, entry })
    }
    at = end
  }
  reader.list(() => {
    const { committed, entry } = order[reader.uint32()]!
    const [cid, hash, id] = [reader.text(), reader.text(), reader.text()]
    committed.dedupe.push({ from: entry.from, cid, record: { hash, id, seq: entry.seq, ts: entry.ts } })
  })
  return committed
}

type Committed = CommittedLog & { dedupe: CommittedLog['dedupe'][number][] }

class ValueReader {
  readonly #value: Buffer
  #at: number

  constructor(value: Buffer, at: number) {
    this.#value = value
    this.#at = at
  }

  uint32(): number {
    this.#at += 4
    return this.#value.readUInt32LE(this.#at - 4)
  }

  uint48(): number {
    this.#at += 6
    return this.#value.readUIntLE(this.#at - 6, 6)
  }

  text(): string {
    const start = this.#at + 2
    this.#at = start + this.#value.readUInt16LE(this.#at)
    return this.#value.toString('utf8', start, this.#at)
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.uint32() }, read)
  }
}
