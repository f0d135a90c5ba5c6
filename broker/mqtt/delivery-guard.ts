/** Whether a message may be delivered to a session. Checked when a packet is encoded, so that a right that ended also stops what waits. */
import { deviceOf, filterMatches } from '../../schemas/topics.js'
import type { SubscriptionSet } from '../following/subscription-set.js'
import type { UnloggedMessage } from '../hub.js'
import type { QoS } from '../store/qos.js'
import type { Outgoing } from './codec/encode.js'

/** The Aedes `authorizeForward` hook: the payload to deliver, or null. */
export type Forward = (topic: string, payload: Buffer, qos: QoS) => Buffer | null

/** Checks of single deliveries. */
export interface DeliveryGuard {
  /** Whether a message on a plain topic may be delivered now. */
  mayReceive(topic: string): boolean
  /** Whether a message on a topic is for its user, as far as roles say. */
  isFor(topic: string, payload: Buffer): boolean
  /** Whether an ephemeral message that had to wait may still be delivered. */
  maySee(topic: string): boolean
  /** Null while nobody set the hook. */
  readonly forward: Forward | null
}

/** Whether a live message that matched these filters may be delivered. */
export function mayDeliver(
  guard: DeliveryGuard,
  subscriptions: SubscriptionSet,
  topic: string,
  filters: readonly string[],
): boolean {
  for (const filter of filters) if (subscriptions.get(filter)?.unconditional) return true
  return guard.mayReceive(topic)
}

/** Whether a message that waited may still be delivered. */
export function mayDeliverQueued(guard: DeliveryGuard, subscriptions: SubscriptionSet, topic: string): boolean {
  if (subscriptions.isRefused(topic)) return false
  if (guard.mayReceive(topic)) return true
  for (const { filter, unconditional } of subscriptions.values())
    if (unconditional && filterMatches(filter, topic)) return true
  return false
}

/** Of a message that waited in memory: rights to read devices and presence may have changed meanwhile. */
export function mayDeliverUnlogged(
  guard: DeliveryGuard,
  subscriptions: SubscriptionSet,
  { topic, revealsNothing }: UnloggedMessage,
): boolean {
  if (deviceOf(topic) !== null) return mayDeliverQueued(guard, subscriptions, topic)
  return revealsNothing === true || guard.maySee(topic)
}

/** The message as the `authorizeForward` hook leaves it: one, or none. */
export function forwarded<M extends Outgoing>(guard: DeliveryGuard, topic: string, message: M, qos: QoS): M[] {
  const { forward } = guard
  if (!forward) return [message]
  const payload = forward(topic, message.payload, Math.min(message.qos, qos) as QoS)
  return payload ? [{ ...message, payload }] : []
}
