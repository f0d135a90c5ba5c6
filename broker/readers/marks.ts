/**
 * Removes marks of logs that were read to their end. Who takes a log may be served by several nodes: how far those of other nodes are is stored, and
 * which readers there are is a guard of the change. Each node looks when it has saved what it has read, so the last one finds that all have.
 */
import type { LogName } from '../store/log-name.js'
import type { LogInfo } from '../store/logs.js'
import type { ReadLogOp } from '../store/op.js'
import type { OutboxCursor } from '../store/outbox.js'
import { cursorsIn, readLogOp } from '../store/reader-cursors.js'
import type { Store } from '../store/store.js'
import type { OutboxReader } from './reader.js'
import { placeIn, type ServedReader } from './served-reader.js'

/** Names which outbox readers there are and what they take: whoever changes that touches it. */
export const OUTBOX_READERS = 'outbox readers'

/** Logs in a change. */
const PAGE = 100

export interface MarksDeps {
  readonly store: Store
  /** All that take the log, on whatever node they are served. */
  readonly takers: (log: LogName) => readonly OutboxReader[]
  /** Undefined: it is not served here, or it is not known yet where it continues. */
  readonly served: (reader: string) => ServedReader | undefined
}

export class Marks {
  readonly #deps: MarksDeps

  constructor(deps: MarksDeps) {
    this.#deps = deps
  }

  /** Logs that nobody takes any more. */
  unwanted(): LogName[] {
    const { store, takers } = this.#deps
    return [...store.outbox.marked().keys()].filter((log) => takers(log).length === 0)
  }

  /** Removes the marks of those logs that all have read, or that nobody takes. */
  async remove(logs: readonly LogName[]): Promise<void> {
    const { store } = this.#deps
    for (let i = 0; i < logs.length; i += PAGE)
      await store.transact(OUTBOX_READERS, async (tx) => {
        tx.readTopic(OUTBOX_READERS)
        // Readers follow their records a moment later.
        await null
        const found = await Promise.all(logs.slice(i, i + PAGE).map((log) => this.#readOp(log)))
        return { ops: found.filter((op) => op !== null), lazy: true, value: null }
      })
  }

  /** Null: there is something to read still. */
  async #readOp(log: LogName): Promise<ReadLogOp | null> {
    const { store, takers, served } = this.#deps
    const mark = store.outbox.marked().get(log)
    if (mark === undefined) return null
    const info = await store.log.open(log)
    const readers = takers(log)
    // However far it has grown.
    if (readers.length === 0) return readLogOp(log, Number.MAX_SAFE_INTEGER)
    const { tables } = store
    const stored = readers.every(({ name }) => served(name)) ? [] : await cursorsIn(tables, log)
    const isRead = readers.every((reader) => this.#doneOf(reader, info, stored, mark) >= info.head)
    return isRead ? readLogOp(log, info.head, info.incarnation) : null
  }

  /** How far a reader is for certain. */
  #doneOf({ name }: OutboxReader, info: LogInfo, stored: readonly OutboxCursor[], mark: number): number {
    const served = this.#deps.served(name)
    if (!served) return placeIn(info, name, stored) ?? mark
    const cursor = served.cursor(info.name)
    // It has not been told yet of what is behind the mark, or that the log is another one.
    if (!cursor) return mark
    return cursor.incarnation === info.incarnation ? cursor.done : 0
  }
}
