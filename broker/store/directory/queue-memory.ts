/** What waits in the queues of all sessions, in memory: the numbers in each queue and their size, and what receivers that are connected may hold beyond the limits. */

import { messageSize } from '../message-size.js'
import type { QueueTarget } from '../op.js'
import type { Allowance, PlainMessage } from '../queues.js'
import { WaitingList } from '../waiting-list.js'
import type { Subscriptions } from './subscriptions.js'

export interface QueueLimits {
  readonly queueMessages: number
  readonly queueBytes: number
}

export interface QueueSize {
  messages: number
  bytes: number
}

const NOTHING: Readonly<QueueSize> = { messages: 0, bytes: 0 }

interface HeldMessage {
  references: number
  readonly bytes: number
}

export class QueueMemory {
  readonly #subscriptions: Subscriptions
  readonly #limits: QueueLimits
  readonly #waiting = new Map<string, WaitingList>()
  readonly #messages = new Map<number, HeldMessage>()
  readonly #allowances = new Map<string, Allowance>()

  constructor(subscriptions: Subscriptions, limits: QueueLimits) {
    this.#subscriptions = subscriptions
    this.#limits = limits
  }

  /** Forgets what waits, not what is expected. */
  clear(): void {
    this.#messages.clear()
    for (const [id, list] of this.#waiting) if (list.reset().isUnused) this.#waiting.delete(id)
  }

  mayEnqueue(topic: string): boolean {
    return this.#subscriptions.match(topic).length > 0
  }

  setAllowance(id: string, allowance: Allowance): () => void {
    this.#allowances.set(id, allowance)
    return () => {
      if (this.#allowances.get(id) === allowance) this.#allowances.delete(id)
    }
  }

  nonEmptyQueues(): Iterable<string> {
    return this.#waiting.keys()
  }

  size(sessionId: string): QueueSize {
    return this.#waiting.get(sessionId)?.size ?? { messages: 0, bytes: 0 }
  }

  expect(message: PlainMessage): (() => void) | null {
    const { topic, clientId } = message
    if (this.#allowances.size === 0 || clientId === null) return null
    const connected = this.#subscriptions.targetsOf(topic, clientId).filter(this.#isConnected)
    if (connected.length === 0) return null
    const bytes = messageSize(message)
    for (const { sessionId } of connected) {
      const list = this.#listOf(sessionId)
      list.expect(1, bytes)
      const messages = list.size.messages + list.expected.messages
      const taken = list.size.bytes + list.expected.bytes
      if (!this.#isWithin(messages, taken)) this.#allowances.get(sessionId)!.admits(messages, taken, clientId)
    }
    return () => {
      for (const { sessionId } of connected) this.#unexpect(sessionId, bytes)
    }
  }

  #isConnected = ({ sessionId }: QueueTarget): boolean => this.#allowances.has(sessionId)

  #unexpect(sessionId: string, bytes: number): void {
    const list = this.#waiting.get(sessionId)
    list?.expect(-1, -bytes)
    if (list?.isUnused) this.#waiting.delete(sessionId)
  }

  /** Whether the queue has room for a message of that size, or its receiver may hold more. */
  takes(sessionId: string, bytes: number, ahead = NOTHING): boolean {
    if (this.isWithin(sessionId, bytes, ahead)) return true
    const before = this.size(sessionId)
    return this.admits(sessionId, before.messages + ahead.messages + 1, before.bytes + ahead.bytes + bytes)
  }

  /** @param ahead What is about to be added before it */
  isWithin(sessionId: string, bytes: number, ahead = NOTHING): boolean {
    const before = this.size(sessionId)
    return this.#isWithin(before.messages + ahead.messages + 1, before.bytes + ahead.bytes + bytes)
  }

  /** Whether the receiver is connected and may hold so much. */
  admits(sessionId: string, messages: number, bytes: number): boolean {
    return this.#allowances.get(sessionId)?.admits(messages, bytes, null) ?? false
  }

  #isWithin(messages: number, bytes: number): boolean {
    return messages <= this.#limits.queueMessages && bytes <= this.#limits.queueBytes
  }

  has(sessionId: string, number: number): boolean {
    return this.#waiting.get(sessionId)?.has(number) ?? false
  }

  add(sessionId: string, number: number, bytes: number): void {
    this.#listOf(sessionId).add(number, bytes)
    const message = this.#messages.get(number)
    if (message) message.references++
    else this.#messages.set(number, { references: 1, bytes })
  }

  /** Null: it does not wait there; else whether it waits nowhere any more. */
  remove(sessionId: string, number: number): { readonly isLast: boolean } | null {
    const list = this.#waiting.get(sessionId)
    const message = this.#messages.get(number)
    if (!message || !list?.remove(number, message.bytes)) return null
    const { messages, bytes } = list.size
    this.#allowances.get(sessionId)?.left(messages, bytes)
    if (list.isUnused) this.#waiting.delete(sessionId)
    const isLast = --message.references === 0
    if (isLast) this.#messages.delete(number)
    return { isLast }
  }

  all(sessionId: string): number[] {
    return this.#waiting.get(sessionId)?.all() ?? []
  }

  /** Numbers above `after`, up to the limits, but at least one if there is one. */
  after(sessionId: string, after: number, limit: number, maxBytes: number): number[] {
    return this.#waiting.get(sessionId)?.after(after, limit, maxBytes, this.#bytesOf) ?? []
  }

  #bytesOf = (number: number): number => this.#messages.get(number)?.bytes ?? 0

  #listOf(sessionId: string): WaitingList {
    let list = this.#waiting.get(sessionId)
    if (!list) this.#waiting.set(sessionId, (list = new WaitingList()))
    return list
  }
}
