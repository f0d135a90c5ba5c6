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
  /** Session id of the publisher; null: the broker itself. */
  readonly clientId: string | null
  readonly extra?: Extra | null
  /** Published with RETAIN, for Retain As Published (MQTT 5). Set on queued messages only. */
  readonly replaces?: boolean
}

export interface QueuedMessage {
  /** Position in the queue: ascending over all queues of the store. */
  readonly number: number
  readonly message: PlainMessage
  /** QoS of the subscription that queued it; delivery uses the minimum of both. */
  readonly qos: QoS
}

export interface QueueMatch {
  sessionId: string
  /** Highest QoS among the session's matching filters. */
  qos: QoS
  /** The matching filters; delivery checks authorisation by them. */
  filters: string[]
  /** All of them have No Local: the session does not get what it published itself. */
  noLocal: boolean
}

/** Allows a queue to grow beyond its limits while its receiver is connected. */
export interface Allowance {
  /**
   * Whether the queue may hold so many messages and bytes, the new message included. `origin`: the publishing session.
   */
  admits(messages: number, bytes: number, origin: string | null): boolean
  /** Reports that a message has left the queue, and what still waits. */
  left(messages: number, bytes: number): void
}

/** Queues of references: a message is stored once, with a small key for each persistent session that waits for it. */
export interface QueueStore {
  /** Sets the allowance of a queue while its receiver is connected. Returns a function that removes it. */
  setAllowance(id: string, allowance: Allowance): () => void
  /**
   * Persistent sessions with a matching filter of QoS ≥ 1; filters below rooms, users and broadcast are not included.
   * From memory.
   */
  match(topic: string): readonly QueueMatch[]
  /** Adds a filter for `id`, in memory only. Returns a function that removes it. */
  follow(id: string, filter: string, qos: QoS): () => void
  /** Ids with a queue that is not empty. */
  nonEmptyQueues(): Iterable<string>
  /**
   * Builds the ops that store `message` once and reference it from each target. Targets whose queue is full are left
   * out and counted; `queued` are the others. `number` is the message's position.
   */
  enqueueOps(
    message: PlainMessage,
    targets: readonly { sessionId: string; qos: QoS }[],
  ): { ops: Op[]; number: number; queued: string[] }
  /** Messages of a session with `after < number`, ascending. */
  read(sessionId: string, after: number, limit: number, maxBytes: number): Promise<QueuedMessage[]>
  /** Removes one reference; the payload is removed with the last. */
  ackOp(sessionId: string, number: number): Op
  /** Messages and bytes waiting for a session. */
  size(sessionId: string): { messages: number; bytes: number }
  /** Messages that were not queued because a queue was full. */
  readonly dropped: number

  /** Sets the retained message of a topic; an empty payload clears it [MQTT-3.3.1-10]. */
  retainOp(message: PlainMessage): Op
  /** Retained messages and bytes of a publisher, pending commits included. From memory. */
  retainedBy(name: string): { messages: number; bytes: number }
  /**
   * Publisher and size of a topic's retained message; undefined: there is none, or the broker published it. From
   * memory.
   */
  retainedAt(topic: string): { owner: string; bytes: number } | undefined
  /**
   * Retained messages that match any of the filters, each once. Read while iterating: each as it is when it is reached.
   */
  retained(filters: readonly string[]): AsyncIterable<PlainMessage>
  /** Takes a cut: a position in the order of queues and retained messages, at that of `op`. */
  cut(): { op: Op; cut: RetainedCut }
  /**
   * Queues a retained message for a session even if its queue is full, unless it has been replaced after all of the cuts when the change is
   * committed. `number` is its position.
   */
  copyOp(
    message: PlainMessage,
    target: { sessionId: string; qos: QoS },
    cuts: readonly RetainedCut[],
  ): { op: Op; number: number }
  /** Whether a session's queue has the message of a number. */
  holds(sessionId: string, number: number): boolean
}

/** A position in the order of queues and retained messages, for asking later what was written after it. */
export interface RetainedCut {
  readonly id: number
  /**
   * Whether a later commit set or cleared the retained message of the topic. If not `complete`, only the most recent
   * commits are known.
   */
  replaced(topic: string): boolean
  readonly complete: boolean
  /** Releases the cut. */
  end(): void
}
