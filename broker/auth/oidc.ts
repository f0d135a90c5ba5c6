/**
 * `auth.oidc`: login in a browser by an identity provider (OpenID Connect, authorization code flow with PKCE). The
 * state of a pending login is in an encrypted cookie of the browser, so that it cannot be completed in another browser.
 */
import * as client from 'openid-client'
import type { Config } from '../../schemas/config.js'
import { Refusal } from '../../schemas/errors.js'
import { endpointFault } from './endpoint.js'
import { type Identity, identityOf } from './identity.js'
import type { SealedState } from './sealed-state.js'

/** Seconds in which a login has to be completed. */
export const LOGIN_LIFETIME = 600
/** Timeout of requests to the provider, in seconds. */
const TIMEOUT = 5
/** Ms after a failed discovery before the next attempt. */
const COOLDOWN = 5_000

export interface LoginRedirect {
  /** Where the browser is redirected. */
  readonly location: string
  /** Value of the cookie. */
  readonly sealed: string
}

/** A pending login of this browser. */
export interface PendingLogin {
  readonly returnTo: string
  readonly challenge: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

export interface OidcOptions {
  readonly seal: SealedState
  /** Called with the reason of a failed login, for the log. */
  readonly onFault: (error: unknown) => void
  readonly now?: () => number
}

export class Oidc {
  /** Seconds for which a person may take to log in. */
  readonly lifetime = LOGIN_LIFETIME
  readonly #config: Config['auth']['oidc']
  readonly #options: OidcOptions
  readonly #now: () => number
  #provider: Promise<client.Configuration> | null = null
  #attemptedAt = Number.NEGATIVE_INFINITY

  constructor(config: Config['auth']['oidc'], options: OidcOptions) {
    this.#config = config
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /**
   * @param challenge PKCE challenge of the client that will exchange the code, see `LoginCodes`. Rejects with a
   * refusal.
   */
  async begin(returnTo: string | undefined, challenge: string): Promise<LoginRedirect> {
    const provider = await this.#find()
    const verifier = client.randomPKCECodeVerifier()
    const [state, nonce] = [client.randomState(), client.randomNonce()]
    const pending: PendingLogin = { returnTo: this.#allowed(returnTo), challenge, state, nonce, verifier }
    const location = client.buildAuthorizationUrl(provider, {
      redirect_uri: this.#config.redirectUri!,
      scope: this.#config.scopes.join(' '),
      response_type: 'code',
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    return { location: location.href, sealed: this.#options.seal.close(pending) }
  }

  /** The pending login in a cookie; null: none, or it has expired. */
  pendingLogin(sealed: string | undefined): PendingLogin | null {
    return sealed === undefined ? null : (this.#options.seal.open(sealed) as PendingLogin | null)
  }

  /** The identity returned by the provider in this query. Rejects with a refusal; the log has the reason. */
  async finish(query: string, { state, nonce, verifier }: PendingLogin): Promise<Identity> {
    const provider = await this.#find()
    const url = new URL(this.#config.redirectUri!)
    url.search = query
    try {
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true }
      const tokens = await client.authorizationCodeGrant(provider, url, checks)
      const claims = await this.#complete(provider, tokens)
      return identityOf(claims, this.#config)
    } catch (error) {
      this.#options.onFault(error)
      throw refusalOf(error)
    }
  }

  /** Many providers return everything but the subject from their user info endpoint only. */
  async #complete(
    provider: client.Configuration,
    tokens: Awaited<ReturnType<typeof client.authorizationCodeGrant>>,
  ): Promise<client.IDToken> {
    const claims = tokens.claims()!
    const { userClaim, rolesClaim } = this.#config
    const missing = [userClaim, rolesClaim].some((name) => name !== null && claims[name] === undefined)
    if (!missing || provider.serverMetadata().userinfo_endpoint === undefined) return claims
    return { ...(await client.fetchUserInfo(provider, tokens.access_token, claims.sub)), ...claims }
  }

  #allowed(returnTo: string = this.#config.returnTo[0]!): string {
    if (this.#config.returnTo.includes(returnTo)) return returnTo
    throw new Refusal('forbidden', 'a login does not lead there; auth.oidc.returnTo lists where it may', {
      field: 'returnTo',
    })
  }

  async #find(): Promise<client.Configuration> {
    if (this.#provider === null && this.#now() - this.#attemptedAt < COOLDOWN) throw unavailable()
    this.#attemptedAt = this.#now()
    this.#provider ??= discover(this.#config)
    try {
      return await this.#provider
    } catch (error) {
      if (this.#provider !== null) this.#options.onFault(error)
      this.#provider = null
      throw unavailable()
    }
  }
}

function discover({ issuer, clientId, clientSecret }: Config['auth']['oidc']): Promise<client.Configuration> {
  const url = new URL(issuer!)
  const execute = [client.enableNonRepudiationChecks]
  // `endpointFault` allows plain HTTP only for this machine.
  if (url.protocol === 'http:' && endpointFault(issuer!) === null) execute.push(client.allowInsecureRequests)
  return client.discovery(url, clientId!, undefined, authentication(clientSecret), { execute, timeout: TIMEOUT })
}

/** client_secret_basic by default, as specified, unless the provider only supports client_secret_post. */
function authentication(secret: string | null): client.ClientAuth {
  if (secret === null) return client.None()
  const [basic, post] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)]
  return (server, ...rest) => {
    const known = server.token_endpoint_auth_methods_supported
    const usePost =
      known !== undefined && !known.includes('client_secret_basic') && known.includes('client_secret_post')
    return (usePost ? post : basic)(server, ...rest)
  }
}

function unavailable(): Refusal {
  return new Refusal('unavailable', 'the identity provider cannot be reached right now', { retryAfter: 5 })
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof client.AuthorizationResponseError)
    return new Refusal('forbidden', `the provider refused: ${error.error}`)
  const { code = '' } = error as { code?: string }
  if (error instanceof client.ResponseBodyError || code.startsWith('OAUTH_'))
    return new Refusal('unauthorized', 'the login could not be confirmed; start it again')
  return unavailable()
}
