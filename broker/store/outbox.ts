/**
 * The transactional outbox: which logs have entries that a reader has not processed (a webhook; readers/registry.ts), and
 * each reader's cursor. Nothing is copied. A log is *marked* in the same commit as the first entry after it was read to its
 * end, so a crash cannot lose the mark; further entries cost nothing.
 */
import type { LogName } from './log-name.js'
import type { Op } from './op.js'

export interface OutboxStore {
  /** From now on commits mark the logs for which `wants` is true; null: none. May be called at any time. */
  watch(wants: ((log: LogName) => boolean) | null): void
  watches(log: LogName): boolean
  /** Marked logs, with the number of the last entry before the mark. From memory. */
  marked(): ReadonlyMap<LogName, number>
}

/** The reader has processed the log's entries up to `seq`. */
export interface OutboxCursor {
  readonly log: LogName
  /** Not empty. */
  readonly reader: string
  readonly seq: number
  /** Of the log. A reader has a cursor for each. Absent: stored before it was kept, and taken for the present one. */
  readonly incarnation?: number | undefined
}

/** A webhook: an URL to which events are posted. */
export interface WebhookRecord {
  readonly id: string
  readonly source: 'config' | 'command'
  readonly url: string
  readonly events: readonly string[]
  /** Null: all rooms. */
  readonly rooms: readonly string[] | null
  /** Null: all users. */
  readonly users: readonly string[] | null
  /** Also for events of direct conversations. */
  readonly direct: boolean
  /** Encrypted. Null: stored by an earlier version, which had it in the configuration only. */
  readonly secret: string | null
  /** The former secret, encrypted, which also signs until then (Unix ms). Null: for as long as the record says so. */
  readonly previous: { readonly secret: string; readonly until: number | null } | null
  readonly enabled: boolean
  /** Why the broker disabled it; null: it did not. */
  readonly why: string | null
  readonly createdBy: string
  /** Unix ms. */
  readonly createdAt: number
}

/** An event that could not be delivered: its place in the logs, and the last failure. */
export interface DeadLetter {
  readonly webhook: string
  /** Id of the event. */
  readonly id: string
  readonly log: LogName
  readonly seq: number
  readonly type: string
  /** Unix ms of the last attempt. */
  readonly at: number
  readonly attempts: number
  /** Error of the last attempt. */
  readonly error: string
}

/** What the node that serves a webhook says of it, for all others: a second old at most. */
export interface WebhookState {
  /** Logs with events that are not delivered yet. */
  readonly behind: number
  /** Dead letters. */
  readonly dead: number
  /** Unix ms of the last delivery; null: there was none. */
  readonly lastSuccess: number | null
  /** Of the last failed attempt; null: there was none. */
  readonly lastError: string | null
}

export interface WebhookStore {
  /** From memory. */
  all(): Iterable<WebhookRecord>
  /** From memory. Null: there is none. */
  get(id: string): WebhookRecord | null
  putOp(record: WebhookRecord): Op
  /** Also deletes its dead letters, and what else is stored of it, cursors excepted. */
  deleteOps(id: string): Op[]
  /** Null: it was not served yet. */
  state(id: string): Promise<WebhookState | null>
  stateOp(id: string, state: WebhookState): Op
  /** Ids of the dead letters that are to be tried again, in their order. */
  retries(webhook: string): Promise<string[]>
  retryOp(webhook: string, id: string): Op
  /** It was tried. */
  deleteRetryOp(webhook: string, id: string): Op
  letter(webhook: string, id: string): Promise<DeadLetter | null>
  /** In the order of event ids, which sort by time; after the id `after`. */
  letters(webhook: string, after: string, limit: number): Promise<DeadLetter[]>
  letterOp(letter: DeadLetter): Op
  /** It is not tried again either. */
  deleteLetterOps(webhook: string, id: string): Op[]
}
