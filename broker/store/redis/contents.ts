/** All that a deployment in Redis keeps, read as it is stored, while no node is on it. */

import { readAhead } from '../../util/read-ahead.js'
import { addTo } from '../../util/sets.js'
import { StoreError } from '../changes.js'
import { BUCKETS } from '../cid-digest.js'
import type { LogName } from '../log-name.js'
import type {
  CidPiece,
  Contents,
  Kind,
  NotePiece,
  Piece,
  Place,
  ReferencePiece,
  StoredLog,
  StoreFacts,
} from '../moving/contents.js'
import type { QoS } from '../qos.js'
import { ownerPart, SINGLE_KEYS, type Table } from '../tables.js'
import { endOfGeneration, GENERATIONS, generationAt, readRest, splitRest } from './dedupe.js'
import { BLOCK_ENTRIES, decodeEntry } from './entry-codec.js'
import { inOrder } from './in-order.js'
import type { Keys } from './keys.js'
import { noteField, targetOf } from './notes.js'
import { PAGE, type Reader } from './reader.js'
import { readRetained } from './retained.js'
import { scriptNamed } from './script.js'
import { readHead } from './stored-logs.js'

/** Reads that are under way at a time. */
const AHEAD = 16
/** Ms by which the clocks of nodes may have been ahead. */
const SKEW = 60_000
/** Looked at by one script: some milliseconds. */
const BUCKETS_AT_ONCE = 8192
/** Keys that the server looks at for one reply. */
const KEYS_AT_ONCE = 1000
/** Few rights, or a server that does not know the command. */
const MAY_NOT = /NOPERM|unknown command/
const FIND_BUCKETS = scriptNamed('buckets')
/** What is read at a time of what may be as large as a payload. */
const LARGE_PAGE = 32

export interface RedisContentsDeps {
  readonly reader: Reader
  readonly keys: Keys
  readonly about: string
  readonly facts: StoreFacts
  readonly dedupeDays: number
  readonly assertUnchanged: () => Promise<void>
  readonly close: () => Promise<void>
}

export class RedisContents implements Contents {
  readonly about: string
  readonly facts: StoreFacts
  readonly #deps: RedisContentsDeps
  readonly #reader: Reader
  readonly #keys: Keys

  constructor(deps: RedisContentsDeps) {
    this.#deps = deps
    this.#reader = deps.reader
    this.#keys = deps.keys
    this.about = deps.about
    this.facts = deps.facts
  }

  assertUnchanged(): Promise<void> {
    return this.#deps.assertUnchanged()
  }

  close(): Promise<void> {
    return this.#deps.close()
  }

  pages(kind: Kind, after: Place | null): AsyncGenerator<readonly Piece[]> {
    switch (kind) {
      case 'log':
        return this.#logPieces(after)
      case 'entry':
        return this.#entries(after)
      case 'note':
        return this.#notes(after)
      case 'cid':
        return this.#cids(after)
      case 'packet':
        return this.#fields(this.#keys.packets, LARGE_PAGE, after, (number, packet) => ({
          ...{ kind, number: Number(number), packet },
        }))
      case 'reference':
        return this.#references(after)
      case 'retained':
        return this.#retained(after)
      case 'mark':
        return this.#fields(this.#keys.marks, PAGE, after, (log, seq) => ({ kind, log, seq: Number(seq) }))
      default:
        return SINGLE_KEYS.has(kind) ? this.#singles(kind, after) : this.#owned(kind, after)
    }
  }

  async *#singles(table: Table, after: Place | null): AsyncGenerator<Piece[]> {
    const range = after ? { gt: after[0] as string } : {}
    for await (const keys of this.#reader.sortedPages(this.#keys.index(table), range)) {
      const values = await this.#reader.hashFields(this.#keys.records(table, null), keys)
      yield keys.map((key, i) => ({ kind: table as never, key, value: found(values[i], `${table} ${key}`) }))
    }
  }

  /** From the owner of the place on. Records of small owners are read ahead. */
  async *#owned(table: Table, after: Place | null): AsyncGenerator<Piece[]> {
    const range = after ? { gte: ownerPart(after[0] as string) } : {}
    const pieceOf = (owner: string, name: string, value: Buffer): Piece => ({
      ...{ kind: table as never, key: `${owner}\0${name}`, value },
    })
    for await (const owners of this.#reader.sortedPages(this.#keys.index(table), range)) {
      const found = readAhead(owners, AHEAD, async (owner) => {
        const key = this.#keys.records(table, owner)
        const isLarge = (await this.#reader.hashSize(key)) > PAGE
        return { owner, key, records: isLarge ? null : await this.#reader.wholeHash(key) }
      })
      for await (const { owner, key, records } of found)
        if (records) yield records.map(([name, value]) => pieceOf(owner, name, value))
        else yield* this.#fields(key, PAGE, null, (name, value) => pieceOf(owner, name, value))
    }
  }

  /** The fields of a hash in an order of their names, in pages. */
  async *#fields(
    key: string,
    size: number,
    after: Place | null,
    pieceOf: (field: string, value: Buffer) => Piece,
  ): AsyncGenerator<Piece[]> {
    const names = inOrder(() => this.#reader.fieldPages(key, size), after === null ? null : String(after[0]))
    for await (const round of names)
      yield* readAhead(pagesOf(round, size), 2, async (page) => {
        const values = await this.#reader.hashFields(key, page)
        return page.map((field, i) => pieceOf(field, found(values[i], `${key}: ${field}`)))
      })
  }

  /** All logs in an order of their names, from one on. */
  async *#logs(from: LogName | null): AsyncGenerator<StoredLog[]> {
    if (from !== null) yield [await readHead(this.#reader, this.#keys, from)]
    for await (const names of inOrder(() => this.#reader.setPages(this.#keys.logs), from))
      for (const page of pagesOf(names, PAGE))
        yield await Promise.all(page.map((name) => readHead(this.#reader, this.#keys, name)))
  }

  async *#logPieces(after: Place | null): AsyncGenerator<Piece[]> {
    for await (const logs of this.#logs((after?.[0] as LogName) ?? null))
      yield logs.map((log) => ({ kind: 'log', log }))
  }

  async *#entries(after: Place | null): AsyncGenerator<Piece[]> {
    const [name, seq] = (after ?? []) as [LogName, number]
    for await (const logs of this.#logs(name ?? null)) {
      const wanted = blocksOf(logs, (log) => (log.name === name ? seq : 0))
      yield* readAhead(wanted, AHEAD, (block) => this.#block(block))
    }
  }

  async #block({ log, block, first, last }: Block): Promise<Piece[]> {
    const values = await this.#reader.list(this.#keys.block(log.name, log.incarnation, block), 0, -1)
    const pieces: Piece[] = []
    for (let seq = first; seq <= last; seq++) {
      const value = found(values[seq - 1 - block * BLOCK_ENTRIES], `log ${log.name}: entry ${seq}`)
      pieces.push({ kind: 'entry', log, entry: decodeEntry(value, seq) })
    }
    return pieces
  }

  async *#notes(after: Place | null): AsyncGenerator<Piece[]> {
    const [name, letter, target, note] = (after ?? []) as [LogName, string, number, string]
    for await (const logs of this.#logs(name ?? null))
      for await (const { log, fields } of readAhead(logs, AHEAD, (log) => this.#firstNotes(log))) {
        if (fields.length === 0) continue
        const place = log.name === name ? noteField(letter, target, note) : null
        yield* this.#notesOf(log, place)
      }
  }

  async #firstNotes(log: StoredLog): Promise<{ log: StoredLog; fields: string[] }> {
    return { log, fields: await this.#reader.sorted(this.#keys.noteIndex(log.name, log.incarnation), { limit: 1 }) }
  }

  async *#notesOf(log: StoredLog, after: string | null): AsyncGenerator<NotePiece[]> {
    const { name, incarnation } = log
    const range = after === null ? {} : { gt: after }
    for await (const fields of this.#reader.sortedPages(this.#keys.noteIndex(name, incarnation), range)) {
      const values = await this.#reader.hashFields(this.#keys.notes(name, incarnation), fields)
      yield fields.map((field, i) => ({
        ...{ kind: 'note', log, letter: field[0]!, ...targetOf(field) },
        value: found(values[i], `log ${name}: note ${field}`),
      }))
    }
  }

  async *#cids(after: Place | null): AsyncGenerator<Piece[]> {
    const { dedupeDays } = this.#deps
    const now = Date.now()
    const [oldest, newest] = [generationAt(now, dedupeDays) - GENERATIONS + 1, generationAt(now + SKEW, dedupeDays)]
    const [from, behind] = after ? (after[0] as string).split(':').map(Number) : [0, 0]
    const filled = await this.#filledBuckets()
    for (let generation = Math.max(oldest, from!); generation <= newest; generation++) {
      const first = generation === from ? behind! : 0
      const known = filled && (filled.get(generation) ?? []).filter((bucket) => bucket >= first)
      const buckets = known ?? this.#buckets(generation, first)
      yield* readAhead(buckets, AHEAD, (bucket) => this.#bucket(generation, bucket))
    }
  }

  /** By generation, those that are not empty: where the server has fewer keys than there are buckets, they are found among these. Null: it has more, or the user may not know. */
  async #filledBuckets(): Promise<Map<number, number[]> | null> {
    const filled = new Map<number, Set<number>>()
    const start = this.#keys.dedupe('', '')
    try {
      if (Number(await this.#reader.call('DBSIZE', [])) >= BUCKETS) return null
      for await (const names of this.#reader.keyPages(`${inPattern(start)}*`, KEYS_AT_ONCE))
        for (const name of names) {
          const [generation, bucket] = name.slice(start.length).split(':').map(Number) as [number, number]
          addTo(filled, generation, bucket)
        }
    } catch (error) {
      if (!MAY_NOT.test((error as Error).message)) throw error
      return null
    }
    return new Map([...filled].map(([generation, buckets]) => [generation, [...buckets].sort((a, b) => a - b)]))
  }

  /** Those that are not empty, from one on: each is asked about. */
  async *#buckets(generation: number, from: number): AsyncGenerator<number> {
    const { text } = FIND_BUCKETS
    const name = this.#keys.dedupe(generation, '')
    for (let first = from; first < BUCKETS; first += BUCKETS_AT_ONCE) {
      const count = Math.min(BUCKETS_AT_ONCE, BUCKETS - first)
      const found = await this.#reader.call('EVAL', [text, 1, this.#keys.meta, name, first, count])
      yield* (found as (number | Buffer)[]).map(Number)
    }
  }

  async #bucket(generation: number, bucket: number): Promise<CidPiece[]> {
    const { dedupeDays } = this.#deps
    const usedBy = Math.min(Date.now(), endOfGeneration(generation, dedupeDays))
    const records = await this.#reader.bytePairs(this.#keys.dedupe(generation, bucket))
    return records.map(([field, value]) => ({
      ...{ kind: 'cid', at: `${generation}:${bucket}`, name: { field, bucket }, usedBy, text: null, ...cidOf(value) },
    }))
  }

  /** The first page of each queue is read ahead. */
  async *#references(after: Place | null): AsyncGenerator<Piece[]> {
    const [from, number] = (after ?? []) as [string, number]
    if (after) yield* this.#queue(from, number)
    for await (const sessions of inOrder(() => this.#reader.fieldPages(this.#keys.queuedBytes, PAGE), from ?? null)) {
      const found = readAhead(sessions, AHEAD, async (session) => ({
        session,
        page: await this.#queued(session, null),
      }))
      for await (const { session, page } of found) {
        yield page
        if (page.length === PAGE) yield* this.#queue(session, page[PAGE - 1]!.number)
      }
    }
  }

  /** Behind a number. */
  async *#queue(session: string, after: number): AsyncGenerator<ReferencePiece[]> {
    for (let last = after; ; ) {
      const page = await this.#queued(session, last)
      yield page
      if (page.length < PAGE) return
      last = page[PAGE - 1]!.number
    }
  }

  async #queued(session: string, after: number | null): Promise<ReferencePiece[]> {
    const range = [after === null ? '-inf' : `(${after}`, '+inf', 'LIMIT', 0, PAGE]
    const found = (await this.#reader.call('ZRANGEBYSCORE', [this.#keys.queue(session), ...range])) as Buffer[]
    return found.map((reference) => referencePiece(session, reference.toString()))
  }

  async *#retained(after: Place | null): AsyncGenerator<Piece[]> {
    const range = after ? { gt: after[0] as string } : {}
    for await (const topics of this.#reader.sortedPages(this.#keys.retainedTopics, range))
      yield* readAhead(pagesOf(topics, LARGE_PAGE), 2, async (page) => {
        const values = await this.#reader.hashFields(this.#keys.retained, page)
        return page.map((topic, i): Piece => {
          const { packet } = readRetained(found(values[i], `retained message of ${topic}`))
          return { kind: 'retained', topic, packet }
        })
      })
  }
}

interface Block {
  readonly log: StoredLog
  readonly block: number
  /** Of its entries that are wanted. */
  readonly first: number
  readonly last: number
}

/** @param after Entries up to which nothing is wanted */
function* blocksOf(logs: readonly StoredLog[], after: (log: StoredLog) => number): Generator<Block> {
  for (const log of logs)
    for (let first = Math.max(log.tail, after(log) + 1); first <= log.head; ) {
      const block = Math.floor((first - 1) / BLOCK_ENTRIES)
      const last = Math.min(log.head, (block + 1) * BLOCK_ENTRIES)
      yield { log, block, first, last }
      first = last + 1
    }
}

function cidOf(value: Buffer): Pick<CidPiece, 'hash' | 'incarnation' | 'seq' | 'ts' | 'id'> {
  const lifeEnd = value.indexOf(0x20)
  const seqEnd = value.indexOf(0x20, lifeEnd + 1)
  const { hash, rest } = splitRest(value.subarray(seqEnd + 1))
  const [incarnation, seq] = value.toString('latin1', 0, seqEnd).split(' ').map(Number) as [number, number]
  return { hash, incarnation, seq, ...readRest(rest) }
}

/** Text as a pattern of Redis that matches nothing else. */
function inPattern(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&')
}

function referencePiece(session: string, reference: string): ReferencePiece {
  const [number, qos, bytes] = reference.split(' ').map(Number) as [number, QoS, number]
  return { kind: 'reference', session, number, qos, bytes }
}

function* pagesOf<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < list.length; i += size) yield list.slice(i, i + size)
}

function found(value: Buffer | null | undefined, what: string): Buffer {
  if (!value) throw new StoreError(`what is stored in Redis is damaged: ${what} is missing`)
  return value
}
