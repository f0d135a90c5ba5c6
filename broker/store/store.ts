/**
 * What the broker needs of a store. Adapters live in folders beside this file and pass one contract suite
 * (test/contract/). Everything durable goes through `commit`: one queue, one commit in flight, group-committed.
 */
import type { AccountStore } from './accounts.js'
import type { AppendedBatch, Change, Effect } from './changes.js'
import type { DirectoryStore } from './directory.js'
import type { LogName } from './log-name.js'
import type { LogReader } from './logs.js'
import type { ModerationStore } from './moderation.js'
import type { NoteReader } from './notes.js'
import type { Op } from './op.js'
import type { OutboxStore, WebhookStore } from './outbox.js'
import type { Persistence } from './persistence.js'
import type { QueueStore } from './queues.js'
import type { ReceiptStore } from './receipts.js'
import type { SessionStore } from './sessions.js'

export interface Store {
  readonly log: LogReader
  readonly notes: NoteReader
  readonly sessions: SessionStore
  readonly queue: QueueStore
  readonly directory: DirectoryStore
  readonly receipts: ReceiptStore
  readonly outbox: OutboxStore
  readonly webhooks: WebhookStore
  readonly accounts: AccountStore
  readonly moderation: ModerationStore
  /** The Aedes persistence contract over the same data (async form: methods return promises, streams are object-mode). */
  readonly persistence: Persistence
  readonly counts: StoreCounts
  /** Changes when the store's logs have become shorter than they were: a backup was restored. */
  readonly epoch: string
  /** False from a failed write until the store took writes again; reads go on. */
  readonly healthy: boolean
  /** When the oldest change was handed over that is not committed, or not told to `onAppend`, yet: Unix ms; null: there is none. */
  readonly pendingSince: number | null

  /** Told of every committed append, on the node that serves it, before the change settles. Set once, before the first commit. */
  onAppend: (batches: readonly AppendedBatch[]) => void
  /** Queues a change. Never throws, never blocks: errors arrive in `settled`. */
  commit(change: Change): void
  /** Does what an entry's effect would, with none appended: its notes name a target, and themselves. The log is open. */
  effectOp(log: LogName, effect: Effect): Op
  /**
   * Copies all there is at this moment to `location`, where nothing is yet; others go on meanwhile. A store opened there has another
   * epoch. `heard` is told of bytes copied; aborting rejects, and leaves what is no store.
   */
  copyTo(location: string, heard: (bytes: number) => void, signal: AbortSignal): Promise<void>
  /** Waits for what was queued, then closes. */
  close(): Promise<void>
}

/** Running totals, for `$SYS`, metrics and tests on cost. */
export interface StoreCounts {
  /** Durable (fsynced) writes. */
  commits: number
  /** Log entries appended. */
  appended: number
  /** Keys put or deleted, of commits and of background folding alike. */
  writes: number
  duplicates: number
  /** Commits that failed. */
  failures: number
}
