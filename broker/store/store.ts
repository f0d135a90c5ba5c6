/**
 * The store as the rest of the broker sees it. Adapters are in folders beside this file and pass one contract suite
 * (test/contract/). All durable writes go through `commit`: one queue, one commit in flight, group-committed.
 */
import type { AccountStore } from './accounts.js'
import type { Change } from './changes.js'
import type { DirectoryStore } from './directory.js'
import type { ExpiringStore } from './expiring.js'
import type { JobOwners } from './job-owners.js'
import type { LogReader } from './logs.js'
import type { ModerationStore } from './moderation.js'
import type { NoteReader } from './notes.js'
import type { OutboxStore, WebhookStore } from './outbox.js'
import type { Persistence } from './persistence.js'
import type { QueueStore } from './queues.js'
import type { ReceiptStore } from './receipts.js'
import type { RecordListener } from './record-changes.js'
import type { SessionOwners } from './session-owners.js'
import type { SessionStore } from './sessions.js'
import type { SubscriptionStore } from './subscription-store.js'
import type { TableFollower, Tables } from './tables.js'
import type { Committed, Decide, Submission, Transaction } from './transaction.js'

/** What an adapter does. */
export interface StorePort {
  readonly log: LogReader
  readonly notes: NoteReader
  readonly subscriptions: SubscriptionStore
  readonly queue: QueueStore
  readonly outbox: OutboxStore
  readonly tables: Tables
  readonly counts: StoreCounts
  readonly supports: StoreSupport
  /** Changes when logs have become shorter than they were: a backup was restored. */
  readonly epoch: string
  /** False from a failed write until a write succeeds again; reading still works. */
  readonly healthy: boolean
  /** Why this process may not write at present, or does not hear what others write. Null: nothing hinders it. */
  readonly hindrance: string | null
  /** What it is, and where. */
  readonly about: string
  /**
   * Unix ms when the oldest change was queued that is not yet committed and told to followers; null: there is none.
   */
  readonly pendingSince: number | null

  /** Queues a change. Never throws, never blocks: errors arrive in `settled`. */
  commit(change: Change): void
  /**
   * Copies the current state to `location`, which must be empty; reading and writing go on. A store opened there has
   * another epoch. `onProgress` is called with the bytes copied. Aborting rejects, and leaves an incomplete copy that does
   * not open. Rejects where copies are not supported.
   */
  copyTo(location: string, onProgress: (bytes: number) => void, signal: AbortSignal): Promise<void>
  /**
   * Whether memory is known to be no older than a second or so. If not, nothing is to be delivered by what it says: memberships may have ended. Always
   * true where no other process writes to the store.
   */
  readonly fresh: boolean
  /** Calls the listener whenever that is so again. */
  onFresh(listener: () => void): void
  /** Of the last commit known here that changed something guarded: what followers are told, soon after. */
  readonly position: number
  /** Number of the last commit known here that added to a log: all up to it can be read. Within one epoch numbers only grow, over restarts too. */
  readonly lastCommit: number
  /**
   * Resolves when followers were told, and heads of logs are known, of all that was committed before the call, by whatever process. Null: no
   * other process writes to the store. Rejects if the store cannot be reached, rather than to wait for it.
   */
  catchUp(): Promise<void> | null
  /**
   * Loads the follower, then tells it of every later change of a table. If the adapter has lost sight of what is stored (after a failed
   * write), it loads the follower anew.
   */
  follow(follower: TableFollower): Promise<void>
  /** Waits for queued changes, then closes. */
  close(): Promise<void>
}

/** An adapter with the records above it. */
export interface Store extends StorePort {
  readonly sessions: SessionStore
  readonly sessionOwners: SessionOwners
  readonly jobOwners: JobOwners
  readonly directory: DirectoryStore
  readonly receipts: ReceiptStore
  readonly webhooks: WebhookStore
  readonly accounts: AccountStore
  readonly expiring: ExpiringStore
  readonly moderation: ModerationStore
  /** Position of the records in memory: for what is decided on them and written without guards (`Change.asOf`). */
  asOf(): number
  /**
   * As of the port, for many who ask at a time: one round trip serves all who wait for it. Memory may be a second old where a request is granted;
   * a refusal is given only after catching up.
   * @throws Refusal `unavailable`
   */
  catchUp(): Promise<void> | null
  /**
   * The Aedes persistence contract over the same data (asynchronous form: methods return promises, streams are in
   * object mode).
   */
  readonly persistence: Persistence
  /**
   * Tells what commits change of what sessions depend on, soon after it is in memory: in order, on every node alike, and also if memory had to
   * be loaded anew.
   */
  watch(listener: RecordListener): void
  /**
   * Makes a decision on what is stored and commits it, such that nobody got in between.
   * @param key Decisions with the same key are made one after another in this process, so that they do not fail each other's guards
   * @throws Refusal what `decide` throws; `unavailable` if the store failed, or if others got in between every time
   */
  transact<T>(key: string, decide: Decide<T>): Promise<Committed<T>>
  /**
   * As `transact`, for what is acknowledged later, such as a publish: resolves once the change is queued, and its outcome arrives in
   * `settled`. The key is held until then. A publish is submitted through its lane, so that acknowledgements leave in order.
   * @throws Refusal what `decide` throws the first time
   */
  submit(key: string, decide: (tx: Transaction) => Submission | Promise<Submission>): Promise<void>
}

/** What an adapter may be without. */
export interface StoreSupport {
  /** `copyTo`. Without it, whoever runs the database makes the backups. */
  readonly copies: boolean
}

/** Running totals, for `$SYS`, metrics and tests on cost. */
export interface StoreCounts {
  /** Durable (fsynced) writes. */
  commits: number
  /** Log entries appended. */
  appended: number
  /** Keys put or deleted, by commits and by background folding. */
  writes: number
  duplicates: number
  /** Round trips to catch up with what other processes committed. */
  catchUps: number
  /** Commits that failed. */
  failures: number
}
