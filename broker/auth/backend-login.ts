/** The login step for users known to the backend of `auth.http` only. */
import { isUtf8 } from 'node:buffer'
import { isAccountName } from '../../schemas/ids.js'
import type { BackendAnswer } from './backend.js'
import { type AuthenticatorDeps, type Identified, refuse, throttled } from './login-steps.js'
import type { Credentials } from './principal.js'
import { hashSecret, isSecret } from './secrets.js'

export type PasswordCredentials = Omit<Credentials, 'password'> & { readonly password: Buffer }

/** Longest user name and password passed to the backend, in bytes. */
const MAX_NAME = 1024
const MAX_SHOWN = 16_384

export async function byBackend(deps: AuthenticatorDeps, given: PasswordCredentials): Promise<Identified> {
  const { throttle, now = Date.now } = deps
  const { username = '', password, clientId, address } = given
  const shown = password.toString()
  if (Buffer.byteLength(username) > MAX_NAME || password.length > MAX_SHOWN || !isUtf8(password) || isSecret(shown))
    return refuse('bad_credentials', 'what was shown cannot be anything the backend knows')
  // If only a token was given, failures are counted for that token, and not for the whole address.
  const counted = username || hashSecret(shown)
  const attempt = throttle.attempt(address, counted)
  let wait = await attempt.wait()
  if (wait > 0) return throttled(username, address, wait)
  const issuedAt = now()
  const answer = await deps.backend!.login({ username: username || null, password: shown, clientId, address })
  wait = answer.allow ? await attempt.succeeded() : await attempt.failed()
  if (wait > 0) return throttled(username, address, wait)
  return answer.allow
    ? identifiedByBackend(deps, { user: username, ...answer }, issuedAt)
    : refuse('bad_credentials', `the backend refused ${JSON.stringify(username)}`)
}

async function identifiedByBackend(
  deps: AuthenticatorDeps,
  answer: BackendAnswer & { user: string },
  issuedAt: number,
): Promise<Identified> {
  const { now = Date.now } = deps
  const { user, roles } = answer
  const expiresAt = answer.expiresAt ?? null
  if (!isAccountName(user))
    return refuse('bad_credentials', `the backend named ${JSON.stringify(user)}, who cannot log in`)
  if (expiresAt !== null && expiresAt <= now())
    return refuse('bad_credentials', `the backend's login of ${user} is over`)
  const record = await deps.directory.user(user)
  if (record && record.passwordHash !== null)
    return refuse('not_authorized', `${user}, whom the backend named, has a password here`)
  const given = new Set(roles ?? record?.roles ?? [])
  const ofAccount = roles === undefined ? { ofAccount: {} } : {}
  return {
    ok: true,
    atFirstSight: true,
    principal: { user, roles: given, ...ofAccount, anonymous: false, expiresAt, issuedAt, login: null },
  }
}
