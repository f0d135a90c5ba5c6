/** Read and delivery receipts. */
import type { Op } from './op.js'

/** How far a member has come in a room. Of one membership: it goes with it. */
export interface ReceiptRecord {
  readonly room: string
  readonly user: string
  /** Of the membership; a record with another one is void. */
  readonly since: number
  /** Number of the last message read, and of the last one of which others may know that. */
  readonly read: number
  readonly told: number
  /** Number of the last message that reached one of the user's sessions. */
  readonly delivered: number
  /** Unix ms of the last change that others may know of; 0: none. */
  readonly at: number
  /** The last message read in threads, by the number of the message that began each. */
  readonly threads?: Readonly<Record<number, number>>
}

/** In memory, like memberships; removed by `deleteMemberOp` and `deleteRoomOps`. */
export interface ReceiptStore {
  get(room: string, user: string): ReceiptRecord | undefined
  putOp(record: ReceiptRecord): Op
}
