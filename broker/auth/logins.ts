/**
 * Refreshable logins: short-lived access tokens, and a refresh token that is rotated at every use. If a former refresh
 * token is used again, either it was stolen or a thief uses the current one: the login ends for both. A token that was
 * never one of the login ends nothing.
 */
import { Refusal } from '../../schemas/errors.js'
import { commit } from '../store/commit.js'
import type { CredentialKind, CredentialRecord } from '../store/credentials.js'
import type { Store } from '../store/store.js'
import { KeyedMutex } from '../util/keyed-mutex.js'
import { validCredential } from './credentials.js'
import type { Principal } from './principal.js'
import { renewed } from './refresh-tokens.js'
import { hashSecret, newCredentialId, newSecret, readSecret, writeSecret } from './secrets.js'
import { isSuspended } from './suspensions.js'

/** Kinds that a principal may be logged in by; the others are used once, for their purpose. */
const LOGS_IN: readonly CredentialKind[] = ['login', 'key']

/** Most logins of a user; a new one replaces the least recently used. */
const MAX_LOGINS = 100

export interface Issued {
  readonly user: string
  readonly token: string
  /** Unix ms at which the access token expires. */
  readonly expiresAt: number
  readonly refreshToken: string
}

export interface LoginsDeps {
  readonly store: Pick<Store, 'commit' | 'directory'>
  /** Signs an access token. */
  readonly sign: (claims: { user: string; login: string; issuedAt: number; expiresAt: number }) => Promise<string>
  /** Lifetimes of access and refresh tokens, in seconds. */
  readonly lifetimes: { readonly token: number; readonly refresh: number }
  /** Seconds for which a refresh token may be presented again after its first use. */
  readonly grace: number
  /** Called for each login that ended. */
  readonly ended: (user: string, login: string) => void
  readonly now?: () => number
}

export class Logins {
  readonly #deps: LoginsDeps
  readonly #now: () => number
  /** By user. */
  readonly #locks = new KeyedMutex()

  constructor(deps: LoginsDeps) {
    this.#deps = deps
    this.#now = deps.now ?? Date.now
  }

  /** Begins a login. The caller has verified the user. */
  begin(user: string): Promise<Issued> {
    return this.#locks.runExclusive(user, async () => {
      const { directory } = this.#deps.store
      const now = this.#now()
      const secret = newSecret()
      const record: CredentialRecord = {
        ...{ user, id: newCredentialId(), kind: 'login', hash: hashSecret(secret), previous: null, name: null },
        ...{ createdAt: now, usedAt: now, expiresAt: now + this.#deps.lifetimes.refresh * 1000 },
      }
      const old = (await this.#superfluous(user)).map(({ id }) => directory.deleteCredentialOp(user, id))
      await commit(this.#deps.store, { ops: [...old, directory.credentialOp(record)] })
      return this.#issue(record, secret)
    })
  }

  /** Exchanges a refresh token for new tokens. Rejects with a refusal. */
  async renew(refreshToken: string): Promise<Issued> {
    const shown = readSecret('login', refreshToken)
    if (!shown) throw refused()
    return this.#locks.runExclusive(shown.user, async () => {
      const { store, lifetimes, grace } = this.#deps
      const [now, secret] = [this.#now(), newSecret()]
      const record = (await validCredential(store.directory, 'login', shown, now))?.record
      if (!record) throw refused()
      const expiresAt = now + lifetimes.refresh * 1000
      const hashes = { shown: hashSecret(shown.secret), next: hashSecret(secret) }
      const outcome = renewed(record, { ...hashes, now, grace: grace * 1000, expiresAt })
      if (outcome === 'stolen') await this.#end(record.user, record.id)
      if (typeof outcome === 'string') throw refused()
      await commit(store, { ops: [store.directory.credentialOp(outcome)] })
      return this.#issue(outcome, secret)
    })
  }

  /**
   * Ends a login with the sessions that use it. Resolves with false if there is none; API keys are revoked elsewhere.
   */
  end(user: string, id: string): Promise<boolean> {
    return this.#locks.runExclusive(user, async () => {
      const record = await this.#deps.store.directory.credential(user, id)
      if (record?.kind !== 'login') return false
      await this.#end(user, id)
      return true
    })
  }

  /**
   * Whether the principal's login or token has not been revoked since. `at` (Unix ms): the time at which it must be
   * valid; default: now.
   */
  async isStillValid({ user, issuedAt = 0, login = null }: Principal, at = this.#now()): Promise<boolean> {
    const { directory } = this.#deps.store
    const record = await directory.user(user)
    if (await isSuspended(directory, user)) return false
    if (issuedAt < (record ? (record.tokensValidFrom ?? 0) : await directory.removedAt(user))) return false
    if (login === null) return true
    const shown = { user, id: login }
    for (const kind of LOGS_IN) if (await validCredential(directory, kind, shown, at)) return true
    return false
  }

  async #end(user: string, id: string): Promise<void> {
    const { store, ended } = this.#deps
    await commit(store, { ops: [store.directory.deleteCredentialOp(user, id)] })
    ended(user, id)
  }

  /** Expired logins, and those to be replaced by a new one. */
  async #superfluous(user: string): Promise<CredentialRecord[]> {
    const all = (await this.#deps.store.directory.credentials(user)).filter(({ kind }) => kind === 'login')
    const now = this.#now()
    all.sort((a, b) => b.usedAt - a.usedAt)
    return all.filter(({ expiresAt }, i) => i >= MAX_LOGINS - 1 || (expiresAt !== null && expiresAt <= now))
  }

  async #issue({ user, id }: CredentialRecord, secret: string): Promise<Issued> {
    const issuedAt = this.#now()
    // In whole seconds, as verifiers count.
    const expiresAt = Math.floor(issuedAt / 1000 + this.#deps.lifetimes.token) * 1000
    const token = await this.#deps.sign({ user, login: id, issuedAt, expiresAt })
    return { user, token, expiresAt, refreshToken: writeSecret('login', { user, id, secret }) }
  }
}

/** The reason is not revealed. */
function refused(): Refusal {
  return new Refusal('unauthorized', 'the refresh token was refused; log in again', { field: 'refreshToken' })
}
