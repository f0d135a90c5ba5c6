/** The packets that the client sends. Throws a `WireError` for what MQTT has no form for. */
import type { Bytes } from '../../base/platform.js'
import { utf8 } from '../utf8.js'
import { type Login, type Outgoing, type Properties, type Subscription, WireError } from '../wire.js'
import { writeProperties } from './properties.js'
import { PacketWriter } from './writer.js'

const PROTOCOL_VERSION = 5
const CLEAN_START = 0x02
const HAS_PASSWORD = 0x40
const HAS_USER_NAME = 0x80
/** Method of enhanced authentication whose data is a JWT. */
const METHOD = 'JWT'

/** A session that ends with its connection; `keepAlive` in seconds. */
export function encodeConnect(login: Login, keepAlive: number, properties: Properties): Bytes {
  const writer = new PacketWriter()
  const byPassword = 'password' in login
  writer.string('MQTT')
  writer.byte(PROTOCOL_VERSION)
  writer.byte(CLEAN_START | (byPassword ? HAS_USER_NAME | HAS_PASSWORD : 0))
  writer.uint16(keepAlive)
  writeProperties(writer, byPassword ? properties : { ...properties, authMethod: METHOD, authData: utf8(login.token) })
  writer.string(login.clientId)
  if (byPassword) {
    writer.string(login.user)
    writer.binary(utf8(login.password))
  }
  return writer.packet(0x10)
}

/** `packetId`: 0 at QoS 0. */
export function encodePublish(message: Outgoing, packetId: number): Bytes {
  const { topic, payload, qos, retain, properties = {} } = message
  const writer = new PacketWriter()
  writer.string(topic)
  if (qos > 0) writer.uint16(packetId)
  writeProperties(writer, properties)
  writer.raw(payload)
  return writer.packet(0x30 | (qos << 1) | (retain ? 1 : 0))
}

/** Success. */
export function encodePuback(packetId: number): Bytes {
  return Uint8Array.of(0x40, 2, packetId >> 8, packetId)
}

export function encodeSubscribe(subscriptions: readonly Subscription[], packetId: number): Bytes {
  const writer = new PacketWriter()
  requireSome(subscriptions)
  writer.uint16(packetId)
  writeProperties(writer, {})
  for (const { filter, qos, noLocal, retainHandling = 0 } of subscriptions) {
    writer.string(filter)
    writer.byte(qos | (noLocal ? 0x04 : 0) | (retainHandling << 4))
  }
  return writer.packet(0x82)
}

export function encodeUnsubscribe(filters: readonly string[], packetId: number): Bytes {
  const writer = new PacketWriter()
  requireSome(filters)
  writer.uint16(packetId)
  writeProperties(writer, {})
  for (const filter of filters) writer.string(filter)
  return writer.packet(0xa2)
}

export function encodePingreq(): Bytes {
  return Uint8Array.of(0xc0, 0)
}

export function encodeDisconnect(reason: number): Bytes {
  return Uint8Array.of(0xe0, 1, reason)
}

/** Re-authentication with another token [MQTT5-4.12.1]. */
export function encodeAuth(reason: number, token: string): Bytes {
  const writer = new PacketWriter()
  writer.byte(reason)
  writeProperties(writer, { authMethod: METHOD, authData: utf8(token) })
  return writer.packet(0xf0)
}

/** [MQTT5-3.8.3-2, MQTT5-3.10.3-2] */
function requireSome(filters: readonly unknown[]): void {
  if (filters.length === 0) throw new WireError('rejected', 'there is no filter')
}
