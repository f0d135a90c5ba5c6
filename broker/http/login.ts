/**
 * Authenticates HTTP requests: `Authorization: Bearer` with a token, `Basic` with name and password, or a client
 * certificate, through the same authenticator as MQTT.
 */
import type { X509Certificate } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { API } from '../../schemas/commands.js'
import { Refusal } from '../../schemas/errors.js'
import { ANONYMOUS } from '../../schemas/ids.js'
import {
  type Authenticator,
  type LoginRefusal,
  type Principal,
  REFUSED_BY_HOOK,
  type RefusedLogin,
} from '../auth/principal.js'
import type { Actor } from '../chat/model/actor.js'

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor
    /** Unix ms: when the actor was verified. */
    verifiedAt: number
  }
  interface FastifyContextConfig {
    /** The route needs no login. */
    open?: boolean
    /** For whom the address of a request is signed, which needs no login then; null: it is not. @throws Refusal */
    signedFor?: (request: FastifyRequest) => Promise<Principal | null>
  }
}

export interface LoginDeps {
  readonly authenticator: Authenticator
  /** Whether the broker's hooks (Aedes plugins) allow a valid login. */
  readonly mayLogIn: (user: string, password: Buffer | undefined) => Promise<boolean>
  /** Called for refused logins, for the log; the authenticator reports its own. */
  readonly refusedLogin: (login: RefusedLogin) => void
}

/**
 * Gives every request of `app` an actor, or refuses it before its body is read. A body can come much later: the account may be another's by
 * then, or the login over.
 */
export function loginRequests(app: FastifyInstance, deps: LoginDeps): void {
  app.decorateRequest('actor')
  app.decorateRequest('verifiedAt', 0)
  app.addHook('onRequest', async (request) => {
    const { open, signedFor } = request.routeOptions.config
    request.verifiedAt = Date.now()
    const signed = await signedFor?.(request)
    if (signed) request.actor = actorOf(request, signed)
    else request.actor = open ? actorWithoutLogin(request) : await login(request, deps)
  })
  app.addHook('preHandler', async (request) => {
    const { actor, body, verifiedAt } = request
    if (request.routeOptions.config.open || body === undefined) return
    const principal = await deps.authenticator.recheck(actor.principal, verifiedAt)
    if (!principal) throw refusalOf('bad_credentials', true, undefined)
    if (principal !== actor.principal) request.actor = { ...actor, principal }
  })
  // Also for commands that find only later that they need a login.
  app.addHook('onSend', async (request, reply, payload) => {
    if (reply.statusCode === 401) reply.header('www-authenticate', challenges(request))
    return payload
  })
}

/** Open commands ignore credentials: an expired token must not prevent getting a new one. */
function actorWithoutLogin({ ip }: FastifyRequest): Actor {
  return actorOf({ ip }, { user: ANONYMOUS, roles: new Set<string>(), anonymous: true, expiresAt: null })
}

function actorOf({ ip }: Pick<FastifyRequest, 'ip'>, principal: Principal): Actor {
  return { principal, clientId: '', sessionId: null, address: ip, silent: true }
}

async function login(request: FastifyRequest, deps: LoginDeps): Promise<Actor> {
  const given = tokenInQuery(request) ?? credentialsOf(request, deps)
  const { certificate } = request.raw as { certificate?: X509Certificate }
  const from = { clientId: '', address: request.ip, certificate, door: 'http' as const }
  const login =
    'token' in given
      ? await deps.authenticator.loginByToken({ username: undefined, token: given.token, ...from })
      : await deps.authenticator.login({ ...given, ...from })
  if (!login.ok) throw refusalOf(login.refusal, given !== NOBODY, login.retryAfter)
  const { principal } = login
  await requireHook(request, deps, principal.user, given)
  return actorOf(request, principal)
}

async function requireHook({ ip }: FastifyRequest, deps: LoginDeps, user: string, given: Given): Promise<void> {
  const password = 'token' in given ? Buffer.from(given.token) : given.password
  if (await deps.mayLogIn(user, password)) return
  deps.refusedLogin({ user, address: ip, door: 'http', reason: 'not_authorized', why: REFUSED_BY_HOOK })
  throw refusalOf('not_authorized', given !== NOBODY, undefined)
}

type Given = { token: string } | { username: string | undefined; password: Buffer | undefined }

const NOBODY: Given = { username: undefined, password: undefined }

/** Only for EventSource in browsers, which cannot set headers (RFC 6750, 2.3), since URLs end up in logs. */
function tokenInQuery({ query, url }: FastifyRequest): Given | null {
  const { access_token: token } = query as Record<string, unknown>
  return typeof token === 'string' && url.startsWith(`${API}/events?`) ? { token } : null
}

/** Schemes are case-insensitive (RFC 9110, 11.1). */
function credentialsOf({ ip, headers }: FastifyRequest, { refusedLogin }: LoginDeps): Given {
  const header = headers.authorization
  if (header === undefined) return NOBODY
  const [, scheme = '', value = ''] = /^([^ ]+) +([^ ]+)$/.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return { token: value }
  const text = scheme.toLowerCase() === 'basic' ? Buffer.from(value, 'base64').toString() : ''
  const colon = text.indexOf(':')
  if (colon === -1) {
    const why = 'Authorization is Bearer with a token, or Basic with a user name and a password'
    refusedLogin({ user: undefined, address: ip, door: 'http', reason: 'bad_credentials', why })
    throw new Refusal('unauthorized', why)
  }
  return { username: text.slice(0, colon), password: Buffer.from(text.slice(colon + 1)) }
}

function refusalOf(refusal: LoginRefusal, tried: boolean, retryAfter: number | undefined): Refusal {
  switch (refusal) {
    case 'throttled':
      return new Refusal('rate_limited', 'too many failed logins', { retryAfter })
    case 'suspended':
      return new Refusal('forbidden', 'this account is suspended')
    case 'unavailable':
      return new Refusal('unavailable', 'logins are not possible right now', { retryAfter: 5 })
    default:
      return new Refusal('unauthorized', tried ? 'the token or password is not valid' : 'this needs a token')
  }
}

/**
 * Scripts of a page get only a Bearer challenge: for Basic the browser would open a dialog. `error` says that a token
 * was sent and is invalid (RFC 6750, 3.1).
 */
function challenges({ headers }: FastifyRequest): string[] {
  const failed = /^bearer /i.test(headers.authorization ?? '') ? ', error="invalid_token"' : ''
  const bearer = `Bearer realm="TopicTalk"${failed}`
  const ofPage = headers['sec-fetch-site'] !== undefined && headers['sec-fetch-mode'] !== 'navigate'
  return ofPage ? [bearer] : [bearer, 'Basic realm="TopicTalk", charset="UTF-8"']
}
