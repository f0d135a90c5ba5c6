/** What is written: drafts of log entries and other writes, together in one atomic change. */

import type { Body } from './body.js'
import type { LogName } from './log-name.js'
import type { Extra, Gone, LogEntry } from './logs.js'
import type { NoteWrite } from './notes.js'
import type { Op } from './op.js'
import type { QoS } from './qos.js'

/**
 * An entry without its number. The append makes the payload by splicing the number into its bytes, which are made once.
 */
export interface Draft {
  readonly log: LogName
  /** UUIDv7 of the message; kept with the dedupe record so that a retry can be answered. */
  readonly id: string
  readonly ts: number
  readonly from: string
  readonly origin?: string
  readonly qos: QoS
  readonly extra?: Extra | null
  readonly body: Body
  /** Null: no idempotency asked, no cost. `hash` is of the normalised input. */
  readonly dedupe: { readonly cid: string; readonly hash: string } | null
  readonly aside?: boolean
  /** Nothing is appended, but a retry is answered as the first time. */
  readonly retryOnly?: boolean
  /** What happens to other entries of the log if, and only if, this one is appended. */
  readonly effect?: Effect | null
}

export interface Effect {
  readonly notes?: readonly NoteWrite[]
  /** Entries whose payload is gone from then on. */
  readonly erase?: { readonly seqs: readonly number[]; readonly gone: Gone }
}

export type AppendResult =
  | { readonly outcome: 'appended' | 'duplicate'; readonly id: string; readonly seq: number; readonly ts: number }
  /** The same `(log, from, cid)` was used within the dedupe window with another input. */
  | { readonly outcome: 'conflict'; readonly id: string; readonly seq: number; readonly ts: number }
  /** It was to be a retry and is none; the rest is empty. */
  | { readonly outcome: 'absent'; readonly id: string; readonly seq: number; readonly ts: number }

/**
 * Everything in a change becomes durable together, or nothing does. `ops` are written even if a draft turns out to be
 * a duplicate or a conflict. Without drafts and ops a change writes nothing, and settles in its turn: a barrier.
 */
export interface Change {
  readonly drafts: readonly Draft[]
  readonly ops: readonly Op[]
  /** May be lost in a crash: does not ask for the disk by itself. */
  readonly lazy?: boolean
  /** Called exactly once, in the order of the `commit` calls. `results` are parallel to `drafts` (empty on error). Must not throw. */
  settled(error: StoreError | null, results: readonly AppendResult[]): void
}

/** The entries one commit added to one log: ascending, dense. */
export interface AppendedBatch {
  readonly log: LogName
  readonly entries: readonly LogEntry[]
}

/** The store could not do it; nothing of the change was kept. `full`: no space left, reads go on. */
export class StoreError extends Error {
  readonly full: boolean
  constructor(message: string, options: { cause?: unknown; full?: boolean } = {}) {
    super(message, { cause: options.cause })
    this.name = 'StoreError'
    this.full = options.full ?? false
  }
}
