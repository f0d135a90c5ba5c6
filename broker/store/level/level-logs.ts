/** The logs: heads and tails in memory, reading from memory and chunks, and trimming. */

import { StoreError } from '../changes.js'
import type { Effect } from '../effect.js'
import { type AppendedTo, Followers } from '../followers.js'
import { EXPIRED, remains } from '../gone.js'
import type { LogName } from '../log-name.js'
import {
  type AppendListener,
  type Followed,
  type Gone,
  type GoneEntries,
  type GrowthListener,
  growthOf,
  type LogEntry,
  type LogGrowth,
  type LogReader,
} from '../logs.js'
import { type EntryView, Page } from '../page.js'
import { Chunk } from './chunk.js'
import type { ChunkCache } from './chunk-cache.js'
import type { Database } from './database.js'
import type { JournaledLog } from './journal.js'
import { keys, numberOf, partsOf, ranges } from './keys.js'
import { WriteBatch } from './operation.js'
import { RoomLog } from './room-log.js'
import type { Run } from './run.js'

/** What the logs need to change the disk in coordination with other maintenance. */
export interface LogUpkeep {
  /** Runs the task while no fold, trim or reopening does. */
  alone<T>(task: () => Promise<T>): Promise<T>
  /** Whether it was dropped and is still partly on disk. */
  isDropped(log: LogName): boolean
  sweep(): Promise<void>
  /** Deletes the notes about entries up to a number. */
  forgetNotes(log: LogName, upTo: number): Promise<void>
  written(batch: WriteBatch): void
  now(): number
  onFault(error: unknown): void
}

type Showing = GoneEntries | undefined

export class LevelLogs implements LogReader {
  readonly #database: Database
  readonly #cache: ChunkCache
  readonly #upkeep: LogUpkeep
  readonly #logs = new Map<LogName, RoomLog>()
  readonly #followers: Followers
  /** Logs with entries that are not in chunks. */
  readonly unfolded = new Set<RoomLog>()
  /** Logs with erased payloads that are still on disk. */
  readonly erased = new Set<RoomLog>()
  /** Pending chunk reads, shared by concurrent readers. */
  readonly #fetching = new Map<string, Promise<Chunk>>()

  constructor(database: Database, cache: ChunkCache, upkeep: LogUpkeep) {
    this.#database = database
    this.#cache = cache
    this.#upkeep = upkeep
    this.#followers = new Followers(upkeep.onFault)
  }

  /** Undefined: not in memory. */
  peek(name: LogName): RoomLog | undefined {
    return this.#logs.get(name)
  }

  async open(name: LogName): Promise<LogGrowth> {
    if (!this.#logs.has(name)) await this.load([name])
    return growthOf(this.#logs.get(name)!)
  }

  async openAll(names: readonly LogName[]): Promise<LogGrowth[]> {
    await this.load(names)
    return names.map((name) => growthOf(this.#logs.get(name)!))
  }

  follow(name: LogName, listener: AppendListener): Followed | Promise<Followed> {
    const log = this.#logs.get(name)
    return log ? this.#followers.add(log, listener) : this.load([name]).then(() => this.follow(name, listener))
  }

  onGrowth(listener: GrowthListener): () => void {
    return this.#followers.onGrowth(listener)
  }

  /** Tells the followers of what a commit appended; it is durable, and heads are up to date. */
  announce(batches: readonly AppendedTo[]): void {
    this.#followers.appended(batches)
  }

  /** Loads logs with one read. */
  async load(names: readonly LogName[]): Promise<void> {
    const unknown = names.filter((name) => !this.#logs.has(name))
    if (unknown.length === 0) return
    const records = await this.#database.getMany(unknown.map(keys.head))
    unknown.forEach((name, i) => {
      // A concurrent load may have finished first, and its log may have grown since.
      if (!this.#logs.has(name)) this.#logs.set(name, new RoomLog(name, records[i]))
    })
  }

  /**
   * Reads the heads of all logs in memory or in the journal; the function returned updates memory, synchronously. The
   * objects stay the same.
   */
  async reload(journal: readonly JournaledLog[]): Promise<() => void> {
    const erased = await this.#readErased()
    const names = [
      ...new Set([...this.#logs.keys(), ...journal.map(({ log }) => log), ...erased.map(({ log }) => log)]),
    ]
    const records = await this.#database.getMany(names.map(keys.head))
    return () => {
      this.unfolded.clear()
      this.erased.clear()
      names.forEach((name, i) => {
        const log = this.#logs.get(name)
        if (log) this.#reset(log, records[i])
        else this.#logs.set(name, new RoomLog(name, records[i]))
      })
      for (const committed of journal) this.#restore(committed)
      for (const { log, seq, gone } of erased) this.erase(this.#logs.get(log)!, { seqs: [seq], gone })
    }
  }

  async #readErased(): Promise<{ log: LogName; seq: number; gone: Gone }[]> {
    const erased: { log: LogName; seq: number; gone: Gone }[] = []
    await this.#database.scan(ranges.allErased, (key, value) => {
      const log = partsOf(key)[0]!
      if (!this.#upkeep.isDropped(log)) erased.push({ log, seq: numberOf(key), gone: JSON.parse(value.toString()) })
    })
    return erased
  }

  /** From now on these payloads cannot be read. */
  erase(log: RoomLog, { seqs, gone }: NonNullable<Effect['erase']>): void {
    for (const seq of seqs) if (log.changesErasure(seq, gone)) log.erasing.set(seq, gone)
    this.erased.add(log)
  }

  /** The log was dropped: it is empty. It must be in memory. @param position Of the commit */
  forget(name: LogName, position: number): void {
    const log = this.#logs.get(name)!
    const { incarnation } = log
    this.#reset(log, undefined)
    log.droppedAt = position
    this.unfolded.delete(log)
    this.erased.delete(log)
    this.#followers.dropped(name, incarnation)
  }

  #reset(log: RoomLog, record: Buffer | undefined): void {
    this.#cache.dropBelow(log, Number.POSITIVE_INFINITY)
    log.reset(record)
  }

  /** Adds entries of the journal that are not in chunks. */
  #restore(committed: JournaledLog): void {
    const log = this.#logs.get(committed.log)!
    const runs = committed.runs
      .filter(({ last }) => last > log.folded)
      .map((run) => (run.first > log.folded ? run : run.after(log.folded)))
    if (runs.length === 0) return
    if (runs[0]!.first !== log.head + 1)
      throw new StoreError(`the journal is damaged: log ${log.name} goes from ${log.head} to ${runs[0]!.first}`)
    this.append(log, runs, committed.commit)
  }

  append(log: RoomLog, runs: readonly Run[], commit: number): void {
    log.append(runs, commit)
    this.unfolded.add(log)
  }

  read(
    name: LogName,
    after: number,
    limit: number,
    maxBytes: number,
    shown?: Showing,
  ): LogEntry[] | Promise<LogEntry[]> {
    const log = this.#logs.get(name)
    if (!log) return this.load([name]).then(() => this.read(name, after, limit, maxBytes, shown))
    const page = new Page(Math.max(after + 1, log.tail), limit, maxBytes, this.#viewFor(log, shown))
    this.#takeFromMemory(log, page)
    return page.full || page.next > log.head ? page.entries : this.#takeFromDisk(log, page)
  }

  async readBefore(
    name: LogName,
    before: number,
    limit: number,
    maxBytes: number,
    shown?: Showing,
  ): Promise<LogEntry[]> {
    await this.load([name])
    const log = this.#logs.get(name)!
    const page = new Page(Math.min(before - 1, log.head), limit, maxBytes, this.#viewFor(log, shown))
    // A log dropped meanwhile has a lower head.
    while (!page.full && page.next >= log.tail && page.next <= log.head) {
      const piece = this.#inMemory(log, page.next) ?? (await this.fetch(log, page.next))
      if (piece) page.takeBackwards(piece.entries, piece.first, log.tail)
    }
    return page.entries.reverse()
  }

  #viewFor(log: RoomLog, shown: Showing): EntryView {
    const now = this.#upkeep.now()
    return (entry) => {
      const gone = log.goneAt(entry, now)
      if (!gone || (gone === EXPIRED && shown === 'expired too')) return entry
      return shown === 'shown' ? remains(entry, gone) : null
    }
  }

  #takeFromMemory(log: RoomLog, page: Page): void {
    while (!page.full && page.next <= log.head) {
      const piece = this.#inMemory(log, page.next)
      if (!piece) return
      page.take(piece.entries, piece.first)
    }
  }

  #inMemory(log: RoomLog, seq: number): Run | Chunk | undefined {
    return seq > log.folded ? log.recentRun(seq) : this.#cache.find(log, seq)
  }

  async #takeFromDisk(log: RoomLog, page: Page): Promise<LogEntry[]> {
    while (!page.full && page.next <= log.head) {
      this.#takeFromMemory(log, page)
      if (page.full || page.next > log.folded) continue
      const chunk = await this.fetch(log, page.next)
      if (chunk) page.take(chunk.entries, chunk.first)
      else page.skipTo(log.tail)
    }
    return page.entries
  }

  /** The chunk with `seq`, from disk; undefined if the log was trimmed, dropped or reloaded meanwhile. */
  async fetch(log: RoomLog, seq: number): Promise<Chunk | undefined> {
    const epoch = log.epoch
    const wanted = `${epoch}:${keys.chunk(log.name, seq)}`
    let reading = this.#fetching.get(wanted)
    if (!reading) {
      reading = this.#readChunk(log, seq)
      this.#fetching.set(wanted, reading)
      const done = (): boolean => this.#fetching.delete(wanted)
      reading.then(done, done)
    }
    try {
      return await reading
    } catch (error) {
      if (seq < log.tail || log.epoch !== epoch) return undefined
      throw error
    }
  }

  async #readChunk(log: RoomLog, seq: number): Promise<Chunk> {
    const { epoch, rewritten } = log
    const found = await this.#database.last(ranges.chunksBefore(log.name, seq + 1))
    const chunk = found && Chunk.read(found[1])
    if (found && !chunk) throw await this.#damage(log, found[0], seq)
    if (!chunk || chunk.last < seq) throw new StoreError(`log ${log.name} is damaged: entry ${seq} is missing`)
    if (log.epoch !== epoch) return chunk
    // This chunk may have been rewritten during the read.
    if (log.rewritten !== rewritten) return this.#readChunk(log, seq)
    this.#cache.add(log, chunk)
    return chunk
  }

  async #damage(log: RoomLog, key: string, seq: number): Promise<StoreError> {
    const first = Number.parseInt(partsOf(key)[1]!, 36)
    for await (const [next] of this.#database.entries({
      ...ranges.chunks(log.name),
      gte: keys.chunk(log.name, seq + 1),
    })) {
      const last = Number.parseInt(partsOf(next)[1]!, 36) - 1
      return new StoreError(`log ${log.name} is damaged: the checksum of entries ${first} to ${last} does not match`)
    }
    return new StoreError(
      `log ${log.name} is damaged: the checksum of entries ${first} to ${log.folded} does not match`,
    )
  }

  async trim(name: LogName, upTo: number): Promise<void> {
    await this.load([name])
    await this.#upkeep.alone(() => this.#trimTo(this.#logs.get(name)!, upTo))
  }

  async #trimTo(log: RoomLog, upTo: number): Promise<void> {
    const kept = Math.min(upTo, log.folded) + 1
    if (kept <= log.tail) return
    const chunk = kept <= log.folded ? await this.fetch(log, kept) : undefined
    await this.#moveTail(log, chunk?.first ?? log.folded + 1)
  }

  async #moveTail(log: RoomLog, tail: number): Promise<void> {
    if (tail <= log.tail) return
    const before = log.tail
    log.tail = tail
    if (log.newest && log.newest.first < tail) log.newest = null
    const batch = new WriteBatch()
    batch.put(keys.head(log.name), log.record(log.folded, log.newest))
    const below = [...log.erasing.keys()].filter((seq) => seq < tail)
    const erased = log.stageErased(below, batch)
    try {
      await this.#database.write(batch, false)
    } catch (error) {
      log.tail = before
      throw error
    }
    this.#upkeep.written(batch)
    this.#cache.dropBelow(log, tail)
    log.erasedOnDisk(erased)
    await this.#database.clear(ranges.chunksBefore(log.name, tail))
    await this.#upkeep.forgetNotes(log.name, tail - 1)
  }

  async retain(name: LogName, bounds: { before: number; keep: number }): Promise<void> {
    await this.load([name])
    const log = this.#logs.get(name)!
    await this.#upkeep.alone(async () => {
      if (bounds.keep > 0) await this.#trimTo(log, log.head - bounds.keep)
      if (bounds.before > 0) await this.#moveTail(log, await this.#firstSince(log, bounds.before))
    })
  }

  /** First number of the oldest chunk that has an entry not older than `before`. */
  async #firstSince(log: RoomLog, before: number): Promise<number> {
    let tail = log.tail
    while (tail <= log.folded) {
      const chunk = await this.fetch(log, tail)
      if (!chunk || chunk.entries.some(({ ts }) => ts >= before)) break
      tail = chunk.last + 1
    }
    return tail
  }

  sweep(): Promise<void> {
    return this.#upkeep.sweep()
  }

  async *names(): AsyncGenerator<LogName> {
    const inMemory = [...this.#logs.values()].filter(({ head }) => head > 0).map(({ name }) => name)
    yield* inMemory
    const seen = new Set(inMemory)
    for await (const page of this.#database.keyPages(ranges.heads))
      for (const key of page) {
        const name = partsOf(key)[0]!
        if (!seen.has(name)) yield name
      }
  }
}
