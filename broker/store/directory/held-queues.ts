/** The part of the queues, and of retained messages, that every adapter answers from memory. */
import type { RetainedLimit } from '../guards.js'
import type { Op } from '../op.js'
import type {
  Allowance,
  PlainMessage,
  QueuedMessage,
  QueueReceiver,
  QueueStore,
  RetainedAmount,
  RetainedCut,
  RetainedRoom,
} from '../queues.js'
import type { RetainedCounts } from '../retained-counts.js'
import { type QueueLimits, QueueMemory } from './queue-memory.js'
import type { Subscriptions } from './subscriptions.js'

/** The retained messages of an adapter. */
export interface HeldRetained {
  readonly counts: RetainedCounts
  cut(): { op: Op; cut: RetainedCut }
  matching(filters: readonly string[]): AsyncIterable<PlainMessage>
}

export abstract class HeldQueues<Retained extends HeldRetained> implements QueueStore {
  dropped = 0
  protected readonly subscriptions: Subscriptions
  protected readonly kept: Retained
  protected readonly memory: QueueMemory

  constructor(subscriptions: Subscriptions, kept: Retained, limits: QueueLimits) {
    this.subscriptions = subscriptions
    this.kept = kept
    this.memory = new QueueMemory(subscriptions, limits)
  }

  abstract read(sessionId: string, after: number, limit: number, maxBytes: number): Promise<QueuedMessage[]>

  setAllowance(id: string, allowance: Allowance, _receiver?: QueueReceiver): () => void {
    return this.memory.setAllowance(id, allowance)
  }

  mayEnqueue(topic: string): boolean {
    return this.memory.mayEnqueue(topic)
  }

  nonEmptyQueues(): Iterable<string> {
    return this.memory.nonEmptyQueues()
  }

  expect(message: PlainMessage): (() => void) | null {
    return this.memory.expect(message)
  }

  size(sessionId: string): { messages: number; bytes: number } {
    return this.memory.size(sessionId)
  }

  retainedBy(name: string): RetainedAmount {
    return this.kept.counts.of(name)
  }

  retainedRoom(limit: RetainedLimit, underWay: RetainedAmount): RetainedRoom {
    return this.kept.counts.room(limit, underWay)
  }

  cut(): { op: Op; cut: RetainedCut } {
    return this.kept.cut()
  }

  retained(filters: readonly string[]): AsyncIterable<PlainMessage> {
    return this.kept.matching(filters)
  }
}
