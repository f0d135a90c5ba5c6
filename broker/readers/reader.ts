/** What follows logs, by itself or by cursors in the store's outbox (registry.ts). */
import type { LogName } from '../store/log-name.js'
import type { Op } from '../store/op.js'

interface NamedReader {
  /** Unique, and the same after a restart and on all nodes. The name of a webhook is its id, which has no slash; others have one. */
  readonly name: string
  /** Asked for every log that grows. */
  takesLog(log: LogName): boolean
}

/** Stores how far it is in each log itself, on each node, and finds after a start what it has missed. */
export interface IndependentReader extends NamedReader {
  readonly positions: 'own'
  /** A log that it takes has grown or was dropped; may repeat. */
  grown(log: LogName): void
}

/** Its cursors are in the outbox: of a log that it takes, every entry is read since it was registered, by the node that serves it. */
export interface OutboxReader extends NamedReader {
  readonly positions: 'outbox'
}

export type Reader = IndependentReader | OutboxReader

/** Reads for an outbox reader on the node that serves it. */
export interface Serving {
  /** Continues in a log of this incarnation after entry `done`. */
  begin(log: LogName, done: number, head: number, incarnation: number): void
  /** Undefined: there is nothing to read in the log. */
  cursor(log: LogName): ReaderCursor | undefined
  /** A log with a cursor has grown; may repeat, also with a lower head. */
  grown(log: LogName, head: number): void
  /** Drops the cursor. */
  forget(log: LogName): void
  /** What is to be saved beside cursors; null: nothing has changed. */
  stateSaving(): Saving | null
}

export interface Saving {
  readonly op: Op
  /** It was saved. */
  saved(): void
}

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
export interface ReaderStart {
  readonly log: LogName
  readonly seq: number
  readonly incarnation: number
}

export function isDone(cursor: ReaderCursor | undefined): boolean {
  return !cursor || (!cursor.lagging && !cursor.busy)
}
