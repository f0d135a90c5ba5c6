/** Records with a time to live: what is counted or issued for a while, alike on all nodes, and not forgotten by a restart. */
import type { Op } from './op.js'

/** A record counts as absent from `until` on (Unix ms), also before it is removed. */
export interface Expiring {
  readonly until: number
}

/** Wrong codes of a second factor. At most one record for each account. */
export interface CodeFailures extends Expiring {
  readonly failures: number
  /** Unix ms. */
  readonly last: number
  /** Unix ms; 0: not refused. */
  readonly refusedUntil: number
}

/** By kind. What names a record is said beside its kind. */
export interface ExpiringRecords {
  /** By user. */
  readonly codeFailures: CodeFailures
}

export type ExpiringKind = keyof ExpiringRecords

/** Kinds whose records are named by a user. */
export const OF_USERS: readonly ExpiringKind[] = ['codeFailures']

export interface ExpiringStore {
  /** @param now Unix ms. Null: there is none, or its time is over */
  get<Kind extends ExpiringKind>(kind: Kind, name: string, now: number): Promise<ExpiringRecords[Kind] | null>
  putOp<Kind extends ExpiringKind>(kind: Kind, name: string, record: ExpiringRecords[Kind]): Op
  deleteOp(kind: ExpiringKind, name: string): Op
  /**
   * Ops that remove what is over of the next `limit` records behind the key `after`, and the key to go on behind; null: these were the last.
   * @param now Unix ms
   */
  sweepOps(after: string, limit: number, now: number): Promise<{ ops: Op[]; next: string | null }>
}
