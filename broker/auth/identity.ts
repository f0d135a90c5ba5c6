/** Who an identity provider says someone is, as a user of this broker. */
import { Refusal } from '../../schemas/errors.js'
import { isAccountName } from '../../schemas/ids.js'

export interface Identity {
  readonly user: string
  /** The provider and the name that never changes there: what an account is linked to. */
  readonly external: string
  /** Null: those of the account stay. */
  readonly roles: readonly string[] | null
}

export interface ClaimNames {
  readonly userClaim: string
  readonly rolesClaim: string | null
}

type Claims = Readonly<Record<string, unknown>>

const MAX_ROLES = 64

/** Throws a refusal (`forbidden`) where the claims name nobody who could be a user. */
export function identityOf(claims: Claims & { iss: string; sub: string }, names: ClaimNames): Identity {
  const { userClaim, rolesClaim } = names
  const value = claims[userClaim]
  if (typeof value !== 'string' || value === '') throw new Refusal('forbidden', `the provider names no ${userClaim}`)
  if (userClaim === 'email' && claims['email_verified'] !== true)
    throw new Refusal('forbidden', 'the provider has not verified the mail address')
  const user = userNameOf(value)
  if (!isAccountName(user)) throw new Refusal('forbidden', `${JSON.stringify(value.slice(0, 200))} cannot be a user`)
  return {
    user,
    external: `${claims.iss}#${claims.sub}`,
    roles: rolesClaim === null ? null : rolesOf(claims[rolesClaim]),
  }
}

/**
 * A name as a user id: what is no character of one becomes `~` and the two hex digits of each of its bytes, `~` itself too, so that two
 * names never become one. A first character that cannot begin a user id has `u~` before it.
 */
export function userNameOf(value: string): string {
  const safe = value.replace(/[^A-Za-z0-9._@|-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `~${byte.toString(16).padStart(2, '0')}`).join(''),
  )
  return /^[A-Za-z0-9]/.test(safe) ? safe : `u~${safe}`
}

const ROLE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/

/** What cannot be a role is none; nor is what comes in any other form than a list. */
function rolesOf(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  return value.filter((item): item is string => typeof item === 'string' && ROLE.test(item)).slice(0, MAX_ROLES)
}
