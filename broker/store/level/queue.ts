/**
 * Queues of messages on plain topics for persistent sessions: one stored payload, one small key per session. Memory has
 * the numbers in each queue; payloads and granted QoS are read on demand.
 */

import { type Enqueued, StoreError } from '../changes.js'
import { HeldQueues } from '../directory/held-queues.js'
import type { QueueLimits } from '../directory/queue-memory.js'
import type { Subscriptions } from '../directory/subscriptions.js'
import type { EnqueueOp, QueueOp, QueueTarget } from '../op.js'
import { decodeMessage } from '../packet-codec.js'
import type { QoS } from '../qos.js'
import type { QueuedMessage } from '../queues.js'
import type { Database } from './database.js'
import { keys, numberOf, partsOf, ranges } from './keys.js'
import type { Staging, WriteBatch } from './operation.js'
import type { Retained } from './retained.js'

/** Numbers are reserved on disk in blocks, so that they ascend across restarts. */
const NUMBER_BLOCK = 1_000_000

/** A stored reference: the granted QoS, and the message size as counted at that time (so that the same is subtracted later). */
interface Reference {
  readonly qos: QoS
  readonly bytes: number
}

const NO_TARGETS: readonly QueueTarget[] = []
const NOBODY: readonly string[] = []

export class LevelQueue extends HeldQueues<Retained> {
  readonly #database: Database
  #next = 1
  /** Numbers below this one are reserved on disk. */
  #setAside = 1

  constructor(database: Database, subscriptions: Subscriptions, retained: Retained, limits: QueueLimits) {
    super(subscriptions, retained, limits)
    this.#database = database
  }

  /** Counts references by a scan; the function returned replaces what is in memory, synchronously. */
  async load(): Promise<() => void> {
    const stored = await this.#database.get(keys.queueNumber)
    const references: [id: string, number: number, bytes: number][] = []
    await this.#database.scan(ranges.allReferences, (key, value) => {
      references.push([partsOf(key)[0]!, numberOf(key), decodeReference(value).bytes])
    })
    return () => {
      this.memory.clear()
      this.#setAside = stored ? Number(stored.toString()) : 1
      this.#next = Math.max(this.#next, this.#setAside)
      for (const reference of references) this.memory.add(...reference)
    }
  }

  stage(op: QueueOp, staging: Staging): void {
    const { batch } = staging
    if (op.type === 'enqueue') staging.enqueued.push(this.#stageMessage(op, batch))
    else if (op.type === 'dequeue') this.#release(op.sessionId, op.number, batch)
    else for (const number of this.memory.all(op.sessionId)) this.#release(op.sessionId, number, batch)
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
      this.memory.add(sessionId, number, bytes)
    }
    return { number, sessions: takers.map(({ sessionId }) => sessionId) }
  }

  /** The sessions that the message is for, and whose queues take it; the others are counted. */
  #takersOf(op: EnqueueOp): readonly QueueTarget[] {
    const { topic, bytes, publisher, copyAt } = op
    const targets = op.targets ?? this.subscriptions.targetsOf(topic, publisher)
    if (copyAt) return this.kept.wasReplaced(topic, copyAt) ? NO_TARGETS : targets
    const takers = targets.filter(({ sessionId }) => this.memory.takes(sessionId, bytes))
    this.dropped += targets.length - takers.length
    return takers
  }

  async read(sessionId: string, after: number, limit: number, maxBytes: number): Promise<QueuedMessage[]> {
    const numbers = this.memory.after(sessionId, after, limit, maxBytes)
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

  #stageNumber(number: number, batch: WriteBatch): void {
    if (number < this.#setAside) return
    this.#setAside = number + NUMBER_BLOCK
    batch.put(keys.queueNumber, String(this.#setAside))
  }

  #release(sessionId: string, number: number, batch: WriteBatch): void {
    const removed = this.memory.remove(sessionId, number)
    if (!removed) return
    batch.del(keys.reference(sessionId, number))
    if (removed.isLast) batch.del(keys.packet(number))
  }
}

export function encodeReference({ qos, bytes }: Reference): string {
  return JSON.stringify([qos, bytes])
}

export function decodeReference(value: Buffer): Reference {
  const [qos, bytes] = JSON.parse(value.toString())
  return { qos, bytes }
}
