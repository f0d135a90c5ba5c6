/** What proves who someone is elsewhere than at the authenticator: codes of a second factor, refresh and reset tokens, logins at a provider. */
import { Refusal } from '../../schemas/errors.js'
import type { RefusedLogin } from './authenticator.js'
import type { LoginRefusal } from './principal.js'
import type { LoginThrottle } from './throttle.js'

export interface ProofsParts {
  /** Told of each that was refused, as of every login. */
  readonly refused: (login: RefusedLogin) => void
  /** That of logins. */
  readonly throttle: Pick<LoginThrottle, 'failed'>
}

/** Who shows something, as they say, and where. */
export type ProofSource = Pick<RefusedLogin, 'user' | 'address' | 'door'>

/** Other refusals are of what was asked for, such as a password that is too short. */
const REASONS: { readonly [code in Refusal['code']]?: LoginRefusal } = {
  unauthorized: 'bad_credentials',
  forbidden: 'not_authorized',
  rate_limited: 'throttled',
  unavailable: 'unavailable',
}

export class Proofs {
  readonly #parts: ProofsParts

  constructor(parts: ProofsParts) {
    this.#parts = parts
  }

  /** Of what nobody guesses: a refusal is told, and not counted. `prove` throws or rejects with it. */
  async secret<T>(shown: ProofSource, prove: () => T | Promise<T>): Promise<T> {
    try {
      return await prove()
    } catch (error) {
      this.#tell(shown, error)
      throw error
    }
  }

  /** Of what can be guessed: a wrong one counts for the address as a wrong password does. */
  async guessable<T>(shown: ProofSource & { user: string }, prove: () => T | Promise<T>): Promise<T> {
    try {
      return await prove()
    } catch (error) {
      if (this.#tell(shown, error) === 'bad_credentials') this.#parts.throttle.failed(shown.address, shown.user)
      throw error
    }
  }

  #tell(shown: ProofSource, error: unknown): LoginRefusal | undefined {
    const reason = error instanceof Refusal ? REASONS[error.code] : undefined
    if (reason) this.#parts.refused({ ...shown, reason, why: (error as Refusal).message })
    return reason
  }
}
