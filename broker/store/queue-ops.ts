/** Ops on the queues of plain topics, and on retained messages (queues.ts). */
import { isSysTopic } from '../../schemas/topics.js'
import { messageSize } from './message-size.js'
import type { DequeueOp, EnqueueOp, QueueTarget, RetainOp } from './op.js'
import { encodeMessage } from './packet-codec.js'
import type { PlainMessage, RetainedCut } from './queues.js'

/**
 * Stores a message once, with a reference for each persistent session that has a matching filter of QoS ≥ 1 when the change is committed: not for
 * the publisher's own if all of these have No Local [MQTT5-3.8.3-3], nor if its queue is full, which is counted. Filters below rooms, users and
 * broadcast do not count. For whom it was queued, and its number, is told when the change settles.
 * @param targets In place of the sessions that match
 */
export function enqueueOp(message: PlainMessage, targets: readonly QueueTarget[] | null = null): EnqueueOp {
  const { topic, clientId: publisher } = message
  return { type: 'enqueue', topic, packet: encodeMessage(message), bytes: messageSize(message), publisher, targets }
}

/** Queues a retained message for a session even if its queue is full, unless it was replaced after all of the cuts when the change is committed. */
export function copyOp(message: PlainMessage, target: QueueTarget, cuts: readonly RetainedCut[]): EnqueueOp {
  return { ...enqueueOp(message, [target]), publisher: null, copyAt: cuts.map(({ id }) => id) }
}

/** Removes one reference; the payload is removed with the last. */
export function dequeueOp(sessionId: string, number: number): DequeueOp {
  return { type: 'dequeue', sessionId, number }
}

/** Sets the retained message of a topic; an empty payload clears it [MQTT-3.3.1-10]. */
export function retainOp(message: PlainMessage): RetainOp {
  const { topic, payload, extra } = message
  const isEmpty = payload.length === 0
  const owner = isEmpty || isSysTopic(topic) ? null : publisherOf(message)
  const packet = isEmpty ? null : encodeMessage(message)
  return { type: 'retain', topic, packet, owner, bytes: messageSize(message), expiresAt: extra?.expiresAt ?? 0 }
}

/** The publishing user, with which session ids begin. Null: the broker itself. */
export function publisherOf({ clientId }: PlainMessage): string | null {
  const end = clientId?.indexOf('/') ?? -1
  return end > 0 ? clientId!.slice(0, end) : null
}
