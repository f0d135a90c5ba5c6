/**
 * Binds what was verified, and what is issued, to an account: its name can be given up and taken by another, and all that was issued to it can
 * be revoked.
 */
import { Refusal } from '../../schemas/errors.js'
import type { DirectoryStore } from '../store/directory.js'
import type { AccountVersion, UserRecord } from '../store/users.js'

/** Whoever acts for a user: a principal. */
export interface ForAccount {
  readonly user: string
  readonly account?: AccountVersion
}

/** Accounts of earlier versions are known by the time they were made. */
export function versionOf({ accountId, createdAt, revocations = 0 }: UserRecord): AccountVersion {
  return { id: accountId ?? String(createdAt), revocations }
}

export function isSameVersion(one: AccountVersion, other: AccountVersion): boolean {
  return one.id === other.id && one.revocations === other.revocations
}

/**
 * The account for which a decision is made, if it is still there: what is written for a user must not be left to the next owner of the name.
 * @throws Refusal
 */
export async function requireSameAccount(
  directory: Pick<DirectoryStore, 'user'>,
  { user, account }: ForAccount,
): Promise<UserRecord> {
  const record = await directory.user(user)
  if (record && (!account || account.id === versionOf(record).id)) return record
  throw new Refusal('unauthorized', `there is no account ${user} any more`)
}
