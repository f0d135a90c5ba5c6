/**
 * The readers of this broker, registered by name. They are told which of their logs have grown, and read them later. For
 * readers whose cursors are in the store's outbox the registry says where they continue, saves their cursors, and removes
 * the mark of a log once all that take it have read it.
 */

import { commit } from '../store/commit.js'
import type { LogName } from '../store/log-name.js'
import { isPositionIn, type LogInfo } from '../store/logs.js'
import type { Op } from '../store/op.js'
import type { OutboxCursor } from '../store/outbox.js'
import { readerCursorOp, readerCursors, readLogOp } from '../store/reader-cursors.js'
import { SERVER_LOG } from '../store/server-events.js'
import type { Store } from '../store/store.js'
import type { Deadline, TimerWheel } from '../util/timer-wheel.js'

/** Milliseconds between saves of cursors; what was read since the last save is read again after a crash. */
const SAVE_EVERY = 1000
/** Milliseconds without new entries after which a log that was read is dropped from memory until it grows. */
const QUIET = 5000
/** Entries of the server log that are retained, for readers that lag and for dead letters. */
const SERVER_ENTRIES = 10_000

interface NamedReader {
  /** Unique, and the same after a restart. The name of a webhook is its id, which has no slash; others have one. */
  readonly name: string
  /** Asked for every log that grows. */
  takesLog(log: LogName): boolean
}

/** Stores how far it is in each log itself, and finds after a start what it has missed. */
export interface IndependentReader extends NamedReader {
  readonly positions: 'own'
  /** A log that it takes has grown or was dropped; may repeat. */
  grown(log: LogName): void
}

/** Its cursors are in the outbox: of a log that it takes, it reads every entry since it was registered. */
export interface OutboxReader extends NamedReader {
  readonly positions: 'outbox'
  /** Continues in a log of this incarnation after entry `done`. */
  begin(log: LogName, done: number, head: number, incarnation: number): void
  /** Undefined: there is nothing to read in the log. */
  cursor(log: LogName): ReaderCursor | undefined
  /** A log with a cursor has grown; may repeat, also with a lower head. */
  grown(log: LogName, head: number): void
  /** Drops the cursor. */
  forget(log: LogName): void
}

export type Reader = IndependentReader | OutboxReader

export interface ReaderCursor {
  /** Of the log. */
  readonly incarnation: number
  /** Number of the last entry that the reader is done with. */
  readonly done: number
  /** The stored value of `done`. */
  saved: number
  readonly lagging: boolean
  readonly busy: boolean
}

/** A place in a log at which a reader begins. */
export type ReaderStart = Pick<OutboxCursor, 'log' | 'seq' | 'incarnation'>

export interface ReaderRegistryDeps {
  readonly store: Store
  readonly wheel: TimerWheel
  readonly failed: (error: unknown) => void
}

export class ReaderRegistry implements Deadline {
  readonly #deps: ReaderRegistryDeps
  readonly #readers = new Map<string, Reader>()
  readonly #endGrowth: () => void
  /** Logs with cursors to save, and when they last grew (Unix ms). */
  readonly #changed = new Map<LogName, number>()
  #scheduled = false
  #saving: Promise<void> = Promise.resolve()
  #closed = false

  constructor(deps: ReaderRegistryDeps) {
    this.#deps = deps
    this.#endGrowth = deps.store.log.onGrowth((...growth) => this.#grown(...growth))
  }

  /** @throws if the name is taken. */
  register(reader: Reader): void {
    if (this.#readers.has(reader.name)) throw new Error(`there is a reader ${reader.name} already`)
    this.#readers.set(reader.name, reader)
    this.#watch()
  }

  unregister(name: string): void {
    this.#readers.delete(name)
    this.#watch()
    this.takesChanged()
  }

  /** A reader takes fewer logs: marks of logs that no other takes are removed. */
  takesChanged(): void {
    for (const log of this.#deps.store.outbox.marked().keys()) this.advanced(log)
  }

  /**
   * Resumes after a start, when all readers are registered: every marked log, from each reader's cursor, or else from
   * the mark.
   */
  async resume(): Promise<void> {
    const { store } = this.#deps
    const cursors = new Map<LogName, OutboxCursor[]>()
    for await (const cursor of readerCursors(store.tables))
      cursors.set(cursor.log, [...(cursors.get(cursor.log) ?? []), cursor])
    const unwanted: Op[] = []
    for (const [log, mark] of [...store.outbox.marked()]) {
      const info = await store.log.open(log)
      const { head, incarnation } = info
      const readers = this.#outboxReaders(log)
      for (const reader of readers)
        if (!reader.cursor(log))
          reader.begin(log, placeIn(info, reader.name, cursors.get(log)) ?? mark, head, incarnation)
      if (readers.length === 0) unwanted.push(readLogOp(log, head))
      else this.advanced(log)
    }
    if (unwanted.length > 0) await commit(store, { ops: unwanted })
  }

  /**
   * Where a reader begins that will take logs it did not take before: at the heads of those that others are still
   * reading. To be stored as its cursors. In other logs the mark tells where to begin.
   */
  async starts(takesLog: (log: LogName) => boolean, reader?: OutboxReader): Promise<ReaderStart[]> {
    const { store } = this.#deps
    const logs = [...store.outbox.marked().keys()].filter((log) => takesLog(log) && !reader?.cursor(log))
    const infos = await Promise.all(logs.map((log) => store.log.open(log)))
    return infos.map(({ name: log, head: seq, incarnation }) => ({ log, seq, incarnation }))
  }

  cursorOps(reader: string, starts: readonly ReaderStart[]): Op[] {
    return starts.map((start) => readerCursorOp({ ...start, reader }))
  }

  /** Begins at `starts`, in the turn of the call, and is told what has been added since. */
  async begin(reader: OutboxReader, starts: readonly ReaderStart[]): Promise<void> {
    for (const { log, seq, incarnation = 0 } of starts)
      if (!reader.cursor(log)) reader.begin(log, seq, seq, incarnation)
    for (const { log } of starts) {
      const { head, incarnation } = await this.#deps.store.log.open(log)
      if (reader.cursor(log)) this.#tell(reader, log, head, incarnation)
    }
  }

  /** A reader is done with an entry of the log. */
  advanced(log: LogName): void {
    this.#note(log, this.#changed.get(log) ?? 0)
  }

  due(now: number): number {
    this.#scheduled = false
    this.#saving = this.#saving.then(() => this.#save(now)).catch((error) => this.#deps.failed(error))
    return 0
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#endGrowth()
    this.#deps.wheel.delete(this)
    await this.#saving
    await this.#save(Date.now())
  }

  #outboxReaders(log?: LogName): OutboxReader[] {
    const readers: OutboxReader[] = []
    for (const reader of this.#readers.values())
      if (reader.positions === 'outbox' && (log === undefined || reader.takesLog(log))) readers.push(reader)
    return readers
  }

  #watch(): void {
    const readers = this.#outboxReaders()
    this.#deps.store.outbox.watch(readers.length === 0 ? null : (log) => readers.some((reader) => reader.takesLog(log)))
  }

  /** Called for every log of every commit. */
  #grown(log: LogName, head: number, incarnation: number): void {
    let noted = false
    for (const reader of this.#readers.values()) {
      if (!reader.takesLog(log)) continue
      if (reader.positions === 'own') reader.grown(log)
      else {
        noted = true
        this.#tell(reader, log, head, incarnation)
      }
    }
    if (noted) this.#note(log, Date.now())
  }

  #tell(reader: OutboxReader, log: LogName, head: number, incarnation: number): void {
    const cursor = reader.cursor(log)
    // What comes late may be of a former log.
    if (cursor && incarnation < cursor.incarnation) return
    if (cursor && (head === 0 || incarnation > cursor.incarnation)) reader.forget(log)
    if (head === 0) return
    if (reader.cursor(log)) return reader.grown(log, head)
    const mark = this.#deps.store.outbox.marked().get(log)
    // Without a mark it was read meanwhile.
    if (mark !== undefined) reader.begin(log, mark, head, incarnation)
  }

  #note(log: LogName, at: number): void {
    this.#changed.set(log, at)
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    this.#deps.wheel.set(this, Date.now() + SAVE_EVERY)
  }

  async #save(now: number): Promise<void> {
    const { store } = this.#deps
    const ops: Op[] = []
    const again: [LogName, number][] = []
    const quiet: LogName[] = []
    for (const [log, grewAt] of this.#changed) {
      this.#changed.delete(log)
      if (log === SERVER_LOG) await store.log.trim(log, (await store.log.open(log)).head - SERVER_ENTRIES)
      const readers = this.#outboxReaders(log)
      const isRead = readers.every((reader) => isDone(reader.cursor(log)))
      if (isRead && now - grewAt >= QUIET) {
        quiet.push(log)
        ops.push(...readOps(store, log, readers))
      } else {
        ops.push(...cursorOps(log, readers))
        if (isRead) again.push([log, grewAt])
      }
    }
    if (ops.length > 0) await store.sessions.writeLazily(ops)
    for (const log of quiet) this.#forgetIfRead(log)
    for (const [log, grewAt] of again) if (!this.#changed.has(log)) this.#note(log, grewAt)
  }

  /** A log that has grown before its mark was removed is marked still. */
  #forgetIfRead(log: LogName): void {
    if (this.#deps.store.outbox.marked().has(log)) return
    for (const reader of this.#outboxReaders(log)) if (isDone(reader.cursor(log))) reader.forget(log)
  }
}

function isDone(cursor: ReaderCursor | undefined): boolean {
  return !cursor || (!cursor.lagging && !cursor.busy)
}

/**
 * How far a reader has come by its cursors. One of a former incarnation says nothing, nor does what a damaged store has kept beyond the
 * head.
 */
function placeIn(info: LogInfo, reader: string, cursors: readonly OutboxCursor[] = []): number | undefined {
  const said = cursors.filter(
    (cursor) =>
      cursor.reader === reader && cursor.seq <= info.head && isPositionIn(info, cursor.seq, cursor.incarnation),
  )
  return said.length === 0 ? undefined : Math.max(...said.map(({ seq }) => seq))
}

/** If nobody takes the log, its mark is removed however far the log has grown. */
function readOps({ outbox }: Store, log: LogName, readers: readonly OutboxReader[]): Op[] {
  const mark = outbox.marked().get(log)
  if (mark === undefined) return []
  const [incarnation, ...others] = new Set(readers.flatMap((reader) => reader.cursor(log)?.incarnation ?? []))
  // Some have not been told yet that it is another log.
  if (others.length > 0) return []
  // Without a cursor the reader has not been told yet of what is behind the mark.
  const done = readers.map((reader) => reader.cursor(log)?.done ?? mark)
  return [readLogOp(log, Math.min(...done, Number.MAX_SAFE_INTEGER), incarnation)]
}

function cursorOps(log: LogName, readers: readonly OutboxReader[]): Op[] {
  const ops: Op[] = []
  for (const reader of readers) {
    const cursor = reader.cursor(log)
    if (!cursor || cursor.saved === cursor.done) continue
    cursor.saved = cursor.done
    const { done: seq, incarnation } = cursor
    ops.push(readerCursorOp({ log, reader: reader.name, seq, incarnation }))
  }
  return ops
}
