/** What a session is made of and works with. */
import type { Reached } from '../chat/receipts.js'
import type { Views } from '../chat/views.js'
import type { Hub } from '../hub.js'
import type { Counters } from '../metrics.js'
import type { QoS, Store } from '../store/store.js'
import type { Version } from './codec/packets.js'

export interface SessionLimits {
  inflight: number
  queueMessages: number
  queueBytes: number
}

export interface SessionServices {
  readonly hub: Hub
  readonly store: Store
  readonly views: Views
  readonly counters: Counters
  readonly limits: SessionLimits
  /** Told of every acknowledgement in a room, so it must cost nearly nothing. */
  readonly delivered: (user: string, feed: Reached) => void
}

export interface SessionIdentity {
  readonly id: string
  readonly user: string
  readonly version: Version
  /** The session outlives its connection. */
  readonly persistent: boolean
  /** What the client takes at most [MQTT5-3.1.2.11]: messages under way, bytes of a packet. */
  readonly receiveMaximum: number
  readonly maxPacket: number
  /** Topic aliases towards the client; 0: none. */
  readonly topicAliases: number
}

/** The Aedes `authorizeForward` hook: the payload to deliver, or null. */
export type Forward = (topic: string, payload: Buffer, qos: QoS) => Buffer | null

/** Decisions about single deliveries that the session does not make itself. */
export interface DeliveryGuard {
  /** Whether a message on a plain topic may be delivered now. */
  mayReceive(topic: string): boolean
  /** Null while nobody set the hook. */
  forward: Forward | null
}

/** Tells the session's saver that there is something to save, and saves at once what must be durable before a packet leaves. */
export interface SessionSaver {
  touched(): void
  /** Saves with the next commit, without waiting for the disk. */
  saveSoon(): void
  /** Resolves when the session's state is durable; rejects when the store cannot. */
  saveNow(): Promise<void>
}
