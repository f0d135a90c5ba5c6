import type { Refusal } from '../../schemas/errors.js'
import type { QoS } from '../store/store.js'
import type { Actor } from './actor.js'
import type { Incoming, Pipeline, Receipt } from './pipeline.js'

/** What hooks say of a publish; they may change its topic and payload. */
export type PublishGate = (
  actor: Actor,
  message: { topic: string; payload: Buffer; qos: QoS },
) => Promise<Refusal | null>

/** A message that came inside a request was seen by hooks as that request alone: they are asked about it too. */
export async function publishGated(
  pipeline: Pipeline,
  gate: PublishGate,
  actor: Actor,
  incoming: Incoming,
  receipt: Receipt,
): Promise<void> {
  const { topic, payload, qos } = incoming
  const message = { topic, payload, qos }
  const denied = await gate(actor, message)
  if (denied) return pipeline.reject(actor, incoming, receipt, denied)
  return pipeline.publish(actor, { ...incoming, ...message }, receipt)
}
