/** The properties of an MQTT 5 CONNACK: the broker's limits, and what it decided differently from the client's request. */
import { topics } from '../../schemas/topics.js'
import type { Principal } from '../auth/principal.js'
import { encodeConnack } from './codec/encode.js'
import type { ConnectPacket } from './codec/packets.js'
import type { Properties } from './codec/properties.js'
import { Reason } from './codec/reason-codes.js'
import { ConnectRefused } from './connect-refused.js'

/** Session expiry in seconds: before MQTT 5 zero or the maximum, from then on as requested, up to the maximum [MQTT5-3.1.2.11.2]. */
export function sessionExpiry({ version, clean, properties }: ConnectPacket, most: number): number {
  if (version === 5) return Math.min(properties.sessionExpiry ?? 0, most)
  return clean ? 0 : most
}

/** Keep alive in seconds; in MQTT 5 the server may set a lower one, also where the client requested none. */
export function keepAlive({ version, keepalive }: ConnectPacket, most: number | null): number {
  if (version !== 5 || most === null) return keepalive
  return keepalive === 0 ? most : Math.min(keepalive, most)
}

/** Longest reason string, in characters. */
const MAX_REASON = 1024

export function reasonProperties(why: string): Properties {
  return { reasonString: why.slice(0, MAX_REASON) }
}

export interface ConnackLimits {
  readonly receiveMaximum: number
  readonly packetBytes: number
  readonly topicAliases: number
  /** Seconds. */
  readonly sessionExpiry: number
  readonly keepAlive: number | null
}

/** [MQTT5-3.2.2.3] */
export function connackProperties(
  limits: ConnackLimits,
  maxPacket: number,
  packet: ConnectPacket,
  clientId: string,
  { user }: Principal,
): Properties {
  const { sessionExpiry: asked, requestResponseInformation, authMethod } = packet.properties
  const expiry = sessionExpiry(packet, limits.sessionExpiry)
  const properties: Properties = {
    receiveMaximum: limits.receiveMaximum,
    maximumPacketSize: limits.packetBytes,
  }
  if (limits.topicAliases > 0) properties.topicAliasMaximum = limits.topicAliases
  if (asked !== undefined && asked !== expiry) properties.sessionExpiry = expiry
  const silence = keepAlive(packet, limits.keepAlive)
  if (silence !== packet.keepalive) properties.serverKeepAlive = silence
  if (authMethod !== undefined) properties.authMethod = authMethod
  if (packet.clientId === '') properties.assignedClientId = clientId
  if (!fits(properties, maxPacket))
    throw new ConnectRefused(
      3,
      Reason.packetTooLarge,
      'CONNACK is larger than the maximum packet size [MQTT5-3.1.2-24]',
    )
  if (!requestResponseInformation) return properties
  const more = { ...properties, responseInformation: topics.user(user, 'replies') }
  return fits(more, maxPacket) ? more : properties
}

function fits(properties: Properties, maxPacket: number): boolean {
  return maxPacket === Number.POSITIVE_INFINITY || encodeConnack(5, false, 0, properties).length <= maxPacket
}
