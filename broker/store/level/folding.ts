/**
 * Moves entries from the journal into chunks, in the background and in small steps. Each step writes chunks together
 * with the head records that point to them; a final write removes the journal values. After a crash in between some
 * entries are in both, which replay recognises by the head records.
 */

import { HOUR, hourOf } from '../gone.js'
import type { LogEntry } from '../logs.js'
import type { StoreCounts } from '../store.js'
import { CHUNK_ENTRIES, Chunk } from './chunk.js'
import type { ChunkCache } from './chunk-cache.js'
import type { Database } from './database.js'
import type { Dedupe } from './dedupe.js'
import type { Journal } from './journal.js'
import { keys, ranges } from './keys.js'
import type { LevelLogs } from './level-logs.js'
import { WriteBatch } from './operation.js'
import type { Erasures, HeadRecord, RoomLog } from './room-log.js'
import { Run, RunReader } from './run.js'

/** Sizes of the journal at which folding starts by itself. */
export interface FoldLimits {
  readonly commits: number
  readonly entries: number
  readonly bytes: number
  readonly idleMs: number
}

export const FOLD_LIMITS: FoldLimits = { commits: 16_384, entries: 65_536, bytes: 16 * 1024 * 1024, idleMs: 1000 }

/** Entries and chunk bytes of one step: about a millisecond of work, for which commits wait. */
const STEP_ENTRIES = 1024
const STEP_BYTES = 512 * 1024
/** While the newest chunk is smaller than this, it is rewritten with the following entries. */
const MERGE_BYTES = 4096
/** Commits wait for folding when the journal exceeds its limits by this factor. */
const BACKLOG = 2

export interface FoldingDeps {
  readonly database: Database
  readonly journal: Journal
  readonly logs: LevelLogs
  readonly dedupe: Dedupe
  readonly cache: ChunkCache
  readonly counts: StoreCounts
  readonly limits: FoldLimits
  /** Runs the task while no other maintenance does. */
  readonly alone: <T>(task: () => Promise<T>) => Promise<T>
  /** Removes erased payloads from chunks. */
  readonly erase: () => Promise<void>
  readonly onFault: (error: unknown) => void
  readonly now: () => number
}

interface LogStep {
  readonly log: RoomLog
  readonly newest: Chunk
  /** An existing chunk that got more entries; null: none. */
  readonly grown: Chunk | null
  /** Erasures of entries that went into chunks without their payloads. */
  readonly erased: Erasures
}

export class Folding {
  readonly #deps: FoldingDeps
  #timer: NodeJS.Timeout | null = null
  #lastSeen = 0
  #running: Promise<void> | null = null
  #closed = false

  constructor(deps: FoldingDeps) {
    this.#deps = deps
  }

  /** To be called after every commit. */
  notice(): void {
    if (this.#over(1)) this.#start()
    else if (!this.#timer && !this.#closed && this.#deps.journal.commits > 0) this.#wait()
  }

  /** Waits for folding if commits are faster. */
  relief(): Promise<void> | undefined {
    if (!this.#over(BACKLOG)) return undefined
    this.#start()
    return this.#running ?? undefined
  }

  /** Folds everything committed so far. */
  fold(): Promise<void> {
    return this.#deps.alone(() => this.#foldAll())
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#running
  }

  #over(times: number): boolean {
    const { journal, limits } = this.#deps
    return (
      journal.entries >= times * limits.entries ||
      journal.bytes >= times * limits.bytes ||
      journal.commits >= times * limits.commits
    )
  }

  #start(): void {
    if (this.#running || this.#closed || this.#deps.database.suspect) return
    this.#running = this.fold()
      .catch(this.#deps.onFault)
      .then(() => {
        this.#running = null
      })
  }

  /** Folds after a whole idle period without a commit. */
  #wait(): void {
    this.#lastSeen = this.#deps.journal.last
    this.#timer = setTimeout(() => {
      this.#timer = null
      if (this.#deps.journal.last === this.#lastSeen) this.#start()
      else this.notice()
    }, this.#deps.limits.idleMs).unref()
  }

  async #foldAll(): Promise<void> {
    const { database, journal, logs, dedupe, counts } = this.#deps
    const { last, bytes, entries, commits } = journal
    await dedupe.ready()
    await this.#foldLogs([...logs.unfolded])
    await this.#deps.erase()
    await this.#foldDedupe(dedupe.unfolded)
    if (commits > 0) {
      const done = new WriteBatch()
      done.put(keys.folded, String(last))
      await this.#write(done)
      journal.foldedTo(last, bytes, entries)
      await database.clear(ranges.journalUpTo(last))
      counts.writes += commits
    }
    await dedupe.dropExpired()
  }

  /** Folds what the logs hold now; entries appended meanwhile are left for the next time. */
  async #foldLogs(logs: readonly RoomLog[]): Promise<void> {
    const goals = logs.map((log) => ({ log, head: log.head }))
    let next = 0
    while (next < goals.length) {
      const step: RoomLog[] = []
      for (let entries = 0; next + step.length < goals.length && entries < STEP_ENTRIES; ) {
        const { log } = goals[next + step.length]!
        step.push(log)
        entries += log.head - log.folded
      }
      await this.#foldStep(step)
      while (next < goals.length && goals[next]!.log.folded >= goals[next]!.head) next++
    }
  }

  async #foldStep(logs: readonly RoomLog[]): Promise<void> {
    const unfinished = await this.#unfinishedChunks(logs)
    const batch = new WriteBatch()
    const now = this.#deps.now()
    const steps: LogStep[] = []
    for (const [i, log] of logs.entries()) {
      if (batch.bytes >= STEP_BYTES) break
      steps.push(packLog(log, unfinished[i] ?? null, batch, now))
    }
    await this.#write(batch)
    for (const { log, newest, grown, erased } of steps) {
      log.foldedTo(newest.last)
      log.newest = span(newest)
      if (log.recent.length === 0) this.#deps.logs.unfolded.delete(log)
      // Otherwise a deletion could rewrite the chunk from its cached older version.
      if (grown) {
        log.rewritten++
        this.#deps.cache.replace(log, grown)
      }
      this.#deps.cache.add(log, newest)
      log.erasedOnDisk(erased)
    }
  }

  /** The newest chunk of each log if it is worth extending. An unreadable one is left as it is. */
  async #unfinishedChunks(logs: readonly RoomLog[]): Promise<(Chunk | null)[]> {
    const { cache, database } = this.#deps
    const found = logs.map((log) => (isUnfinished(log) ? (cache.find(log, log.newest!.first) ?? 'on disk') : null))
    const missing = logs.filter((_, i) => found[i] === 'on disk')
    if (missing.length === 0) return found as (Chunk | null)[]
    const values = await database.getMany(missing.map(({ name, newest }) => keys.chunk(name, newest!.first)))
    const read = new Map(missing.map((log, i) => [log, values[i] ? Chunk.read(values[i]) : null]))
    return found.map((chunk, i) => (chunk === 'on disk' ? (read.get(logs[i]!) ?? null) : chunk))
  }

  async #foldDedupe(records: number): Promise<void> {
    for (let left = records; left > 0; left -= STEP_ENTRIES) {
      const batch = new WriteBatch()
      const done = this.#deps.dedupe.fold(Math.min(left, STEP_ENTRIES), batch)
      await this.#write(batch)
      done()
    }
  }

  async #write(batch: WriteBatch): Promise<void> {
    await this.#deps.database.write(batch, false)
    this.#deps.counts.writes += batch.size
  }
}

function isUnfinished({ newest }: RoomLog): boolean {
  return newest !== null && newest.count < CHUNK_ENTRIES && newest.bytes < MERGE_BYTES
}

function packLog(log: RoomLog, unfinished: Chunk | null, batch: WriteBatch, now: number): LogStep {
  const recent = log.firstRuns(STEP_ENTRIES)
  // Otherwise the entries can be copied as bytes, without decoding.
  const marked = log.erasing.size > 0 || recent.some((run) => run.marked)
  const runs = marked ? recent.map((run) => keptAt(log, run, now)) : recent
  const source = new RunReader(runs)
  let before = unfinished
  let newest: Chunk
  let grown: Chunk | null = null
  do {
    newest = Chunk.pack(before, source)
    if (before) grown = newest
    if (marked) noteMarked(log.name, newest, newest.entries.slice(before?.count ?? 0), batch, now)
    before = null
    batch.put(keys.chunk(log.name, newest.first), newest.value)
  } while (!source.done && source.next <= log.folded + STEP_ENTRIES && batch.bytes < STEP_BYTES)
  const erased = log.stageErased(seqsErased(log, newest.last), batch)
  batch.put(keys.head(log.name), log.record(newest.last, span(newest)))
  return { log, newest, grown, erased }
}

/**
 * The run as it is to be stored from now on. What has expired is kept until its hour is over, as in chunks that were made before: whom it was sent to
 * may have to get it again [MQTT5-4.3.3-7].
 */
function keptAt(log: RoomLog, run: Run, now: number): Run {
  const complete = hourOf(now) * HOUR
  const kept = run.entries.map((entry) => log.keptAt(entry, complete))
  return kept.some((entry, i) => entry !== run.entries[i]) ? Run.of(kept) : run
}

/** Erased entries that are not in chunks, up to `last`. */
function seqsErased({ erasing, folded }: RoomLog, last: number): number[] {
  return erasing.size === 0 ? [] : [...erasing.keys()].filter((seq) => seq > folded && seq <= last)
}

/** Records for the entries added to a chunk when it must be processed again. */
function noteMarked(log: string, { first }: Chunk, added: readonly LogEntry[], batch: WriteBatch, now: number): void {
  noteExpiry(log, first, added, batch)
  // The journal still has their payloads.
  if (added.some(({ gone }) => gone)) batch.put(keys.stale(keys.chunk(log, first)), String(now))
}

/** Records the chunk under the hour in which entries in it expire. */
export function noteExpiry(log: string, first: number, entries: readonly LogEntry[], batch: WriteBatch): void {
  let hours: Set<number> | null = null
  for (const { extra } of entries) if (extra && extra.expiresAt > 0) (hours ??= new Set()).add(hourOf(extra.expiresAt))
  for (const hour of hours ?? []) batch.put(keys.due(hour, log, first), '')
}

function span(chunk: Chunk): HeadRecord['newest'] {
  return { first: chunk.first, count: chunk.count, bytes: chunk.value.length }
}
