import type { Refusal } from '../../../schemas/errors.js'
import type { QoS } from '../../store/qos.js'
import type { Actor } from './actor.js'
import { stringify } from './message.js'
import type { Publication, Publisher } from './publication.js'
import type { SendResult } from './replies.js'

/** Asks the hooks about a publish; they may change its topic and payload. Resolves with a refusal, or null. */
export type PublishGate = (
  actor: Actor,
  message: { topic: string; payload: Buffer; qos: QoS },
) => Promise<Refusal | null>

/** A message in the name of an actor whose request asks for it: it waits for nothing else that the actor publishes. */
export type RequestedPublication = Omit<Publication, 'lane'>

export type PublishFunction = (actor: Actor, publication: RequestedPublication, publisher: Publisher) => Promise<void>

/** The part of the pipeline that is used to publish in a user's name. */
export interface Publishing {
  publish(actor: Actor, publication: Publication, publisher: Publisher): void | Promise<void>
  reject(actor: Actor, publication: Publication, publisher: Publisher, why: Refusal): void
}

/** Publishes a message that came inside a request. The hooks have only seen the request, so they are asked about the message too. */
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

/** Publishes a numbered message in the name of the actor of a request. Resolves with the result of the send. @throws Refusal */
export async function publishAndWait(
  publish: PublishFunction,
  actor: Actor,
  topic: string,
  input: object,
  retain = false,
): Promise<SendResult> {
  const payload = Buffer.from(stringify(input))
  return (await publishAs(publish, actor, { topic, payload, qos: 1, retain }))!
}

/** Publishes anything in the name of the actor of a request. Null: it is of a kind that has no numbers. @throws Refusal */
export function publishAs(
  publish: PublishFunction,
  actor: Actor,
  message: Omit<RequestedPublication, 'ops' | 'joins'>,
): Promise<SendResult | null> {
  const publication: RequestedPublication = { ...message, ops: [], joins: true }
  return new Promise((resolve, reject) => {
    const settled: Publisher['settled'] = (refusal, result) => (refusal ? reject(refusal) : resolve(result))
    publish({ ...actor, silent: true }, publication, { settled }).catch(reject)
  })
}
