/** Marks of logs that have not been read to their end, and cursors of those who read them: a few small keys, marks in memory too. */

import type { LogName } from '../log-name.js'
import type { Op } from '../op.js'
import type { OutboxCursor, OutboxStore } from '../outbox.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import type { LevelLogs } from './level-logs.js'
import { del, put, type StagedOp, type WriteBatch } from './operation.js'

type Wants = (log: LogName) => boolean

/** Takes the place of a reader in the key of a mark. */
const MARK = ''

export class LevelOutbox implements OutboxStore {
  readonly #database: Database
  readonly #logs: Pick<LevelLogs, 'peek'>
  #wants: Wants | null = null
  #marks = new Map<LogName, number>()
  /** Readers with a cursor that may be on disk, by log. */
  #readers = new Map<LogName, Set<string>>()

  constructor(database: Database, logs: Pick<LevelLogs, 'peek'>) {
    this.#database = database
    this.#logs = logs
  }

  /** Reads everything; what it returns makes that what memory says, at once. */
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

  /** Adds to the batch of a commit that the log gets entries from `first` on. A commit that fails makes the store read marks anew. */
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
    return put(keys.outbox(log, reader), String(seq), () => readersOf(this.#readers, log).add(reader))
  }

  readOp(log: LogName, seq: number): Op {
    const stage: StagedOp['stage'] = (batch) => {
      const head = this.#logs.peek(log)?.head ?? 0
      if (head <= seq) this.stageForget(batch, log)
    }
    const op: StagedOp = { type: 'staged', stage }
    return op
  }

  async forgetOps(reader: string): Promise<Op[]> {
    const ops: Op[] = []
    for await (const cursor of this.cursors()) {
      if (cursor.reader !== reader) continue
      ops.push(del(keys.outbox(cursor.log, reader), () => this.#readers.get(cursor.log)?.delete(reader)))
    }
    return ops
  }

  /** Also of a log that is dropped: its numbers begin anew. */
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
