/** Tokens that let who forgot the password set another, once. An admin, or the operator's backend, makes one and sees that it reaches the right person. */
import { Refusal } from '../../schemas/errors.js'
import { commit } from '../store/commit.js'
import type { CredentialRecord } from '../store/credentials.js'
import type { Store } from '../store/store.js'
import { KeyedMutex } from '../util/keyed-mutex.js'
import type { Accounts } from './accounts.js'
import { findCredential } from './credentials.js'
import { hashSecret, newCredentialId, newSecret, readSecret, writeSecret } from './secrets.js'
import type { LoginThrottle } from './throttle.js'

export interface PasswordResetsParts {
  readonly store: Pick<Store, 'commit' | 'directory'>
  readonly accounts: Pick<Accounts, 'setPassword'>
  /** Counts tokens that are none, by address. */
  readonly throttle: LoginThrottle
  readonly now?: () => number
}

export class PasswordResets {
  readonly #parts: PasswordResetsParts
  readonly #now: () => number
  /** By user: a token that comes twice at once is used once. */
  readonly #locks = new KeyedMutex()

  constructor(parts: PasswordResetsParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
  }

  /** A user has one at a time: those of before are void. @param expiresIn seconds */
  create(user: string, expiresIn: number): Promise<{ token: string; expiresAt: number }> {
    return this.#locks.runExclusive(user, async () => {
      const { directory } = this.#parts.store
      if (!(await directory.user(user))) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
      const [id, secret, now] = [newCredentialId(), newSecret(), this.#now()]
      const expiresAt = now + expiresIn * 1000
      const record: CredentialRecord = {
        ...{ user, id, kind: 'reset', hash: hashSecret(secret), previous: null, name: null },
        ...{ createdAt: now, usedAt: 0, expiresAt },
      }
      const old = (await directory.credentials(user)).filter(({ kind }) => kind === 'reset')
      const ops = old.map((one) => directory.deleteCredentialOp(user, one.id))
      await commit(this.#parts.store, { ops: [...ops, directory.credentialOp(record)] })
      return { token: writeSecret('reset', { user, id, secret }), expiresAt }
    })
  }

  /** Sets the password and voids the token, and all that was issued before; resolves with whose it is. */
  async use(token: string, password: string, address: string): Promise<string> {
    const { throttle } = this.#parts
    const retryAfter = throttle.waitOf(address, '')
    if (retryAfter > 0)
      throw new Refusal('rate_limited', 'too many tokens that are not good; try again later', { retryAfter })
    const shown = readSecret('reset', token)
    const user = shown && (await this.#locks.runExclusive(shown.user, () => this.#use(token, password)))
    if (user) return user
    throttle.failed(address, '')
    // One answer to all: who asks learns nothing of who has an account.
    throw new Refusal('unauthorized', 'this needs a token that is still good', { field: 'token' })
  }

  async #use(token: string, password: string): Promise<string | null> {
    const { store, accounts } = this.#parts
    const found = await findCredential(store.directory, 'reset', token, this.#now())
    if (!found) return null
    // It goes with all else that was issued.
    await accounts.setPassword(found.account.id, password)
    return found.account.id
  }
}
