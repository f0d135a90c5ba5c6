import { ChatError } from '../base/chat-error.js'
import { type Env, onAbort, type PlatformSignal, type Signal } from '../base/platform.js'
import { Scope } from '../base/scope.js'
import type { Login } from '../wire/wire.js'
import { isJwt, lifeOf } from './jwt.js'

/** Why a token is asked for: it is the first one, the present one ends soon, or the present one was refused. */
export type TokenReason = 'start' | 'expiring' | 'refused'

/**
 * Gives a token. Called before a connection is made and before a token ends, never twice at a time, unless `signal` is aborted: then nobody
 * waits for the first call any more. If a person has to sign in again it throws a `ChatError` with the code `unauthorized`; after any other
 * error it is called again.
 */
export type GetToken = (request: { why: TokenReason; signal: PlatformSignal }) => Promise<string>

/** `token`: a JWT or an API key; when it is refused, or ends, the client is signed out. */
export type Credentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  | { readonly getToken: GetToken }

/** Ms in which `getToken` has to give a token. */
const TOKEN_TIMEOUT = 30_000
/** A token is renewed after this part of the rest of its life, and up to as much more at random: windows should not all do it at once. */
const RENEW_AFTER = 0.75
const RENEW_SPREAD = 0.1
/** Ms: a token is not renewed earlier, however short it lives. */
const LEAST_LIFE = 5000

/** The login of a client, and the token behind it. */
export class Tokens {
  readonly #credentials: Credentials
  readonly #env: Pick<Env, 'now' | 'random' | 'timer'>
  #token: string | null = null
  #renewAt = Number.POSITIVE_INFINITY
  #why: TokenReason = 'start'
  /** `getToken` has said that a person has to sign in. */
  #isOver = false
  #flight: { readonly scope: Scope; readonly token: Promise<string> } | null = null

  constructor(credentials: Credentials, env: Pick<Env, 'now' | 'random' | 'timer'>) {
    this.#credentials = credentials
    this.#env = env
  }

  /** Whether there may be another token when one was refused. */
  get mayRenew(): boolean {
    return 'getToken' in this.#credentials && !this.#isOver
  }

  /** Unix ms by the clock of the device, when the token should be renewed; infinite: it does not end. */
  get renewAt(): number {
    return this.#renewAt
  }

  /** With the present token, or another one if that ends soon. Rejects with what `getToken` throws, or a `ChatError`. */
  async login(clientId: string, signal: Signal): Promise<Login> {
    const given = this.#credentials
    if ('password' in given) return { clientId, ...given }
    const isGood = this.#token !== null && this.#env.now() < this.#renewAt
    const token = 'token' in given ? given.token : isGood ? this.#token! : await this.renew(signal)
    // An API key is shown as a password, without a user.
    return isJwt(token) ? { clientId, token } : { clientId, user: '', password: token }
  }

  /** The broker has refused the token: the next login needs another one. */
  refused(): void {
    this.#token = null
    this.#why = 'refused'
  }

  /** Another token. All who ask at a time get the answer of one call; it is given up with the first of them, as all are of one connection. */
  async renew(signal: Signal): Promise<string> {
    const flight = (this.#flight ??= this.#depart())
    const stop = onAbort(signal, () => flight.scope.end(new ChatError('aborted', 'given up')))
    return flight.token.finally(stop)
  }

  #depart(): { scope: Scope; token: Promise<string> } {
    const scope = new Scope()
    const late = new ChatError('timeout', `getToken gave no token within ${TOKEN_TIMEOUT} ms`)
    const stop = this.#env.timer(TOKEN_TIMEOUT, () => scope.end(late))
    const token = this.#ask(scope).finally(() => {
      stop()
      scope.end(new ChatError('aborted', 'it has been answered'))
      this.#flight = null
    })
    return { scope, token }
  }

  async #ask(scope: Scope): Promise<string> {
    const { getToken } = this.#credentials as Extract<Credentials, { getToken: unknown }>
    const asked = (async () => getToken({ why: this.#why, signal: scope.signal }))()
    const token = await scope.race(asked).catch((error: unknown) => {
      this.#isOver = error instanceof ChatError && error.code === 'unauthorized'
      throw error
    })
    if (typeof token !== 'string') throw new TypeError('getToken gave no text')
    const rest = restOfLife(token, this.#env.now())
    this.#renewAt = this.#env.now() + Math.max(LEAST_LIFE, rest * (RENEW_AFTER + RENEW_SPREAD * this.#env.random()))
    this.#token = token
    this.#why = 'expiring'
    return token
  }
}

/** Ms; infinite: it does not end. If the clock of the device cannot be right, the token is taken for a new one. */
function restOfLife(token: string, now: number): number {
  const life = isJwt(token) ? lifeOf(token) : null
  if (!life) return Number.POSITIVE_INFINITY
  const rest = life.expiresAt * 1000 - now
  if (life.issuedAt === null) return rest
  const whole = (life.expiresAt - life.issuedAt) * 1000
  return rest <= 0 || rest > whole ? whole : rest
}
