/**
 * Refreshable logins: short-lived access tokens, and a refresh token that is rotated at every use. If a former refresh
 * token is used again, either it was stolen or a thief uses the current one: the login ends for both. A token that was
 * never one of the login ends nothing.
 */
import { Refusal } from '../../schemas/errors.js'
import type { CredentialRecord } from '../store/credentials.js'
import type { Store } from '../store/store.js'
import { Overtaken } from '../store/transaction.js'
import { Batches } from '../util/batches.js'
import { requireSameAccount } from './account-version.js'
import { type Allow, accountKey } from './accounts.js'
import { issuedTo, validCredential } from './credentials.js'
import { renewed } from './refresh-tokens.js'
import { hashSecret, newCredentialId, newSecret, readSecret, type ShownSecret, writeSecret } from './secrets.js'
import { isValid, requireValid, type Verified } from './validity.js'

/** How often renewals are tried when others get in between; each time is several attempts of the store. */
const MOST_TURNS = 5
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
  readonly store: Pick<Store, 'transact' | 'directory'>
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

/** A refresh token that was presented, and the hash of its successor. */
interface Renewal {
  readonly shown: ShownSecret
  readonly next: string
}

/** The login as renewed, or why the token is refused. */
type Outcome = CredentialRecord | 'stolen' | 'unknown'

export class Logins {
  readonly #deps: LoginsDeps
  readonly #now: () => number
  /** Those of one login that come at once are one decision: else those of several nodes would fail each other's again and again. */
  readonly #renewals = new Batches<Renewal, Outcome>((renewals) => this.#renewInTurn(renewals))

  constructor(deps: LoginsDeps) {
    this.#deps = deps
    this.#now = deps.now ?? Date.now
  }

  /**
   * Begins a login of a user whom the caller has verified.
   * @param field Of the request: what the user was verified by
   * @throws Refusal if that is not valid any more
   */
  async begin(verified: Verified, field?: string): Promise<Issued> {
    const { user } = verified
    const { store, lifetimes } = this.#deps
    const [id, secret] = [newCredentialId(), newSecret()]
    const { value } = await store.transact(accountKey(user), async ({ directory }) => {
      const now = this.#now()
      await requireValid(directory, verified, now, field)
      const account = await requireSameAccount(directory, verified)
      const record: CredentialRecord = {
        ...{ user, id, kind: 'login', hash: hashSecret(secret), previous: null, name: null, ...issuedTo(account) },
        ...{ createdAt: now, usedAt: now, expiresAt: now + lifetimes.refresh * 1000 },
      }
      const old = (await this.#superfluous(user)).map((one) => directory.deleteCredentialOp(user, one.id))
      return { ops: [...old, directory.credentialOp(record)], value: record }
    })
    return this.#issue(value, secret)
  }

  /** Exchanges a refresh token for new tokens. Rejects with a refusal. */
  async renew(refreshToken: string): Promise<Issued> {
    const shown = readSecret('login', refreshToken)
    if (!shown) throw refused()
    const secret = newSecret()
    const { user, id } = shown
    const outcome = await this.#renewals.add(`${user} ${id}`, { shown, next: hashSecret(secret) })
    if (typeof outcome === 'string') throw refused()
    return this.#issue(outcome, secret)
  }

  /** Other nodes may renew the same login at the same time, as often as its windows ask for it. */
  async #renewInTurn(renewals: readonly Renewal[]): Promise<Outcome[]> {
    for (let left = MOST_TURNS; ; left--) {
      try {
        return await this.#renew(renewals)
      } catch (error) {
        if (!(error instanceof Overtaken) || left === 1) throw error
      }
    }
  }

  /** Renewals of one login, one after another. If one of the tokens was stolen, all are refused. */
  async #renew(renewals: readonly Renewal[]): Promise<Outcome[]> {
    const { store, lifetimes, grace, ended } = this.#deps
    const { user, id } = renewals[0]!.shown
    const { value: outcomes } = await store.transact(accountKey(user), async ({ directory }) => {
      const now = this.#now()
      let record = (await validCredential(directory, 'login', { user, id }, now))?.record
      if (!record) throw refused()
      const at = { now, grace: grace * 1000, expiresAt: now + lifetimes.refresh * 1000 }
      const value: Outcome[] = []
      for (const { shown, next } of renewals) {
        const outcome = renewed(record, { ...at, shown: hashSecret(shown.secret), next })
        if (outcome === 'stolen')
          return { ops: [directory.deleteCredentialOp(user, id)], value: renewals.map(() => outcome) }
        if (outcome !== 'unknown') record = outcome
        value.push(outcome)
      }
      const isRenewed = value.some((outcome) => outcome !== 'unknown')
      return { ops: isRenewed ? [directory.credentialOp(record)] : [], value }
    })
    if (outcomes[0] === 'stolen') ended(user, id)
    return outcomes
  }

  /**
   * Ends a login with the sessions that use it. Resolves with false if there is none; API keys are revoked elsewhere.
   */
  async end(user: string, id: string): Promise<boolean> {
    const { store, ended } = this.#deps
    const { value } = await store.transact(accountKey(user), async ({ directory }) => {
      const isThere = (await directory.credential(user, id))?.kind === 'login'
      return { ops: isThere ? [directory.deleteCredentialOp(user, id)] : [], value: isThere }
    })
    if (value) ended(user, id)
    return value
  }

  /** Ends all logins of a user but one, each with the sessions that use it. Rejects with what `allow` throws. */
  async endOthers(user: string, kept: string | null, allow: Allow): Promise<void> {
    const { store, ended } = this.#deps
    const { value } = await store.transact(accountKey(user), async (tx) => {
      await allow(tx)
      const others = (await tx.directory.credentials(user)).filter(({ kind, id }) => kind === 'login' && id !== kept)
      return { ops: others.map(({ id }) => tx.directory.deleteCredentialOp(user, id)), value: others }
    })
    for (const { id } of value) ended(user, id)
  }

  /**
   * Whether the login or token has not been revoked since. `at` (Unix ms): the time at which it must be
   * valid; default: now.
   */
  isStillValid(verified: Verified, at = this.#now()): Promise<boolean> {
    return isValid(this.#deps.store.directory, verified, at)
  }

  /** Expired logins, and those to be replaced by a new one. Not guarded: logins of one user do not wait for each other. */
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

/** The id of the login that was issued. */
export function loginOf({ user, refreshToken }: Issued): string {
  const shown = readSecret('login', refreshToken)
  if (!shown) throw new Error(`what was issued to ${user} is no refresh token`)
  return shown.id
}

/** The reason is not revealed. */
function refused(): Refusal {
  return new Refusal('unauthorized', 'the refresh token was refused; log in again', { field: 'refreshToken' })
}
