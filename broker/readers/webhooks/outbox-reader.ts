/**
 * Connects the store's outbox with the webhook workers: which logs have grown, when each is read, and the stored
 * cursors.
 */

import type { AppendedBatch } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import type { LogName } from '../../store/log-name.js'
import type { Op } from '../../store/op.js'
import type { WebhookRecord } from '../../store/outbox.js'
import { SERVER_LOG } from '../../store/server-events.js'
import type { Store } from '../../store/store.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import { EventFilter } from './events.js'
import type { WebhookWorker } from './webhook-worker.js'

/** Milliseconds between saves of cursors; after a crash events since the last save are delivered again. */
const SAVE_EVERY = 1000
/** Milliseconds without new entries after which a fully delivered log is dropped from memory until it grows. */
const QUIET = 5000
/** Entries of the server log that are retained, for workers that lag and for dead letters. */
const SERVER_ENTRIES = 10_000

export interface OutboxReaderDeps {
  readonly store: Store
  readonly wheel: TimerWheel
  readonly workers: ReadonlyMap<string, WebhookWorker>
  readonly failed: (error: unknown) => void
}

export class OutboxReader implements Deadline {
  readonly #deps: OutboxReaderDeps
  /** Logs with cursors to save, and when they last grew (Unix ms). */
  readonly #changed = new Map<LogName, number>()
  #scheduled = false
  #saving: Promise<void> = Promise.resolve()
  #closed = false

  constructor(deps: OutboxReaderDeps) {
    this.#deps = deps
  }

  /** Resumes after a start: every marked log, from each worker's cursor, or else from the mark. */
  async open(): Promise<void> {
    const { store, workers } = this.#deps
    const cursors = new Map<string, number>()
    for await (const { log, reader, seq } of store.outbox.cursors()) cursors.set(`${reader} ${log}`, seq)
    const unwanted: Op[] = []
    for (const [log, mark] of [...store.outbox.marked()]) {
      const { head } = await store.log.open(log)
      const takers = [...workers.values()].filter((worker) => worker.takesLog(log))
      for (const worker of takers) worker.begin(log, cursors.get(`${worker.record.id} ${log}`) ?? mark, head)
      if (takers.length === 0) unwanted.push(store.outbox.readOp(log, head))
      else this.advanced(log)
    }
    if (unwanted.length > 0) await commit(store, { ops: unwanted })
  }

  appended(batches: readonly AppendedBatch[]): void {
    for (const { log, entries } of batches) {
      let taken = false
      for (const worker of this.#deps.workers.values()) {
        if (!worker.takesLog(log)) continue
        taken = true
        worker.grown(log, entries[0]!.seq, entries.at(-1)!.seq)
      }
      if (taken) this.#note(log, Date.now())
    }
  }

  /** An entry of the log was delivered or skipped. */
  advanced(log: LogName): void {
    this.#note(log, this.#changed.get(log) ?? 0)
  }

  #note(log: LogName, at: number): void {
    this.#changed.set(log, at)
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    this.#deps.wheel.set(this, Date.now() + SAVE_EVERY)
  }

  /** A webhook was added, or takes more logs. */
  readersAdded(): void {
    const { store, workers } = this.#deps
    store.outbox.watch((log) => {
      for (const worker of workers.values()) if (worker.takesLog(log)) return true
      return false
    })
  }

  /** A webhook was removed, or takes fewer logs: logs that no other one reads are dropped. */
  readersRemoved(): void {
    const { store, workers } = this.#deps
    if (workers.size === 0) store.outbox.watch(null)
    for (const log of store.outbox.marked().keys()) this.advanced(log)
  }

  /**
   * Ops that store cursors for a new webhook at the heads of logs that others are still reading. For other logs the
   * mark tells where to start.
   */
  async startOps(record: WebhookRecord, worker?: WebhookWorker): Promise<Op[]> {
    const { store } = this.#deps
    const filter = new EventFilter(record)
    const ops: Op[] = []
    for (const log of store.outbox.marked().keys()) {
      if (!filter.takesLog(log) || worker?.cursor(log)) continue
      ops.push(store.outbox.cursorOp({ log, reader: record.id, seq: (await store.log.open(log)).head }))
    }
    return ops
  }

  due(now: number): number {
    this.#scheduled = false
    this.#saving = this.#saving.then(() => this.#save(now)).catch((error) => this.#deps.failed(error))
    return 0
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#deps.wheel.delete(this)
    await this.#saving
    await this.#save(Date.now())
  }

  async #save(now: number): Promise<void> {
    const { store } = this.#deps
    const ops: Op[] = []
    const again: [LogName, number][] = []
    for (const [log, grewAt] of this.#changed) {
      this.#changed.delete(log)
      if (log === SERVER_LOG) await store.log.trim(log, (store.log.peek(log)?.head ?? 0) - SERVER_ENTRIES)
      if (now - grewAt >= QUIET && this.#isRead(log)) ops.push(this.#forget(log))
      else {
        ops.push(...this.#cursorOps(log))
        if (this.#isRead(log)) again.push([log, grewAt])
      }
    }
    if (ops.length > 0) await store.sessions.writeLazily(ops)
    for (const [log, grewAt] of again) if (!this.#changed.has(log)) this.#note(log, grewAt)
  }

  #isRead(log: LogName): boolean {
    return this.#workersOf(log).every((worker) => {
      const cursor = worker.cursor(log)
      return !cursor || (!cursor.lagging && !cursor.busy)
    })
  }

  #workersOf(log: LogName): WebhookWorker[] {
    return [...this.#deps.workers.values()].filter((worker) => worker.takesLog(log))
  }

  /** If the log grows before this is written, its mark stays. */
  #forget(log: LogName): Op {
    const workers = this.#workersOf(log)
    const read = workers.map((worker) => worker.cursor(log)?.done ?? Number.MAX_SAFE_INTEGER)
    for (const worker of workers) worker.forget(log)
    return this.#deps.store.outbox.readOp(log, Math.min(...read, Number.MAX_SAFE_INTEGER))
  }

  #cursorOps(log: LogName): Op[] {
    const ops: Op[] = []
    for (const worker of this.#workersOf(log)) {
      const cursor = worker.cursor(log)
      if (!cursor || cursor.saved === cursor.done) continue
      cursor.saved = cursor.done
      ops.push(this.#deps.store.outbox.cursorOp({ log, reader: worker.record.id, seq: cursor.done }))
    }
    return ops
  }
}
