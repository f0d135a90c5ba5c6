/** An outbox reader that this node serves: where it continues, and what is to be saved of it. */
import type { Fence } from '../store/fence.js'
import type { LogName } from '../store/log-name.js'
import { isPositionIn, type LogInfo } from '../store/logs.js'
import type { OutboxCursor } from '../store/outbox.js'
import { readerCursorOp, readerCursors } from '../store/reader-cursors.js'
import type { Store } from '../store/store.js'
import type { OutboxReader, ReaderCursor, Saving, Serving } from './reader.js'

/** Logs that are opened at a time. */
const PAGE = 100

export class ServedReader {
  readonly reader: OutboxReader
  readonly serving: Serving
  /** Null: there is no other node that could serve it. */
  readonly fence: Fence | null
  /** Its cursors were read of all logs that it takes. */
  isLoaded = false
  /** Logs that grew before. */
  readonly #missed = new Set<LogName>()
  readonly #store: Store

  constructor(store: Store, reader: OutboxReader, serving: Serving, fence: Fence | null) {
    this.#store = store
    this.reader = reader
    this.serving = serving
    this.fence = fence
  }

  takesLog(log: LogName): boolean {
    return this.reader.takesLog(log)
  }

  cursor(log: LogName): ReaderCursor | undefined {
    return this.serving.cursor(log)
  }

  /** A log that it takes has grown; head 0: it was dropped. */
  tell(log: LogName, head: number, incarnation: number): void {
    const { serving } = this
    const cursor = serving.cursor(log)
    // What comes late may be of a former log.
    if (cursor && incarnation < cursor.incarnation) return
    if (cursor && (head === 0 || incarnation > cursor.incarnation)) serving.forget(log)
    if (head === 0) return
    if (serving.cursor(log)) return serving.grown(log, head)
    if (!this.isLoaded) return void this.#missed.add(log)
    const mark = this.#store.outbox.marked().get(log)
    // Without a mark it was read meanwhile.
    if (mark !== undefined) serving.begin(log, mark, head, incarnation)
  }

  /** Continues in a marked log: at its cursor, or else at the mark. */
  place(info: LogInfo, cursors: readonly OutboxCursor[] = []): void {
    const mark = this.#store.outbox.marked().get(info.name)
    if (mark === undefined || !this.takesLog(info.name) || this.cursor(info.name)) return
    // All that take the log have read it up to the mark: a cursor before that is left over.
    const done = Math.max(placeIn(info, this.reader.name, cursors) ?? mark, mark)
    this.serving.begin(info.name, done, info.head, info.incarnation)
  }

  /** Its cursors were read. */
  async loaded(): Promise<void> {
    this.isLoaded = true
    const missed = [...this.#missed]
    this.#missed.clear()
    for (const log of missed) {
      const { head, incarnation } = await this.#store.log.open(log)
      this.tell(log, head, incarnation)
    }
  }

  /** What is to be saved of it: its cursors in these logs, and what it says of itself. */
  savings(logs: Iterable<LogName>): Saving[] {
    const all: (Saving | null)[] = [...logs].map((log) => this.#saving(log))
    return [...all, this.serving.stateSaving()].filter((one) => one !== null)
  }

  #saving(log: LogName): Saving | null {
    const cursor = this.cursor(log)
    if (!cursor || cursor.saved === cursor.done) return null
    const { done: seq, incarnation } = cursor
    const saved = (): void => void (cursor.saved = Math.max(cursor.saved, seq))
    return { op: readerCursorOp({ log, reader: this.reader.name, seq, incarnation }), saved }
  }
}

/** Places all of them in the marked logs that they take, with one pass over the stored cursors. */
export async function loadAll(store: Store, served: readonly ServedReader[]): Promise<void> {
  if (served.length === 0) return
  const names = new Set(served.map(({ reader }) => reader.name))
  const cursors = new Map<LogName, OutboxCursor[]>()
  for await (const cursor of readerCursors(store.tables))
    if (names.has(cursor.reader)) cursors.set(cursor.log, [...(cursors.get(cursor.log) ?? []), cursor])
  const isNew = (log: LogName): boolean => served.some((one) => one.takesLog(log) && !one.cursor(log))
  const logs = [...store.outbox.marked().keys()].filter(isNew)
  for (let i = 0; i < logs.length; i += PAGE)
    await Promise.all(
      logs.slice(i, i + PAGE).map(async (log) => {
        const info = await store.log.open(log)
        for (const one of served) one.place(info, cursors.get(log))
      }),
    )
  for (const one of served) await one.loaded()
}

/**
 * How far a reader has come by its cursors. One of a former incarnation says nothing, nor does what a damaged store has kept beyond the
 * head.
 */
export function placeIn(info: LogInfo, reader: string, cursors: readonly OutboxCursor[]): number | undefined {
  const said = cursors.filter(
    (cursor) =>
      cursor.reader === reader && cursor.seq <= info.head && isPositionIn(info, cursor.seq, cursor.incarnation),
  )
  return said.length === 0 ? undefined : Math.max(...said.map(({ seq }) => seq))
}
