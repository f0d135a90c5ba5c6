import type { Refusal } from '../../../schemas/errors.js'
import type { QoS } from '../../store/qos.js'
import type { Actor } from './actor.js'
import { stringify } from './message.js'
import type { Publication, Publisher } from './publication.js'
import type { SendResult } from './replies.js'

/** What hooks say of a publish; they may change its topic and payload. */
export type PublishGate = (
  actor: Actor,
  message: { topic: string; payload: Buffer; qos: QoS },
) => Promise<Refusal | null>

/** The way of every message in. */
export type PublishFunction = (actor: Actor, publication: Publication, publisher: Publisher) => void | Promise<void>

/** The pipeline, as those see it who publish in someone's name. */
export interface Publishing {
  publish: PublishFunction
  reject(actor: Actor, publication: Publication, publisher: Publisher, why: Refusal): void
}

/** A message that came inside a request was seen by hooks as that request alone: they are asked about it too. */
export async function publishGated(
  pipeline: Publishing,
  gate: PublishGate,
  actor: Actor,
  publication: Publication,
  publisher: Publisher,
): Promise<void> {
  const { topic, payload, qos } = publication
  const message = { topic, payload, qos }
  const denied = await gate(actor, message)
  if (denied) return pipeline.reject(actor, publication, publisher, denied)
  return pipeline.publish(actor, { ...publication, ...message }, publisher)
}

/** Publishes what a request asks for in its asker's name. Resolves with what became of it; rejects with the refusal. */
export function publishAndWait(
  publish: PublishFunction,
  actor: Actor,
  topic: string,
  input: object,
  retain = false,
): Promise<SendResult> {
  const payload = Buffer.from(stringify(input))
  const publication: Publication = { topic, payload, qos: 1, retain, ops: [], joins: true }
  return new Promise((resolve, reject) => {
    const settled: Publisher['settled'] = (refusal, result) => (refusal ? reject(refusal) : resolve(result!))
    publish({ ...actor, silent: true }, publication, { settled })?.catch(reject)
  })
}
