/** Whether a subscription stands by what its session may now. */
import { Refusal } from '../../schemas/errors.js'
import type { Actor } from '../chat/model/actor.js'
import type { Subscription } from '../following/subscription.js'
import type { MqttServices } from './services.js'

/** Also marks it as one whose every message is allowed, or not any more. Rooms, users and broadcast ask for neither roles nor rules. */
export function stands({ access }: Pick<MqttServices, 'access'>, actor: Actor, subscription: Subscription): boolean {
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
