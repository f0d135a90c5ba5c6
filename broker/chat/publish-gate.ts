import type { Refusal } from '../../schemas/errors.js'
import type { QoS } from '../store/store.js'
import type { Actor } from './actor.js'
import { stringify } from './message.js'
import type { Incoming, Pipeline, Receipt } from './pipeline.js'
import type { SendResult } from './replies.js'

/** What hooks say of a publish; they may change its topic and payload. */
export type PublishGate = (
  actor: Actor,
  message: { topic: string; payload: Buffer; qos: QoS },
) => Promise<Refusal | null>

/** The way of every message in. */
export type Publish = (actor: Actor, incoming: Incoming, receipt: Receipt) => void | Promise<void>

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

/** Publishes what a request asks for in its asker's name. Resolves with what became of it; rejects with the refusal. */
export function publishAndWait(
  publish: Publish,
  actor: Actor,
  topic: string,
  input: object,
  retain = false,
): Promise<SendResult> {
  const payload = Buffer.from(stringify(input))
  const incoming: Incoming = { topic, payload, qos: 1, retain, ops: [], joins: true }
  return new Promise((resolve, reject) => {
    const settled: Receipt['settled'] = (refusal, result) => (refusal ? reject(refusal) : resolve(result!))
    publish({ ...actor, silent: true }, incoming, { settled })?.catch(reject)
  })
}
