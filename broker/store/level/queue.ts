/**
 * Queues of messages on plain topics for persistent sessions: one stored payload, one small key per session. Memory has
 * the numbers in each queue; payloads and granted QoS are read on demand.
 */

import { type Enqueued, StoreError } from '../changes.js'
import type { Subscriptions } from '../directory/subscriptions.js'
import type { RetainedLimit } from '../guards.js'
import { messageSize } from '../message-size.js'
import type { EnqueueOp, Op, QueueOp, QueueTarget } from '../op.js'
import { decodeMessage } from '../packet-codec.js'
import type { QoS } from '../qos.js'
import type {
  Allowance,
  PlainMessage,
  QueuedMessage,
  QueueStore,
  RetainedAmount,
  RetainedCut,
  RetainedRoom,
} from '../queues.js'
import type { Database } from './database.js'
import { keys, numberOf, partsOf, ranges } from './keys.js'
import type { Staging, WriteBatch } from './operation.js'
import type { Retained } from './retained.js'
import { WaitingList } from './waiting-list.js'

/** Numbers are reserved on disk in blocks, so that they ascend across restarts. */
const NUMBER_BLOCK = 1_000_000

export interface QueueLimits {
  readonly queueMessages: number
  readonly queueBytes: number
}

/** A stored reference: the granted QoS, and the message size as counted at that time (so that the same is subtracted later). */
interface Reference {
  readonly qos: QoS
  readonly bytes: number
}

const NO_TARGETS: readonly QueueTarget[] = []
const NOBODY: readonly string[] = []

interface StoredMessage {
  references: number
  readonly bytes: number
}

export class LevelQueue implements QueueStore {
  dropped = 0
  readonly #database: Database
  readonly #subscriptions: Subscriptions
  readonly #retained: Retained
  readonly #limits: QueueLimits
  readonly #waiting = new Map<string, WaitingList>()
  readonly #messages = new Map<number, StoredMessage>()
  readonly #allowances = new Map<string, Allowance>()
  #next = 1
  /** Numbers below this one are reserved on disk. */
  #setAside = 1

  constructor(database: Database, subscriptions: Subscriptions, retained: Retained, limits: QueueLimits) {
    this.#database = database
    this.#subscriptions = subscriptions
    this.#retained = retained
    this.#limits = limits
  }

  /** Counts references by a scan; the function returned replaces what is in memory, synchronously. */
  async load(): Promise<() => void> {
    const stored = await this.#database.get(keys.queueNumber)
    const references: [id: string, number: number, bytes: number][] = []
    await this.#database.scan(ranges.allReferences, (key, value) => {
      references.push([partsOf(key)[0]!, numberOf(key), decodeReference(value).bytes])
    })
    return () => {
      this.#messages.clear()
      for (const [id, list] of this.#waiting) if (list.reset().isUnused) this.#waiting.delete(id)
      this.#setAside = stored ? Number(stored.toString()) : 1
      this.#next = Math.max(this.#next, this.#setAside)
      for (const reference of references) this.#refer(...reference)
    }
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

  stage(op: QueueOp, staging: Staging): void {
    const { batch } = staging
    if (op.type === 'enqueue') staging.enqueued.push(this.#stageMessage(op, batch))
    else if (op.type === 'dequeue') this.#release(op.sessionId, op.number, batch)
    else for (const number of this.#waiting.get(op.sessionId)?.all() ?? []) this.#release(op.sessionId, number, batch)
  }

  #stageMessage(op: EnqueueOp, batch: WriteBatch): Enqueued {
    const { packet, bytes } = op
    const number = this.#next++
    const takers = this.#takersOf(op)
    if (takers.length === 0) return { number, sessions: NOBODY }
    this.#stageNumber(number, batch)
    batch.put(keys.packet(number), packet)
    for (const { sessionId, qos } of takers) {
      batch.put(keys.reference(sessionId, number), encodeReference({ qos, bytes }))
      this.#refer(sessionId, number, bytes)
    }
    return { number, sessions: takers.map(({ sessionId }) => sessionId) }
  }

  /** The sessions that the message is for, and whose queues take it; the others are counted. */
  #takersOf(op: EnqueueOp): readonly QueueTarget[] {
    const { topic, bytes, publisher, copyAt } = op
    const targets = op.targets ?? this.#subscriptions.targetsOf(topic, publisher)
    if (copyAt) return this.#retained.wasReplaced(topic, copyAt) ? NO_TARGETS : targets
    const takers = targets.filter(({ sessionId }) => this.#takes(sessionId, bytes))
    this.dropped += targets.length - takers.length
    return takers
  }

  async read(sessionId: string, after: number, limit: number, maxBytes: number): Promise<QueuedMessage[]> {
    const numbers = this.#waiting.get(sessionId)?.after(after, limit, maxBytes, this.#bytesOf) ?? []
    if (numbers.length === 0) return []
    const found = await this.#database.getMany([
      ...numbers.map((number) => keys.reference(sessionId, number)),
      ...numbers.map(keys.packet),
    ])
    const messages: QueuedMessage[] = []
    for (let i = 0; i < numbers.length; i++) {
      const reference = found[i]
      // Acknowledged meanwhile, or not committed yet.
      if (!reference) continue
      const packet = found[numbers.length + i]
      if (!packet) throw new StoreError(`the queue is damaged: message ${numbers[i]} is missing`)
      const message = decodeMessage(packet)
      messages.push({ number: numbers[i]!, message, qos: decodeReference(reference).qos })
    }
    return messages
  }

  size(sessionId: string): { messages: number; bytes: number } {
    return this.#waiting.get(sessionId)?.size ?? { messages: 0, bytes: 0 }
  }

  retainedBy(name: string): RetainedAmount {
    return this.#retained.counts.of(name)
  }

  retainedRoom(limit: RetainedLimit, underWay: RetainedAmount): RetainedRoom {
    return this.#retained.counts.room(limit, underWay)
  }

  cut(): { op: Op; cut: RetainedCut } {
    return this.#retained.cut()
  }

  retained(filters: readonly string[]): AsyncIterable<PlainMessage> {
    return this.#retained.matching(filters)
  }

  /** Whether the queue has room for a message of that size. */
  #takes(sessionId: string, bytes: number): boolean {
    const before = this.size(sessionId)
    const [messages, taken] = [before.messages + 1, before.bytes + bytes]
    return this.#isWithin(messages, taken) || (this.#allowances.get(sessionId)?.admits(messages, taken, null) ?? false)
  }

  #isWithin(messages: number, bytes: number): boolean {
    return messages <= this.#limits.queueMessages && bytes <= this.#limits.queueBytes
  }

  #stageNumber(number: number, batch: WriteBatch): void {
    if (number < this.#setAside) return
    this.#setAside = number + NUMBER_BLOCK
    batch.put(keys.queueNumber, String(this.#setAside))
  }

  #listOf(sessionId: string): WaitingList {
    let list = this.#waiting.get(sessionId)
    if (!list) this.#waiting.set(sessionId, (list = new WaitingList()))
    return list
  }

  #bytesOf = (number: number): number => this.#messages.get(number)?.bytes ?? 0

  #refer(sessionId: string, number: number, bytes: number): void {
    this.#listOf(sessionId).add(number, bytes)
    const message = this.#messages.get(number)
    if (message) message.references++
    else this.#messages.set(number, { references: 1, bytes })
  }

  #release(sessionId: string, number: number, batch: WriteBatch): void {
    const list = this.#waiting.get(sessionId)
    const message = this.#messages.get(number)
    if (!message || !list?.remove(number, message.bytes)) return
    const { messages, bytes } = list.size
    this.#allowances.get(sessionId)?.left(messages, bytes)
    if (list.isUnused) this.#waiting.delete(sessionId)
    batch.del(keys.reference(sessionId, number))
    if (--message.references > 0) return
    this.#messages.delete(number)
    batch.del(keys.packet(number))
  }
}

export function encodeReference({ qos, bytes }: Reference): string {
  return JSON.stringify([qos, bytes])
}

function decodeReference(value: Buffer): Reference {
  const [qos, bytes] = JSON.parse(value.toString())
  return { qos, bytes }
}
