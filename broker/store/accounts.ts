/** Second factors, and removals of accounts in progress. */
import type { Op } from './op.js'

/** A second factor (TOTP): the secret shared with an authenticator app. */
export interface SecondFactorRecord {
  readonly user: string
  /** The shared secret, encrypted; base64url. */
  readonly sealed: string
  /** Unix ms; null: asked for, and not confirmed yet. */
  readonly confirmedAt: number | null
  /** The last time step whose code was accepted: codes up to it are refused, so that none is used twice. */
  readonly lastStep: number
  /** Hashes of the unused recovery codes. */
  readonly recovery: readonly string[]
}

/** A removed account whose data is not erased completely yet. Until then its name cannot be taken. */
export interface RemovalRecord {
  readonly user: string
  /** Unix ms. */
  readonly at: number
  /** Rooms in which the user may have written, for the erasure; null: messages stay. */
  readonly rooms: readonly string[] | null
  /**
   * The owner, if the account was a bot or a device, else the user. Absent in records of versions that did not store
   * it.
   */
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
