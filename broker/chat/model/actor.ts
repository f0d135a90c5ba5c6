import { Refusal } from '../../../schemas/errors.js'
import type { Principal } from '../../auth/principal.js'

/** On whose behalf something is done. */
export interface Actor {
  readonly principal: Principal
  /** MQTT client id; empty where there is none. */
  readonly clientId: string
  /** `{user}/{clientId}` of the asking session, to which replies go first; null: none. */
  readonly sessionId: string | null
  /** Where it comes from, for throttling. */
  readonly address?: string
  /** Of an MQTT 5 request [MQTT5-4.10]. */
  readonly answer?: AnswerTo
  /** It is told of what became of its request where it asked: no reply is published. */
  readonly silent?: boolean
}

/** Where a reply goes instead of `users/{me}/replies`, and what the client knows it by. */
export interface AnswerTo {
  readonly topic: string | null
  readonly correlationData: Buffer | null
}

export function isAdmin(actor: Actor): boolean {
  return actor.principal.roles.has('admin')
}

export function requireAdmin(actor: Actor, why: string): string {
  if (!isAdmin(actor)) throw new Refusal('forbidden', why)
  return requireUser(actor)
}

/** Whoever has the role, and admins. */
export function requireRole(actor: Actor, role: string): void {
  requireUser(actor)
  if (!actor.principal.roles.has(role) && !isAdmin(actor)) throw new Refusal('forbidden', `this needs the role ${role}`)
}

/** Whether what is for these roles is for the actor; null: for everyone. */
export function hasOneOf({ principal }: Actor, roles: readonly string[] | null): boolean {
  return roles === null || roles.some((role) => principal.roles.has(role))
}

/** Anonymous clients have no rooms, no users, no broadcast (DESIGN §2). */
export function requireUser(actor: Actor): string {
  if (actor.principal.anonymous)
    throw new Refusal('unauthorized', 'anonymous clients have no rooms and no users; log in')
  return actor.principal.user
}
