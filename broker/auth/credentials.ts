/**
 * Looks up the secrets issued by the broker. The kind is part of the lookup: a secret of one kind is never accepted
 * where another kind is expected.
 */
import { timingSafeEqual } from 'node:crypto'
import type { CredentialKind, CredentialRecord } from '../store/credentials.js'
import type { DirectoryStore } from '../store/directory.js'
import type { UserRecord } from '../store/users.js'
import { versionOf } from './account-version.js'
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
  return isIssuedTo(account, record) ? { record, account } : null
}

/** Fields of a new credential that bind it to the account. */
export function issuedTo(account: UserRecord): Required<Pick<CredentialRecord, 'accountId' | 'revocations'>> {
  const { id, revocations } = versionOf(account)
  return { accountId: id, revocations }
}

/** False: it was issued to an earlier account of the name, or was revoked with everything else. Keys and invitations survive that. */
export function isIssuedTo(account: UserRecord, record: CredentialRecord): boolean {
  const { kind, accountId, revocations, createdAt } = record
  const isRevocable = kind === 'login' || kind === 'reset'
  if (accountId === undefined)
    return createdAt >= Math.max(account.createdAt, isRevocable ? (account.tokensValidFrom ?? 0) : 0)
  const version = versionOf(account)
  return accountId === version.id && (!isRevocable || revocations === version.revocations)
}

/** Compares in constant time. */
export function sameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
