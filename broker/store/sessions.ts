/** MQTT sessions that outlive their connection. */

import type { Guards } from './guards.js'
import type { Op } from './op.js'
import type { QoS } from './qos.js'
import type { StoredSubscription } from './subscription.js'

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
  /** Of an anonymous client: the address that created the session. */
  address?: string
  /** The credential used at the last login; absent or null: none that the broker stores. */
  login?: string | null
}

/** A packet sent to the client and not yet acknowledged. */
export interface SavedInflight {
  packetId: number
  /** The cursor it belongs to, or `queue`. */
  source: string
  /** Number in the log or in the queue. */
  seq: number
  qos: QoS
  /** QoS 2: PUBREC was received, PUBREL is due. */
  released: boolean
}

/** Such a packet is not in flight any more. */
export interface EndedInflight extends Pick<SavedInflight, 'packetId' | 'source' | 'seq'> {
  ended: true
}

/** A packet in flight that began or changed, or one that ended. In a share group packets have no id, and are known by source and number. */
export type InflightChange = SavedInflight | EndedInflight

/** The state of delivery to a session. */
export interface Progress {
  /** Cursor name → the last entry up to which all are acknowledged. */
  cursors: Map<string, number>
  /** In the order of sending. */
  inflight: SavedInflight[]
  /** As many records of changes are stored beside the list. */
  inflightChanges: number
}

export interface SavedSession extends Progress {
  record: SessionRecord
  subscriptions: StoredSubscription[]
  /** Packet ids of inbound QoS 2 publishes that await PUBREL. */
  incoming: number[]
}

/** A heartbeat of the broker. `at`: Unix ms. `ended`: a clean shutdown, after which all sessions are disconnected. */
export interface LastHeartbeat {
  readonly at: number
  readonly ended: boolean
}

export interface SessionStore {
  load(id: string): Promise<SavedSession | null>
  isKept(id: string): Promise<boolean>
  record(id: string): Promise<SessionRecord | null>
  /** Of a session, or of a share group, which has no record of its own. */
  progress(id: string): Promise<Progress>
  /** Stored for a session; or for a share group, one: at which QoS messages are kept for it. */
  subscriptionsOf(id: string): Promise<StoredSubscription[]>
  recordOp(record: SessionRecord): Op
  subscribeOps(id: string, subscriptions: readonly StoredSubscription[]): Op[]
  unsubscribeOps(id: string, topics: readonly string[]): Op[]
  cursorOp(id: string, cursor: string, seq: number): Op
  dropCursorOp(id: string, cursor: string): Op
  /** Replaces the stored list, and with it the records of changes in the former one, of which there are at most so many. */
  inflightOps(id: string, inflight: readonly SavedInflight[], changeRecords?: number): Op[]
  /** Adds a record of changes in the stored list, in their order; `number`: how many there are. */
  inflightChangesOp(id: string, number: number, changes: readonly InflightChange[]): Op
  incomingOp(id: string, packetId: number): Op
  dropIncomingOp(id: string, packetId: number): Op
  /**
   * Writes without waiting for fsync: for state that may be lost in a crash (cursors and QoS 1 state, at most a second
   * old). Ordered before every later commit.
   */
  writeLazily(ops: readonly Op[], guards?: Guards | null): Promise<void>
  /** Removes the session with its subscriptions, cursors, queue and inbound packet ids, but not its will. */
  discardOps(id: string): Op[]
  ofUser(user: string): Promise<SessionRecord[]>
  all(): AsyncIterable<SessionRecord>
  /** The last heartbeat; null: there was none. */
  lastHeartbeat(): Promise<LastHeartbeat | null>
  heartbeatOp(seen: LastHeartbeat): Op
}
