/**
 * Logs that were dropped and are still partly on disk. The commit that drops a log deletes its head and leaves a mark; chunks, notes and dedupe
 * records are removed in the background. Nothing is added to a log while its mark is there: a commit that would add something removes the rest
 * first. So what is found beside a mark is of the former log, also after a crash.
 */
import type { LogName } from '../log-name.js'
import type { StoreCounts } from '../store.js'
import type { Database } from './database.js'
import type { Dedupe } from './dedupe.js'
import type { Journal } from './journal.js'
import { keys, partsOf, ranges } from './keys.js'
import type { LevelLogs } from './level-logs.js'
import { WriteBatch } from './operation.js'
import type { LevelOutbox } from './outbox.js'

export interface DroppedLogsDeps {
  readonly database: Database
  readonly journal: Journal
  readonly dedupe: Dedupe
  readonly outbox: LevelOutbox
  readonly logs: LevelLogs
  readonly counts: StoreCounts
  /** Folds everything committed so far. */
  readonly fold: () => Promise<void>
  /** Runs the task while no other maintenance does. */
  readonly alone: <T>(task: () => Promise<T>) => Promise<T>
  readonly now: () => number
  readonly onFault: (error: unknown) => void
}

export class DroppedLogs {
  readonly #deps: DroppedLogsDeps
  /** With the last commit that may have an entry of the log: it has to be folded, or the journal would bring the entry back. */
  readonly #logs = new Map<LogName, number>()
  #running: Promise<void> | null = null
  #closed = false

  constructor(deps: DroppedLogsDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#logs.size
  }

  has(log: LogName): boolean {
    return this.#logs.has(log)
  }

  /** Finds the marks. To be called when the journal was read, of which nothing is left of these logs. */
  async load(): Promise<void> {
    const { database, journal } = this.#deps
    this.#logs.clear()
    for await (const page of database.keyPages(ranges.dropping))
      for (const key of page) this.#logs.set(partsOf(key)[0]!, journal.last)
  }

  /** Adds the drop to the batch of a commit, behind what the commit itself adds to the log. */
  stage(log: LogName, batch: WriteBatch): void {
    batch.del(keys.head(log))
    batch.put(keys.dropping(log), '')
    this.#deps.outbox.stageForget(batch, log)
  }

  /** The drop is durable. @param position Of its commit */
  applied(log: LogName, position: number): void {
    this.#logs.set(log, this.#deps.journal.last)
    this.#deps.logs.forget(log, position)
    this.start()
  }

  /** Removes, in the background, what is left. */
  start(): void {
    if (!this.#running && this.#logs.size > 0 && !this.#closed) this.#running = this.#removeAll()
  }

  async finish(): Promise<void> {
    this.start()
    await this.#running
  }

  /** Ends the removal after the log in hand; the next start continues. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #removeAll(): Promise<void> {
    try {
      while (this.#logs.size > 0 && !this.#closed) await this.remove([...this.#logs.keys()])
    } catch (error) {
      this.#deps.onFault(error)
    } finally {
      this.#running = null
    }
  }

  /** Removes what is left of these logs. */
  async remove(logs: readonly LogName[]): Promise<void> {
    const { fold, alone } = this.#deps
    await fold()
    for (const log of logs) if (!this.#closed) await alone(() => this.#remove(log))
  }

  async #remove(log: LogName): Promise<void> {
    const { database, dedupe, journal } = this.#deps
    const last = this.#logs.get(log)
    // Removed by another, or dropped once more while the journal was folded.
    if (last === undefined || journal.folded < last) return
    await this.#markStale(log)
    await database.clear(ranges.chunks(log))
    await database.clear(ranges.erased(log))
    await database.clear(ranges.allNotes(log))
    await dedupe.dropLog(log)
    const batch = new WriteBatch()
    batch.del(keys.dropping(log))
    await this.#write(batch)
    this.#logs.delete(log)
  }

  /** Marks the chunks, and with them the journal, for compaction: what is deleted there leaves the disk within a day. */
  async #markStale(log: LogName): Promise<void> {
    const { database, now } = this.#deps
    const last = await database.last(ranges.chunks(log))
    const batch = new WriteBatch()
    for (const key of [keys.chunk(log, 0), last?.[0]]) if (key) batch.put(keys.stale(key), String(now()))
    await this.#write(batch)
  }

  async #write(batch: WriteBatch): Promise<void> {
    await this.#deps.database.write(batch, false)
    this.#deps.counts.writes += batch.size
  }
}
