/**
 * Queues of messages on plain topics for persistent sessions: one stored payload, one small key per session. Memory has
 * the numbers in each queue; payloads and granted QoS are read on demand.
 */

import { StoreError } from '../changes.js'
import type { Subscriptions } from '../directory/subscriptions.js'
import { messageSize } from '../message-size.js'
import type { EnqueueOp, Op, QueueOp } from '../op.js'
import type { AedesPacketLike } from '../persistence.js'
import type { QoS } from '../qos.js'
import type { Allowance, PlainMessage, QueuedMessage, QueueMatch, QueueStore, RetainedCut } from '../queues.js'
import type { Database } from './database.js'
import { keys, numberOf, partsOf, ranges } from './keys.js'
import type { WriteBatch } from './operation.js'
import { decodePacket, encodePacket, plainMessage, publishPacket } from './packet-codec.js'
import type { Retained } from './retained.js'
import { WaitingList } from './waiting-list.js'

/** Numbers are reserved on disk in blocks, so that they ascend across restarts. */
const NUMBER_BLOCK = 1_000_000

export interface QueueLimits {
  readonly queueMessages: number
  readonly queueBytes: number
}

/**
 * A stored reference: the granted QoS, the message size as counted at that time (so that the same is subtracted later),
 * and the packet state of the Aedes contract.
 */
export interface Reference {
  readonly qos: QoS
  readonly bytes: number
  readonly packet?: { messageId?: number; brokerId?: string; brokerCounter?: number; replaced?: string }
}

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

  /**
   * Counts references by a scan; the function returned replaces what is in memory, synchronously. Reservations of
   * changes still queued remain.
   */
  async load(): Promise<() => void> {
    const stored = await this.#database.get(keys.queueNumber)
    const references: [id: string, number: number, bytes: number][] = []
    await this.#database.scan(ranges.allReferences, (key, value) => {
      references.push([partsOf(key)[0]!, numberOf(key), decodeReference(value).bytes])
    })
    return () => {
      this.#messages.clear()
      for (const list of this.#waiting.values()) list.reset()
      this.#setAside = stored ? Number(stored.toString()) : 1
      this.#next = Math.max(this.#next, this.#setAside)
      for (const reference of references) this.#refer(...reference)
    }
  }

  match(topic: string): readonly QueueMatch[] {
    return this.#subscriptions.match(topic)
  }

  follow(id: string, filter: string, qos: QoS): () => void {
    return this.#subscriptions.follow(id, filter, qos)
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

  enqueueOps(
    message: PlainMessage,
    targets: readonly { sessionId: string; qos: QoS }[],
  ): { ops: Op[]; number: number; queued: string[] } {
    return this.#enqueue(publishPacket(message), messageSize(message), targets)
  }

  /** For a packet of the Aedes contract. */
  enqueuePacketOps(packet: AedesPacketLike, targets: readonly { sessionId: string; qos: QoS }[]): Op[] {
    return this.#enqueue(packet, messageSize(plainMessage(packet)), targets).ops
  }

  #enqueue(
    packet: AedesPacketLike,
    bytes: number,
    targets: readonly { sessionId: string; qos: QoS }[],
  ): { ops: Op[]; number: number; queued: string[] } {
    const number = this.#next++
    // Nobody is slowed for retained messages.
    const origin = packet.retain ? null : (packet.clientId ?? null)
    const accepted = targets.filter(({ sessionId }) => this.#reserve(sessionId, bytes, origin))
    this.dropped += targets.length - accepted.length
    const queued = accepted.map(({ sessionId }) => sessionId)
    return { ops: accepted.length > 0 ? [enqueueOp(packet, bytes, accepted, number)] : [], number, queued }
  }

  copyOp(
    message: PlainMessage,
    target: { sessionId: string; qos: QoS },
    cuts: readonly RetainedCut[],
  ): { op: Op; number: number } {
    const number = this.#next++
    const bytes = messageSize(message)
    this.#listOf(target.sessionId).reserve(bytes)
    const unlessReplaced = { topic: message.topic, cuts: cuts.map(({ id }) => id) }
    return { op: { ...enqueueOp(publishPacket(message), bytes, [target], number), unlessReplaced }, number }
  }

  /** Whether the queue has the message. */
  holds(sessionId: string, number: number): boolean {
    return this.#waiting.get(sessionId)?.has(number) ?? false
  }

  stage(op: QueueOp, batch: WriteBatch): void {
    if (op.type === 'enqueue') this.#stageMessage(op, batch)
    else if (op.type === 'dequeue') this.#release(op.sessionId, op.number, batch)
    else for (const number of this.#waiting.get(op.sessionId)?.all() ?? []) this.#release(op.sessionId, number, batch)
  }

  /** Writes what was reserved. */
  #stageMessage(op: EnqueueOp, batch: WriteBatch): void {
    const { number, packet, bytes, targets, unlessReplaced } = op
    if (unlessReplaced && this.#retained.wasReplaced(unlessReplaced)) return this.abandon(op)
    this.#stageNumber(number, batch)
    batch.put(keys.packet(number), packet)
    for (const { sessionId, qos } of targets) {
      batch.put(keys.reference(sessionId, number), encodeReference({ qos, bytes }))
      this.#listOf(sessionId).release(bytes)
      this.#refer(sessionId, number, bytes)
    }
  }

  /** Gives up what was reserved. */
  abandon({ targets, bytes }: EnqueueOp): void {
    for (const { sessionId } of targets) this.#giveUp(sessionId, bytes)
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
      const message = plainMessage(decodePacket(packet))
      messages.push({ number: numbers[i]!, message, qos: decodeReference(reference).qos })
    }
    return messages
  }

  ackOp(sessionId: string, number: number): Op {
    return { type: 'dequeue', sessionId, number }
  }

  size(sessionId: string): { messages: number; bytes: number } {
    return this.#waiting.get(sessionId)?.size ?? { messages: 0, bytes: 0 }
  }

  retainOp(message: PlainMessage): Op {
    return this.#retained.op(publishPacket(message))
  }

  retainedBy(name: string): { messages: number; bytes: number } {
    return this.#retained.counts.of(name)
  }

  retainedAt(topic: string): { owner: string; bytes: number } | undefined {
    return this.#retained.counts.at(topic)
  }

  cut(): { op: Op; cut: RetainedCut } {
    return this.#retained.cut()
  }

  async *retained(filters: readonly string[]): AsyncGenerator<PlainMessage> {
    for await (const packet of this.#retained.matching(filters)) yield plainMessage(packet)
  }

  /** References of a session with their packets, ascending, for the Aedes contract. */
  async *packets(sessionId: string): AsyncGenerator<{ number: number; reference: Reference; packet: AedesPacketLike }> {
    for await (const page of this.#database.pages(ranges.references(sessionId))) {
      const packets = await this.#database.getMany(page.map(([key]) => keys.packet(numberOf(key))))
      for (let i = 0; i < page.length; i++) {
        const [key, value] = page[i]!
        if (!packets[i]) continue
        yield { number: numberOf(key), reference: decodeReference(value), packet: decodePacket(packets[i]!) }
      }
    }
  }

  /** Returns false if the queue is full. */
  #reserve(sessionId: string, bytes: number, origin: string | null): boolean {
    const list = this.#listOf(sessionId)
    const { messages, bytes: taken } = list.size
    const fits = messages < this.#limits.queueMessages && taken + bytes <= this.#limits.queueBytes
    if (!fits && !this.#allowances.get(sessionId)?.admits(messages + 1, taken + bytes, origin)) return false
    list.reserve(bytes)
    return true
  }

  /** Returns a reservation. */
  #giveUp(sessionId: string, bytes: number): void {
    const list = this.#listOf(sessionId)
    list.release(bytes)
    const { messages, bytes: left } = list.size
    this.#allowances.get(sessionId)?.left(messages, left)
    if (list.unused) this.#waiting.delete(sessionId)
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
    if (list.unused) this.#waiting.delete(sessionId)
    batch.del(keys.reference(sessionId, number))
    if (--message.references > 0) return
    this.#messages.delete(number)
    batch.del(keys.packet(number))
  }
}

function enqueueOp(packet: AedesPacketLike, bytes: number, targets: EnqueueOp['targets'], number: number): EnqueueOp {
  return { type: 'enqueue', number, packet: encodePacket(packet), bytes, targets }
}

export function encodeReference({ qos, bytes, packet }: Reference): string {
  return JSON.stringify(packet ? [qos, bytes, packet] : [qos, bytes])
}

function decodeReference(value: Buffer): Reference {
  const [qos, bytes, packet] = JSON.parse(value.toString())
  return packet ? { qos, bytes, packet } : { qos, bytes }
}
