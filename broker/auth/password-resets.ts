/**
 * Password reset tokens, each good once. An admin, or the operator's backend, creates one and delivers it to the right
 * person.
 */
import { Refusal } from '../../schemas/errors.js'
import { commit } from '../store/commit.js'
import type { CredentialRecord } from '../store/credentials.js'
import type { Store } from '../store/store.js'
import { KeyedMutex } from '../util/keyed-mutex.js'
import type { Accounts } from './accounts.js'
import { findCredential } from './credentials.js'
import { hashSecret, newCredentialId, newSecret, readSecret, writeSecret } from './secrets.js'
import type { LoginThrottle } from './throttle.js'

export interface PasswordResetsDeps {
  readonly store: Pick<Store, 'commit' | 'directory'>
  readonly accounts: Pick<Accounts, 'setPassword'>
  /** Counts invalid tokens, by address. */
  readonly throttle: LoginThrottle
  readonly now?: () => number
}

export class PasswordResets {
  readonly #deps: PasswordResetsDeps
  readonly #now: () => number
  /** By user: a token presented twice at once is used once. */
  readonly #locks = new KeyedMutex()

  constructor(deps: PasswordResetsDeps) {
    this.#deps = deps
    this.#now = deps.now ?? Date.now
  }

  /** Voids earlier tokens of the user. @param expiresIn seconds */
  create(user: string, expiresIn: number): Promise<{ token: string; expiresAt: number }> {
    return this.#locks.runExclusive(user, async () => {
      const { directory } = this.#deps.store
      if (!(await directory.user(user))) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
      const [id, secret, now] = [newCredentialId(), newSecret(), this.#now()]
      const expiresAt = now + expiresIn * 1000
      const record: CredentialRecord = {
        ...{ user, id, kind: 'reset', hash: hashSecret(secret), previous: null, name: null },
        ...{ createdAt: now, usedAt: 0, expiresAt },
      }
      const old = (await directory.credentials(user)).filter(({ kind }) => kind === 'reset')
      const ops = old.map((one) => directory.deleteCredentialOp(user, one.id))
      await commit(this.#deps.store, { ops: [...ops, directory.credentialOp(record)] })
      return { token: writeSecret('reset', { user, id, secret }), expiresAt }
    })
  }

  /** Sets the password, and voids the token and everything issued before. Resolves with the user. */
  async use(token: string, password: string, address: string): Promise<string> {
    const { throttle } = this.#deps
    const retryAfter = throttle.waitOf(address, '')
    if (retryAfter > 0)
      throw new Refusal('rate_limited', 'too many tokens that are not good; try again later', { retryAfter })
    const shown = readSecret('reset', token)
    const user = shown && (await this.#locks.runExclusive(shown.user, () => this.#use(token, password)))
    if (user) return user
    throttle.failed(address, '')
    // The same answer for every reason, so that it does not reveal which accounts exist.
    throw new Refusal('unauthorized', 'this needs a token that is still good', { field: 'token' })
  }

  async #use(token: string, password: string): Promise<string | null> {
    const { store, accounts } = this.#deps
    const found = await findCredential(store.directory, 'reset', token, this.#now())
    if (!found) return null
    // The token is voided with everything else that was issued.
    await accounts.setPassword(found.account.id, password)
    return found.account.id
  }
}
