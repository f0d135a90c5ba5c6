import type { X509Certificate } from 'node:crypto'
import type { AccountVersion } from '../store/users.js'
import type { Identity } from './identity.js'

/** The authenticated user that a connection or request acts for. */
export interface Principal {
  readonly user: string
  readonly roles: ReadonlySet<string>
  /**
   * How the roles derive from those of the account, so that they follow its changes; absent: they come from elsewhere,
   * such as a token's claim.
   */
  readonly ofAccount?: RolesOfAccount
  /** True for the shared user `anonymous`, for whom only `acl.rules` apply. */
  readonly anonymous: boolean
  /** Unix ms at which the login expires; null: never. */
  readonly expiresAt: number | null
  /**
   * The account as it was when it was verified: the principal is void when the account is removed, or all that was issued to it revoked.
   * Absent: there is none, or the will of an earlier version does not say it.
   */
  readonly account?: AccountVersion
  /** Unix ms: when the token was issued, or the password verified. */
  readonly issuedAt?: number
  /** Set if it logged in with an API key. */
  readonly byKey?: true
  /** Id of the refreshable login or API key; null or absent: neither. */
  readonly login?: string | null
}

/** All roles of the account, unless restricted or extended. */
export interface RolesOfAccount {
  /** At most these. */
  readonly only?: readonly string[]
  /** These in addition. */
  readonly plus?: readonly string[]
}

/** The roles of a principal whose account has these. */
export function rolesOf({ only, plus = [] }: RolesOfAccount, account: readonly string[]): Set<string> {
  return new Set([...account.filter((role) => only?.includes(role) ?? true), ...plus])
}

export function sameRoles(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((role) => other.has(role))
}

/** What a client presents at a login. */
export interface Credentials {
  readonly username: string | undefined
  readonly password: Buffer | undefined
  readonly clientId: string
  /** Remote address, for throttling and the log. */
  readonly address: string
  /** The verified client certificate of the connection, if any. */
  readonly certificate?: X509Certificate | undefined
  readonly door: LoginProtocol
}

/** A token without a password field: the authentication method JWT of MQTT 5, and `auth.refresh`. */
export interface TokenCredentials {
  /** The user the token must be for; undefined or empty: any. */
  readonly username: string | undefined
  readonly token: string
  readonly clientId: string
  readonly address: string
  readonly certificate?: X509Certificate | undefined
  readonly door: LoginProtocol
}

export type LoginRefusal = 'bad_credentials' | 'not_authorized' | 'suspended' | 'throttled' | 'unavailable'

export interface RefusedLogin {
  /** The name the client gave; undefined: none. */
  readonly user: string | undefined
  readonly address: string
  readonly door: LoginProtocol
  readonly reason: LoginRefusal
  readonly why: string
}

export type Login =
  | { readonly ok: true; readonly principal: Principal }
  /** `detail` is for the log, never for the client. `retryAfter`: seconds, if throttled. */
  | { readonly ok: false; readonly refusal: LoginRefusal; readonly detail: string; readonly retryAfter?: number }

/**
 * The reason logged when a hook set by an Aedes plugin refuses a valid login; `auth.hooks` are called by the
 * authenticator.
 */
export const REFUSED_BY_HOOK = 'refused by the authenticate hook'

/** Over which protocol a login is requested. */
export type LoginProtocol = 'mqtt' | 'http'

export interface Authenticator {
  login(credentials: Credentials): Promise<Login>
  loginByToken(credentials: TokenCredentials): Promise<Login>
  /** Accepts only the password of an account, no token. The caller handles the second factor. */
  loginByPassword(credentials: Credentials): Promise<Login>
  /** Logs in a user whom an identity provider has just verified. */
  loginByIdentity(identity: Identity & { clientId: string; address: string }): Promise<Login>
  /** Whether the login has not been revoked since. */
  isStillValid(verified: Pick<Principal, 'user' | 'account' | 'issuedAt' | 'login'>): Promise<boolean>
  /** The principal with its current roles; null: its login was revoked, or had expired `at` (Unix ms; default: now). */
  revalidate(principal: Principal, at?: number): Promise<Principal | null>
  /**
   * A principal that was verified a while ago (`at`: Unix ms), when it begins to act. Within a second only its account is looked at. Null: it
   * is not valid any more.
   */
  recheck(principal: Principal, at: number): Promise<Principal | null>
  /** Renews a live login with a new token of the same user. Throttled; a failure does not end the login. */
  renew(credentials: TokenCredentials & { username: string }): Promise<Login>
}

/**
 * Decides by `acl.rules` about topics outside rooms, users and broadcast. The first matching rule counts; without one,
 * access is denied.
 */
export interface Acl {
  mayPublish(who: Principal, clientId: string, topic: string): boolean
  /** Whether a message on this topic may be delivered. */
  mayReceive(who: Principal, clientId: string, topic: string): boolean
  /** Whether a message on this topic could be delivered to some login of the user, whose roles are not known. */
  couldReceive(user: string, clientId: string, topic: string): boolean
  /**
   * `all`: every topic that the filter matches is allowed, so delivery needs no check. `some`: some may be allowed, so
   * each delivery is checked. `none`: the first rule that covers the filter denies, or no rule allows any of its
   * topics.
   */
  maySubscribe(who: Principal, clientId: string, filter: string): 'all' | 'some' | 'none'
}

/**
 * The module named by `auth.hooks` (DESIGN §2): each function can only deny what TopicTalk allows. A rejection, an
 * exception, a value other than true, or no answer before the deadline denies.
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
  /**
   * Whether an uploaded file may be served: true, or false to block it. Anything else, or no answer within `media.scan.timeout`, is no
   * verdict (`media.scan.onFailure`). `path`: where its bytes are; they must not be changed.
   */
  scanFile?(file: {
    file: string
    user: string
    name: string | null
    mime: string
    size: number
    hash: string
    path: string
  }): boolean | Promise<boolean>
}
