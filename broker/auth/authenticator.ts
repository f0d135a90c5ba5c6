import { Refusal } from '../../schemas/errors.js'
import { ANONYMOUS, isAccountName } from '../../schemas/ids.js'
import type { DirectoryStore } from '../store/store.js'
import type { Accounts } from './accounts.js'
import type { HookRunner } from './hooks.js'
import { type Keys, looksLikeKey } from './keys.js'
import type { Logins } from './logins.js'
import type { Passwords } from './passwords.js'
import type { Authenticator, Credentials, Login, LoginRefusal, TokenCredentials } from './principal.js'
import type { LoginThrottle } from './throttle.js'
import { algorithmOf, type Tokens } from './tokens.js'

export interface AuthenticatorParts {
  /** Whether clients without credentials may come in. */
  readonly anonymous: boolean
  readonly directory: Pick<DirectoryStore, 'user'>
  readonly accounts: Pick<Accounts, 'ensure'>
  readonly passwords: Passwords
  readonly tokens: Tokens
  readonly throttle: LoginThrottle
  /** Counts failed renewals, apart from logins: guesses at a neighbour's password must not end live logins. */
  readonly renewals: LoginThrottle
  readonly hooks: Pick<HookRunner, 'authenticate'>
  readonly logins: Pick<Logins, 'stands'>
  readonly keys: Pick<Keys, 'check'>
  readonly now?: () => number
}

export function createAuthenticator(parts: AuthenticatorParts): Authenticator {
  const loginByToken = (given: TokenCredentials): Promise<Login> =>
    admit(parts, given, () => byTokenOrKey(parts, given.username || undefined, given.token))
  return {
    login: (given) => admit(parts, given, () => identify(parts, given)),
    loginByToken,
    loginByPassword: (given) => admit(parts, given, () => identifyByPassword(parts, given)),
    stands: (principal) => parts.logins.stands(principal),
    renew: async (given) => {
      const { username, address } = given
      if (parts.renewals.isRefused(address, username)) return throttled(username, address)
      const login = await loginByToken(given)
      if (!login.ok && login.refusal === 'bad_credentials') parts.renewals.failed(address, username)
      return login
    },
  }
}

async function admit(
  parts: AuthenticatorParts,
  { clientId, address }: { clientId: string; address: string },
  identify: () => Identified | Promise<Identified>,
): Promise<Login> {
  try {
    const login = await identify()
    if (!login.ok) return login
    const { user, roles } = login.principal
    const hook = parts.hooks.authenticate
    if (hook && !(await hook({ user, roles: [...roles], clientId, address })))
      return refuse('not_authorized', `the authenticate hook refused ${user}`)
    // After the hook: whom it refuses leaves no account behind.
    return login.byToken ? await knownByNow(parts, login) : login
  } catch (error) {
    // The store or the hashing could not do it: not the client's fault, and no reason to let it in.
    return refuse('unavailable', error instanceof Refusal ? error.message : String((error as Error)?.stack ?? error))
  }
}

type Identified = Login & { readonly byToken?: true }

/** A user name or password of no length counts as absent: many clients cannot leave them out. */
function identify(parts: AuthenticatorParts, credentials: Credentials): Identified | Promise<Identified> {
  const username = credentials.username || undefined
  const password = credentials.password?.length ? credentials.password : undefined
  if (!username && !password) return asAnonymous(parts)
  if (!password) return refuse('bad_credentials', `${JSON.stringify(username)} gave no password`)
  const token = password.toString('latin1')
  if (algorithmOf(token) !== null || looksLikeKey(token)) return byTokenOrKey(parts, username, token)
  if (!username) return refuse('bad_credentials', 'a password without user name, and no token')
  return byPassword(parts, username, password, credentials.address)
}

function identifyByPassword(
  parts: AuthenticatorParts,
  { username, password, address }: Credentials,
): Identified | Promise<Identified> {
  if (!username || !password?.length) return refuse('bad_credentials', 'no user name, or no password')
  return byPassword(parts, username, password, address)
}

function asAnonymous({ anonymous }: AuthenticatorParts): Login {
  if (!anonymous) return refuse('not_authorized', 'no credentials, and auth.anonymous is off')
  return { ok: true, principal: { user: ANONYMOUS, roles: new Set(), anonymous: true, expiresAt: null } }
}

function byTokenOrKey(parts: AuthenticatorParts, username: string | undefined, token: string): Promise<Identified> {
  return looksLikeKey(token) ? byKey(parts, username, token) : byToken(parts, username, token)
}

/** Nobody guesses one, so wrong ones are not counted. */
async function byKey({ keys }: AuthenticatorParts, username: string | undefined, key: string): Promise<Identified> {
  const principal = await keys.check(key)
  if (!principal) return refuse('bad_credentials', 'an API key that is not good, or not any more')
  if (username !== undefined && username !== principal.user)
    return refuse('bad_credentials', `${JSON.stringify(username)} came with a key of ${principal.user}`)
  return { ok: true, principal }
}

async function byToken(parts: AuthenticatorParts, username: string | undefined, token: string): Promise<Identified> {
  const check = await parts.tokens.verify(token)
  if (!check.ok) return refuse('bad_credentials', check.why)
  const { user, expiresAt, issuedAt, login } = check
  if (!isAccountName(user)) return refuse('bad_credentials', `the token's user ${JSON.stringify(user)} cannot log in`)
  if (username !== undefined && username !== user)
    return refuse('bad_credentials', `${JSON.stringify(username)} came with a token of ${user}`)
  // A token that says nothing about roles leaves the account's; one that does is the last word, even if it says none.
  const roles = check.roles ?? (await parts.directory.user(user))?.roles ?? []
  const principal = { user, roles: new Set(roles), anonymous: false, expiresAt, issuedAt, login }
  if (!(await parts.logins.stands(principal))) return refuse('bad_credentials', `a token of ${user} that was revoked`)
  return { ok: true, byToken: true, principal }
}

async function byPassword(
  { directory, passwords, throttle, now = Date.now }: AuthenticatorParts,
  username: string,
  password: Buffer,
  address: string,
): Promise<Login> {
  // What cannot be a name needs no hash to hide whether it is one.
  if (!isAccountName(username)) return refuse('bad_credentials', `${JSON.stringify(username)} cannot log in`)
  const free = (): boolean => !throttle.isRefused(address, username)
  if (!free()) return throttled(username, address)
  // From here on: a password that is changed while it is checked counts as the old one.
  const issuedAt = now()
  const record = await directory.user(username)
  // Asked again when a hash is free: of many guesses sent at once, only as many count as are hashed at once.
  const fits = await passwords.verify(record?.passwordHash ?? null, password, free)
  if (fits && record) {
    throttle.succeeded(address, username)
    const roles = new Set(record.roles)
    return { ok: true, principal: { user: record.id, roles, anonymous: false, expiresAt: null, issuedAt, login: null } }
  }
  if (!free()) return throttled(username, address)
  throttle.failed(address, username)
  return refuse('bad_credentials', `wrong password, or no user ${username}`)
}

function throttled(username: string, address: string): Login {
  return refuse('throttled', `too many failed logins of ${username} or from ${address}`)
}

async function knownByNow({ accounts }: AuthenticatorParts, login: Login & { ok: true }): Promise<Login> {
  try {
    await accounts.ensure(login.principal.user)
    return { ok: true, principal: login.principal }
  } catch (error) {
    if (error instanceof Refusal && error.code === 'conflict') return refuse('not_authorized', error.message)
    throw error
  }
}

function refuse(refusal: LoginRefusal, detail: string): Login {
  return { ok: false, refusal, detail }
}
