/** What the broker keeps of accounts beside the directory. */
import type { Op } from './op.js'

/** A second factor: what an authenticator app and the broker both know. */
export interface SecondFactorRecord {
  readonly user: string
  /** The shared secret, encrypted; base64url. */
  readonly sealed: string
  /** Unix ms; null: asked for, and not confirmed yet. */
  readonly confirmedAt: number | null
  /** Number of the time step whose code was taken last: none up to it is taken again. */
  readonly lastStep: number
  /** Hashes of the recovery codes that were not used yet. */
  readonly recovery: readonly string[]
}

/** An account that was removed, and what its user left is not erased yet. The name is nobody's until then. */
export interface RemovalRecord {
  readonly user: string
  /** Unix ms. */
  readonly at: number
  /** Where the user may have written; null: what was written stays. */
  readonly rooms: readonly string[] | null
  /** Whose bot or device it was; the user, where it is nobody's. Absent in records of before that was kept. */
  readonly person?: string
}

export interface AccountStore {
  secondFactor(user: string): Promise<SecondFactorRecord | null>
  secondFactorOp(record: SecondFactorRecord): Op
  deleteSecondFactorOp(user: string): Op

  removal(user: string): Promise<RemovalRecord | null>
  removals(): AsyncIterable<RemovalRecord>
  removalOp(record: RemovalRecord): Op
  deleteRemovalOp(user: string): Op
}
