/**
 * Limits on what a session that logged in with an API key may create. A key has one purpose and may leak; so a credential created with it
 * has no more roles and no longer life than the key, and belongs to the same user. Other logins are not limited here.
 */
import { Refusal } from '../../../schemas/errors.js'
import type { Actor } from './actor.js'

/** Seconds that a bot's key lives if it is created with a key that has no expiry. */
const MAX_BOT_KEY_LIFE = 30 * 86_400

export function requireNoKey({ principal }: Actor, what: string): void {
  if (principal.byKey) throw new Refusal('forbidden', `a key ${what}; log in with a password or a token`)
}

/** Life of a new credential in seconds: `expiresIn` (null: no expiry), at most the remaining life of the key that creates it. */
export function limitedLife<T extends number | null>({ principal }: Actor, expiresIn: T): T | number {
  const { byKey, expiresAt } = principal
  if (!byKey || expiresAt === null) return expiresIn
  const left = Math.max(1, Math.floor((expiresAt - Date.now()) / 1000))
  return expiresIn === null ? left : Math.min(expiresIn, left)
}

/** The same for the key of a bot; created with a key, it always expires. */
export function botKeyLife(actor: Actor, expiresIn: number | null): number | null {
  if (!actor.principal.byKey) return expiresIn
  return Math.min(limitedLife(actor, expiresIn) ?? MAX_BOT_KEY_LIFE, MAX_BOT_KEY_LIFE)
}

/** A key may only give roles it has itself, and never `admin`. @throws Refusal `forbidden`. */
export function requireWithinRoles({ principal }: Actor, roles: readonly string[]): void {
  if (!principal.byKey) return
  const beyond = roles.find((role) => role === 'admin' || !principal.roles.has(role))
  if (beyond !== undefined)
    throw new Refusal('forbidden', `a key does nothing for the role ${beyond}; log in with a password or a token`)
}
