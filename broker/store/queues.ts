/** Messages on plain MQTT topics: the queues of persistent sessions, and retained messages. */

import type { RetainedLimit } from './guards.js'
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
  /** Further fields of a packet that was stored through the persistence contract of Aedes. Kept as JSON. */
  readonly more?: Readonly<Record<string, unknown>>
}

export interface QueuedMessage {
  /** Position in the queue: ascending over all queues of the store. */
  readonly number: number
  readonly message: PlainMessage
  /** QoS of the subscription that queued it; delivery uses the minimum of both. */
  readonly qos: QoS
}

/** Allows a queue to grow beyond its limits while its receiver is connected. */
export interface Allowance {
  /**
   * Whether the queue may hold so many messages and bytes, the new message included. `publisher`: the session to slow if these are many; null:
   * nobody.
   */
  admits(messages: number, bytes: number, publisher: string | null): boolean
  /** Reports that a message has left the queue, and what still waits. */
  left(messages: number, bytes: number): void
}

/** Who is sent the messages of a queue, and is told of them in another order than theirs where several processes queue them. */
export interface QueueReceiver {
  /** From now on each message is reported by `queued`, in their order, before it counts as there. */
  ordered(): void
  queued(number: number): void
  /** Some time after another process queued messages up to this number: what tells of them otherwise may be lost. */
  missed(number: number): void
}

/** Queues of references: a message is stored once, with a small key for each persistent session that waits for it. */
export interface QueueStore {
  /** Sets the allowance of a queue while its receiver is connected. Returns a function that removes it. */
  setAllowance(id: string, allowance: Allowance, receiver?: QueueReceiver): () => void
  /** False: if a message on the topic were committed now, no session would get a reference. From memory; an adapter that cannot know says true. */
  mayEnqueue(topic: string): boolean
  /** Ids with a queue that is not empty. */
  nonEmptyQueues(): Iterable<string>
  /**
   * For flow control: reports a message to those of its receivers that have an allowance, before it is committed, because whoever publishes much has
   * to be slowed at once. Null: there are none; else a function to call when the change has settled.
   */
  expect(message: PlainMessage): (() => void) | null
  /** Messages of a session with `after < number`, ascending. */
  read(sessionId: string, after: number, limit: number, maxBytes: number): Promise<QueuedMessage[]>
  /** Messages and bytes waiting for a session. */
  size(sessionId: string): { messages: number; bytes: number }
  /** Messages that were not queued because a queue was full. */
  readonly dropped: number

  /** Retained messages and bytes of a publisher. From memory. */
  retainedBy(name: string): RetainedAmount
  /**
   * What it would mean to retain a message now. From memory.
   * @param underWay What the publishers are about to retain besides
   */
  retainedRoom(limit: RetainedLimit, underWay: RetainedAmount): RetainedRoom
  /**
   * Retained messages that match any of the filters, each once. Read while iterating: each as it is when it is reached.
   */
  retained(filters: readonly string[]): AsyncIterable<PlainMessage>
  /** Takes a cut: a position in the order of queues and retained messages, at that of `op`. */
  cut(): { op: Op; cut: RetainedCut }
}

export interface RetainedAmount {
  readonly messages: number
  readonly bytes: number
}

export interface RetainedRoom {
  /** What the message adds to what its publishers have retained. */
  readonly adds: RetainedAmount
  /** The part of the limit that it exceeds; null: none. */
  readonly beyond: 'messages' | 'bytes' | null
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
