/** Credentials other than a password: logins that can be refreshed, API keys, invitations and password resets. */

/** A refreshable login, an API key, an invitation to make an account, or what sets a new password once. */
export type CredentialKind = 'login' | 'key' | 'invite' | 'reset'

/** A refresh token that is good. */
export interface RefreshHead {
  readonly hash: string
  /** Hash of the one it was given for; null: it was given at the login. */
  readonly previous: string | null
  /** Unix ms at which that one was shown first. */
  readonly at: number
  /** Unix ms at which this one ends. */
  readonly expiresAt: number
}

/** Something to show in place of a password, known by its hash. */
export interface CredentialRecord {
  user: string
  id: string
  kind: CredentialKind
  hash: string
  /** Of a login: hash of the refresh token that the current one took the place of. */
  previous: string | null
  /** Of a login: every refresh token that is good, newest first; absent: the one of `hash`. */
  heads?: RefreshHead[]
  /** Of a login: hashes of refresh tokens that were, newest first. */
  had?: string[]
  /** Of a key: what its owner calls it. */
  name: string | null
  /** Unix ms, like the following. */
  createdAt: number
  /** 0: never. */
  usedAt: number
  expiresAt: number | null
  /** Of a key: what it is good for, of the roles of its user; absent: for all. */
  roles?: string[]
  /** Of an invitation: how many more accounts it makes. */
  uses?: number
}
