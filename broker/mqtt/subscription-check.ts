/** Checks existing subscriptions against the current rights. */
import { Refusal } from '../../schemas/errors.js'
import type { Actor } from '../chat/model/actor.js'
import type { Subscription } from '../following/subscription.js'
import type { MqttServices } from './services.js'

/** Also updates `unconditional`: whether every message of it is allowed. Rooms, users and broadcast depend neither on roles nor on rules. */
export function isStillAllowed(
  { access }: Pick<MqttServices, 'access'>,
  actor: Actor,
  subscription: Subscription,
): boolean {
  const { filter, parsed } = subscription
  const { kind } = parsed.kind === 'shared' ? parsed.of : parsed
  if (kind === 'room' || kind === 'user' || kind === 'broadcast') return true
  try {
    subscription.unconditional = access.check(actor, filter, parsed).unconditional
    return true
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    subscription.unconditional = false
    return false
  }
}
