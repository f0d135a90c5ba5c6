/** What the steps of a login share: their dependencies, and their results. */
import type { Config } from '../../schemas/config.js'
import type { Store } from '../store/store.js'
import type { Accounts } from './accounts.js'
import type { Backend } from './backend.js'
import type { HookRunner } from './hooks.js'
import type { Identity } from './identity.js'
import type { Keys } from './keys.js'
import type { Logins } from './logins.js'
import type { Passwords } from './passwords.js'
import type { Login, LoginRefusal, RefusedLogin } from './principal.js'
import type { SecondFactors } from './second-factor.js'
import type { SuspensionStore } from './suspensions.js'
import type { LoginThrottle } from './throttle.js'
import type { TokenVerifier } from './tokens.js'

export interface AuthenticatorDeps {
  /** A login is not decided twice, because attempts are counted: it is decided when memory is up to date. */
  readonly catchUp: Store['catchUp']
  /** Whether clients may connect without credentials. */
  readonly anonymous: boolean
  readonly directory: SuspensionStore
  readonly accounts: Pick<Accounts, 'ensure' | 'link'>
  /** Whether an external identity may be linked to an existing account that has no link. */
  readonly adopt: boolean
  readonly passwords: Passwords
  readonly tokens: TokenVerifier
  readonly throttle: LoginThrottle
  /**
   * Counts failed renewals separately from logins: password guesses by others from the same address must not end live
   * logins.
   */
  readonly renewals: LoginThrottle
  readonly hooks: Pick<HookRunner, 'authenticate'>
  readonly logins: Pick<Logins, 'isStillValid'>
  readonly secondFactors: Pick<SecondFactors, 'isOn'>
  readonly x509: Config['auth']['x509']
  /** Asked about users the broker does not know itself; null: no backend is configured. */
  readonly backend: Pick<Backend, 'login'> | null
  readonly keys: Pick<Keys, 'check'>
  /** Called for every refused login, for the log. */
  readonly refused?: (login: RefusedLogin) => void
  readonly now?: () => number
}

/**
 * `atFirstSight`: the user is vouched for by others, and is created if missing. `linkedTo`: the account must belong to
 * this identity.
 */
export type Identified = Login & { readonly atFirstSight?: true; readonly linkedTo?: Identity }

export function refuse(refusal: LoginRefusal, detail: string): Login {
  return { ok: false, refusal, detail }
}

export function throttled(username: string, address: string, retryAfter: number): Login & { ok: false } {
  const detail = `too many failed logins of ${username} or from ${address}`
  return { ok: false, refusal: 'throttled', detail, retryAfter }
}
