/** What logins are made of, and how accounts reach those who are logged in. */
import type { Logger } from 'pino'
import type { Config } from '../schemas/config.js'
import { Accounts } from './auth/accounts.js'
import { createAuthenticator } from './auth/authenticator.js'
import { loadHooks } from './auth/hooks.js'
import { Keys } from './auth/keys.js'
import { Logins } from './auth/logins.js'
import { Passwords } from './auth/passwords.js'
import { Registration } from './auth/registration.js'
import { LoginThrottle } from './auth/throttle.js'
import { loadLoginKey, loadTokenKeys, Tokens } from './auth/tokens.js'
import { endAfterAnswer } from './chat/endings.js'
import type { Signal } from './chat/signals.js'
import type { LocalBus } from './store/bus.js'
import type { Store } from './store/store.js'

/** Who may log in, and how. */
export async function makeLogins(
  config: Config,
  { store, bus, log }: { store: Store; bus: LocalBus<Signal>; log: Logger },
) {
  const { auth, node } = config
  const hooks = await loadHooks(auth.hooks, {
    timeout: auth.hooksTimeout,
    onFault: (hook, error) => log.warn({ err: error, hook }, 'an auth hook failed; it counts as a refusal'),
  })
  const passwords = new Passwords({ concurrency: auth.maxConcurrentHashes })
  const accounts = new Accounts(store, passwords)
  const tokenKeys = await loadTokenKeys(auth.jwt, node.dataDir)
  const tokens = new Tokens(tokenKeys.set(...(await loadLoginKey(auth.jwt, node.dataDir))), auth.jwt)
  const logins = new Logins({
    store,
    sign: (claims) => tokens.signLogin(claims),
    lifetimes: { token: auth.tokenTtl, refresh: auth.refreshTtl },
    ended: (user, login) => endAfterAnswer({ store, bus }, { kind: 'logout', user, forget: true, login }),
  })
  const keys = new Keys({
    store,
    perUser: config.limits.keysPerUser,
    ended: (user, login) => endAfterAnswer({ store, bus }, { kind: 'logout', user, forget: false, login }),
  })
  const authenticator = createAuthenticator({
    anonymous: auth.anonymous,
    directory: store.directory,
    accounts,
    passwords,
    tokens,
    throttle: new LoginThrottle(auth.throttle),
    renewals: new LoginThrottle(auth.throttle),
    hooks,
    logins,
    keys,
  })
  const { registrations, window } = auth.throttle
  const throttle = new LoginThrottle({ attempts: registrations, addressAttempts: registrations, window })
  const registration = new Registration({ store, accounts, mode: auth.registration, throttle })
  return { hooks, accounts, authenticator, logins, keys, registration }
}

/** Accounts whose changes reach the people who are logged in: a new password ends their sessions, a removal their memberships too. */
export function endingLogins(accounts: Accounts, remove: (user: string) => Promise<void>, bus: LocalBus<Signal>) {
  return {
    add: accounts.add.bind(accounts),
    list: accounts.list.bind(accounts),
    setPassword: async (user: string, password: string) => {
      const account = await accounts.setPassword(user, password)
      bus.send({ kind: 'logout', user, forget: false })
      return account
    },
    remove,
  }
}
