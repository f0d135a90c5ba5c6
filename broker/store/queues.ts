/** Messages on plain MQTT topics: the queues of persistent sessions, and retained messages. */

import type { Extra } from './logs.js'
import type { Op } from './op.js'
import type { QoS } from './qos.js'

/** A message on a plain MQTT topic. */
export interface PlainMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
  /** Session id of the publisher, null when the broker itself speaks. */
  readonly clientId: string | null
  readonly extra?: Extra | null
  /** Queued, not retained itself, and published with RETAIN: MQTT 5 subscribers may ask to see that. */
  readonly replaces?: boolean
}

export interface QueuedMessage {
  /** Position in the queue: ascending over all queues of the store. */
  readonly number: number
  readonly message: PlainMessage
  /** The QoS granted by the subscription that queued it; delivery is the minimum of both. */
  readonly qos: QoS
}

export interface QueueMatch {
  sessionId: string
  /** Highest QoS among the session's matching filters. */
  qos: QoS
  /** The filters that matched (delivery checks authorisation by them). */
  filters: string[]
  /** All of them say no local: what the session published itself is not for it. */
  noLocal: boolean
}

/** Lets more wait for a receiver than the limits say. */
export interface Allowance {
  /** Whether so many messages and bytes may wait, the new one among them; `origin`: the session that published it. */
  admits(messages: number, bytes: number, origin: string | null): boolean
  /** So many still wait. */
  left(messages: number, bytes: number): void
}

/** Queues of references: one stored payload per message, one small key per persistent session that waits for it. */
export interface QueueStore {
  /** While its receiver is connected, `allowance` may let more wait for `id`. Returns what ends it. */
  attend(id: string, allowance: Allowance): () => void
  /** Persistent sessions with a matching filter of QoS ≥ 1 (filters below rooms, users and broadcast are not kept here). From memory. */
  match(topic: string): readonly QueueMatch[]
  /** From now on `id` is matched too; kept in memory alone. Returns what ends it. */
  follow(id: string, filter: string, qos: QoS): () => void
  /** Ids that messages wait for. */
  holders(): Iterable<string>
  /**
   * Ops that store `message` once and reference it from each target. Targets whose queue is full (`limits`) are left out and
   * counted; `queued` are those that got it. `number` is the message's position.
   */
  enqueueOps(
    message: PlainMessage,
    targets: readonly { sessionId: string; qos: QoS }[],
  ): { ops: Op[]; number: number; queued: string[] }
  /** Messages of a session with `after < number`, ascending. */
  read(sessionId: string, after: number, limit: number, maxBytes: number): Promise<QueuedMessage[]>
  /** Forgets one reference; the payload goes with the last one. */
  ackOp(sessionId: string, number: number): Op
  /** Messages and bytes waiting for a session. */
  size(sessionId: string): { messages: number; bytes: number }
  /** Messages that were not queued because a queue was full. */
  readonly dropped: number

  /** Sets the retained message of a topic; an empty payload clears it [MQTT-3.3.1-10]. */
  retainOp(message: PlainMessage): Op
  /** How much is retained of what a name published, what is under way included. From memory. */
  retainedBy(name: string): { messages: number; bytes: number }
  /** Who published what a topic retains, and its size; undefined: nothing, or it is the broker's own. From memory. */
  retainedAt(topic: string): { owner: string; bytes: number } | undefined
  /** Retained messages that match any of the filters, each once, as they are when they are reached. */
  retained(filters: readonly string[]): AsyncIterable<PlainMessage>
  /** `cut` is at the place of `op` in the order of commits. */
  cut(): { op: Op; cut: RetainedCut }
  /**
   * Queues a retained message for a session, however full its queue is, unless it is replaced by the time this commit has its turn.
   * `number` is its position.
   */
  copyOp(message: PlainMessage, target: { sessionId: string; qos: QoS }, replaced: () => boolean): CopyOp
}

export interface CopyOp {
  readonly op: Op
  readonly number: number
}

/** A place in the order of commits, seen from later on. */
export interface RetainedCut {
  /** Whether a commit behind it sets or clears the retained message of the topic; where it is not `complete` that is known of the last ones alone. */
  replaced(topic: string): boolean
  readonly complete: boolean
  /** Nobody asks any more. */
  end(): void
}
