/**
 * The client-chosen ids used in the last days. A record is written in the journal with its entry; folding moves it to
 * the current generation. A generation holds the records of one day (or a million of them), has a Bloom filter in
 * memory, and is dropped as a whole. A new id thus costs a lookup in memory, rarely a read.
 */
import type { Draft } from '../changes.js'
import { BloomFilter, bloomHash } from './bloom-filter.js'
import type { DedupeRecord } from './commit-codec.js'
import type { Database } from './database.js'
import {
  DAY,
  decodeHashed,
  decodeRecord,
  encodeRecord,
  type GenerationRecord,
  type HashedRecord,
  hashedNameOf,
} from './dedupe-records.js'
import { keys, numberOf, ranges } from './keys.js'
import { WriteBatch } from './operation.js'

const GENERATION_RECORDS = 1_000_000
/** Folded records kept in memory, the newest ones. */
const RECENT_RECORDS = 32_768

interface Generation extends Omit<GenerationRecord, 'records' | 'sealed'> {
  readonly number: number
  records: number
  sealed: boolean
  /** Null until loaded: then every id may be in it. */
  filter: BloomFilter | null
}

interface Wanted {
  readonly name: string
  readonly key: string
  readonly hashed: boolean
}

export class Dedupe {
  readonly #database: Database
  readonly #days: number
  readonly #now: () => number
  /** Records by name, oldest first; those not folded yet are the last ones. */
  #recent = new Map<string, DedupeRecord>()
  #unfolded: string[] = []
  /** Old records found for the commit being built. */
  #found = new Map<string, DedupeRecord | HashedRecord>()
  #generations: Generation[] = []
  #loading: Promise<void> | null = null

  constructor(database: Database, days: number, now: () => number) {
    this.#database = database
    this.#days = days
    this.#now = now
  }

  /** Loads the list of generations. Their filters follow in the background. */
  async load(): Promise<void> {
    this.#recent.clear()
    this.#unfolded = []
    this.#generations = []
    for await (const [key, value] of this.#database.entries(ranges.generations))
      this.#generations.push({ number: numberOf(key), filter: null, ...JSON.parse(value.toString()) })
    this.#loading = this.#generations.length === 0 ? null : this.#loadFilters(this.#generations)
  }

  /** Resolves when all filters are loaded, which folding requires. */
  async ready(): Promise<void> {
    await this.#loading
  }

  nameOf(draft: Draft): string {
    return keys.dedupeName(draft.log, draft.from, draft.dedupe!.cid)
  }

  /** Finds the old records of these names; returns no promise if memory suffices. */
  prepare(names: readonly string[]): Promise<void> | undefined {
    this.#found.clear()
    if (this.#loading) return this.#loading.then(() => this.#prepareLoaded(names))
    return this.#prepareLoaded(names)
  }

  /** One that names an incarnation counts only for a log of that incarnation. */
  find(name: string): DedupeRecord | HashedRecord | undefined {
    return this.#recent.get(name) ?? this.#found.get(name)
  }

  /** Keeps a record whose entry is in the journal. */
  remember(name: string, record: DedupeRecord): void {
    this.#recent.set(name, record)
    this.#unfolded.push(name)
  }

  /** Number of records that wait for folding. */
  get unfolded(): number {
    return this.#unfolded.length
  }

  /** Adds up to `limit` waiting records to a batch; the function returned must be called after the write. */
  fold(limit: number, batch: WriteBatch): () => void {
    const names = this.#unfolded.slice(0, limit)
    if (names.length === 0) return () => undefined
    const generation = this.#current(batch)
    for (const name of names) {
      const record = this.#recent.get(name)
      // Dropped with its log in the meantime.
      if (!record) continue
      batch.put(keys.dedupe(generation.number, name), encodeRecord(record))
      generation.filter?.add(bloomHash(name))
      generation.records++
    }
    batch.put(keys.generation(generation.number), encodeGeneration(generation))
    return () => {
      this.#unfolded.splice(0, names.length)
      this.#trimRecent()
    }
  }

  /** Drops the generations older than the dedupe window. */
  async dropExpired(): Promise<void> {
    const oldest = Math.floor(this.#now() / DAY) - this.#days
    while (this.#generations[0] && this.#generations[0].day < oldest) {
      const { number } = this.#generations.shift()!
      const batch = new WriteBatch()
      batch.del(keys.filter(number))
      await this.#database.clear(ranges.dedupe(number))
      batch.del(keys.generation(number))
      await this.#database.write(batch, false)
    }
  }

  async dropLog(log: string): Promise<void> {
    const prefix = keys.dedupePrefix(log)
    for (const name of [...this.#recent.keys()]) if (name.startsWith(prefix)) this.#recent.delete(name)
    for (const { number } of this.#generations) await this.#database.clear(ranges.dedupeOfLog(number, log))
  }

  /** Stores the filter of the open generation, so that the next start need not rebuild it. */
  saveFilter(batch: WriteBatch): void {
    const open = this.#generations[this.#generations.length - 1]
    if (open?.filter && !open.sealed) batch.put(keys.filter(open.number), encodeFilter(open))
  }

  #prepareLoaded(names: readonly string[]): Promise<void> | undefined {
    const wanted: Wanted[] = []
    for (const name of names) {
      const known = this.#recent.get(name)
      // Folding may evict it from memory while the others are read.
      if (known) this.#found.set(name, known)
      else if (this.#generations.length > 0) this.#lookFor(name, wanted)
    }
    return wanted.length === 0 ? undefined : this.#readOld(wanted)
  }

  /** Adds where a record may be. */
  #lookFor(name: string, wanted: Wanted[]): void {
    const hash = bloomHash(name)
    let digest: string | null = null
    for (const { number, filter, hashed = false } of this.#generations) {
      if (hashed) digest ??= hashedNameOf(name)
      if (filter && !filter.mayHave(hashed ? bloomHash(digest!) : hash)) continue
      wanted.push({ name, hashed, key: keys.dedupe(number, hashed ? digest! : name) })
    }
  }

  async #readOld(wanted: readonly Wanted[]): Promise<void> {
    const values = await this.#database.getMany(wanted.map(({ key }) => key))
    values.forEach((value, i) => {
      const { name, hashed } = wanted[i]!
      if (value) this.#found.set(name, hashed ? decodeHashed(value) : decodeRecord(value))
    })
  }

  /** The generation for new records; seals the previous one when its day is over or it is full. */
  #current(batch: WriteBatch): Generation {
    const day = Math.floor(this.#now() / DAY)
    const last = this.#generations[this.#generations.length - 1]
    if (last && !last.sealed && last.day >= day && last.records < GENERATION_RECORDS) return last
    if (last && !last.sealed) this.#seal(last, batch)
    const number = (last?.number ?? 0) + 1
    const filter = BloomFilter.sized(GENERATION_RECORDS)
    const generation = { number, day: Math.max(day, last?.day ?? 0), records: 0, sealed: false, filter }
    this.#generations.push(generation)
    return generation
  }

  #seal(generation: Generation, batch: WriteBatch): void {
    generation.sealed = true
    generation.filter = generation.filter?.shrunk(generation.records) ?? null
    if (generation.filter) batch.put(keys.filter(generation.number), encodeFilter(generation))
    batch.put(keys.generation(generation.number), encodeGeneration(generation))
  }

  async #loadFilters(generations: Generation[]): Promise<void> {
    try {
      for (const generation of generations) generation.filter = await this.#loadFilter(generation)
    } catch {
      // A generation without a filter is read from disk each time: slower, but correct.
    } finally {
      if (this.#generations === generations) this.#loading = null
    }
  }

  /** The stored filter if it is complete; otherwise one rebuilt from the keys. */
  async #loadFilter(generation: Generation): Promise<BloomFilter> {
    const stored = await this.#database.get(keys.filter(generation.number))
    if (stored && stored.readUInt32LE(0) === generation.records) return BloomFilter.from(stored.subarray(4))
    const filter = BloomFilter.sized(generation.sealed ? generation.records : GENERATION_RECORDS)
    for await (const page of this.#database.keyPages(ranges.dedupe(generation.number)))
      for (const key of page) filter.add(bloomHash(keys.dedupeNameOf(key)))
    return filter
  }

  #trimRecent(): void {
    let surplus = this.#recent.size - this.#unfolded.length - RECENT_RECORDS
    for (const name of this.#recent.keys()) {
      if (surplus-- <= 0) return
      this.#recent.delete(name)
    }
  }
}

function encodeGeneration({ day, records, sealed, hashed }: GenerationRecord): string {
  return JSON.stringify({ day, records, sealed, ...(hashed ? { hashed } : {}) })
}

function encodeFilter({ records, filter }: Pick<Generation, 'records' | 'filter'>): Buffer {
  const count = Buffer.alloc(4)
  count.writeUInt32LE(records)
  return Buffer.concat([count, filter!.toBuffer()])
}

/** Notes a generation of ids that were used until the end of a day, moved from another store. Returns its number. */
export function movedGeneration(day: number, hashed: boolean, batch: WriteBatch): number {
  const number = 2 * day + (hashed ? 0 : 1)
  batch.put(keys.generation(number), encodeGeneration({ day, records: 0, sealed: true, ...(hashed ? { hashed } : {}) }))
  return number
}

/** Counts what was moved, and stores a filter for each generation. */
export async function sealMovedGenerations(database: Database): Promise<void> {
  for await (const [key, value] of database.entries(ranges.generations)) {
    const number = numberOf(key)
    let records = 0
    for await (const page of database.keyPages(ranges.dedupe(number))) records += page.length
    const filter = BloomFilter.sized(records)
    for await (const page of database.keyPages(ranges.dedupe(number)))
      for (const one of page) filter.add(bloomHash(keys.dedupeNameOf(one)))
    const batch = new WriteBatch()
    batch.put(keys.filter(number), encodeFilter({ records, filter }))
    batch.put(key, encodeGeneration({ ...(JSON.parse(value.toString()) as GenerationRecord), records }))
    await database.write(batch, false)
  }
}
