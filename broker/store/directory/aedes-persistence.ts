/** The persistence contract of Aedes over the same data, so that Aedes and its plugins see what the broker has. */

import { Readable } from 'node:stream'
import aedesPacket from 'aedes-packet'
import { del, type Op, put } from '../op.js'
import { decodePacket, encodePacket, plainMessage, publishPacket } from '../packet-codec.js'
import type { AedesPacketLike, Persistence, WillPacket } from '../persistence.js'
import { dequeueOp, enqueueOp, retainOp } from '../queue-ops.js'
import type { PlainMessage } from '../queues.js'
import type { StorePort } from '../store.js'
import type { StoredSubscription } from '../subscription.js'
import { keyOf, numberPart } from '../tables.js'
import { parse } from './memory-table.js'
import { incomingKey, incomingPrefix, readSubscriptions, subscribeOps, unsubscribeOps } from './sessions.js'

/** Its types describe a function called Packet; at run time the module itself is the constructor. */
const Packet = aedesPacket as unknown as new (original: AedesPacketLike) => AedesPacketLike

/** Messages of a queue that are read at once. */
const PAGE = 256
const PAGE_BYTES = 1_048_576

/** What the contract keeps of a queued packet besides the packet itself. */
interface PacketState {
  readonly messageId?: number
  /** The packet that took its place (PUBREL), encoded. */
  readonly replaced?: string
}

type Waiting = { number: number; state: PacketState; packet: AedesPacketLike }

type Port = Pick<StorePort, 'tables' | 'subscriptions' | 'queue' | 'commit'>

type Client = { id: string }
export class AedesPersistence implements Persistence {
  readonly #port: Port
  readonly #now: () => number
  #broker: { id: string } = { id: '' }

  /** `now`: Unix ms. */
  constructor(port: Port, now: () => number) {
    this.#port = port
    this.#now = now
  }

  get broker(): { id: string } {
    return this.#broker
  }

  async setup(broker: { id: string }): Promise<void> {
    this.#broker = broker
  }

  async storeRetained(packet: AedesPacketLike): Promise<void> {
    await this.#commit([retainOp(toMessage(packet))])
  }

  createRetainedStream(pattern: string): Readable {
    return this.createRetainedStreamCombi([pattern])
  }

  createRetainedStreamCombi(patterns: string[]): Readable {
    return Readable.from(shown(this.#port.queue.retained(patterns)))
  }

  async addSubscriptions(client: Client, subscriptions: StoredSubscription[]): Promise<void> {
    await this.#commit(subscribeOps(client.id, subscriptions))
  }

  async removeSubscriptions(client: Client, topics: string[]): Promise<void> {
    await this.#commit(unsubscribeOps(client.id, topics))
  }

  async subscriptionsByClient(client: Client): Promise<StoredSubscription[]> {
    return readSubscriptions(this.#port.tables, client.id)
  }

  async subscriptionsByTopic(topic: string): Promise<(StoredSubscription & { clientId: string })[]> {
    // The subscription identifier is part of the client's list, not of a match.
    return this.#port.subscriptions
      .matching(topic)
      .map(({ subscriptionIdentifier: _, ...subscription }) => subscription)
  }

  async cleanSubscriptions(client: Client): Promise<void> {
    await this.removeSubscriptions(client, this.#port.subscriptions.topicsOf(client.id))
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    return this.#port.subscriptions.count()
  }

  async outgoingEnqueue(subscription: { clientId: string }, packet: AedesPacketLike): Promise<void> {
    await this.outgoingEnqueueCombi([subscription], packet)
  }

  async outgoingEnqueueCombi(subscriptions: { clientId: string }[], packet: AedesPacketLike): Promise<void> {
    const message = toMessage(toPacket(packet))
    const targets = subscriptions.map(({ clientId }) => ({ sessionId: clientId, qos: message.qos }))
    await this.#commit([enqueueOp(message, targets)])
  }

  /** Assigns a packet id to a queued packet; a packet of another kind with that id (PUBREL) replaces it. */
  async outgoingUpdate(client: Client, packet: AedesPacketLike): Promise<void> {
    for await (const { number, state, packet: stored } of this.#waiting(client.id)) {
      const kept = withState(stored, state)
      const sameBroker = kept.brokerId === packet.brokerId
      if (sameBroker && kept.brokerCounter !== packet.brokerCounter) continue
      if (!sameBroker && kept.messageId !== packet.messageId) continue
      const { messageId } = packet
      const next: PacketState = {
        ...state,
        ...(messageId === undefined ? {} : { messageId }),
        ...(sameBroker ? {} : { replaced: encodePacket(packet).toString('base64') }),
      }
      await this.#commit([put('packetState', stateKey(client, number), JSON.stringify(next))])
      return
    }
    throw new Error('no such packet')
  }

  async outgoingClearMessageId(client: Client, packet: AedesPacketLike): Promise<AedesPacketLike | undefined> {
    if (packet.messageId === undefined) return undefined
    for await (const { number, state, packet: stored } of this.#waiting(client.id)) {
      const kept = withState(stored, state)
      if (kept.messageId !== packet.messageId) continue
      await this.#commit([dequeueOp(client.id, number), del('packetState', stateKey(client, number))])
      return kept
    }
    return undefined
  }

  outgoingStream(client: Client): Readable {
    return Readable.from(outgoing(this.#waiting(client.id)))
  }

  async incomingStorePacket(client: Client, packet: AedesPacketLike): Promise<void> {
    const stored = { ...toPacket(packet), messageId: packet.messageId }
    await this.#commit([put('sessionState', incomingKey(client.id, packet.messageId!), encodePacket(stored))])
  }

  async incomingGetPacket(client: Client, packet: AedesPacketLike): Promise<AedesPacketLike> {
    const value = await this.#port.tables.get('sessionState', incomingKey(client.id, packet.messageId!))
    if (!value) throw new Error('no such packet')
    // Our own sessions store only the packet id.
    const stored = value.length > 0 ? decodePacket(value) : {}
    return Object.assign(toPacket(stored), { messageId: packet.messageId })
  }

  async incomingDelPacket(client: Client, packet: AedesPacketLike): Promise<void> {
    const key = incomingKey(client.id, packet.messageId!)
    if (!(await this.#port.tables.get('sessionState', key))) throw new Error('no such packet')
    await this.#commit([del('sessionState', key)])
  }

  async cleanIncoming(client: Client): Promise<void> {
    const found = await this.#port.tables.list('sessionState', { prefix: incomingPrefix(client.id) })
    await this.#commit(found.map(([key]) => del('sessionState', key)))
  }

  /** Adds broker and client to the packet, as the contract of `putWill` demands. */
  putWillOp(client: Client, packet: WillPacket): Op {
    packet.brokerId = this.#broker.id
    packet.clientId = client.id
    return put('will', keyOf(client.id), encodePacket(packet))
  }

  delWillOp({ id }: Client): Op {
    return del('will', keyOf(id))
  }

  async putWill(client: Client, packet: WillPacket): Promise<void> {
    await this.#commit([this.putWillOp(client, packet)])
  }

  async getWill(client: Client): Promise<WillPacket | undefined> {
    const value = await this.#port.tables.get('will', keyOf(client.id))
    return value && decodePacket(value)
  }

  async delWill(client: Client): Promise<WillPacket | undefined> {
    const will = await this.getWill(client)
    if (will) await this.#commit([this.delWillOp(client)])
    return will
  }

  streamWill(brokers: Record<string, number> = {}): Readable {
    return Readable.from(this.#dueWills(brokers, this.#now()))
  }

  async *wills(): AsyncGenerator<WillPacket> {
    for await (const [, value] of this.#port.tables.entries('will')) yield decodePacket(value)
  }

  async *#dueWills(brokers: Record<string, number>, now: number): AsyncGenerator<WillPacket> {
    for await (const will of this.wills()) if (!brokers[will.brokerId ?? ''] && (will.due ?? 0) <= now) yield will
  }

  getClientList(topic: string): Readable {
    return Readable.from(this.#port.subscriptions.clientsOf(topic))
  }

  /** Closing the store is up to its owner. */
  async destroy(): Promise<void> {}

  #commit(ops: readonly Op[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#port.commit({ drafts: [], ops, settled: (error) => (error ? reject(error) : resolve()) })
    })
  }

  /** What waits for a client, in order. */
  async *#waiting(id: string): AsyncGenerator<Waiting> {
    const { queue, tables } = this.#port
    const states = new Map(await tables.list('packetState', { owner: id }))
    for (let after = 0; ; ) {
      const page = await queue.read(id, after, PAGE, PAGE_BYTES)
      for (const { number, message } of page) {
        const state = states.get(stateKey({ id }, number))
        yield { number, state: state ? parse(state) : {}, packet: packetOf(message) }
        after = number
      }
      if (page.length === 0) return
    }
  }
}

function stateKey({ id }: Client, number: number): string {
  return keyOf(id, numberPart(number))
}

/** A payload that is a text is kept as bytes, and shown as it was. */
function toMessage(packet: AedesPacketLike): PlainMessage {
  return plainMessage(typeof packet.payload === 'string' ? { ...packet, isText: true } : packet)
}

function packetOf(message: PlainMessage): AedesPacketLike {
  const { isText, ...packet } = publishPacket(message)
  return isText ? { ...packet, payload: message.payload.toString() } : packet
}

function toPacket(packet: AedesPacketLike): AedesPacketLike {
  return new Packet(packet)
}

/** A stored packet with the client's own state. */
function withState(stored: AedesPacketLike, { messageId, replaced }: PacketState): AedesPacketLike {
  if (replaced) return decodePacket(Buffer.from(replaced, 'base64'))
  return Object.assign(toPacket(stored), { messageId })
}

async function* outgoing(waiting: AsyncIterable<Waiting>): AsyncGenerator<AedesPacketLike> {
  for await (const { packet, state } of waiting) yield withState(packet, state)
}

async function* shown(messages: AsyncIterable<PlainMessage>): AsyncGenerator<AedesPacketLike> {
  for await (const message of messages) yield packetOf(message)
}
