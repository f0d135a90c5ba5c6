import { Refusal } from '../../schemas/errors.js'
import { ANONYMOUS, isAccountName } from '../../schemas/ids.js'
import { networkOf } from '../util/network.js'
import { isSameVersion, versionOf } from './account-version.js'
import { byBackend, type PasswordCredentials } from './backend-login.js'
import { withCertificate } from './certificate-login.js'
import type { Identity } from './identity.js'
import { looksLikeKey } from './keys.js'
import { type AuthenticatorDeps, type Identified, refuse, throttled } from './login-steps.js'
import {
  type Authenticator,
  type Credentials,
  type Login,
  type Principal,
  type RefusedLogin,
  rolesOf,
  type TokenCredentials,
} from './principal.js'
import { isSuspended } from './suspensions.js'
import { algorithmOf, isLoginToken } from './tokens.js'

export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const byTokenAlone = (given: TokenCredentials): Promise<Login> =>
    admit(deps, given, () => withCertificate(deps, given, false, () => byTokenOrKey(deps, given)))
  const noted = async (given: Attempt, login: Promise<Login>): Promise<Login> => {
    const outcome = await login
    if (!outcome.ok && hasCredentials(given)) deps.refused?.(refusedLogin(given, outcome))
    return outcome
  }
  return {
    login: (given) =>
      noted(
        given,
        admit(deps, given, () => withCertificate(deps, given, !given.password?.length, () => identify(deps, given))),
      ),
    loginByToken: (given) => noted(given, byTokenAlone(given)),
    loginByPassword: (given) =>
      noted(
        given,
        admit(deps, given, () => identifyByPassword(deps, given)),
      ),
    loginByIdentity: (given) =>
      noted(
        { ...given, username: given.user, door: 'http' },
        admit(deps, given, () => byIdentity(deps, given)),
      ),
    isStillValid: (verified) => deps.logins.isStillValid(verified),
    revalidate: (principal, at) => revalidate(deps, principal, at),
    recheck: (principal, at) => recheck(deps, principal, at),
    renew: async (given) => {
      const { username, address } = given
      const attempt = deps.renewals.attempt(address, username)
      let wait = await attempt.wait()
      if (wait > 0) return throttled(username, address, wait)
      const login = await byTokenAlone(given)
      // A backend may map a token to any user.
      if (login.ok && login.principal.user !== username)
        return refuse('not_authorized', `${username} came with a token of ${login.principal.user}`)
      if (!login.ok && login.refusal === 'bad_credentials') wait = await attempt.failed()
      return wait > 0 ? throttled(username, address, wait) : login
    },
  }
}

type Attempt = Pick<Credentials, 'username' | 'address' | 'door'> &
  Partial<Pick<Credentials, 'password'> & { token: string }>

/** A browser's first request has no credentials and is answered with 401; that is not a failed login. */
function hasCredentials({ door, username, password, token }: Attempt): boolean {
  return door === 'mqtt' || Boolean(username || password?.length || token)
}

function refusedLogin({ username, address, door }: Attempt, { refusal, detail }: Login & { ok: false }): RefusedLogin {
  return { user: username, address, door, reason: refusal, why: detail }
}

async function admit(
  deps: AuthenticatorDeps,
  { clientId, address }: { clientId: string; address: string },
  identify: () => Identified | Promise<Identified>,
): Promise<Login> {
  try {
    await deps.catchUp()
    const login = await identify()
    if (!login.ok) return login
    const { user, roles, anonymous } = login.principal
    if (!anonymous && (await isSuspended(deps.directory, user)))
      return refuse('suspended', `the account ${user} is suspended`)
    const hook = deps.hooks.authenticate
    if (hook && !(await hook({ user, roles: [...roles], clientId, address })))
      return refuse('not_authorized', `the authenticate hook refused ${user}`)
    // Created after the hook has agreed: a refused user gets no account.
    const outcome = login.atFirstSight || login.linkedTo ? await ensureAccount(deps, login) : login
    if (outcome.ok && !anonymous && (await canBeGuessed(deps, user))) await deps.throttle.loggedIn(address, user)
    return outcome
  } catch (error) {
    // The store or the password hashing failed: not the client's fault, but no reason to let it in.
    return refuse('unavailable', error instanceof Refusal ? error.message : String((error as Error)?.stack ?? error))
  }
}

async function revalidate(
  { logins, directory }: AuthenticatorDeps,
  principal: Principal,
  at?: number,
): Promise<Principal | null> {
  if (principal.anonymous) return principal
  if (!(await logins.isStillValid(principal, at))) return null
  const { user, ofAccount } = principal
  if (!ofAccount) return principal
  return { ...principal, roles: rolesOf(ofAccount, (await directory.user(user))?.roles ?? []) }
}

/** Ms after which all of a principal is checked again before it acts. */
const FRESH = 1000

async function recheck(deps: AuthenticatorDeps, principal: Principal, at: number): Promise<Principal | null> {
  const { directory, now = Date.now } = deps
  const { user, account, anonymous } = principal
  if (anonymous) return principal
  const record = await directory.user(user)
  const isSame = record !== null && account !== undefined && isSameVersion(account, versionOf(record))
  return isSame && now() - at < FRESH ? principal : revalidate(deps, principal)
}

/** An empty user name or password counts as absent: many clients cannot omit them. */
function identify(deps: AuthenticatorDeps, credentials: Credentials): Identified | Promise<Identified> {
  const username = credentials.username || undefined
  const password = credentials.password?.length ? credentials.password : undefined
  if (!username && !password) return asAnonymous(deps)
  if (!password) return refuse('bad_credentials', `${JSON.stringify(username)} gave no password`)
  const token = password.toString('latin1')
  if (isTokenOrKey(token)) return byTokenOrKey(deps, { ...credentials, token })
  if (deps.backend) return byPasswordOrBackend(deps, { ...credentials, password })
  if (!username) return refuse('bad_credentials', 'a password without user name, and no token')
  return byPasswordAlone(deps, username, password, credentials)
}

/** Whether a client's password is, or looks like, a token or an API key. */
export function isTokenOrKey(shown: string): boolean {
  return algorithmOf(shown) !== null || looksLikeKey(shown)
}

/** A user who has a password at this broker cannot log in through the backend. */
async function byPasswordOrBackend(deps: AuthenticatorDeps, given: PasswordCredentials): Promise<Identified> {
  const { username, password } = given
  if (username && (await hasPassword(deps, username))) return byPasswordAlone(deps, username, password, given)
  return byBackend(deps, given)
}

/** Whether there is a password that others may try. */
async function canBeGuessed(deps: AuthenticatorDeps, user: string): Promise<boolean> {
  return deps.backend !== null || (await hasPassword(deps, user))
}

async function hasPassword({ directory }: AuthenticatorDeps, user: string): Promise<boolean> {
  if (!isAccountName(user)) return false
  return ((await directory.user(user))?.passwordHash ?? null) !== null
}

function identifyByPassword(
  deps: AuthenticatorDeps,
  { username, password, ...from }: Credentials,
): Identified | Promise<Identified> {
  if (!username || !password?.length) return refuse('bad_credentials', 'no user name, or no password')
  return byPassword(deps, username, password, from)
}

/** Where no code can be passed, a user with a second factor has to use a token. */
async function byPasswordAlone(
  deps: AuthenticatorDeps,
  username: string,
  password: Buffer,
  from: From,
): Promise<Login> {
  const login = await byPassword(deps, username, password, from)
  if (!login.ok || !(await deps.secondFactors.isOn(login.principal.user))) return login
  return refuse(
    'not_authorized',
    `${username} has a second factor: a password alone does not do, a token of auth.login does`,
  )
}

function asAnonymous({ anonymous }: AuthenticatorDeps): Login {
  if (!anonymous) return refuse('not_authorized', 'no credentials, and auth.anonymous is off')
  return { ok: true, principal: { user: ANONYMOUS, roles: new Set(), anonymous: true, expiresAt: null } }
}

function byTokenOrKey(deps: AuthenticatorDeps, given: TokenCredentials): Promise<Identified> {
  return looksLikeKey(given.token) ? byKey(deps, given) : byToken(deps, given)
}

/** Keys cannot be guessed, so wrong ones are not counted. */
async function byKey({ keys }: AuthenticatorDeps, { username, token }: TokenCredentials): Promise<Identified> {
  const principal = await keys.check(token)
  if (!principal) return refuse('bad_credentials', 'an API key that is not good, or not any more')
  if (username && username !== principal.user)
    return refuse('bad_credentials', `${JSON.stringify(username)} came with a key of ${principal.user}`)
  return { ok: true, principal }
}

async function byToken(deps: AuthenticatorDeps, given: TokenCredentials): Promise<Identified> {
  const { username, token } = given
  const check = await deps.tokens.verify(token)
  if (!check.ok && deps.backend && !isLoginToken(token))
    return byBackend(deps, { ...given, password: Buffer.from(token, 'latin1') })
  if (!check.ok) return refuse('bad_credentials', check.why)
  const { user, expiresAt, issuedAt, login } = check
  if (!isAccountName(user)) return refuse('bad_credentials', `the token's user ${JSON.stringify(user)} cannot log in`)
  if (username && username !== user)
    return refuse('bad_credentials', `${JSON.stringify(username)} came with a token of ${user}`)
  // Without a roles claim the account's roles apply; a roles claim replaces them, even if it is empty.
  const record = await deps.directory.user(user)
  const roles = new Set(check.roles ?? record?.roles)
  const ofAccount = check.roles === null ? { ofAccount: {} } : {}
  const account = record && { account: versionOf(record) }
  const principal = { user, roles, ...ofAccount, ...account, anonymous: false, expiresAt, issuedAt, login }
  if (!(await deps.logins.isStillValid(principal)))
    return refuse('bad_credentials', `a token of ${user} that was revoked`)
  return { ok: true, atFirstSight: true, principal }
}

type From = Pick<Credentials, 'address' | 'clientId' | 'door'>

async function byPassword(
  { directory, passwords, throttle, now = Date.now }: AuthenticatorDeps,
  username: string,
  password: Buffer,
  { address, clientId, door }: From,
): Promise<Login> {
  // A name that is no valid account name needs no dummy hash to hide whether it exists.
  if (!isAccountName(username)) return refuse('bad_credentials', `${JSON.stringify(username)} cannot log in`)
  const attempt = throttle.attempt(address, username)
  let wait = await attempt.wait()
  if (wait > 0) return throttled(username, address, wait)
  // Taken before the check, like the record: if the password is changed meanwhile, this login is void.
  const issuedAt = now()
  const record = await directory.user(username)
  // A client that reconnects while it waits for a hash keeps its place: it is the same session with the same password.
  const key = door === 'mqtt' ? `${clientId}\0${password.toString('latin1')}` : undefined
  const asking = { place: networkOf(address), name: username, key }
  const mayTry = async (): Promise<boolean> => {
    wait = await attempt.wait()
    return wait === 0
  }
  const fits = await passwords.verify(record?.passwordHash ?? null, password, mayTry, asking)
  const isRight = fits && record !== null
  if (wait === 0) wait = isRight ? await attempt.succeeded() : await attempt.failed()
  if (wait > 0) return throttled(username, address, wait)
  if (isRight) {
    const roles = new Set(record.roles)
    const verified = { account: versionOf(record), issuedAt }
    const login = { roles, ofAccount: {}, anonymous: false, expiresAt: null, ...verified, login: null }
    return { ok: true, principal: { user: record.id, ...login } }
  }
  return refuse('bad_credentials', `wrong password, or no user ${username}`)
}

async function byIdentity({ directory, now = Date.now }: AuthenticatorDeps, identity: Identity): Promise<Identified> {
  const { user } = identity
  const issuedAt = now()
  const roles = new Set(identity.roles ?? (await directory.user(user))?.roles)
  const principal = { user, roles, anonymous: false, expiresAt: null, issuedAt, login: null }
  return { ok: true, linkedTo: identity, principal }
}

async function ensureAccount(
  { accounts, adopt, directory, logins }: AuthenticatorDeps,
  { principal, linkedTo }: Identified & { ok: true },
): Promise<Login> {
  // Users known by others only could otherwise share an account with a bot, whose owner has its keys.
  if (directory.bots.get(principal.user)) return refuse('not_authorized', `${principal.user} is a bot: it has keys`)
  try {
    const record = await (linkedTo ? accounts.link(linkedTo, adopt) : accounts.ensure(principal.user))
    const bound = { ...principal, account: versionOf(record) }
    // It may be another account than before, or have revoked everything.
    const isSame = principal.account !== undefined && isSameVersion(principal.account, bound.account)
    if (!isSame && !(await logins.isStillValid(bound)))
      return refuse('bad_credentials', `a login of ${principal.user} that was revoked`)
    return { ok: true, principal: bound }
  } catch (error) {
    if (error instanceof Refusal && ['bad_request', 'conflict', 'forbidden'].includes(error.code))
      return refuse('not_authorized', error.message)
    throw error
  }
}
