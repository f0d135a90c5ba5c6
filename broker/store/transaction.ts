/** Deciding on what is stored, such that nobody gets in between. */
import { Refusal } from '../../schemas/errors.js'
import type { AccountStore } from './accounts.js'
import type { AppendResult, Change, Draft } from './changes.js'
import type { DirectoryStore } from './directory.js'
import type { ExpiringStore } from './expiring.js'
import type { RecordLimit, SameRecord } from './guards.js'
import type { JobOwners } from './job-owners.js'
import type { ModerationStore } from './moderation.js'
import type { NoteReader } from './notes.js'
import type { Op } from './op.js'
import type { WebhookStore } from './outbox.js'
import type { SessionOwners } from './session-owners.js'

/** A decision was made again and again, and others got in between every time. It can be tried again. */
export class Overtaken extends Refusal {
  constructor() {
    super('unavailable', 'others changed the same at the same time; try again')
  }
}

/** The records, as they are read and as ops for them are made. */
export interface RecordReader {
  readonly directory: DirectoryStore
  readonly moderation: ModerationStore
  readonly accounts: AccountStore
  readonly expiring: ExpiringStore
  readonly webhooks: WebhookStore
  readonly sessionOwners: SessionOwners
  readonly jobOwners: JobOwners
}

/** What a decision is made on: what is read through it must not have changed when the decision is committed. */
export interface Transaction extends RecordReader {
  readonly notes: NoteReader
  /**
   * Names what no single record stands for, such as all rooms that a person made: of two decisions that name the same topic, the later one
   * sees what the earlier one wrote.
   */
  topic(name: string): void
  /** The same for a decision that changes nothing of what it names: it sees what others wrote, and fails none of them. */
  readTopic(name: string): void
  /** The owner must have fewer than `most` records when the change is committed. Check it too: a limit that fails only decides again. */
  limit(limit: RecordLimit): void
  /** The record must have exactly this value when the change is committed. */
  same(record: SameRecord): void
}

/** What is to be written, and what the decision comes to. A decision that writes nothing is not committed. */
export interface Decision<T> {
  readonly drafts?: readonly Draft[]
  readonly ops?: readonly Op[]
  /** May be lost in a crash: causes no fsync of its own. */
  readonly lazy?: boolean
  readonly value: T
}

/** Makes a decision. It may run several times, and must do nothing but read. @throws Refusal */
export type Decide<T> = (tx: Transaction) => Decision<T> | Promise<Decision<T>>

export interface Committed<T> {
  readonly value: T
  /** Parallel to the drafts. */
  readonly results: readonly AppendResult[]
}

/** A change that was decided, and whose outcome is told as that of any change. */
export interface Submission extends Pick<Change, 'drafts' | 'ops' | 'settled'> {
  /** Called instead of `settled` if the change failed a guard, and what it was decided again to is a refusal. */
  refused(refusal: Refusal): void
}
