/** What a follower works with. */

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
  /** Told of every acknowledgement in a log, so it must cost nearly nothing. */
  readonly delivered: (user: string, place: CursorPosition, seq: number) => void
}

/** Hears that there is something to save, and saves at once what must be durable before a packet leaves. */
export interface SubscriberSaver {
  touched(): void
  /** Saves with the next commit, without waiting for the disk. */
  saveSoon(): void
  /** Resolves when the follower's state is durable; rejects when the store cannot. */
  saveNow(): Promise<void>
}
