/**
 * Logins that the broker keeps: each has short access tokens, and one refresh token that is another after every use. A refresh token of
 * before that is shown again was stolen, or its thief uses the new one: the login ends for both.
 */
import { Refusal } from '../../schemas/errors.js'
import { commit } from '../store/commit.js'
import type { CredentialRecord, Store } from '../store/store.js'
import { Turns } from '../turns.js'
import type { Principal } from './principal.js'
import { hashSecret, newCredentialId, newSecret, readSecret, writeSecret } from './secrets.js'

/** What a principal may rest on; the others are used once, for what they are. */
const LOGS_IN: ReadonlySet<CredentialRecord['kind']> = new Set(['login', 'key'])

/** Most logins of a user; the one unused for longest gives way to another. */
const MAX_LOGINS = 100

export interface Issued {
  readonly user: string
  readonly token: string
  /** Unix ms at which the token ends. */
  readonly expiresAt: number
  readonly refreshToken: string
}

export interface LoginsParts {
  readonly store: Pick<Store, 'commit' | 'directory'>
  /** Makes an access token. */
  readonly sign: (claims: { user: string; login: string; issuedAt: number; expiresAt: number }) => Promise<string>
  /** Seconds that access and refresh tokens live. */
  readonly lifetimes: { readonly token: number; readonly refresh: number }
  /** Told of each login that ended. */
  readonly ended: (user: string, login: string) => void
  readonly now?: () => number
}

export class Logins {
  readonly #parts: LoginsParts
  readonly #now: () => number
  /** By user. */
  readonly #turns = new Turns()

  constructor(parts: LoginsParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
  }

  /** The user is who it says: it has proved that just now. */
  begin(user: string): Promise<Issued> {
    return this.#turns.take(user, async () => {
      const { directory } = this.#parts.store
      const now = this.#now()
      const secret = newSecret()
      const record: CredentialRecord = {
        ...{ user, id: newCredentialId(), kind: 'login', hash: hashSecret(secret), previous: null, name: null },
        ...{ createdAt: now, usedAt: now, expiresAt: now + this.#parts.lifetimes.refresh * 1000 },
      }
      const old = (await this.#superfluous(user)).map(({ id }) => directory.deleteCredentialOp(user, id))
      await commit(this.#parts.store, { ops: [...old, directory.credentialOp(record)] })
      return this.#issue(record, secret)
    })
  }

  /** New tokens for a refresh token. Rejects with a refusal. */
  async renew(refreshToken: string): Promise<Issued> {
    const shown = readSecret('login', refreshToken)
    if (!shown) throw refused()
    return this.#turns.take(shown.user, async () => {
      const record = await this.#standing(shown.user, shown.id)
      if (!record) throw refused()
      const hash = hashSecret(shown.secret)
      // The one before the current is good while nobody used the current one: its answer may have been lost on the way.
      if (hash !== record.hash && hash !== record.previous) {
        await this.#end(record.user, record.id)
        throw refused()
      }
      const now = this.#now()
      const secret = newSecret()
      const expiresAt = now + this.#parts.lifetimes.refresh * 1000
      const next = { ...record, hash: hashSecret(secret), previous: hash, usedAt: now, expiresAt }
      await commit(this.#parts.store, { ops: [this.#parts.store.directory.credentialOp(next)] })
      return this.#issue(next, secret)
    })
  }

  /** Ends a login for good, with the sessions that used it. False: there is none; an API key is revoked as such. */
  end(user: string, id: string): Promise<boolean> {
    return this.#turns.take(user, async () => {
      const record = await this.#parts.store.directory.credential(user, id)
      if (record?.kind !== 'login') return false
      await this.#end(user, id)
      return true
    })
  }

  /** Whether nothing took back meanwhile what was shown at the login. */
  async stands({ user, issuedAt = 0, login = null }: Principal): Promise<boolean> {
    const { directory } = this.#parts.store
    const record = await directory.user(user)
    if (issuedAt < (record ? (record.tokensValidFrom ?? 0) : await directory.removedAt(user))) return false
    return login === null || (await this.#standing(user, login)) !== null
  }

  async #standing(user: string, id: string): Promise<CredentialRecord | null> {
    const { directory } = this.#parts.store
    const [record, account] = [await directory.credential(user, id), await directory.user(user)]
    if (!record || !LOGS_IN.has(record.kind) || !account) return null
    const over = record.expiresAt !== null && record.expiresAt <= this.#now()
    const voided = record.kind === 'login' && record.createdAt < (account.tokensValidFrom ?? 0)
    return over || voided ? null : record
  }

  async #end(user: string, id: string): Promise<void> {
    const { store, ended } = this.#parts
    await commit(store, { ops: [store.directory.deleteCredentialOp(user, id)] })
    ended(user, id)
  }

  /** Logins that are over, and those that give way to one more. */
  async #superfluous(user: string): Promise<CredentialRecord[]> {
    const all = (await this.#parts.store.directory.credentials(user)).filter(({ kind }) => kind === 'login')
    const now = this.#now()
    all.sort((a, b) => b.usedAt - a.usedAt)
    return all.filter(({ expiresAt }, i) => i >= MAX_LOGINS - 1 || (expiresAt !== null && expiresAt <= now))
  }

  async #issue({ user, id }: CredentialRecord, secret: string): Promise<Issued> {
    const issuedAt = this.#now()
    // In whole seconds, as whoever verifies it counts.
    const expiresAt = Math.floor(issuedAt / 1000 + this.#parts.lifetimes.token) * 1000
    const token = await this.#parts.sign({ user, login: id, issuedAt, expiresAt })
    return { user, token, expiresAt, refreshToken: writeSecret('login', { user, id, secret }) }
  }
}

/** Why is nobody's business. */
function refused(): Refusal {
  return new Refusal('unauthorized', 'the refresh token was refused; log in again', { field: 'refreshToken' })
}
