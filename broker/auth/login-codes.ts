/**
 * Authorization codes: each stands for a login that was just proved, and is exchanged once, soon, by whoever knows the
 * PKCE verifier.
 */
import { createHash } from 'node:crypto'
import { Refusal } from '../../schemas/errors.js'
import type { Store } from '../store/store.js'
import type { ForAccount } from './account-version.js'
import { sameHash } from './credentials.js'
import { Tickets } from './tickets.js'

/** Ms, and pending codes of a user. */
const LIMITS = { lifetime: 60_000, perUser: 10 }

export class LoginCodes {
  readonly #codes: Tickets<'loginCode'>
  readonly #now: () => number

  constructor(store: Pick<Store, 'transact'>, now: () => number = Date.now) {
    this.#codes = new Tickets(store, 'loginCode', LIMITS, now)
    this.#now = now
  }

  /**
   * @param challenge base64url of the SHA-256 of the verifier that will be presented with the code.
   * @throws Refusal `unauthorized` if there is no such account any more
   */
  async issue({ user, account }: ForAccount, challenge: string): Promise<string> {
    const issuedAt = this.#now()
    return (await this.#codes.issue({ user, ...(account && { account }), challenge, issuedAt })).ticket
  }

  /**
   * Who logged in, and when (Unix ms). A code is consumed by the first attempt, successful or not. @throws Refusal
   */
  async take(code: string, verifier: string): Promise<ForAccount & { issuedAt: number }> {
    const waiting = await this.#codes.take(code)
    if (!waiting || !sameHash(createHash('sha256').update(verifier).digest('base64url'), waiting.challenge))
      throw new Refusal('unauthorized', 'the code was refused; start the login again', { field: 'code' })
    // A logout or removal in the same millisecond counts as later.
    const { user, account, issuedAt } = waiting
    return { user, ...(account && { account }), issuedAt: issuedAt - 1 }
  }
}
