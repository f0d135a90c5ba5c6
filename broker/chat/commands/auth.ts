import type { AUTH_COMMANDS } from '../../../schemas/commands/auth.js'
import { Refusal } from '../../../schemas/errors.js'
import { versionOf } from '../../auth/account-version.js'
import type { Accounts } from '../../auth/accounts.js'
import { type Logins, loginOf } from '../../auth/logins.js'
import type { Authenticator, Principal } from '../../auth/principal.js'
import type { Proofs } from '../../auth/proofs.js'
import type { Registration } from '../../auth/registration.js'
import { requirePassed, type SecondFactors } from '../../auth/second-factor.js'
import { readSecret } from '../../auth/secrets.js'
import { requireValid } from '../../auth/validity.js'
import type { Store } from '../../store/store.js'
import type { Transaction } from '../../store/transaction.js'
import type { AccountVersion } from '../../store/users.js'
import { type Actor, requireAdmin, requireCurrent, requireUser } from '../model/actor.js'
import { limitedLife } from '../model/api-key-limits.js'
import { type EndSessions, endAfterAnswer } from '../model/session-endings.js'
import type { Handlers } from './table.js'

/** Renews the login behind an actor with a new token. Rejects with a refusal. */
export type RenewLogin = (actor: Actor, token: string) => Promise<Principal>

/** Everything issued to the user was revoked; the session that asked for it stays, as it has just shown the password, with this login. */
export type KeepLogin = (actor: Actor, account: AccountVersion, login: string) => Promise<void>

export interface AuthCommandDeps {
  readonly renewLogin: RenewLogin
  readonly keepLogin: KeepLogin
  readonly authenticator: Pick<Authenticator, 'loginByPassword' | 'isStillValid'>
  readonly proofs: Proofs
  readonly accounts: Pick<Accounts, 'setPassword' | 'voidTokens' | 'remove'>
  readonly logins: Pick<Logins, 'begin' | 'renew' | 'end'>
  readonly secondFactors: SecondFactors
  readonly registration: Pick<Registration, 'register' | 'invite'>
  readonly end: EndSessions
  readonly store: Pick<Store, 'commit'>
}

export function authCommands(deps: AuthCommandDeps): Handlers<keyof typeof AUTH_COMMANDS> {
  const { renewLogin, keepLogin, accounts, logins, registration, proofs, end } = deps
  return {
    'auth.register': async ({ address = '' }, { user, password, invite }) => {
      const account = versionOf(await registration.register({ user, password, invite, address }))
      return JSON.stringify(await logins.begin({ user, account }))
    },
    'auth.invite': async (actor, { uses = 1, expiresIn = 604800 }) => {
      const by = requireAdmin(actor, 'invitations to register are made by admins')
      const allow = ({ directory }: Transaction) => requireCurrent(directory, actor)
      return JSON.stringify(await registration.invite(by, uses, limitedLife(actor, expiresIn), allow))
    },
    'auth.login': async (actor, { user, password, code }) => {
      const verified = await requirePassword(deps, actor, { user, password, field: 'password' })
      await requireCode(deps, actor, user, code)
      return JSON.stringify(await logins.begin(verified, 'password'))
    },
    'auth.token': async (actor, { refreshToken }) => {
      if (refreshToken === undefined)
        throw new Refusal('unauthorized', 'this needs a refresh token, or over HTTP the cookie that has it; log in', {
          field: 'refreshToken',
        })
      const shown = loginAttempt(actor, readSecret('login', refreshToken)?.user)
      return JSON.stringify(await proofs.secret(shown, () => logins.renew(refreshToken)))
    },
    'auth.refresh': async (actor, { token }) => {
      const { expiresAt, roles } = await renewLogin(actor, token)
      return JSON.stringify({ expiresAt, roles: [...roles] })
    },
    'auth.logout': async (actor) => {
      const user = requireUser(actor)
      const { login } = actor.principal
      if (login && (await logins.end(user, login))) return '{}'
      if (actor.sessionId === null)
        throw new Refusal('bad_request', 'there is no login to end: this request came with its own')
      endAfterAnswer(end, { user, deleteState: true, session: actor.sessionId })
      return '{}'
    },
    'auth.logoutEverywhere': async (actor) => {
      const user = requireUser(actor)
      await accounts.voidTokens(user, ({ directory }) => requireCurrent(directory, actor))
      endAfterAnswer(end, { user, deleteState: true })
      return '{}'
    },
    'auth.password': async (actor, { old, new: password, code }) => {
      const user = requireUser(actor)
      const verified = await requirePassword(deps, actor, { user, password: old, field: 'old' })
      await requireCode(deps, actor, user, code)
      const changed = await accounts.setPassword(user, password, ({ directory }) =>
        requireValid(directory, verified, Date.now(), 'old'),
      )
      const account = versionOf(changed)
      const issued = await logins.begin({ user, account })
      await keepLogin(actor, account, loginOf(issued))
      end({ user, deleteState: false, except: actor.sessionId })
      return JSON.stringify(issued)
    },
  }
}

/** What throttling knows of a login attempt: the claimed user, the session and the address. */
export function loginAttempt<U extends string | undefined>({ sessionId, address = '' }: Actor, user: U) {
  return { user, address, door: sessionId === null ? 'http' : 'mqtt' } as const
}

/**
 * Requires the code of a second factor, if the account has one. A missing code does not count as a failed attempt: clients learn by it that
 * they have to ask for one. @throws Refusal
 */
export async function requireCode(
  { secondFactors, proofs }: Pick<AuthCommandDeps, 'secondFactors' | 'proofs'>,
  actor: Actor,
  user: string,
  code: string | undefined,
): Promise<void> {
  const check = await secondFactors.check(user, code)
  if (check === 'missing') requirePassed(check)
  else await proofs.guessable(loginAttempt(actor, user), () => requirePassed(check))
}

/** Checks a password, with the throttling and the hooks of a login. Resolves with whom it verified. @throws Refusal */
export async function requirePassword(
  { authenticator }: Pick<AuthCommandDeps, 'authenticator'>,
  actor: Actor,
  { user, password, field }: { user: string; password: string; field: string },
): Promise<Principal> {
  const { address, door } = loginAttempt(actor, user)
  const given = { username: user, password: Buffer.from(password), clientId: actor.clientId, address, door }
  const login = await authenticator.loginByPassword(given)
  if (login.ok) return login.principal
  switch (login.refusal) {
    case 'throttled':
      throw new Refusal('rate_limited', 'too many failed logins; try again later', {
        retryAfter: login.retryAfter,
      })
    case 'suspended':
      throw new Refusal('forbidden', 'this account is suspended', { field: 'user' })
    case 'unavailable':
      throw new Refusal('unavailable', 'logins are not possible right now', { retryAfter: 5 })
    default:
      throw new Refusal('unauthorized', 'wrong user name or password', { field })
  }
}
