/** Read and delivery receipts. */
import type { SameRecord } from './guards.js'
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
  /** Unix ms of the last change of any kind, those that only the member knows of too; absent: `at`. */
  readonly movedAt?: number
  /** The last message read in each thread, by the number of the thread's first message. */
  readonly threads?: Readonly<Record<number, number>>
}

/** In memory, like memberships; removed by `deleteMemberOps` and `deleteRoomOps`. */
export interface ReceiptStore {
  get(room: string, user: string): ReceiptRecord | undefined
  /** When a receipt in the room was changed last in a way that others may know of, or later: Unix ms; 0: never. */
  latest(room: string): number
  putOp(record: ReceiptRecord): Op
  /** That what is stored is what is in memory. */
  same(room: string, user: string): SameRecord
}

/** The places that a user has reached by either of two records of one membership. */
export function furthest(one: ReceiptRecord, other: ReceiptRecord): ReceiptRecord {
  return {
    ...one,
    read: Math.max(one.read, other.read),
    sharedRead: Math.max(one.sharedRead, other.sharedRead),
    delivered: Math.max(one.delivered, other.delivered),
    at: Math.max(one.at, other.at),
    movedAt: Math.max(movedAt(one), movedAt(other)),
    ...(one.threads || other.threads ? { threads: furthestIn(one.threads ?? {}, other.threads ?? {}) } : {}),
  }
}

/** Unix ms. */
export function movedAt({ at, movedAt = 0 }: ReceiptRecord): number {
  return Math.max(at, movedAt)
}

/** Thread receipts kept per member and room: those with the highest seqs. */
const MAX_THREADS = 100

type Threads = NonNullable<ReceiptRecord['threads']>

export function furthestIn(one: Threads, other: Threads): Threads {
  const all: Record<string, number> = { ...one }
  for (const [thread, place] of Object.entries(other)) all[thread] = Math.max(all[thread] ?? 0, place)
  const places = Object.entries(all).sort(([, a], [, b]) => b - a)
  return Object.fromEntries(places.slice(0, MAX_THREADS))
}

/** Whether a record has nothing that another one lacks. */
export function isCovered(record: ReceiptRecord, by: ReceiptRecord | undefined): boolean {
  if (!by || record.since !== by.since) return false
  if (record.read > by.read || record.sharedRead > by.sharedRead || record.delivered > by.delivered) return false
  return Object.entries(record.threads ?? {}).every(([thread, place]) => place <= (by.threads?.[Number(thread)] ?? 0))
}
