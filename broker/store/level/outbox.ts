/**
 * Marks of logs that have not been read to their end, and the readers' cursors: few and small keys; marks are in memory
 * too.
 */

import type { LogName } from '../log-name.js'
import { del, type Op, put, type ReadLogOp } from '../op.js'
import type { OutboxCursor, OutboxStore } from '../outbox.js'
import { keyOf, partsOf, type TableChange } from '../tables.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import type { LevelLogs } from './level-logs.js'
import type { WriteBatch } from './operation.js'

type Wants = (log: LogName) => boolean

/** The reader part of a mark's key. */
const MARK = ''

export class LevelOutbox implements OutboxStore {
  readonly #database: Database
  readonly #logs: Pick<LevelLogs, 'peek'>
  #wants: Wants | null = null
  #marks = new Map<LogName, number>()
  /** By log: readers that may have a cursor on disk. */
  #readers = new Map<LogName, Set<string>>()

  constructor(database: Database, logs: Pick<LevelLogs, 'peek'>) {
    this.#database = database
    this.#logs = logs
  }

  /** Reads everything; the function returned replaces what is in memory, synchronously. */
  async load(): Promise<() => void> {
    const marks = new Map<LogName, number>()
    const readers = new Map<LogName, Set<string>>()
    await this.#database.scan(ranges.allOutbox, (key, value) => {
      const [log, reader] = keys.outboxOf(key)
      if (reader === MARK) marks.set(log, Number(value.toString()))
      else readersOf(readers, log).add(reader)
    })
    return () => {
      this.#marks = marks
      this.#readers = readers
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

  async *cursors(): AsyncGenerator<OutboxCursor> {
    for await (const [key, value] of this.#database.entries(ranges.allOutbox)) {
      const [log, reader] = keys.outboxOf(key)
      if (reader !== MARK) yield { log, reader, seq: Number(value.toString()) }
    }
  }

  cursorOp({ log, reader, seq }: OutboxCursor): Op {
    return put('readerCursor', keyOf(log, reader), String(seq))
  }

  readOp(log: LogName, seq: number): Op {
    return { type: 'readLog', log, seq }
  }

  stageRead({ log, seq }: ReadLogOp, batch: WriteBatch): void {
    const head = this.#logs.peek(log)?.head ?? 0
    if (head <= seq) this.stageForget(batch, log)
  }

  /** A reader's cursor was set or removed. */
  apply(change: TableChange): void {
    if (change.table !== 'readerCursor' || !('key' in change)) return
    const [log, reader] = partsOf(change.key) as [string, string]
    if (change.value === null) this.#readers.get(log)?.delete(reader)
    else readersOf(this.#readers, log).add(reader)
  }

  async forgetOps(reader: string): Promise<Op[]> {
    const ops: Op[] = []
    for await (const cursor of this.cursors()) {
      if (cursor.reader !== reader) continue
      ops.push(del('readerCursor', keyOf(cursor.log, reader)))
    }
    return ops
  }

  /** Also when a log is dropped, since its numbers begin anew. */
  stageForget(batch: WriteBatch, log: LogName): void {
    if (this.#marks.delete(log)) batch.del(keys.outbox(log, MARK))
    for (const reader of this.#readers.get(log) ?? []) batch.del(keys.outbox(log, reader))
    this.#readers.delete(log)
  }
}

function readersOf(readers: Map<LogName, Set<string>>, log: LogName): Set<string> {
  let found = readers.get(log)
  if (!found) readers.set(log, (found = new Set()))
  return found
}
