/** Credentials other than a password: logins that can be refreshed, API keys, invitations and password resets. */

/** A refreshable login, an API key, an invitation to register, or a password reset token. */
export type CredentialKind = 'login' | 'key' | 'invite' | 'reset'

/** A refresh token that is valid. */
export interface RefreshHead {
  readonly hash: string
  /** Hash of the token it was issued for; null: issued at the login. */
  readonly previous: string | null
  /** Unix ms of the first use of that token. */
  readonly at: number
  /** Unix ms at which this token expires. */
  readonly expiresAt: number
}

/** A refresh token that was used, one of whose successors was used too. */
export interface UsedToken {
  readonly hash: string
  /** Unix ms of its first use. */
  readonly at: number
}

/** A secret that is used instead of a password; only its hash is stored. */
export interface CredentialRecord {
  user: string
  id: string
  kind: CredentialKind
  hash: string
  /** The account it was issued to (auth/account-version.ts), not an earlier or later one of the name; absent in records of earlier versions. */
  accountId?: string
  /** Of a login or a password reset: `revocations` of the account; it is void after the next one. */
  revocations?: number
  /** Of a login: hash of the refresh token that the current one replaced. */
  previous: string | null
  /** Of a login: all valid refresh tokens, newest first; absent: only the one of `hash`. */
  heads?: RefreshHead[]
  /** Of a login: refresh tokens used within `auth.refreshGrace`, newest first. They may be used again as long as it lasts. */
  lately?: UsedToken[]
  /** Of a login: hashes of refresh tokens used before that, newest first. Using one of them again ends the login. */
  had?: string[]
  /** Of a key: the name its owner gave it. */
  name: string | null
  /** Unix ms, like the following. */
  createdAt: number
  /** 0: never used. */
  usedAt: number
  expiresAt: number | null
  /** Of a key: the subset of the user's roles that it grants; absent: all of them. */
  roles?: string[]
  /** Of an invitation: how many more accounts may be registered with it. */
  uses?: number
}
