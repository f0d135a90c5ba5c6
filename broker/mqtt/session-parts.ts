/** What a session is made of and works with. */
import type { QoS } from '../store/qos.js'
import type { Version } from './codec/packets.js'

export type {
  SubscriberSaver as SessionSaver,
  SubscriberServices as SessionServices,
} from '../following/services.js'

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
  /** Whether a message on a topic is for its user, as far as roles say. */
  isFor(topic: string, payload: Buffer): boolean
  /** Whether a message of the moment that had to wait may still be delivered. */
  maySee(topic: string): boolean
  /** Null while nobody set the hook. */
  forward: Forward | null
}
