import type { QoS } from '../../store/qos.js'
import type { Properties } from './properties.js'

/** MQTT 3.1, 3.1.1, 5.0. */
export type Version = 3 | 4 | 5

/** Control packet types [MQTT-2.2.1]. */
export const Type = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const

export interface Will {
  topic: string
  payload: Buffer
  qos: QoS
  retain: boolean
  properties: Properties
}

export interface ConnectPacket {
  type: 'connect'
  version: Version
  clientId: string
  clean: boolean
  /** Seconds, 0 = off. */
  keepalive: number
  username: string | undefined
  password: Buffer | undefined
  will: Will | null
  properties: Properties
}

export interface PublishPacket {
  type: 'publish'
  topic: string
  payload: Buffer
  qos: QoS
  retain: boolean
  dup: boolean
  /** 0 at QoS 0. */
  packetId: number
  properties: Properties
  /** What it takes on the wire, without its fixed header. */
  bytes: number
}

export interface AckPacket {
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'
  packetId: number
  reason: number
  properties: Properties
}

export interface RequestedSubscription {
  filter: string
  qos: QoS
  noLocal: boolean
  retainAsPublished: boolean
  retainHandling: 0 | 1 | 2
}

export interface SubscribePacket {
  type: 'subscribe'
  packetId: number
  subscriptions: RequestedSubscription[]
  properties: Properties
}

export interface UnsubscribePacket {
  type: 'unsubscribe'
  packetId: number
  filters: string[]
  properties: Properties
}

export interface DisconnectPacket {
  type: 'disconnect'
  reason: number
  properties: Properties
}

/** A step of enhanced authentication [MQTT5-4.12]. */
export interface AuthPacket {
  type: 'auth'
  /** `Reason.success`, `continueAuthentication` or `reAuthenticate`. */
  reason: number
  method: string
  /** Undefined: the packet carries none. */
  data: Buffer | undefined
}

export type Packet =
  | ConnectPacket
  | PublishPacket
  | AckPacket
  | SubscribePacket
  | UnsubscribePacket
  | DisconnectPacket
  | AuthPacket
  | { type: 'pingreq' }
