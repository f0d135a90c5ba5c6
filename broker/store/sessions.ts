/** MQTT sessions that outlive their connection. */

import type { Op } from './op.js'
import type { QoS } from './qos.js'

export interface StoredSubscription {
  topic: string
  qos: QoS
  rh?: number
  rap?: boolean
  nl?: boolean
  subscriptionIdentifier?: number
}

export interface SessionRecord {
  /** `{user}/{clientId}`. */
  id: string
  user: string
  clientId: string
  /** Unix ms. */
  createdAt: number
  /** Unix ms of the last disconnect, 0 while connected. */
  disconnectedAt: number
  /** Seconds the session outlives its connection. */
  expiry: number
  /** Of an anonymous client: where it was made from. */
  address?: string
  /** The credential its client logged in with last; absent or null: none of those the broker keeps. */
  login?: string | null
}

/** A packet given to the client and not yet acknowledged. */
export interface SavedInflight {
  packetId: number
  /** The cursor it belongs to, or `queue`. */
  source: string
  /** Sequence in the log, or the queue number. */
  seq: number
  qos: QoS
  /** QoS 2: PUBREC arrived, PUBREL is owed. */
  released: boolean
}

/** How far delivery came. */
export interface Progress {
  /** Cursor name → number of the last entry of the contiguous acknowledged prefix. */
  cursors: Map<string, number>
  inflight: SavedInflight[]
}

export interface SavedSession extends Progress {
  record: SessionRecord
  subscriptions: StoredSubscription[]
  /** Packet ids of inbound QoS 2 publishes that await PUBREL. */
  incoming: number[]
}

/** `at`: Unix ms. `ended`: it ended then, and all its sessions with it. */
export interface Seen {
  readonly at: number
  readonly ended: boolean
}

export interface SessionStore {
  load(id: string): Promise<SavedSession | null>
  /** Of a session, or of a share group, which has no record of its own. */
  progress(id: string): Promise<Progress>
  /** What the filters of all kept sessions of a user count for (filter-cost.ts). From memory. */
  filterBytesOfUser(user: string): number
  /** Shared subscriptions with the ids of the sessions that have them. From memory. */
  shared(): Iterable<StoredSubscription & { clientId: string }>
  recordOp(record: SessionRecord): Op
  subscribeOps(id: string, subscriptions: readonly StoredSubscription[]): Op[]
  unsubscribeOps(id: string, topics: readonly string[]): Op[]
  cursorOp(id: string, cursor: string, seq: number): Op
  dropCursorOp(id: string, cursor: string): Op
  /** Replaces the list. */
  inflightOp(id: string, inflight: readonly SavedInflight[]): Op
  incomingOp(id: string, packetId: number): Op
  dropIncomingOp(id: string, packetId: number): Op
  /**
   * Writes without waiting for the disk: what may be lost in a crash (cursors and QoS 1 state, at most a second old).
   * Ordered before every later commit.
   */
  writeLazily(ops: readonly Op[]): Promise<void>
  /** Removes the session with all it holds: subscriptions, cursors, queue, inbound packet ids. Not its will. Durable. */
  discard(id: string): Promise<void>
  ofUser(user: string): Promise<SessionRecord[]>
  all(): AsyncIterable<SessionRecord>
  /** When the broker was last known to be there; null: that was never noted. */
  seen(): Promise<Seen | null>
  seenOp(seen: Seen): Op
}
