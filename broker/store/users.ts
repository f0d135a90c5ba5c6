/** Users, and records kept for each. */

export interface UserRecord {
  id: string
  roles: string[]
  /** argon2id in PHC form; null for users known by token only. */
  passwordHash: string | null
  createdAt: number
  /** Drawn when the account is made, so that it can be told from an earlier one of the name; absent in accounts of earlier versions. */
  accountId?: string
  /** Unix ms; tokens issued to the user before are void. */
  tokensValidFrom?: number
  /** How often everything issued to the user was revoked; absent: never. */
  revocations?: number
  /** The identity at an OpenID provider; absent: the account is not linked. */
  external?: string
  /** While set, the user cannot log in. */
  suspended?: Suspension
}

/** To what is bound what was verified, and what is issued, for a user. */
export interface AccountVersion {
  /** Drawn when the account was made. */
  readonly id: string
  /** How often everything issued to the user was revoked. */
  readonly revocations: number
}

export interface Suspension {
  /** Unix ms. */
  at: number
  /** Who suspended the user; `system`: by the command line. */
  by: string
  reason: string | null
}

/** A user's public profile. */
export interface ProfileRecord {
  user: string
  name: string | null
  avatar: string | null
  fields: Record<string, string | number | boolean | null>
  /** Unix ms; null: never changed. */
  updatedAt: number | null
}

/** `user` blocks `blocked`. */
export interface BlockRecord {
  user: string
  blocked: string
  /** Unix ms. */
  at: number
}
