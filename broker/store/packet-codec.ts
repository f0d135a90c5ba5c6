/** Encodes packets and messages: fields as JSON, the payload as bytes. */

import { bytesAsText, bytesFromText } from './json-bytes.js'
import type { Extra } from './logs.js'
import type { AedesPacketLike } from './persistence.js'
import type { PlainMessage } from './queues.js'

const HEADER = 5
const NO_PAYLOAD = 0
const BYTES = 1
const TEXT = 2

export function encodePacket(packet: AedesPacketLike): Buffer {
  const { payload, ...fields } = packet
  // MQTT 5 properties may be binary (correlation data).
  const header = Buffer.from(JSON.stringify(fields, bytesAsText))
  const prefix = Buffer.allocUnsafe(HEADER)
  prefix[0] = payload === undefined ? NO_PAYLOAD : typeof payload === 'string' ? TEXT : BYTES
  prefix.writeUInt32LE(header.length, 1)
  return Buffer.concat([
    prefix,
    header,
    typeof payload === 'string' ? Buffer.from(payload) : (payload ?? Buffer.alloc(0)),
  ])
}

export function decodePacket(value: Buffer): AedesPacketLike {
  const end = HEADER + value.readUInt32LE(1)
  const packet = JSON.parse(value.toString('utf8', HEADER, end), bytesFromText) as AedesPacketLike
  const payload = value.subarray(end)
  if (value[0] === BYTES) packet.payload = payload
  else if (value[0] === TEXT) packet.payload = payload.toString()
  return packet
}

export function encodeMessage(message: PlainMessage): Buffer {
  return encodePacket(publishPacket(message))
}

export function decodeMessage(value: Buffer): PlainMessage {
  return plainMessage(decodePacket(value))
}

/** The fields of a packet that a message has by names of its own. */
const NAMED: ReadonlySet<string> = new Set('cmd topic payload qos retain clientId extra replaces'.split(' '))

export function plainMessage(packet: AedesPacketLike): PlainMessage {
  const { payload = '', extra, replaces } = packet
  const more = othersOf(packet)
  return {
    topic: packet.topic ?? '',
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    qos: packet.qos ?? 0,
    retain: packet.retain ?? false,
    clientId: packet.clientId ?? null,
    ...(extra ? { extra: extra as Extra } : {}),
    ...(replaces ? { replaces: true } : {}),
    ...(more ? { more } : {}),
  }
}

function othersOf(packet: AedesPacketLike): Record<string, unknown> | null {
  let more: Record<string, unknown> | null = null
  for (const key in packet) {
    if (NAMED.has(key) || packet[key] === undefined) continue
    more ??= {}
    more[key] = packet[key]
  }
  return more
}

/** The packet that the Aedes contract shows for a message. */
export function publishPacket({ clientId, extra = null, more, ...fields }: PlainMessage): AedesPacketLike {
  return { cmd: 'publish', ...fields, ...(clientId === null ? {} : { clientId }), ...(extra ? { extra } : {}), ...more }
}
