/** API keys: used by services and bots instead of a password, until revoked. */
import { Refusal } from '../../schemas/errors.js'
import type { CredentialRecord } from '../store/credentials.js'
import type { DirectoryStore } from '../store/directory.js'
import { isOwned } from '../store/persons.js'
import type { Store } from '../store/store.js'
import type { Decision, Transaction } from '../store/transaction.js'
import { requireSameAccount, versionOf } from './account-version.js'
import { type Allow, accountKey } from './accounts.js'
import { type CredentialStore, findCredential, isIssuedTo } from './credentials.js'
import { type Principal, rolesOf } from './principal.js'
import { hashSecret, newCredentialId, newSecret, readSecret, writeSecret } from './secrets.js'

/** Precision of the time of last use, in ms: at most one write a minute per key. */
const USED_EVERY = 60_000

export interface KeysDeps {
  readonly store: Pick<Store, 'transact' | 'directory'>
  /** Most keys of one user. */
  readonly perUser: number
  /** Most keys of one bot or device; absent: the same. */
  readonly perBot?: number
  /** Called for each revoked key. */
  readonly ended: (user: string, id: string) => void
  readonly now?: () => number
}

export interface NewKey {
  readonly name: string
  /** The subset of the user's roles that it grants; null: all of them. */
  readonly roles: readonly string[] | null
  /** Seconds; null: until revoked. */
  readonly expiresIn: number | null
}

export interface KeyRecord extends CredentialRecord {
  readonly name: string
}

type Written = Pick<Decision<unknown>, 'drafts' | 'ops'>

export class Keys {
  readonly #deps: KeysDeps
  readonly #now: () => number

  constructor(deps: KeysDeps) {
    this.#deps = deps
    this.#now = deps.now ?? Date.now
  }

  /**
   * `key` is the secret, which cannot be retrieved later. Rejects with a refusal.
   * @param allow Checks the right to it
   */
  async create(user: string, made: NewKey, allow: Allow = () => {}): Promise<{ record: KeyRecord; key: string }> {
    const { store, perUser, perBot = perUser } = this.#deps
    const secret = newSecret()
    const { value } = await store.transact(accountKey(user), async (tx) => {
      const { directory } = tx
      await allow(tx)
      const record = await this.#newRecord(directory, user, made, secret)
      const most = isOwned(directory, user) ? Math.min(perUser, perBot) : perUser
      const all = await keysOf(directory, user)
      const over = all.filter(({ expiresAt }) => expiresAt !== null && expiresAt <= record.createdAt)
      if (all.length - over.length >= most)
        throw new Refusal('conflict', `${user} has ${most} keys (limits.keysPerUser, keysPerBot); revoke one first`)
      const old = over.map((gone) => directory.deleteCredentialOp(user, gone.id))
      return { ops: [...old, directory.credentialOp(record)], value: record }
    })
    return { record: value, key: writeSecret('key', { user, id: value.id, secret }) }
  }

  /**
   * Creates a key in place of all others, which are revoked.
   * @param along Checks the right to it, and decides what else is written with it
   */
  async replace(user: string, made: NewKey, along: (tx: Transaction) => Promise<Written>): Promise<string> {
    const { store, ended } = this.#deps
    const secret = newSecret()
    const { value } = await store.transact(accountKey(user), async (tx) => {
      const { drafts = [], ops = [] } = await along(tx)
      const revoked = (await tx.directory.credentials(user)).filter(({ kind }) => kind === 'key').map(({ id }) => id)
      const record = await this.#newRecord(tx.directory, user, made, secret)
      const old = revoked.map((key) => tx.directory.deleteCredentialOp(user, key))
      return { drafts, ops: [...ops, ...old, tx.directory.credentialOp(record)], value: { record, revoked } }
    })
    for (const id of value.revoked) ended(user, id)
    return writeSecret('key', { user, id: value.record.id, secret })
  }

  async #newRecord(
    directory: Pick<DirectoryStore, 'user'>,
    user: string,
    { name, roles, expiresIn }: NewKey,
    secret: string,
  ): Promise<KeyRecord> {
    const [account, id, now] = [await requireSameAccount(directory, { user }), newCredentialId(), this.#now()]
    return {
      ...{ user, id, kind: 'key', hash: hashSecret(secret), previous: null, name, createdAt: now, usedAt: 0 },
      accountId: versionOf(account).id,
      expiresAt: expiresIn === null ? null : now + expiresIn * 1000,
      ...(roles === null ? {} : { roles: [...roles] }),
    }
  }

  /** The valid keys, oldest first. */
  async list(user: string): Promise<KeyRecord[]> {
    const good = (await keysOf(this.#deps.store.directory, user)).filter(
      ({ expiresAt }) => expiresAt === null || expiresAt > this.#now(),
    )
    return good.sort((a, b) => a.createdAt - b.createdAt)
  }

  /** Resolves with false if there is no such key. */
  async revoke(user: string, id: string, allow: Allow = () => {}): Promise<boolean> {
    const { store, ended } = this.#deps
    const { value } = await store.transact(accountKey(user), async (tx) => {
      await allow(tx)
      const isThere = (await tx.directory.credential(user, id))?.kind === 'key'
      return { ops: isThere ? [tx.directory.deleteCredentialOp(user, id)] : [], value: isThere }
    })
    if (value) ended(user, id)
    return value
  }

  /** The principal of a key; null: the key is not valid. */
  async check(text: string): Promise<Principal | null> {
    const issuedAt = this.#now()
    const found = await findCredential(this.#deps.store.directory, 'key', text, issuedAt)
    if (!found) return null
    const { record, account } = found
    const { user, id, expiresAt } = record
    if (issuedAt - record.usedAt >= USED_EVERY) void this.#used(user, id, issuedAt)
    const ofAccount = record.roles ? { only: record.roles } : {}
    const roles = rolesOf(ofAccount, account.roles)
    const verified = { account: versionOf(account), issuedAt }
    return { user, roles, ofAccount, anonymous: false, expiresAt, ...verified, login: id, byKey: true }
  }

  /** Written lazily: if a crash loses it, the next use is recorded. */
  async #used(user: string, id: string, at: number): Promise<void> {
    const record = this.#deps.store.transact(accountKey(user), async ({ directory }) => {
      const found = await directory.credential(user, id)
      const isKnown = !found || at - found.usedAt < USED_EVERY
      return { ops: isKnown ? [] : [directory.credentialOp({ ...found, usedAt: at })], lazy: true, value: null }
    })
    await record.catch(() => {})
  }
}

/** Those that were issued to the account that is there. */
async function keysOf(directory: CredentialStore & Pick<DirectoryStore, 'credentials'>, user: string) {
  const account = await directory.user(user)
  const all = await directory.credentials(user)
  return all.filter(
    (record): record is KeyRecord => record.kind === 'key' && account !== null && isIssuedTo(account, record),
  )
}

/** Whether a text has the form of a key. */
export function looksLikeKey(text: string): boolean {
  return readSecret('key', text) !== null
}
