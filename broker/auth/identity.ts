/** Maps the claims of an identity provider to a user of this broker. */
import { Refusal } from '../../schemas/errors.js'
import { isAccountName } from '../../schemas/ids.js'

export interface Identity {
  readonly user: string
  /** The provider and its immutable subject id: what the account is linked to. */
  readonly external: string
  /** Null: the account keeps its roles. */
  readonly roles: readonly string[] | null
}

export interface ClaimNames {
  readonly userClaim: string
  readonly rolesClaim: string | null
}

type Claims = Readonly<Record<string, unknown>>

const MAX_ROLES = 64

/** Throws a refusal (`forbidden`) if the claims name no possible user. */
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
 * Encodes a name as a user id: each byte of a character that ids do not allow, and of `~` itself, becomes `~` and two
 * hex digits, so that no two names collide. If the first character cannot begin an id, `u~` is put before it.
 */
export function userNameOf(value: string): string {
  const safe = value.replace(/[^A-Za-z0-9._@|-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `~${byte.toString(16).padStart(2, '0')}`).join(''),
  )
  return /^[A-Za-z0-9]/.test(safe) ? safe : `u~${safe}`
}

const ROLE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/

/** Ignores values that are no valid role, and claims that are no list. */
function rolesOf(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  return value.filter((item): item is string => typeof item === 'string' && ROLE.test(item)).slice(0, MAX_ROLES)
}
