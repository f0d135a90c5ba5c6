/**
 * Where the secrets that the broker gave out are found again. The kind is part of the question: a secret of one kind, however it is
 * written, is nothing at all where another is asked for.
 */
import { timingSafeEqual } from 'node:crypto'
import type { CredentialKind, CredentialRecord } from '../store/credentials.js'
import type { DirectoryStore } from '../store/directory.js'
import type { UserRecord } from '../store/users.js'
import { hashSecret, readSecret, type ShownSecret } from './secrets.js'
import { isSuspended, type SuspensionStore } from './suspensions.js'

export type CredentialStore = Pick<DirectoryStore, 'credential'> & SuspensionStore

/** What stands under a secret, and the account it is of. */
export interface Credential {
  readonly record: CredentialRecord
  readonly account: UserRecord
}

/** The credential of this kind that a text proves; null: it proves none, or none that is good at `now` (Unix ms). */
export async function findCredential(
  store: CredentialStore,
  kind: CredentialKind,
  text: string,
  now: number,
): Promise<Credential | null> {
  const shown = readSecret(kind, text)
  const found = shown && (await standingCredential(store, kind, shown, now))
  return found && sameHash(found.record.hash, hashSecret(shown.secret)) ? found : null
}

/** The credential of this kind and id, if it is good at `now`. That proves nothing about who asks. */
export async function standingCredential(
  store: CredentialStore,
  kind: CredentialKind,
  { user, id }: Pick<ShownSecret, 'user' | 'id'>,
  now: number,
): Promise<Credential | null> {
  const record = await store.credential(user, id)
  const account = await store.user(user)
  if (record?.kind !== kind || !account || (await isSuspended(store, user))) return null
  if (record.expiresAt !== null && record.expiresAt <= now) return null
  // Keys and invitations outlive a password. Logins are deleted with it, but for one that was begun in that very moment.
  const voided = kind === 'login' && record.createdAt < (account.tokensValidFrom ?? 0)
  return voided ? null : { record, account }
}

/** In a time that does not depend on where they differ. */
export function sameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
