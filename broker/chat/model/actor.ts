import { Refusal } from '../../../schemas/errors.js'
import { SYSTEM } from '../../../schemas/ids.js'
import { type ForAccount, requireSameAccount } from '../../auth/account-version.js'
import type { Principal } from '../../auth/principal.js'
import { requireValid } from '../../auth/validity.js'
import type { DirectoryStore } from '../../store/directory.js'

/** The user on whose behalf a publish or a request is handled, and the session it came from. */
export interface Actor {
  readonly principal: Principal
  /** MQTT client id; empty where there is none. */
  readonly clientId: string
  /** `{user}/{clientId}` of the asking session, which gets the reply if it subscribes to replies; null: there is no session (HTTP). */
  readonly sessionId: string | null
  /** Network address of the client, for throttling. */
  readonly address?: string
  /** Set for an MQTT 5 request that names a response topic [MQTT5-4.10]. */
  readonly answer?: AnswerTo
  /** No reply is published, because the caller returns the result itself (HTTP, or a publish made by a request). */
  readonly silent?: boolean
  /** Set once its account has changed: resolves when `principal` is as the account is now. */
  readonly rechecking?: Promise<unknown>
}

/** Response topic of an MQTT 5 request, used in place of `users/{me}/replies`, and its correlation data. */
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

/** The user of whom an actor asks: others are for admins. @param what What is asked for, such as `sessions` */
export function whose(actor: Actor, user: string | undefined, what: string): string {
  const me = requireUser(actor)
  if (user === undefined || user === me) return me
  requireAdmin(actor, `the ${what} of others are for admins`)
  return user
}

/** @throws Refusal `forbidden` unless the actor has the role or is an admin. */
export function requireRole(actor: Actor, role: string): void {
  requireUser(actor)
  if (!actor.principal.roles.has(role) && !isAdmin(actor)) throw new Refusal('forbidden', `this needs the role ${role}`)
}

/** Whether the actor has one of `roles`; null: every actor qualifies. */
export function hasOneOf({ principal }: Actor, roles: readonly string[] | null): boolean {
  return roles === null || roles.some((role) => principal.roles.has(role))
}

/** Returns the user. Anonymous clients have no rooms, users or broadcast (DESIGN §2). @throws Refusal `unauthorized` for them. */
export function requireUser(actor: Actor): string {
  if (actor.principal.anonymous)
    throw new Refusal('unauthorized', 'anonymous clients have no rooms and no users; log in')
  return actor.principal.user
}

/**
 * For a decision that issues something, or gives up what was issued: the actor still has the account and the login. A session is ended by what
 * voids its login, so it only has to have the account; a request over HTTP can have waited since it was verified. @throws Refusal
 * `unauthorized`
 */
export async function requireCurrent(
  directory: Parameters<typeof requireValid>[0],
  { principal, sessionId }: Actor,
): Promise<void> {
  if (sessionId === null) await requireValid(directory, principal, Date.now())
  else await requireSameAccount(directory, principal)
}

/**
 * For a decision that writes something in the name of a user: the account must still be there, so that nothing is left to who takes the name
 * next. @throws Refusal `unauthorized`.
 */
export async function requireAccount(directory: Pick<DirectoryStore, 'user'>, who: ForAccount): Promise<void> {
  if (who.user !== SYSTEM) await requireSameAccount(directory, who)
}
