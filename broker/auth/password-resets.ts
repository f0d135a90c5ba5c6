/**
 * Password reset tokens, each good once. An admin, or the operator's backend, creates one and delivers it to the right
 * person.
 */
import { Refusal } from '../../schemas/errors.js'
import type { CredentialRecord } from '../store/credentials.js'
import type { Store } from '../store/store.js'
import { type Accounts, type Allow, accountKey } from './accounts.js'
import { findCredential, issuedTo } from './credentials.js'
import { hashSecret, newCredentialId, newSecret, readSecret, writeSecret } from './secrets.js'
import type { NetworkThrottle } from './throttle.js'

export interface PasswordResetsDeps {
  readonly store: Pick<Store, 'transact' | 'directory'>
  readonly accounts: Pick<Accounts, 'setPassword'>
  /** Counts invalid tokens. */
  readonly throttle: NetworkThrottle
  readonly now?: () => number
}

export class PasswordResets {
  readonly #deps: PasswordResetsDeps
  readonly #now: () => number

  constructor(deps: PasswordResetsDeps) {
    this.#deps = deps
    this.#now = deps.now ?? Date.now
  }

  /** Voids earlier tokens of the user. @param expiresIn seconds; @param allow checks the right to it */
  async create(
    user: string,
    expiresIn: number,
    allow: Allow = () => {},
  ): Promise<{ token: string; expiresAt: number }> {
    const [id, secret] = [newCredentialId(), newSecret()]
    const { value } = await this.#deps.store.transact(accountKey(user), async (tx) => {
      const { directory } = tx
      await allow(tx)
      const account = await directory.user(user)
      if (!account) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
      const now = this.#now()
      const expiresAt = now + expiresIn * 1000
      const record: CredentialRecord = {
        ...{ user, id, kind: 'reset', hash: hashSecret(secret), previous: null, name: null, ...issuedTo(account) },
        ...{ createdAt: now, usedAt: 0, expiresAt },
      }
      const old = (await directory.credentials(user)).filter(({ kind }) => kind === 'reset')
      const ops = old.map((one) => directory.deleteCredentialOp(user, one.id))
      return { ops: [...ops, directory.credentialOp(record)], value: expiresAt }
    })
    return { token: writeSecret('reset', { user, id, secret }), expiresAt: value }
  }

  /** Sets the password, and voids the token and everything issued before. Resolves with the user. */
  async use(token: string, password: string, address: string): Promise<string> {
    const { throttle, accounts } = this.#deps
    requireNoWait(throttle.waitOf(address))
    const shown = readSecret('reset', token)
    try {
      if (!shown) throw notGood()
      // The token is voided with everything else that was issued.
      await accounts.setPassword(shown.user, password, async ({ directory }) => {
        if (!(await findCredential(directory, 'reset', token, this.#now()))) throw notGood()
      })
      return shown.user
    } catch (error) {
      if (error instanceof Refusal && error.field === 'token') requireNoWait(await throttle.take(address))
      throw error
    }
  }
}

/** @param retryAfter seconds */
function requireNoWait(retryAfter: number): void {
  if (retryAfter > 0)
    throw new Refusal('rate_limited', 'too many tokens that are not good; try again later', { retryAfter })
}

/** The same answer for every reason, so that it does not reveal which accounts exist. */
function notGood(): Refusal {
  return new Refusal('unauthorized', 'this needs a token that is still good', { field: 'token' })
}
