import type { X509Certificate } from 'node:crypto'
import type { Identity } from './identity.js'

/** Who a connection or request acts for, once authenticated. */
export interface Principal {
  readonly user: string
  readonly roles: ReadonlySet<string>
  /** How the roles come from those of the account, whose changes they follow; absent: from elsewhere, such as a claim of a token. */
  readonly ofAccount?: RolesOfAccount
  /** True for the shared user `anonymous`: only `acl.rules` speak for it. */
  readonly anonymous: boolean
  /** Unix ms at which the login ends (token expiry); null: never by itself. */
  readonly expiresAt: number | null
  /** Unix ms: when the token was made, or the password was shown. */
  readonly issuedAt?: number
  /** Absent: it did not log in with an API key. */
  readonly byKey?: true
  /** The login or API key behind it, where the broker keeps that; null or absent: none. */
  readonly login?: string | null
}

/** All roles of the account, unless it says less or more. */
export interface RolesOfAccount {
  /** These at most. */
  readonly only?: readonly string[]
  /** These in any case. */
  readonly plus?: readonly string[]
}

/** The roles of a principal whose account has these. */
export function rolesOf({ only, plus = [] }: RolesOfAccount, account: readonly string[]): Set<string> {
  return new Set([...account.filter((role) => only?.includes(role) ?? true), ...plus])
}

export function sameRoles(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((role) => other.has(role))
}

/** What a client presents. */
export interface Credentials {
  readonly username: string | undefined
  readonly password: Buffer | undefined
  readonly clientId: string
  /** Remote address, for throttling and the log. */
  readonly address: string
  /** Of the client, where it showed one at its connection that is good. */
  readonly certificate?: X509Certificate | undefined
  readonly door: DoorName
}

/** A token on its own: what the method JWT of MQTT 5 and `auth.refresh` present. */
export interface TokenCredentials {
  /** Whose token it must be; undefined or empty: anyone's. */
  readonly username: string | undefined
  readonly token: string
  readonly clientId: string
  readonly address: string
  readonly certificate?: X509Certificate | undefined
  readonly door: DoorName
}

export type LoginRefusal = 'bad_credentials' | 'not_authorized' | 'suspended' | 'throttled' | 'unavailable'

export type Login =
  | { readonly ok: true; readonly principal: Principal }
  /** `detail` is for the log, never for the client. `retryAfter`: seconds, of one that is throttled. */
  | { readonly ok: false; readonly refusal: LoginRefusal; readonly detail: string; readonly retryAfter?: number }

/** Why a login that is good was refused, of hooks that plugins set; `auth.hooks` are the authenticator's. */
export const REFUSED_BY_HOOK = 'refused by the authenticate hook'

/** Which door a login is asked for at. */
export type DoorName = 'mqtt' | 'http'

export interface Authenticator {
  login(credentials: Credentials): Promise<Login>
  loginByToken(credentials: TokenCredentials): Promise<Login>
  /** With the password of an account and nothing else, such as a token. Whether a second factor is asked for is up to the caller. */
  loginByPassword(credentials: Credentials): Promise<Login>
  /** Whom an identity provider vouched for just now. */
  loginByIdentity(identity: Identity & { clientId: string; address: string }): Promise<Login>
  /** Whether nothing took back meanwhile what a login rests on. */
  stands(principal: Principal): Promise<boolean>
  /** The same principal with the roles it has now; null: what it rests on was taken back, or was over `at` (Unix ms; left out: now). */
  asOfNow(principal: Principal, at?: number): Promise<Principal | null>
  /** A new token for a login that goes on: of that user, and throttled, as a failure may cost the client nothing. */
  renew(credentials: TokenCredentials & { username: string }): Promise<Login>
}

/** What `acl.rules` say about topics outside rooms, users and broadcast. Rules are matched first to last; nothing matched denies. */
export interface Acl {
  mayPublish(who: Principal, clientId: string, topic: string): boolean
  /** Whether a message on this very topic may be delivered. */
  mayReceive(who: Principal, clientId: string, topic: string): boolean
  /** Whether a message on this very topic could be delivered to some login of the user: which roles it has is not known. */
  couldReceive(user: string, clientId: string, topic: string): boolean
  /**
   * `all`: every topic the filter can match is allowed, no check at delivery needed. `some`: some topic it could match may be
   * allowed, so each delivery is checked. `none`: the first rule that covers the filter denies, or no rule allows any topic of it.
   */
  maySubscribe(who: Principal, clientId: string, filter: string): 'all' | 'some' | 'none'
}

/**
 * The module named by `auth.hooks` (DESIGN §2): each function may only narrow what TopicTalk allows. A rejection, an exception, a value
 * other than true, or no answer before the deadline denies.
 */
export interface AuthHooks {
  authenticate?(login: { user: string; roles: string[]; clientId: string; address: string }): boolean | Promise<boolean>
  authorizePublish?(request: {
    user: string
    roles: string[]
    clientId: string
    topic: string
    payload: Buffer
  }): boolean | Promise<boolean>
  authorizeSubscribe?(request: {
    user: string
    roles: string[]
    clientId: string
    filter: string
  }): boolean | Promise<boolean>
}
