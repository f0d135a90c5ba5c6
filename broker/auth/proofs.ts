/**
 * Throttles and logs proofs of identity that do not pass the authenticator: codes of a second factor, refresh and reset
 * tokens, logins at a provider.
 */
import { Refusal } from '../../schemas/errors.js'
import type { LoginRefusal, RefusedLogin } from './principal.js'
import type { LoginThrottle } from './throttle.js'

export interface ProofsDeps {
  /** Called for each refused proof, like for a refused login. */
  readonly refused: (login: RefusedLogin) => void
  /** The same throttle as for logins. */
  readonly throttle: Pick<LoginThrottle, 'attempt'>
}

/** The claimed user, the address and the protocol. */
export type ProofSource = Pick<RefusedLogin, 'user' | 'address' | 'door'>

/** Codes that are refused logins; other refusals concern the request, such as a password that is too short. */
const REASONS: { readonly [code in Refusal['code']]?: LoginRefusal } = {
  unauthorized: 'bad_credentials',
  forbidden: 'not_authorized',
  rate_limited: 'throttled',
  unavailable: 'unavailable',
}

export class Proofs {
  readonly #deps: ProofsDeps

  constructor(deps: ProofsDeps) {
    this.#deps = deps
  }

  /** For proofs that cannot be guessed: a refusal is logged, not counted. `prove` throws or rejects with it. */
  async secret<T>(shown: ProofSource, prove: () => T | Promise<T>): Promise<T> {
    try {
      return await prove()
    } catch (error) {
      this.#report(shown, error)
      throw error
    }
  }

  /** For proofs that can be guessed: a wrong one counts for the address like a wrong password. */
  async guessable<T>(shown: ProofSource & { user: string }, prove: () => T | Promise<T>): Promise<T> {
    try {
      return await prove()
    } catch (error) {
      if (this.#report(shown, error) === 'bad_credentials')
        await this.#deps.throttle.attempt(shown.address, shown.user).failed()
      throw error
    }
  }

  #report(shown: ProofSource, error: unknown): LoginRefusal | undefined {
    const reason = error instanceof Refusal ? REASONS[error.code] : undefined
    if (reason) this.#deps.refused({ ...shown, reason, why: (error as Refusal).message })
    return reason
  }
}
