/** API keys: used by services and bots instead of a password, until revoked. */
import { Refusal } from '../../schemas/errors.js'
import { commit } from '../store/commit.js'
import type { CredentialRecord } from '../store/credentials.js'
import { isOwned } from '../store/persons.js'
import type { Store } from '../store/store.js'
import { KeyedMutex } from '../util/keyed-mutex.js'
import { findCredential } from './credentials.js'
import { type Principal, rolesOf } from './principal.js'
import { hashSecret, newCredentialId, newSecret, readSecret, writeSecret } from './secrets.js'

/** Precision of the time of last use, in ms: at most one write a minute per key. */
const USED_EVERY = 60_000

export interface KeysDeps {
  readonly store: Pick<Store, 'commit' | 'directory' | 'sessions'>
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

export class Keys {
  readonly #deps: KeysDeps
  readonly #now: () => number
  /** By user: recording a use must not restore a key that is revoked meanwhile. */
  readonly #locks = new KeyedMutex()

  constructor(deps: KeysDeps) {
    this.#deps = deps
    this.#now = deps.now ?? Date.now
  }

  /** `key` is the secret, which cannot be retrieved later. Rejects with a refusal. */
  create(user: string, { name, roles, expiresIn }: NewKey): Promise<{ record: KeyRecord; key: string }> {
    return this.#locks.runExclusive(user, async () => {
      const { store, perUser, perBot = perUser } = this.#deps
      const most = isOwned(store.directory, user) ? Math.min(perUser, perBot) : perUser
      const [now, id, secret] = [this.#now(), newCredentialId(), newSecret()]
      const all = await this.#all(user)
      const over = all.filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now)
      if (all.length - over.length >= most)
        throw new Refusal('conflict', `${user} has ${most} keys (limits.keysPerUser, keysPerBot); revoke one first`)
      const record: KeyRecord = {
        ...{ user, id, kind: 'key', hash: hashSecret(secret), previous: null, name, createdAt: now, usedAt: 0 },
        expiresAt: expiresIn === null ? null : now + expiresIn * 1000,
        ...(roles === null ? {} : { roles: [...roles] }),
      }
      const old = over.map((gone) => store.directory.deleteCredentialOp(user, gone.id))
      await commit(store, { ops: [...old, store.directory.credentialOp(record)] })
      return { record, key: writeSecret('key', { user, id, secret }) }
    })
  }

  /** The valid keys, oldest first. */
  async list(user: string): Promise<KeyRecord[]> {
    const good = (await this.#all(user)).filter(({ expiresAt }) => expiresAt === null || expiresAt > this.#now())
    return good.sort((a, b) => a.createdAt - b.createdAt)
  }

  /** Resolves with false if there is no such key. */
  revoke(user: string, id: string): Promise<boolean> {
    return this.#locks.runExclusive(user, async () => {
      const { store, ended } = this.#deps
      if ((await store.directory.credential(user, id))?.kind !== 'key') return false
      await commit(store, { ops: [store.directory.deleteCredentialOp(user, id)] })
      ended(user, id)
      return true
    })
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
    return { user, roles, ofAccount, anonymous: false, expiresAt, issuedAt, login: id, byKey: true }
  }

  /** Written lazily: if a crash loses it, the next use is recorded. */
  #used(user: string, id: string, at: number): Promise<void> {
    return this.#locks.runExclusive(user, async () => {
      const { sessions, directory } = this.#deps.store
      const record = await directory.credential(user, id)
      if (!record || at - record.usedAt < USED_EVERY) return
      await sessions.writeLazily([directory.credentialOp({ ...record, usedAt: at })]).catch(() => {})
    })
  }

  async #all(user: string): Promise<KeyRecord[]> {
    const all = await this.#deps.store.directory.credentials(user)
    return all.filter((record): record is KeyRecord => record.kind === 'key')
  }
}

/** Whether a text has the form of a key. */
export function looksLikeKey(text: string): boolean {
  return readSecret('key', text) !== null
}
