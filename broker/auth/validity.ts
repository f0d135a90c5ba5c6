/** Whether what was verified is still valid. */
import { Refusal } from '../../schemas/errors.js'
import type { CredentialKind } from '../store/credentials.js'
import type { DirectoryStore } from '../store/directory.js'
import { isSameVersion, versionOf } from './account-version.js'
import { type CredentialStore, validCredential } from './credentials.js'
import type { Principal } from './principal.js'
import { isSuspended } from './suspensions.js'

/** Kinds that a principal may be logged in by; the others are used once, for their purpose. */
const LOGS_IN: readonly CredentialKind[] = ['login', 'key']

export type Verified = Pick<Principal, 'user' | 'account' | 'issuedAt' | 'login'>

/**
 * Whether a login or a token has not been revoked since it was verified, and its account is the same. `at` (Unix ms): the time at which it
 * must be valid. Without a time of issue, the version of the account alone says it.
 */
export async function isValid(
  directory: CredentialStore & Pick<DirectoryStore, 'removedAt'>,
  { user, account, issuedAt = account ? Number.POSITIVE_INFINITY : 0, login = null }: Verified,
  at: number,
): Promise<boolean> {
  const record = await directory.user(user)
  if (await isSuspended(directory, user)) return false
  if (account && !(record && isSameVersion(account, versionOf(record)))) return false
  if (issuedAt < (record ? (record.tokensValidFrom ?? 0) : await directory.removedAt(user))) return false
  if (login === null) return true
  const shown = { user, id: login }
  for (const kind of LOGS_IN) if (await validCredential(directory, kind, shown, at)) return true
  return false
}

/** For a decision that issues something: it must not outlive what the request came with. @throws Refusal */
export async function requireValid(
  directory: Parameters<typeof isValid>[0],
  verified: Verified,
  at: number,
  field?: string,
): Promise<void> {
  if (!(await isValid(directory, verified, at)))
    throw new Refusal('unauthorized', 'the login was taken back; start it again', { field })
}
