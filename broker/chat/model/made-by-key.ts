/**
 * What an API key may make. A key is for one purpose and may be lost; so what comes out of it has no more roles and no longer life than
 * the key, and is nobody else's. Who asks with anything but a key is not held back here.
 */
import { Refusal } from '../../../schemas/errors.js'
import type { Actor } from './actor.js'

/** Seconds that a key for a bot lives where a key without an end made it. */
const BOT_KEY_LIVES = 30 * 86_400

export function requireNoKey({ principal }: Actor, what: string): void {
  if (principal.byKey) throw new Refusal('forbidden', `a key ${what}; log in with a password or a token`)
}

/** Seconds: those asked for (null: without end), or what is left of the key's own time. */
export function withinLife<T extends number | null>({ principal }: Actor, expiresIn: T): T | number {
  const { byKey, expiresAt } = principal
  if (!byKey || expiresAt === null) return expiresIn
  const left = Math.max(1, Math.floor((expiresAt - Date.now()) / 1000))
  return expiresIn === null ? left : Math.min(expiresIn, left)
}

/** The same of a key for a bot, which has an end in any case. */
export function lifeForBot(actor: Actor, expiresIn: number | null): number | null {
  if (!actor.principal.byKey) return expiresIn
  return Math.min(withinLife(actor, expiresIn) ?? BOT_KEY_LIVES, BOT_KEY_LIVES)
}

/** Roles that are given, or those of whom a credential is made for: a key has them itself, and admins are not made by keys. */
export function requireWithinRoles({ principal }: Actor, roles: readonly string[]): void {
  if (!principal.byKey) return
  const beyond = roles.find((role) => role === 'admin' || !principal.roles.has(role))
  if (beyond !== undefined)
    throw new Refusal('forbidden', `a key does nothing for the role ${beyond}; log in with a password or a token`)
}
