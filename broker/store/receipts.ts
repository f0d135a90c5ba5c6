/** Read and delivery receipts. */
import type { Op } from './op.js'

/** A member's read and delivery positions in a room. Belongs to one membership and is removed with it. */
export interface ReceiptRecord {
  readonly room: string
  readonly user: string
  /** Start of the membership; a record with another value is void. */
  readonly since: number
  /** The last message read, and the last that others may know of (privacy). */
  readonly read: number
  readonly sharedRead: number
  /** The last message that reached one of the user's sessions. */
  readonly delivered: number
  /** Unix ms of the last change that others may know of; 0: none. */
  readonly at: number
  /** The last message read in each thread, by the number of the thread's first message. */
  readonly threads?: Readonly<Record<number, number>>
}

/** In memory, like memberships; removed by `deleteMemberOps` and `deleteRoomOps`. */
export interface ReceiptStore {
  get(room: string, user: string): ReceiptRecord | undefined
  putOp(record: ReceiptRecord): Op
}
