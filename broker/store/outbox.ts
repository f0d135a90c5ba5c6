/**
 * What an outbox needs of a store that keeps logs already: which logs hold entries that a reader has yet to hand on, and how far
 * each reader has come. Nothing is copied. A log is *marked* in the commit of the first entry after it was read to its end, so
 * that no crash can come between the two; the entries that follow cost nothing.
 */
import type { LogName } from './log-name.js'
import type { Op } from './op.js'

export interface OutboxStore {
  /** From now on the commits that add to such a log mark it; null: none does. Before the first commit, or later. */
  watch(wants: ((log: LogName) => boolean) | null): void
  watches(log: LogName): boolean
  /** Marked logs, with the number of the last entry before the mark. From memory. */
  marked(): ReadonlyMap<LogName, number>
  /** The cursors that are kept. */
  cursors(): AsyncIterable<OutboxCursor>
  cursorOp(cursor: OutboxCursor): Op
  /** Everyone has read the log up to `seq`: unless it has grown since, its mark goes, with the cursors there. */
  readOp(log: LogName, seq: number): Op
  /** Forgets the cursors of a reader. */
  forgetOps(reader: string): Promise<Op[]>
}

/** The reader has handed on the log's entries up to `seq`. */
export interface OutboxCursor {
  readonly log: LogName
  /** Not empty. */
  readonly reader: string
  readonly seq: number
}

/** Where events are told to. */
export interface WebhookRecord {
  readonly id: string
  readonly source: 'config' | 'command'
  readonly url: string
  readonly events: readonly string[]
  /** Null: all. */
  readonly rooms: readonly string[] | null
  /** Null: whatever users do. */
  readonly users: readonly string[] | null
  /** Direct conversations too. */
  readonly direct: boolean
  /** Sealed; null: the configuration has it. */
  readonly secret: string | null
  /** The one before, sealed, that signs too until then (Unix ms). */
  readonly previous: { readonly secret: string; readonly until: number } | null
  readonly enabled: boolean
  /** Why it is not enabled, where nobody asked for that. */
  readonly why: string | null
  readonly createdBy: string
  /** Unix ms. */
  readonly createdAt: number
}

/** An event that could not be told: where it is in the logs, and what came of it. */
export interface DeadLetter {
  readonly webhook: string
  /** The event's. */
  readonly id: string
  readonly log: LogName
  readonly seq: number
  readonly type: string
  /** Unix ms of the last attempt. */
  readonly at: number
  readonly attempts: number
  /** What the last attempt met. */
  readonly error: string
}

export interface WebhookStore {
  all(): AsyncIterable<WebhookRecord>
  putOp(record: WebhookRecord): Op
  /** With its dead letters. */
  deleteOps(id: string): Promise<Op[]>
  letter(webhook: string, id: string): Promise<DeadLetter | null>
  /** By event id, which is by time, after the id `after`. */
  letters(webhook: string, after: string, limit: number): Promise<DeadLetter[]>
  letterOp(letter: DeadLetter): Op
  deleteLetterOp(webhook: string, id: string): Op
}
