/**
 * The persistence contract of Aedes over the same keys, so that Aedes and its plugins see the broker's data. Every
 * change goes through the commit queue.
 */
import { Readable } from 'node:stream'
import aedesPacket from 'aedes-packet'
import { incomingKey, incomingPrefix } from '../directory/sessions.js'
import type { Subscriptions } from '../directory/subscriptions.js'
import { del, type Op, put } from '../op.js'
import type { AedesPacketLike, Persistence, WillPacket } from '../persistence.js'
import type { QoS } from '../qos.js'
import type { StoredSubscription } from '../subscription.js'
import { keyOf, numberPart, type Tables } from '../tables.js'
import { decodePacket, encodePacket } from './packet-codec.js'
import { encodeReference, type LevelQueue, type Reference } from './queue.js'
import type { Retained } from './retained.js'

/** Its types describe a function called Packet; at run time the module itself is the constructor. */
const Packet = aedesPacket as unknown as new (original: AedesPacketLike) => AedesPacketLike

type Client = { id: string }
type Waiting = { number: number; reference: Reference; packet: AedesPacketLike }

export interface PersistenceDeps {
  readonly tables: Tables
  readonly subscriptions: Subscriptions
  readonly queue: LevelQueue
  readonly retained: Retained
  readonly commit: (ops: readonly Op[]) => Promise<void>
  /** Waits for queued changes. */
  readonly flush: () => Promise<void>
  readonly now: () => number
}

export class LevelPersistence implements Persistence {
  readonly #deps: PersistenceDeps
  #broker: { id: string } = { id: '' }

  constructor(deps: PersistenceDeps) {
    this.#deps = deps
  }

  get broker(): { id: string } {
    return this.#broker
  }

  async setup(broker: { id: string }): Promise<void> {
    this.#broker = broker
  }

  async storeRetained(packet: AedesPacketLike): Promise<void> {
    await this.#deps.commit([this.#deps.retained.op(packet)])
  }

  createRetainedStream(pattern: string): Readable {
    return this.createRetainedStreamCombi([pattern])
  }

  createRetainedStreamCombi(patterns: string[]): Readable {
    return Readable.from(this.#deps.retained.matching(patterns))
  }

  async addSubscriptions(client: Client, subscriptions: StoredSubscription[]): Promise<void> {
    await this.#deps.commit(this.#deps.subscriptions.addOps(client.id, subscriptions))
  }

  async removeSubscriptions(client: Client, topics: string[]): Promise<void> {
    await this.#deps.commit(this.#deps.subscriptions.removeOps(client.id, topics))
  }

  async subscriptionsByClient(client: Client): Promise<StoredSubscription[]> {
    return this.#deps.subscriptions.read(client.id)
  }

  async subscriptionsByTopic(topic: string): Promise<(StoredSubscription & { clientId: string })[]> {
    // The subscription identifier is part of the client's list, not of a match.
    return this.#deps.subscriptions
      .matching(topic)
      .map(({ subscriptionIdentifier: _, ...subscription }) => subscription)
  }

  async cleanSubscriptions(client: Client): Promise<void> {
    await this.removeSubscriptions(client, this.#deps.subscriptions.topicsOf(client.id))
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    return this.#deps.subscriptions.count()
  }

  async outgoingEnqueue(subscription: { clientId: string }, packet: AedesPacketLike): Promise<void> {
    await this.outgoingEnqueueCombi([subscription], packet)
  }

  async outgoingEnqueueCombi(subscriptions: { clientId: string; qos?: QoS }[], packet: AedesPacketLike): Promise<void> {
    const stored = toPacket(packet)
    const qos = stored.qos ?? 0
    const targets = subscriptions.map(({ clientId }) => ({ sessionId: clientId, qos }))
    await this.#deps.commit([this.#deps.queue.enqueuePacketOp(stored, targets)])
  }

  /** Assigns a packet id to a queued packet; a packet of another kind with that id (PUBREL) replaces it. */
  async outgoingUpdate(client: Client, packet: AedesPacketLike): Promise<void> {
    for await (const { number, reference, packet: stored } of this.#deps.queue.packets(client.id)) {
      const kept = withState(stored, reference)
      const sameBroker = kept.brokerId === packet.brokerId
      if (sameBroker && kept.brokerCounter !== packet.brokerCounter) continue
      if (!sameBroker && kept.messageId !== packet.messageId) continue
      const { messageId } = packet
      const state: Reference['packet'] = { ...reference.packet, ...(messageId === undefined ? {} : { messageId }) }
      if (!sameBroker) state.replaced = encodePacket(packet).toString('base64')
      await this.#deps.commit([
        put('reference', keyOf(client.id, numberPart(number)), encodeReference({ ...reference, packet: state })),
      ])
      return
    }
    throw new Error('no such packet')
  }

  async outgoingClearMessageId(client: Client, packet: AedesPacketLike): Promise<AedesPacketLike | undefined> {
    if (packet.messageId === undefined) return undefined
    for await (const waiting of this.#deps.queue.packets(client.id)) {
      const kept = withState(waiting.packet, waiting.reference)
      if (kept.messageId !== packet.messageId) continue
      await this.#deps.commit([this.#deps.queue.ackOp(client.id, waiting.number)])
      return kept
    }
    return undefined
  }

  outgoingStream(client: Client): Readable {
    return Readable.from(outgoing(this.#deps.queue.packets(client.id)))
  }

  async incomingStorePacket(client: Client, packet: AedesPacketLike): Promise<void> {
    const stored = { ...toPacket(packet), messageId: packet.messageId }
    await this.#deps.commit([put('sessionState', incomingKey(client.id, packet.messageId!), encodePacket(stored))])
  }

  async incomingGetPacket(client: Client, packet: AedesPacketLike): Promise<AedesPacketLike> {
    const value = await this.#deps.tables.get('sessionState', incomingKey(client.id, packet.messageId!))
    if (!value) throw new Error('no such packet')
    // Our own sessions store only the packet id.
    const stored = value.length > 0 ? decodePacket(value) : {}
    return Object.assign(toPacket(stored), { messageId: packet.messageId })
  }

  async incomingDelPacket(client: Client, packet: AedesPacketLike): Promise<void> {
    const key = incomingKey(client.id, packet.messageId!)
    if (!(await this.#deps.tables.get('sessionState', key))) throw new Error('no such packet')
    await this.#deps.commit([del('sessionState', key)])
  }

  async cleanIncoming(client: Client): Promise<void> {
    const found = await this.#deps.tables.list('sessionState', { prefix: incomingPrefix(client.id) })
    await this.#deps.commit(found.map(([key]) => del('sessionState', key)))
  }

  /** Adds broker and client to the packet, as the contract demands. */
  async putWill(client: Client, packet: WillPacket): Promise<void> {
    packet.brokerId = this.#broker.id
    packet.clientId = client.id
    await this.#deps.commit([put('will', keyOf(client.id), encodePacket(packet))])
  }

  async getWill(client: Client): Promise<WillPacket | undefined> {
    const value = await this.#deps.tables.get('will', keyOf(client.id))
    return value && decodePacket(value)
  }

  async delWill(client: Client): Promise<WillPacket | undefined> {
    const will = await this.getWill(client)
    if (will) await this.#deps.commit([del('will', keyOf(client.id))])
    return will
  }

  streamWill(brokers: Record<string, number> = {}): Readable {
    return Readable.from(dueWills(this.#deps.tables, brokers, this.#deps.now()))
  }

  getClientList(topic: string): Readable {
    return Readable.from(this.#deps.subscriptions.clientsOf(topic))
  }

  /** Closing the store is up to its owner. */
  async destroy(): Promise<void> {
    await this.#deps.flush()
  }
}

function toPacket(packet: AedesPacketLike): AedesPacketLike {
  return new Packet(packet)
}

/** A stored packet with the client's own state. */
function withState(stored: AedesPacketLike, { packet: state }: Reference): AedesPacketLike {
  if (state?.replaced) return decodePacket(Buffer.from(state.replaced, 'base64'))
  return Object.assign(toPacket(stored), { messageId: state?.messageId })
}

async function* outgoing(waiting: AsyncIterable<Waiting>): AsyncGenerator<AedesPacketLike> {
  for await (const { packet, reference } of waiting) yield withState(packet, reference)
}

async function* dueWills(tables: Tables, brokers: Record<string, number>, now: number): AsyncGenerator<WillPacket> {
  for await (const [, value] of tables.entries('will')) {
    const will: WillPacket = decodePacket(value)
    if (!brokers[will.brokerId ?? ''] && (will.due ?? 0) <= now) yield will
  }
}
