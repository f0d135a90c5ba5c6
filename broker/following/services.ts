/** What subscribers work with, and their limits. */

import type { Views } from '../chat/model/views.js'
import type { CursorPosition } from '../chat/presence/receipts.js'
import type { Hub } from '../hub.js'
import type { Store } from '../store/store.js'
import type { Counters } from '../util/counters.js'
import type { BacklogLimits, Backlogs } from './backlog.js'

export interface SubscriberLimits extends BacklogLimits {
  inflight: number
}

export interface SubscriberServices {
  readonly hub: Hub
  readonly store: Store
  readonly views: Views
  readonly counters: Counters
  readonly limits: SubscriberLimits
  readonly backlogs: Backlogs
  /** Called for every acknowledged log entry, so it must cost nearly nothing. */
  readonly delivered: (user: string, place: CursorPosition, seq: number) => void
}

/** Saves a subscriber's state: soon, or before a packet is sent. */
export interface SubscriberSaver {
  touched(): void
  /** Saves with the next commit, without waiting for fsync. */
  saveSoon(): void
  /** Resolves when the subscriber's state is durable; rejects if the store fails. */
  saveNow(): Promise<void>
}
