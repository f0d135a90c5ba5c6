/** All that an embedded store keeps, read from the database as it is: its journal must be folded, and nothing may be committed meanwhile. */

import { StoreError } from '../changes.js'
import { cidHash, cidName } from '../cid-digest.js'
import type { LogName } from '../log-name.js'
import type { LogEntry } from '../logs.js'
import type { CidPiece, Contents, Kind, NotePiece, Piece, Place, StoredLog, StoreFacts } from '../moving/contents.js'
import { keyPart, type Table } from '../tables.js'
import { Chunk } from './chunk.js'
import type { Database } from './database.js'
import { DAY, decodeHashed, decodeRecord, type GenerationRecord, nameOfHashed } from './dedupe-records.js'
import { type KeyRange, keys, numberOf, partsOf, ranges } from './keys.js'
import { decodeReference } from './queue.js'
import { keyOfRecord, recordKey, recordsFrom } from './record-keys.js'
import type { HeadRecord } from './room-log.js'

/** @param value The head record */
export function storedLog(name: LogName, value: Buffer): StoredLog {
  const { folded, tail, made = 0, former = 0, grown = 0, spoken = 0 } = JSON.parse(value.toString()) as HeadRecord
  return { name, head: folded, tail, incarnation: made, former, grownIn: grown, spokenIn: spoken }
}

export class LevelContents implements Contents {
  readonly about: string
  readonly facts: StoreFacts
  readonly #database: Database
  readonly #close: () => Promise<void>

  /** @param close Called once, when it is not read any more */
  constructor(database: Database, about: string, facts: StoreFacts, close: () => Promise<void>) {
    this.#database = database
    this.about = about
    this.facts = facts
    this.#close = close
  }

  /** The database is locked. */
  async assertUnchanged(): Promise<void> {}

  close(): Promise<void> {
    return this.#close()
  }

  pages(kind: Kind, after: Place | null): AsyncGenerator<readonly Piece[]> {
    switch (kind) {
      case 'log':
        return this.#logs(after)
      case 'entry':
        return this.#entries(after)
      case 'note':
        return this.#notes(after)
      case 'cid':
        return this.#cids(after)
      case 'packet':
        return this.#mapped(from(ranges.allPackets, after && keys.packet(after[0] as number)), (key, packet) => ({
          ...{ kind, number: numberOf(key), packet },
        }))
      case 'reference':
        return this.#references(after)
      case 'retained':
        return this.#mapped(from(ranges.allRetained, after && keys.retained(after[0] as string)), (key, packet) => ({
          ...{ kind, topic: partsOf(key)[0]!, packet },
        }))
      case 'mark':
        return this.#marks()
      default:
        return this.#records(kind, after)
    }
  }

  /** Null is left out. */
  async *#mapped(range: KeyRange, toPiece: (key: string, value: Buffer) => Piece | null): AsyncGenerator<Piece[]> {
    for await (const page of this.#database.pages(range)) {
      const pieces: Piece[] = []
      for (const [key, value] of page) {
        const piece = toPiece(key, value)
        if (piece) pieces.push(piece)
      }
      yield pieces
    }
  }

  #records(table: Table, after: Place | null): AsyncGenerator<Piece[]> {
    const range = from(recordsFrom(table, ''), after && recordKey(table, after[0] as string))
    return this.#mapped(range, (stored, value) => {
      // Marks are beside the cursors of readers, under no reader.
      if (table === 'readerCursor' && keys.outboxOf(stored)[1] === '') return null
      return { kind: table, key: keyOfRecord(table, stored), value }
    })
  }

  #marks(): AsyncGenerator<Piece[]> {
    return this.#mapped(ranges.allOutbox, (key, value) => {
      const [log, reader] = keys.outboxOf(key)
      return reader === '' ? { kind: 'mark', log, seq: Number(value.toString()) } : null
    })
  }

  #references(after: Place | null): AsyncGenerator<Piece[]> {
    const [session, number] = (after ?? []) as [string, number]
    return this.#mapped(from(ranges.allReferences, after && keys.reference(session, number)), (key, value) => {
      return { kind: 'reference', session: partsOf(key)[0]!, number: numberOf(key), ...decodeReference(value) }
    })
  }

  async *#logs(after: Place | null): AsyncGenerator<Piece[]> {
    const heads = from(ranges.heads, after && keys.head(after[0] as string))
    for await (const logs of this.#headPages(heads)) yield logs.map((log) => ({ kind: 'log', log }))
  }

  async *#headPages(range: KeyRange): AsyncGenerator<StoredLog[]> {
    for await (const page of this.#database.pages(range))
      yield page.map(([key, value]) => storedLog(partsOf(key)[0]!, value)).filter(({ head }) => head > 0)
  }

  /** Chunks are in the order of the logs: one pass for each page of logs. */
  async *#entries(after: Place | null): AsyncGenerator<Piece[]> {
    const [name, seq] = (after ?? []) as [LogName, number]
    const heads = after ? { ...ranges.heads, gte: keys.head(name) } : ranges.heads
    for await (const logs of this.#headPages(heads)) {
      if (logs.length === 0) continue
      const before = logs[0]!.name === name ? seq : 0
      const walk = new LogWalk(logs, before)
      const range = { gte: await this.#chunkWith(logs[0]!.name, before + 1), lt: ranges.chunks(logs.at(-1)!.name).lt }
      for await (const page of this.#database.pages(range))
        for (const [key, value] of page) yield walk.take(partsOf(key)[0]!, value)
      walk.end()
    }
  }

  /** Key of the chunk with an entry, or of the first one. */
  async #chunkWith(log: LogName, seq: number): Promise<string> {
    return (await this.#database.last(ranges.chunksBefore(log, seq + 1)))?.[0] ?? ranges.chunks(log).gte
  }

  async *#notes(after: Place | null): AsyncGenerator<Piece[]> {
    const [name, letter, target, note] = (after ?? []) as [LogName, string, number, string]
    const logs = new Map<LogName, StoredLog | null>()
    const range = from(ranges.notesOfAll, after && keys.note(name, letter, target, note))
    for await (const page of this.#database.pages(range)) {
      const found = page.map(([key, value]) => ({ log: partsOf(key)[0]!, key, value }))
      await this.#learnLogs(new Set(found.map(({ log }) => log)), logs)
      yield found.flatMap(({ log, key, value }) => notePiece(logs.get(log) ?? null, key, value))
    }
  }

  /** Replaces what is in the map. Null: there is no such log. */
  async #learnLogs(names: ReadonlySet<LogName>, logs: Map<LogName, StoredLog | null>): Promise<void> {
    const wanted = [...names]
    const values = await this.#database.getMany(wanted.map(keys.head))
    logs.clear()
    for (const [i, name] of wanted.entries()) logs.set(name, values[i] ? storedLog(name, values[i]) : null)
  }

  async *#cids(after: Place | null): AsyncGenerator<Piece[]> {
    for await (const [key, value] of this.#database.entries(ranges.generations)) {
      const generation: GenerationRecord = JSON.parse(value.toString())
      const range = ranges.dedupe(numberOf(key))
      const place = after?.[0] as string | undefined
      if (place !== undefined && place >= range.lt) continue
      const left = place !== undefined && place >= range.gte ? { ...range, gte: keys.behind(place) } : range
      yield* generation.hashed ? this.#hashedCids(left, generation) : this.#namedCids(left, generation)
    }
  }

  async *#namedCids(range: KeyRange, generation: GenerationRecord): AsyncGenerator<Piece[]> {
    const logs = new Map<LogName, StoredLog | null>()
    for await (const page of this.#database.pages(range)) {
      const found = page.map(([at, value]) => ({ at, name: keys.dedupeNameOf(at), value }))
      await this.#learnLogs(new Set(found.map(({ name }) => logOfName(name))), logs)
      yield found.flatMap(({ at, name, value }): CidPiece[] => {
        const log = logs.get(logOfName(name))
        if (!log) return []
        const { hash, ...record } = decodeRecord(value)
        const digests = { name: cidName(name), hash: cidHash(hash), text: { name, hash } }
        return [{ kind: 'cid', at, ...digests, ...record, incarnation: log.incarnation, usedBy: usedBy(generation) }]
      })
    }
  }

  #hashedCids(range: KeyRange, generation: GenerationRecord): AsyncGenerator<Piece[]> {
    return this.#mapped(range, (at, value) => {
      const { hash, ...record } = decodeHashed(value)
      const name = nameOfHashed(keys.dedupeNameOf(at))
      return {
        kind: 'cid',
        at,
        name,
        hash: Buffer.from(hash, 'hex'),
        ...record,
        usedBy: usedBy(generation),
        text: null,
      }
    })
  }
}

/** What is behind a key, or all of a range. */
function from(range: KeyRange, after: string | null): KeyRange {
  return after === null ? range : { gte: keys.behind(after), lt: range.lt }
}

function usedBy({ day }: GenerationRecord): number {
  return Math.min(Date.now(), (day + 1) * DAY - 1)
}

function logOfName(name: string): LogName {
  return partsOf(`d${name}`)[0]!
}

function notePiece(log: StoredLog | null, key: string, value: Buffer): NotePiece[] {
  if (!log) return []
  const letter = key.charAt(keyPart(log.name).length + 2)
  return [{ kind: 'note', log, letter, ...keys.noteOf(log.name, key), value }]
}

/** Takes the chunks of logs in their order, and sees that none is missing. */
class LogWalk {
  readonly #logs: readonly StoredLog[]
  readonly #places: ReadonlyMap<LogName, number>
  #index = 0
  /** The last entry that was taken of the log. */
  #last: number

  constructor(logs: readonly StoredLog[], after: number) {
    this.#logs = logs
    this.#places = new Map(logs.map(({ name }, i) => [name, i]))
    this.#last = Math.max(after, logs[0]!.tail - 1)
  }

  take(name: LogName, value: Buffer): Piece[] {
    const place = this.#places.get(name)
    // Of a log without a head nothing is left but this.
    if (place === undefined) return []
    while (this.#index < place) this.#next()
    const log = this.#logs[place]!
    const chunk = Chunk.read(value)
    if (!chunk)
      throw new StoreError(`log ${name} is damaged: the checksum of entries behind ${this.#last} does not match`)
    const entries = chunk.entries.filter(({ seq }) => seq > this.#last && seq <= log.head)
    if (entries.length > 0) this.#expect(log, entries)
    return entries.map((entry) => ({ kind: 'entry', log, entry }))
  }

  end(): void {
    while (this.#index < this.#logs.length) this.#next()
  }

  #expect(log: StoredLog, entries: readonly LogEntry[]): void {
    if (entries[0]!.seq !== this.#last + 1) throw missing(log, this.#last + 1)
    this.#last = entries.at(-1)!.seq
  }

  #next(): void {
    const log = this.#logs[this.#index++]!
    if (this.#last < log.head) throw missing(log, this.#last + 1)
    this.#last = (this.#logs[this.#index]?.tail ?? 1) - 1
  }
}

function missing({ name }: StoredLog, seq: number): StoreError {
  return new StoreError(`log ${name} is damaged: entry ${seq} is missing`)
}
