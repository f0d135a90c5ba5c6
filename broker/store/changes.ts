/** Writing to the store: drafts of log entries and other operations, committed together as one atomic change. */

import type { Body } from './body.js'
import type { Effect } from './effect.js'
import type { Guards } from './guards.js'
import type { LogName } from './log-name.js'
import type { Extra } from './logs.js'
import type { Op } from './op.js'
import type { QoS } from './qos.js'

/** A log entry without its number, which only the append knows. The append writes it into the gap of `body`. */
export interface Draft {
  readonly log: LogName
  /** UUIDv7 of the message; kept in the dedupe record, so that a retry gets the same answer. */
  readonly id: string
  readonly ts: number
  readonly from: string
  readonly origin?: string
  readonly qos: QoS
  readonly extra?: Extra | null
  readonly body: Body
  /** Null: the client gave no `cid`, and nothing is recorded. `hash` is of the normalised input. */
  readonly dedupe: { readonly cid: string; readonly hash: string } | null
  readonly isChange?: boolean
  /** Never appends; a retry is still answered as the first time. */
  readonly retryOnly?: boolean
  /** What changes about other entries of the log if, and only if, this one is appended. */
  readonly effect?: Effect | null
}

export type AppendResult =
  | { readonly outcome: 'appended' | 'duplicate'; readonly id: string; readonly seq: number; readonly ts: number }
  /** The same `(log, from, cid)` was used within the dedupe window with another input. */
  | { readonly outcome: 'conflict'; readonly id: string; readonly seq: number; readonly ts: number }
  /** `retryOnly` was set and this is no retry; `id`, `seq` and `ts` mean nothing. */
  | { readonly outcome: 'absent'; readonly id: string; readonly seq: number; readonly ts: number }

/**
 * An atomic change: everything in it becomes durable together, or nothing does. `ops` are written even if a draft turns
 * out to be a duplicate or a conflict. A change without drafts, ops and guards settles at once.
 *
 * Order: changes that touch the same log, the same session, the same record, or any two of queues and retained messages
 * (which count as one log) are applied, and settle, in the order of the `commit` calls. Others do not wait for each other, and
 * may settle in any order: who needs one commits through a lane (lane.ts).
 */
export interface Change {
  readonly drafts: readonly Draft[]
  readonly ops: readonly Op[]
  /** The change is committed only if they hold; else it settles with a `GuardConflict`, and nothing of it is written. */
  readonly guards?: Guards | null
  /**
   * Position of the records on which a change without guards was decided: it settles with a `GuardConflict` if a log that it adds to was dropped
   * since. With guards theirs counts.
   */
  readonly asOf?: number | undefined
  /** May be lost in a crash: causes no fsync of its own. */
  readonly lazy?: boolean
  /**
   * Called exactly once. `results` are parallel to `drafts` (empty on error); `enqueued` has one for each `enqueue` among the ops, in their order.
   * Must not throw.
   */
  settled(error: StoreError | null, results: readonly AppendResult[], enqueued?: readonly Enqueued[]): void
}

/** Outcome of an `enqueue`. */
export interface Enqueued {
  /** Position of the message in the queues. */
  readonly number: number
  /** Sessions that got a reference. */
  readonly sessions: readonly string[]
}

/** The store failed; nothing of the change was written. `full`: no disk space is left, reading still works. */
export class StoreError extends Error {
  readonly full: boolean
  constructor(message: string, options: { cause?: unknown; full?: boolean } = {}) {
    super(message, { cause: options.cause })
    this.name = 'StoreError'
    this.full = options.full ?? false
  }
}

/** What a change was decided on has changed. Catch up to `position`, and decide again (`transact`). */
export class GuardConflict extends StoreError {
  /** The reader's memory has to be as new as this. */
  readonly position: number

  constructor(position: number) {
    super('what this change was decided on has changed')
    this.name = 'GuardConflict'
    this.position = position
  }
}
