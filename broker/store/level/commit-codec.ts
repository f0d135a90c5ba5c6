/**
 * The journal value of a commit: the entries of all its logs, in order, and the dedupe records that ride with them.
 *
 *   crc32 u32 | version u8 | entries u32 | logs at u32 | entries…
 *     | logs u32, each: name, first seq u48 | runs u32, each: log u32, entries u32 | records u32, each: entry u32, cid, hash, id
 *
 * Numbers are little-endian; a text has its length in front, u16. A run is of entries of one log. The seq of an entry follows from its
 * place: a log's entries in a commit are dense.
 */
import { BYTES_PER_UNIT, writeText } from '../../util/utf8.js'
import { digitsOf, writeNumber } from '../body.js'
import type { Draft } from '../changes.js'
import { checksum } from './checksum.js'
import { ENTRY_HEADER, entryEnd, writeEntryHeader } from './entry-codec.js'
import { extraSize, writeExtra } from './extra-codec.js'
import { Run } from './run.js'

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

/** What a commit added to one log, decoded. */
export interface CommittedLog {
  readonly log: string
  readonly runs: readonly Run[]
  /** Dedupe records of the entries with a client-chosen id. */
  readonly dedupe: { readonly from: string; readonly cid: string; readonly record: DedupeRecord }[]
}

/** An encoded commit. */
export interface EncodedCommit {
  readonly value: Buffer
  /** The runs it consists of, in order; `log` is the index of the log's name. */
  readonly runs: readonly RunPlace[]
  /** Start and end offset of each payload in the value, in order. */
  readonly payloads: readonly number[]
}

/** Consecutive entries of one log. */
interface RunPlace {
  readonly log: number
  readonly at: number
  count: number
}

/**
 * Encodes one commit at a time into a reused buffer. Entries are encoded once; their payloads become views of the
 * value.
 */
export class CommitEncoder {
  #scratch: Buffer = Buffer.allocUnsafeSlow(INITIAL_SCRATCH)
  #at = HEADER
  #payloads: number[] = []
  #runs: RunPlace[] = []
  #records: { readonly entry: number; readonly texts: readonly string[] }[] = []

  begin(): void {
    if (this.#scratch.length > MAX_KEPT_SCRATCH) this.#scratch = Buffer.allocUnsafeSlow(INITIAL_SCRATCH)
    this.#at = HEADER
    this.#payloads = []
    this.#runs = []
    this.#records = []
  }

  /** Number of entries added. */
  get count(): number {
    return this.#payloads.length / 2
  }

  /** @param log Index of the log's name in the argument of `finish`. */
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
    if (dedupe) this.#records.push({ entry: this.count, texts: [dedupe.cid, dedupe.hash, draft.id] })
    this.#at = at + length
    this.#payloads.push(at, this.#at)
    const last = this.#runs.at(-1)
    if (last?.log === log) last.count++
    else this.#runs.push({ log, at: start, count: 1 })
  }

  finish(logs: readonly { readonly log: string; readonly first: number }[]): EncodedCommit {
    const logsAt = this.#at
    this.#uint32(logs.length)
    for (const { log, first } of logs) {
      this.#text(log)
      this.#reserve(6)
      this.#at = this.#scratch.writeUIntLE(first, this.#at, 6)
    }
    this.#uint32(this.#runs.length)
    for (const { log, count } of this.#runs) {
      this.#uint32(log)
      this.#uint32(count)
    }
    this.#uint32(this.#records.length)
    for (const { entry, texts } of this.#records) {
      this.#uint32(entry)
      for (const text of texts) this.#text(text)
    }
    return { value: this.#sealed(logsAt), runs: this.#runs, payloads: this.#payloads }
  }

  #sealed(logsAt: number): Buffer {
    const value = Buffer.allocUnsafeSlow(this.#at)
    this.#scratch.copy(value, 0, 0, this.#at)
    value[4] = VERSION
    value.writeUInt32LE(this.count, 5)
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

/** The logs of a commit; null if the checksum or format is wrong. */
export function decodeCommit(value: Buffer): CommittedLog[] | null {
  if (value.length < HEADER || value.readUInt32LE(0) !== checksum(value.subarray(4)) || value[4] !== VERSION)
    return null
  const reader = new ValueReader(value, value.readUInt32LE(9))
  const logs = reader.list(() => ({ log: reader.text(), first: reader.uint48() }))
  const places = reader.list(() => ({ log: reader.uint32(), count: reader.uint32() }))
  const committed: Committed[] = logs.map(({ log }) => ({ log, runs: [], dedupe: [] }))
  const order: { readonly committed: Committed; readonly run: Run; readonly before: number }[] = []
  const nexts = logs.map(({ first }) => first)
  let at = HEADER
  let before = 0
  for (const { log, count } of places) {
    const run = new Run(value, at, nexts[log]!, count)
    committed[log]!.runs.push(run)
    order.push({ committed: committed[log]!, run, before })
    nexts[log]! += count
    before += count
    for (let left = count; left > 0; left--) at = entryEnd(value, at)
  }
  let next = 0
  reader.list(() => {
    const entry = reader.uint32()
    const [cid, hash, id] = [reader.text(), reader.text(), reader.text()]
    while (entry >= order[next]!.before + order[next]!.run.count) next++
    const { committed, run, before } = order[next]!
    const { from, seq, ts } = run.entries[entry - before]!
    committed.dedupe.push({ from, cid, record: { hash, id, seq, ts } })
  })
  return committed
}

type Committed = CommittedLog & { runs: Run[]; dedupe: CommittedLog['dedupe'][number][] }

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
