/** Users, and what is kept of each. */

export interface UserRecord {
  id: string
  roles: string[]
  /** argon2id in PHC form; null for users known by token only. */
  passwordHash: string | null
  createdAt: number
  /** Unix ms; what was issued to the user before is void. */
  tokensValidFrom?: number
  /** Who it is at an identity provider; absent: the account is linked to none. */
  external?: string
  /** Nobody logs in as the user until that is taken back. */
  suspended?: Suspension
}

export interface Suspension {
  /** Unix ms. */
  at: number
  /** Who did it; `system`: on the command line. */
  by: string
  reason: string | null
}

export interface PresenceRecord {
  user: string
  online: boolean
  status: string | null
  away: boolean
  /** Unix ms. */
  lastSeen: number
}

/** How a user shows itself. */
export interface ProfileRecord {
  user: string
  name: string | null
  avatar: string | null
  fields: Record<string, string | number | boolean | null>
  /** Unix ms; null: never changed. */
  updatedAt: number | null
}

/** `user` wants nothing of `blocked`. */
export interface BlockRecord {
  user: string
  blocked: string
  /** Unix ms. */
  at: number
}
