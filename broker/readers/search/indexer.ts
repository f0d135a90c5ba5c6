/**
 * Keeps the index up to date: follows appended entries, catches up after a start, and removes what is gone. It records
 * which logs have grown and reads them later in bounded batches; only searches wait for it.
 */
import { StoreError } from '../../store/changes.js'
import type { LogName } from '../../store/log-name.js'
import type { LogInfo } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import { IndexBatch, LARGE_BATCH, SMALL_BATCH } from './index-batch.js'
import { DamagedIndex, type IndexThread } from './index-thread.js'
import type { Position } from './text-index.js'

/** Milliseconds for which messages are collected before they are indexed, unless a search waits. */
const GATHER = 1000
/** Milliseconds until a retry after a failure. */
const RETRY = 5000
/** Longest pause after a batch in ms. */
const MAX_PAUSE = 10_000
/** Entries, and bytes, read at once. */
const PAGE = 100
const PAGE_BYTES = 256 * 1024
/** Messages removed at once. */
const PURGE = 100
const MAX_STALE = 1000

const MESSAGES = 'm:'
const ROOM_EVENTS = 'e:'

export interface IndexerDeps {
  /** Largest share of one core used while no search waits: message delivery has priority. */
  readonly share: number
  readonly store: Store
  readonly thread: IndexThread
  readonly failed: (error: unknown) => void
  /** For the log. */
  readonly notice: (message: string, facts: object) => void
}

/** Longest waits, in milliseconds. */
export interface WaitLimits {
  readonly toOpen: number
  readonly toRead: number
}

export class Indexer {
  readonly #deps: IndexerDeps
  readonly #positions = new Map<LogName, Position>()
  /** Logs to process, and those that a search waits for, which come first. */
  readonly #grown = new Set<LogName>()
  readonly #awaited = new Set<LogName>()
  /** Messages to read again. */
  readonly #stale = new Map<LogName, Map<number, number>>()
  #staleCount = 0
  #open = false
  #closed = false
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #endPause: (() => void) | null = null
  /** By performance.now(). */
  #retryAt = 0
  #waiting: (() => void)[] = []

  constructor(deps: IndexerDeps) {
    this.#deps = deps
  }

  /** Whether the index is open and its positions are known. */
  get open(): boolean {
    return this.#open
  }

  /** Opens the index and begins to catch up. */
  async start(): Promise<void> {
    for await (const name of this.#deps.store.log.names()) {
      if (name.startsWith(MESSAGES)) return this.#schedule(GATHER)
    }
  }

  /** Room events include the creation and deletion of rooms. */
  takesLog(log: LogName): boolean {
    return log.startsWith(MESSAGES) || log.startsWith(ROOM_EVENTS)
  }

  /** Called in every commit, so it only records the name. */
  grown(log: LogName): void {
    this.#grown.add(log.startsWith(MESSAGES) ? log : MESSAGES + log.slice(ROOM_EVENTS.length))
    this.#schedule(GATHER)
  }

  /** The index has an outdated version of the message. */
  stale(log: LogName, seq: number): void {
    if (this.#staleCount >= MAX_STALE) return
    const known = this.#stale.get(log) ?? new Map<number, number>()
    if (!known.has(seq)) this.#staleCount++
    this.#stale.set(log, known.set(seq, 0))
    this.#grown.add(log)
    this.#schedule(GATHER)
  }

  /** The index failed to answer a search. */
  searchFailed(error: unknown): void {
    if (this.#open && !this.#closed) this.#schedule(this.#failed(error))
  }

  /**
   * Waits until the index contains the current entries of these logs: at most `limits.toOpen` ms for the index to
   * open, then `limits.toRead` ms. Does not wait for logs that cannot be read.
   */
  async settle(logs: readonly LogName[], limits: WaitLimits): Promise<void> {
    let deadline = Date.now() + limits.toOpen
    let heads: ReadonlyMap<LogName, number> | null = null
    for (let before = Number.POSITIVE_INFINITY; performance.now() >= this.#retryAt; ) {
      if (this.#open) {
        if (!heads) {
          heads = await this.#heads(logs)
          deadline = Date.now() + limits.toRead
        }
        const missing = [...heads].filter(([log, head]) => this.#done(log) < head)
        const left = missing.reduce((sum, [log, head]) => sum + head - this.#done(log), 0)
        if (left === 0 || (!this.#running && left >= before)) return
        before = left
        for (const [log] of missing) this.#awaited.add(log)
      }
      void this.#run()
      this.#endPause?.()
      if (!(await this.#progress(deadline))) return
    }
  }

  /** Whether the index is known to have processed an entry. */
  has(log: LogName, seq: number): boolean {
    return this.#open && this.#done(log) >= seq
  }

  /** Number of entries of these logs not yet processed. */
  async pending(logs: readonly LogName[]): Promise<number> {
    let sum = 0
    for (const [log, head] of await this.#heads(logs)) sum += Math.max(0, head - this.#done(log))
    return sum
  }

  /** Removes expired and deleted messages with priority; waits at most `wait` ms for that. */
  async sweep(wait: number): Promise<void> {
    const deadline = Date.now() + wait
    for (const name of [...this.#positions.keys()])
      if (this.#holdsDropped(name, await this.#deps.store.log.open(name))) this.#awaited.add(name)
    for (let after = 0; this.#open; ) {
      const due = await this.#deps.thread.due(Date.now(), after, PAGE)
      for (const { log, seq } of due) {
        this.stale(log, seq)
        this.#awaited.add(log)
      }
      while (this.#open && this.#awaited.size > 0) {
        void this.#run()
        this.#endPause?.()
        // Waiters are notified after a step that began after they asked.
        if (!(await this.#progress(deadline))) return
      }
      if (due.length < PAGE) return
      after = due.at(-1)!.id
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#endPause?.()
    this.#notifyWaiters()
    await this.#running
  }

  #schedule(delay: number): void {
    if (this.#timer || this.#running || this.#closed) return
    this.#timer = setTimeout(() => void this.#run(), delay)
    this.#timer.unref()
  }

  #run(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#running ??= this.#work().then((again) => {
      this.#running = null
      this.#notifyWaiters()
      if (again !== null) this.#schedule(again)
    })
    return this.#running
  }

  /** Runs until the index is up to date. Returns the delay in ms until it should continue; null: when a log grows. */
  async #work(): Promise<number | null> {
    try {
      if (!this.#open) await this.#begin()
      while (!this.#closed && this.#grown.size + this.#awaited.size > 0) {
        const began = performance.now()
        await this.#step()
        this.#notifyWaiters()
        if (this.#awaited.size === 0 && this.#grown.size > 0) await this.#pause(performance.now() - began)
      }
      return null
    } catch (error) {
      return this.#closed ? null : this.#failed(error)
    }
  }

  /** Returns the delay in ms until the next attempt. */
  #failed(error: unknown): number {
    this.#open = false
    if (error instanceof DamagedIndex) {
      this.#deps.notice('the search index is damaged and is made anew', { why: error.message })
      return 0
    }
    this.#deps.failed(error)
    this.#retryAt = performance.now() + RETRY
    return RETRY
  }

  async #begin(): Promise<void> {
    const { store, thread, notice } = this.#deps
    const { positions, why } = await thread.open(store.epoch)
    if (why !== null) notice('the search index is made anew', { why })
    this.#positions.clear()
    for (const position of positions) {
      this.#positions.set(position.name, position)
      if (await this.#isOutdated(position.name)) this.#grown.add(position.name)
    }
    for await (const name of store.log.names()) {
      if (name.startsWith(MESSAGES) && (await this.#isOutdated(name))) this.#grown.add(name)
    }
    this.#open = true
  }

  /** Processes one batch, which may span several logs. */
  async #step(): Promise<void> {
    const { store, thread, failed } = this.#deps
    const batch = new IndexBatch(store, this.#awaited.size > 0 ? LARGE_BATCH : SMALL_BATCH)
    for (let name = this.#next(); name !== undefined; name = batch.full ? undefined : this.#next()) {
      try {
        if (!(await this.#take(name, batch))) this.#grown.add(name)
      } catch (error) {
        // A log that cannot be read must not block the others.
        if (!(error instanceof StoreError)) throw error
        failed(error)
      }
    }
    const { changes } = batch
    if (changes.positions.length === 0) return
    await thread.apply(changes)
    for (const position of changes.positions) this.#positions.set(position.name, position)
  }

  #next(): LogName | undefined {
    const [name] = this.#awaited.size > 0 ? this.#awaited : this.#grown
    if (name === undefined) return undefined
    this.#awaited.delete(name)
    this.#grown.delete(name)
    return name
  }

  /** Adds as much of a log as fits into the batch; true: all of it. */
  async #take(name: LogName, batch: IndexBatch): Promise<boolean> {
    const { log } = this.#deps.store
    const info = await log.open(name)
    const stale = this.#takeStale(name)
    let position = await this.#position(name, info)
    if (!position) return true
    await batch.look(name, stale)
    while (position.done < info.head && !batch.full) {
      const entries = await log.read(name, position.done, PAGE, PAGE_BYTES, 'shown')
      await batch.add(name, entries)
      // If nothing could be read, everything up to the head is gone.
      position = { ...position, done: entries.at(-1)?.seq ?? info.head }
    }
    batch.reached(position)
    return position.done >= info.head
  }

  /** The index's position in a log after removing what the log has dropped. Null: there is no such room. */
  async #position(name: LogName, info: LogInfo): Promise<Position | null> {
    const room = this.#roomOf(name)
    const known = this.#positions.get(name)
    if (known && (!room || isFormer(known, info))) {
      await this.#purge(name, null)
      this.#positions.delete(name)
    }
    if (!room) return null
    const { incarnation, tail } = info
    const position = this.#positions.get(name) ?? { name, incarnation, done: 0, tail }
    if (position.tail >= tail) return position
    await this.#purge(name, tail)
    return { ...position, tail }
  }

  async #purge(name: LogName, below: number | null): Promise<void> {
    while (await this.#deps.thread.purge(name, below, PURGE)) {
      // A partial removal must not count as complete.
      if (this.#closed) throw new Error('the search index is closing')
    }
  }

  #takeStale(name: LogName): ReadonlyMap<number, number> {
    const stale = this.#stale.get(name) ?? new Map<number, number>()
    this.#staleCount -= stale.size
    this.#stale.delete(name)
    return stale
  }

  /** Whether the index and the log differ. */
  async #isOutdated(name: LogName): Promise<boolean> {
    const log = await this.#deps.store.log.open(name)
    if (!this.#positions.has(name)) return this.#roomOf(name) !== undefined && log.head > 0
    return this.#holdsDropped(name, log) || log.head > this.#done(name)
  }

  /** Whether the index has messages that the log has dropped. */
  #holdsDropped(name: LogName, info: LogInfo): boolean {
    const position = this.#positions.get(name)
    if (!position) return false
    return !this.#roomOf(name) || isFormer(position, info) || info.tail > position.tail
  }

  async #heads(names: readonly LogName[]): Promise<Map<LogName, number>> {
    const logs = await Promise.all(names.map((name) => this.#deps.store.log.open(name)))
    return new Map(logs.map(({ name, head }) => [name, head]))
  }

  #done(name: LogName): number {
    return this.#positions.get(name)?.done ?? 0
  }

  #roomOf(name: LogName) {
    return this.#deps.store.directory.room(name.slice(MESSAGES.length))
  }

  /** Pauses after a batch to stay within `share`, unless a search waits. */
  #pause(took: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#endPause = null
        resolve()
      }
      const timer = setTimeout(end, Math.min(took * (1 / this.#deps.share - 1), MAX_PAUSE))
      this.#endPause = end
    })
  }

  /** Resolves with false if nothing happened until `deadline` (Unix ms), or if it is closed. */
  #progress(deadline: number): Promise<boolean> {
    const left = deadline - Date.now()
    if (this.#closed || left <= 0) return Promise.resolve(false)
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), left)
      this.#waiting.push(() => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  }

  #notifyWaiters(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/**
 * Whether the index has another life of the log: its room was deleted and made anew, or a store without fsync lost the
 * end of the log in a crash. After other losses the store has another epoch, and the index is made anew.
 */
function isFormer({ incarnation, done }: Position, log: LogInfo): boolean {
  return incarnation !== log.incarnation || log.head < done
}
