/**
 * Authorization codes: each stands for a login that was just proved, and is exchanged once, soon, by whoever knows the
 * PKCE verifier.
 */
import { createHash } from 'node:crypto'
import { Refusal } from '../../schemas/errors.js'
import type { AccountVersion, ForAccount } from './account-version.js'
import { sameHash } from './credentials.js'
import { hashSecret, newSecret } from './secrets.js'

/** Ms. */
const LIFETIME = 60_000
/** Most pending codes; the oldest is dropped. */
const MAX_CODES = 10_000

interface Waiting {
  readonly user: string
  readonly account: AccountVersion | undefined
  readonly challenge: string
  readonly issuedAt: number
}

export class LoginCodes {
  /** By hash, oldest first. */
  readonly #waiting = new Map<string, Waiting>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** @param challenge base64url of the SHA-256 of the verifier that will be presented with the code. */
  issue({ user, account }: ForAccount, challenge: string): string {
    const code = newSecret()
    this.#waiting.set(hashSecret(code), { user, account, challenge, issuedAt: this.#now() })
    if (this.#waiting.size > MAX_CODES) this.#waiting.delete(this.#waiting.keys().next().value!)
    return code
  }

  /**
   * Who logged in, and when (Unix ms). A code is consumed by the first attempt, successful or not. Throws a refusal.
   */
  take(code: string, verifier: string): ForAccount & { issuedAt: number } {
    const hash = hashSecret(code)
    const waiting = this.#waiting.get(hash)
    this.#waiting.delete(hash)
    const fits = waiting && sameHash(createHash('sha256').update(verifier).digest('base64url'), waiting.challenge)
    if (!fits || waiting.issuedAt + LIFETIME <= this.#now())
      throw new Refusal('unauthorized', 'the code was refused; start the login again', { field: 'code' })
    // A logout or removal in the same millisecond counts as later.
    const { user, account, issuedAt } = waiting
    return { user, ...(account && { account }), issuedAt: issuedAt - 1 }
  }
}
