/**
 * Marks of logs that have not been read to their end, and the readers' cursors: few and small keys; marks are in memory
 * too.
 */

import type { LogName } from '../log-name.js'
import type { ReadLogOp } from '../op.js'
import type { OutboxStore } from '../outbox.js'
import { ownerOf, type TableChange } from '../tables.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import type { LevelLogs } from './level-logs.js'
import type { Staging, WriteBatch } from './operation.js'
import { recordKey, recordRange } from './record-keys.js'

type Wants = (log: LogName) => boolean

/** The reader part of a mark's key. */
const MARK = ''

export class LevelOutbox implements OutboxStore {
  readonly #database: Database
  readonly #logs: Pick<LevelLogs, 'peek'>
  #wants: Wants | null = null
  #marks = new Map<LogName, number>()
  /** By log: keys of cursors that may be on disk. */
  #cursors = new Map<LogName, Set<string>>()

  constructor(database: Database, logs: Pick<LevelLogs, 'peek'>) {
    this.#database = database
    this.#logs = logs
  }

  /** Reads everything; the function returned replaces what is in memory, synchronously. */
  async load(): Promise<() => void> {
    const marks = new Map<LogName, number>()
    const cursors = new Map<LogName, Set<string>>()
    await this.#database.scan(ranges.allOutbox, (key, value) => {
      const [log, reader] = keys.outboxOf(key)
      if (reader === MARK) marks.set(log, Number(value.toString()))
      else keysOf(cursors, log).add(key)
    })
    return () => {
      this.#marks = marks
      this.#cursors = cursors
    }
  }

  watch(wants: Wants | null): void {
    this.#wants = wants
  }

  watches(log: LogName): boolean {
    return this.#wants?.(log) ?? false
  }

  marked(): ReadonlyMap<LogName, number> {
    return this.#marks
  }

  /**
   * Marks the log in the batch of a commit that adds entries from `first` on. After a failed commit the store reloads
   * the marks.
   */
  stage(batch: WriteBatch, log: LogName, first: number): void {
    if (!this.#wants || this.#marks.has(log) || !this.#wants(log)) return
    batch.put(keys.outbox(log, MARK), String(first - 1))
    this.#marks.set(log, first - 1)
  }

  stageRead({ log, seq, incarnation }: ReadLogOp, { batch, headOf }: Pick<Staging, 'batch' | 'headOf'>): void {
    const known = this.#logs.peek(log)
    if (known && incarnation !== undefined && known.incarnation !== incarnation) return
    if (headOf(log) <= seq) this.stageForget(batch, log)
  }

  /** A reader's cursor was set or removed. */
  apply(change: TableChange): void {
    if (change.table !== 'readerCursor' || !('key' in change)) return
    const log = ownerOf(change.key)
    const key = recordKey(change.table, change.key)
    if (change.value === null) this.#cursors.get(log)?.delete(key)
    else keysOf(this.#cursors, log).add(key)
  }

  /** Also when a log is dropped, since its numbers begin anew. */
  stageForget(batch: WriteBatch, log: LogName): void {
    if (this.#marks.delete(log)) batch.del(keys.outbox(log, MARK))
    for (const key of this.#cursors.get(log) ?? []) batch.del(key)
    // Those that earlier changes of this commit set are not in memory yet.
    batch.delPuts(recordRange('readerCursor', log))
    this.#cursors.delete(log)
  }
}

function keysOf(cursors: Map<LogName, Set<string>>, log: LogName): Set<string> {
  let found = cursors.get(log)
  if (!found) cursors.set(log, (found = new Set()))
  return found
}
