import type { X509Certificate } from 'node:crypto'
import type { Identity } from './identity.js'

/** Who a connection or request acts for, once authenticated. */
export interface Principal {
  readonly user: string
  readonly roles: ReadonlySet<string>
  /** True for the shared user `anonymous`: only `acl.rules` speak for it. */
  readonly anonymous: boolean
  /** Unix ms at which the login ends (token expiry); null: never by itself. */
  readonly expiresAt: number | null
  /** Unix ms: when the token was made, or the password was shown. */
  readonly issuedAt?: number
  /** The login or API key behind it, where the broker keeps that; null or absent: none. */
  readonly login?: string | null
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
}

/** A token on its own: what the method JWT of MQTT 5 and `auth.refresh` present. */
export interface TokenCredentials {
  /** Whose token it must be; undefined or empty: anyone's. */
  readonly username: string | undefined
  readonly token: string
  readonly clientId: string
  readonly address: string
  readonly certificate?: X509Certificate | undefined
}

export type LoginRefusal = 'bad_credentials' | 'not_authorized' | 'throttled' | 'unavailable'

export type Login =
  | { readonly ok: true; readonly principal: Principal }
  /** `detail` is for the log, never for the client. */
  | { readonly ok: false; readonly refusal: LoginRefusal; readonly detail: string }

export interface Authenticator {
  login(credentials: Credentials): Promise<Login>
  loginByToken(credentials: TokenCredentials): Promise<Login>
  /** With the password of an account and nothing else, such as a token. Whether a second factor is asked for is up to the caller. */
  loginByPassword(credentials: Credentials): Promise<Login>
  /** Whom an identity provider vouched for just now. */
  loginByIdentity(identity: Identity & { clientId: string; address: string }): Promise<Login>
  /** Whether nothing took back meanwhile what a login rests on. */
  stands(principal: Principal): Promise<boolean>
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
