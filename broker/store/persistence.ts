/** The persistence contract of Aedes. */

import type { Readable } from 'node:stream'
import type { Op } from './op.js'
import type { QoS } from './qos.js'
import type { StoredSubscription } from './subscription.js'
import type { AccountVersion } from './users.js'

/** A message as the Aedes persistence contract sees it. */
export interface AedesPacketLike {
  cmd?: string
  topic?: string
  payload?: Buffer | string
  qos?: QoS
  retain?: boolean
  dup?: boolean
  messageId?: number | undefined
  brokerId?: string
  brokerCounter?: number
  clientId?: string
  /** Fields of our own messages that Aedes does not know. */
  extra?: unknown
  replaces?: unknown
  [key: string]: unknown
}

/**
 * A will as stored. `user`, `roles` and `login` say on whose authority it is published; `due` (Unix ms), when.
 * `streamWill` yields only those that are due.
 */
export interface WillPacket extends AedesPacketLike {
  user?: string
  roles?: string[]
  /** As in `Principal`; wills stored by earlier versions have none of these. */
  ofAccount?: { only?: readonly string[]; plus?: readonly string[] }
  account?: AccountVersion
  login?: string | null
  issuedAt?: number
  expiresAt?: number | null
  /** Seconds, while the client is connected: the will is due so long after it is known that its broker is gone. */
  delay?: number
  /** Unix ms of the publication, where that is not the end of the connection. */
  due?: number
  /** Its broker left, and the client has until `due` to come back, to whatever session: then the will is void. */
  deferred?: boolean
}

/** The contract of aedes-persistence 11 (asyncPersistence): its abstract test suite runs against it. Wills can also be ops of a larger change. */
export interface Persistence {
  setup(broker: { id: string }): Promise<void>
  storeRetained(packet: AedesPacketLike): Promise<void>
  createRetainedStream(pattern: string): Readable
  createRetainedStreamCombi(patterns: string[]): Readable
  addSubscriptions(client: { id: string }, subscriptions: StoredSubscription[]): Promise<void>
  removeSubscriptions(client: { id: string }, topics: string[]): Promise<void>
  subscriptionsByClient(client: { id: string }): Promise<StoredSubscription[]>
  subscriptionsByTopic(topic: string): Promise<(StoredSubscription & { clientId: string })[]>
  cleanSubscriptions(client: { id: string }): Promise<void>
  countOffline(): Promise<{ subsCount: number; clientsCount: number }>
  outgoingEnqueue(subscription: { clientId: string }, packet: AedesPacketLike): Promise<void>
  outgoingEnqueueCombi(subscriptions: { clientId: string }[], packet: AedesPacketLike): Promise<void>
  outgoingUpdate(client: { id: string }, packet: AedesPacketLike): Promise<void>
  outgoingClearMessageId(client: { id: string }, packet: AedesPacketLike): Promise<AedesPacketLike | undefined>
  outgoingStream(client: { id: string }): Readable
  incomingStorePacket(client: { id: string }, packet: AedesPacketLike): Promise<void>
  incomingGetPacket(client: { id: string }, packet: AedesPacketLike): Promise<AedesPacketLike>
  incomingDelPacket(client: { id: string }, packet: AedesPacketLike): Promise<void>
  cleanIncoming(client: { id: string }): Promise<void>
  putWillOp(client: { id: string }, packet: WillPacket): Op
  delWillOp(client: { id: string }): Op
  putWill(client: { id: string }, packet: WillPacket): Promise<void>
  getWill(client: { id: string }): Promise<WillPacket | undefined>
  delWill(client: { id: string }): Promise<WillPacket | undefined>
  streamWill(brokers?: Record<string, number>): Readable
  /** All that are stored, due or not. */
  wills(): AsyncIterable<WillPacket>
  getClientList(topic: string): Readable
  destroy(): Promise<void>
}
