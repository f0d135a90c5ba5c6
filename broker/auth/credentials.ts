/**
 * Looks up the secrets issued by the broker. The kind is part of the lookup: a secret of one kind is never accepted
 * where another kind is expected.
 */
import { timingSafeEqual } from 'node:crypto'
import type { CredentialKind, CredentialRecord } from '../store/credentials.js'
import type { DirectoryStore } from '../store/directory.js'
import type { UserRecord } from '../store/users.js'
import { hashSecret, readSecret, type ShownSecret } from './secrets.js'
import { isSuspended, type SuspensionStore } from './suspensions.js'

export type CredentialStore = Pick<DirectoryStore, 'credential'> & SuspensionStore

/** A stored credential and its account. */
export interface Credential {
  readonly record: CredentialRecord
  readonly account: UserRecord
}

/** The credential of this kind proved by `text`; null: none, or it is not valid at `now` (Unix ms). */
export async function findCredential(
  store: CredentialStore,
  kind: CredentialKind,
  text: string,
  now: number,
): Promise<Credential | null> {
  const shown = readSecret(kind, text)
  const found = shown && (await validCredential(store, kind, shown, now))
  return found && sameHash(found.record.hash, hashSecret(shown.secret)) ? found : null
}

/** The credential of this kind and id if it is valid at `now`. It proves nothing about the caller. */
export async function validCredential(
  store: CredentialStore,
  kind: CredentialKind,
  { user, id }: Pick<ShownSecret, 'user' | 'id'>,
  now: number,
): Promise<Credential | null> {
  const record = await store.credential(user, id)
  const account = await store.user(user)
  if (record?.kind !== kind || !account || (await isSuspended(store, user))) return null
  if (record.expiresAt !== null && record.expiresAt <= now) return null
  // Keys and invitations survive a change of password. Logins are deleted by it, except one that begins at the same
  // moment.
  const voided = kind === 'login' && record.createdAt < (account.tokensValidFrom ?? 0)
  return voided ? null : { record, account }
}

/** Compares in constant time. */
export function sameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
