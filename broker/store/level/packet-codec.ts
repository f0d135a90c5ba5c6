/** Encodes packets: fields as JSON, the payload as bytes. */

import type { Extra } from '../logs.js'
import type { AedesPacketLike } from '../persistence.js'
import type { PlainMessage } from '../queues.js'

const HEADER = 5
const NO_PAYLOAD = 0
const BYTES = 1
const TEXT = 2

export function encodePacket(packet: AedesPacketLike): Buffer {
  const { payload, ...fields } = packet
  const header = Buffer.from(JSON.stringify(fields, writeBuffers))
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
  const packet = JSON.parse(value.toString('utf8', HEADER, end), readBuffers) as AedesPacketLike
  const payload = value.subarray(end)
  if (value[0] === BYTES) packet.payload = payload
  else if (value[0] === TEXT) packet.payload = payload.toString()
  return packet
}

export function plainMessage(packet: AedesPacketLike): PlainMessage {
  const payload = packet.payload ?? ''
  return {
    topic: packet.topic ?? '',
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    qos: packet.qos ?? 0,
    retain: packet.retain ?? false,
    clientId: packet.clientId ?? null,
    ...(packet.extra ? { extra: packet.extra as Extra } : {}),
    ...(packet.replaces ? { replaces: true } : {}),
  }
}

/** The packet that the Aedes contract shows for a stored message. */
export function publishPacket(message: PlainMessage): AedesPacketLike {
  const { clientId, extra = null, ...fields } = message
  return { cmd: 'publish', ...fields, ...(clientId === null ? {} : { clientId }), ...(extra ? { extra } : {}) }
}

/** MQTT 5 properties may be binary (correlation data). */
function writeBuffers(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key]
  return Buffer.isBuffer(original) ? { $base64: original.toString('base64') } : value
}

function readBuffers(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$base64' in value)) return value
  return Buffer.from(String(value.$base64), 'base64')
}
