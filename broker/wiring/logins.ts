/** What logins are made of, and how accounts reach those who are logged in. */
import type { Logger } from 'pino'
import type { Config } from '../../schemas/config.js'
import { isUserId } from '../../schemas/ids.js'
import { WEB_PATHS } from '../../schemas/web-paths.js'
import { Accounts } from '../auth/accounts.js'
import { createAuthenticator } from '../auth/authenticator.js'
import { Backend } from '../auth/backend.js'
import { bothOf, type HookOptions, loadHooks, noHooks, runHooks } from '../auth/hooks.js'
import { Keys } from '../auth/keys.js'
import { LoginCodes } from '../auth/login-codes.js'
import { Logins } from '../auth/logins.js'
import type { Oidc } from '../auth/oidc.js'
import { PasswordResets } from '../auth/password-resets.js'
import { Passwords } from '../auth/passwords.js'
import type { AuthHooks, RefusedLogin } from '../auth/principal.js'
import { Proofs } from '../auth/proofs.js'
import { Registration } from '../auth/registration.js'
import { RemoteKeys } from '../auth/remote-keys.js'
import { SealedState } from '../auth/sealed-state.js'
import { SecondFactors } from '../auth/second-factor.js'
import { SecretBox } from '../auth/secret-box.js'
import { LoginThrottle, NetworkThrottle } from '../auth/throttle.js'
import { deriveKey, loadLoginKey, loadTokenKeys, TokenVerifier } from '../auth/tokens.js'
import { type EndSessions, endAfterAnswer } from '../chat/model/session-endings.js'
import { namesOf } from '../store/persons.js'
import type { Store } from '../store/store.js'
import type { Context } from './context.js'

/** Wrong codes of one user before more are refused, and for how long (ms) at first: a code is one of a million, three are good. */
const CODE_LIMITS = { attempts: 5, window: 900_000 }

/** Names of keys derived from the secret. */
const SECOND_FACTOR_KEY = 'topictalk-second-factor'
const OIDC_KEY = 'topictalk-oidc'

/** What accounts have beside a password. */
export async function makeAccountServices({ auth, node }: Config, store: Store, accounts: Accounts) {
  const secretBox = new SecretBox(await deriveKey(auth.jwt, node.dataDir, SECOND_FACTOR_KEY))
  const resets = new NetworkThrottle(store, 'resetFailuresFrom', perNetwork(auth.throttle))
  return {
    secondFactors: new SecondFactors({ store, secretBox, limits: CODE_LIMITS }),
    passwordResets: new PasswordResets({ store, accounts, throttle: resets }),
  }
}

/** For attempts that name no user. */
export function perNetwork({ attempts, addressAttempts, window }: Config['auth']['throttle']) {
  return { attempts: Math.min(attempts, addressAttempts), window }
}

/** Who puts a password or a token where the name belongs is not shown in the log. */
function nameForLog(username: string | undefined): string | undefined {
  return username === undefined || isUserId(username)
    ? username
    : `(${username.length} characters that are no user name)`
}

/** Who may log in, and how. `given`: hooks of the application that runs the broker. */
export async function makeLogins(
  { config, log, refusals, counters }: Context,
  store: Store,
  end: EndSessions,
  given?: AuthHooks,
) {
  const { auth, node } = config
  const refused = ({ user, ...login }: RefusedLogin): void => {
    counters.add(`login.${login.reason}`)
    refusals.note('login refused', login.address, { user: nameForLog(user), ...login })
  }
  const backend = new Backend(auth.http, {
    onFault: (question, error) =>
      log.warn({ err: error, question }, 'auth.http gave no answer; it counts as a refusal'),
  })
  const asked: HookOptions = {
    timeout: auth.hooksTimeout,
    onFault: (hook, error) => log.warn({ err: error, hook }, 'an auth hook failed; it counts as a refusal'),
  }
  const module = await loadHooks(auth.hooks, asked)
  const own = given ? runHooks(given, 'hooks', asked) : noHooks
  const hooks = bothOf(bothOf(module, own), backend.hooks)
  const passwords = new Passwords({ concurrency: auth.maxConcurrentHashes })
  const accounts = new Accounts(store, passwords)
  const tokenKeys = await loadTokenKeys(auth.jwt, node.dataDir)
  tokenKeys.set(...(await loadLoginKey(auth.jwt, node.dataDir)))
  const tokens = new TokenVerifier(tokenKeys, auth.jwt, Date.now, remoteKeys(auth.jwt, log))
  const logins = new Logins({
    store,
    sign: (claims) => tokens.signLogin(claims),
    lifetimes: { token: auth.tokenTtl, refresh: auth.refreshTtl },
    grace: auth.refreshGrace,
    ended: (user, login) => endAfterAnswer(end, { user, deleteState: true, login }),
  })
  const accountServices = await makeAccountServices(config, store, accounts)
  const keys = new Keys({
    store,
    perUser: config.limits.keysPerUser,
    perBot: config.limits.keysPerBot,
    ended: (user, login) => endAfterAnswer(end, { user, deleteState: false, login }),
  })
  const throttle = new LoginThrottle(store, 'login', auth.throttle)
  const authenticator = createAuthenticator({
    catchUp: () => store.catchUp(),
    anonymous: auth.anonymous,
    directory: store.directory,
    accounts,
    passwords,
    tokens,
    throttle,
    // What is shown there is no guess at an account.
    renewals: new LoginThrottle(store, 'renewal', { ...auth.throttle, accountAttempts: undefined }),
    refused,
    hooks,
    logins,
    secondFactors: accountServices.secondFactors,
    keys,
    x509: auth.x509,
    adopt: auth.oidc.linkExisting,
    backend: backend.answersLogins ? backend : null,
  })
  const proofs = new Proofs({ refused, throttle })
  const { registrations: attempts, window } = auth.throttle
  const registrations = new NetworkThrottle(store, 'registrationsFrom', { attempts, window })
  const registration = new Registration({ store, accounts, mode: () => auth.registration, throttle: registrations })
  const loginCodes = new LoginCodes(store)
  const oidc = auth.oidc.issuer === null ? null : await makeOidc(config, log)
  const managed = endingLogins(accounts, store, end)
  const checked = { authenticator, refused, proofs }
  return { hooks, accounts, managed, ...checked, logins, keys, registration, loginCodes, oidc, ...accountServices }
}

export type LoginServices = Awaited<ReturnType<typeof makeLogins>>

async function makeOidc({ auth, node, web }: Config, log: Logger): Promise<Oidc> {
  const { LOGIN_LIFETIME, Oidc } = await import('../auth/oidc.js')
  const seal = new SealedState(new SecretBox(await deriveKey(auth.jwt, node.dataDir, OIDC_KEY)), LOGIN_LIFETIME)
  const { returnTo, redirectUri } = auth.oidc
  const own = web.enabled ? [new URL(WEB_PATHS.logIn, redirectUri!).href] : []
  const oidc = { ...auth.oidc, returnTo: [...returnTo, ...own] }
  return new Oidc(oidc, { seal, onFault: (err) => log.warn({ err }, 'a login by auth.oidc failed') })
}

function remoteKeys({ jwks, jwksMaxAge, jwksCooldown }: Config['auth']['jwt'], log: Logger): RemoteKeys | null {
  if (jwks === null) return null
  const onFault = (err: Error): void =>
    log.warn({ err, url: jwks }, 'auth.jwt.jwks cannot be read; the keys of before stay good')
  return new RemoteKeys({ url: jwks, maxAge: jwksMaxAge, cooldown: jwksCooldown, onFault })
}

/** Accounts whose changes reach the people who are logged in: a new password or a suspension ends their sessions. */
function endingLogins(accounts: Accounts, store: Store, end: EndSessions) {
  return {
    add: accounts.add.bind(accounts),
    list: accounts.list.bind(accounts),
    get: accounts.get.bind(accounts),
    page: accounts.page.bind(accounts),
    setRoles: accounts.setRoles.bind(accounts),
    resume: accounts.resume.bind(accounts),
    setPassword: async (user: string, password: string) => {
      const account = await accounts.setPassword(user, password)
      end({ user, deleteState: false })
      return account
    },
    suspend: async (user: string, by: string, reason: string | null) => {
      const account = await accounts.suspend(user, by, reason)
      for (const name of namesOf(store.directory, user)) end({ user: name, deleteState: false })
      return account
    },
  }
}
