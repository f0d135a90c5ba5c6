/**
 * `/v1/auth/oidc/start` and `/v1/auth/oidc/callback`: redirect to the identity provider and back. No token is ever part
 * of a URL.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { API } from '../../schemas/commands.js'
import { asRefusal, Refusal } from '../../schemas/errors.js'
import type { LoginCodes } from '../auth/login-codes.js'
import type { Oidc, PendingLogin } from '../auth/oidc.js'
import type { Authenticator, RefusedLogin } from '../auth/principal.js'
import type { Proofs } from '../auth/proofs.js'
import type { NetworkThrottle } from '../auth/throttle.js'
import { cookieName, cookieSite, cookieValue, setCookie } from './cookies.js'

export interface OidcDeps {
  readonly oidc: Oidc
  readonly authenticator: Pick<Authenticator, 'loginByIdentity'>
  readonly proofs: Pick<Proofs, 'secret'>
  /** Called for refused logins, for the log. */
  readonly refused: (login: RefusedLogin) => void
  readonly codes: LoginCodes
  /** Counts failed logins, as each costs a request to the provider. */
  readonly throttle: NetworkThrottle
  readonly redirectUri: string
  readonly failed: (error: unknown) => void
}

const COOKIE = 'login'
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/

type Answer = (deps: OidcDeps, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** @param parts null: no provider is configured. */
export function oidcRoutes(app: FastifyInstance, deps: OidcDeps | null): void {
  const route = (name: string, answer: Answer): void => {
    app.get(`${API}/auth/oidc/${name}`, { exposeHeadRoute: false }, async (request, reply) => {
      if (!deps) throw new Refusal('not_found', 'this broker has no identity provider (auth.oidc.issuer)')
      reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
      return answer(deps, request, reply)
    })
  }
  route('start', start)
  route('callback', handleCallback)
}

async function start({ oidc, redirectUri }: OidcDeps, { query }: FastifyRequest, reply: FastifyReply) {
  const { returnTo, challenge, ...rest } = query as Record<string, unknown>
  const [stray] = Object.keys(rest)
  if (stray !== undefined) throw invalidField(stray, `unknown field ${JSON.stringify(stray)}`)
  if (returnTo !== undefined && typeof returnTo !== 'string') throw invalidField('returnTo', 'expected one address')
  if (typeof challenge !== 'string' || !CHALLENGE.test(challenge))
    throw invalidField('challenge', 'expected the SHA-256 of a verifier of yours, as base64url: 43 characters')
  const { location, sealed } = await oidc.begin(returnTo, challenge)
  return reply.header('set-cookie', cookie(redirectUri, sealed, oidc.lifetime)).redirect(location, 302)
}

async function handleCallback(deps: OidcDeps, request: FastifyRequest, reply: FastifyReply) {
  const pending = deps.oidc.pendingLogin(pendingIn(request, deps))
  if (!pending) throw noPendingLogin(deps, request)
  reply.header('set-cookie', cookie(deps.redirectUri, '', 0))
  const back = new URL(pending.returnTo)
  try {
    back.searchParams.set('code', await logIn(deps, request, pending))
  } catch (error) {
    const refusal = asRefusal(error)
    if (refusal.code === 'internal') deps.failed(error)
    back.searchParams.set('error', refusal.code)
  }
  return reply.redirect(back.href, 302)
}

async function logIn(deps: OidcDeps, request: FastifyRequest, pending: PendingLogin): Promise<string> {
  const { ip, url } = request
  const { oidc, authenticator, proofs, codes, throttle } = deps
  const shown = proofSource(request)
  await proofs.secret(shown, () => refuseIfThrottled(throttle.waitOf(ip)))
  try {
    const identity = await proofs.secret(shown, () => oidc.finish(url.slice(url.indexOf('?') + 1), pending))
    const login = await authenticator.loginByIdentity({ ...identity, clientId: '', address: ip })
    if (login.ok) return await codes.issue(login.principal, pending.challenge)
    throw new Refusal(login.refusal === 'unavailable' ? 'unavailable' : 'forbidden', login.detail)
  } catch (error) {
    await throttle.take(ip)
    throw error
  }
}

function noPendingLogin({ refused }: OidcDeps, request: FastifyRequest): Refusal {
  const why = 'no login was begun in this browser in the last ten minutes; start it again'
  refused({ ...proofSource(request), reason: 'bad_credentials', why })
  return new Refusal('bad_request', why)
}

function refuseIfThrottled(retryAfter: number): void {
  if (retryAfter > 0) throw new Refusal('rate_limited', 'too many failed logins', { retryAfter })
}

/** The user is not known before the provider answers. */
function proofSource({ ip }: FastifyRequest) {
  return { user: undefined, address: ip, door: 'http' } as const
}

function invalidField(field: string, why: string): Refusal {
  return new Refusal('bad_request', why, { field })
}

function pendingIn({ headers }: FastifyRequest, { redirectUri }: OidcDeps): string | undefined {
  return cookieValue(headers.cookie, cookieName(COOKIE, cookieSite(new URL(redirectUri)))) ?? undefined
}

/**
 * SameSite=Lax: the cookie must be sent when the provider redirects back. Its path is the public one, in front of
 * proxies.
 */
function cookie(redirectUri: string, value: string, maxAge: number): string {
  const url = new URL(redirectUri)
  const path = url.pathname.slice(0, url.pathname.lastIndexOf('/'))
  const site = cookieSite(url)
  return setCookie(cookieName(COOKIE, site), value, site, { maxAge, path, sameSite: 'Lax' })
}
