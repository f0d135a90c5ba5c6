/** Encodes MQTT packets without any checks, for tests that send invalid ones. */
import { encodeVarint } from '../../broker/mqtt/codec/properties.js'

export { encodeVarint }

export function byte(value: number): Buffer {
  return Buffer.from([value & 0xff])
}

export function uint16(value: number): Buffer {
  return Buffer.from([(value >> 8) & 0xff, value & 0xff])
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

/** Bytes with their length before them. */
export function sized(bytes: Buffer): Buffer {
  return Buffer.concat([uint16(bytes.length), bytes])
}

export function text(value: string): Buffer {
  return sized(Buffer.from(value))
}

/** A packet: first byte, remaining length, body. */
export function packet(header: number, ...body: Buffer[]): Buffer {
  const bytes = Buffer.concat(body)
  return Buffer.concat([byte(header), encodeVarint(bytes.length), bytes])
}

/** A property section: its length, then the properties. */
export function section(properties: Buffer): Buffer {
  return Buffer.concat([encodeVarint(properties.length), properties])
}

/** Offset of a packet's body; its end if there is none. */
export function bodyAt(bytes: Buffer): number {
  let at = 1
  while (at < Math.min(4, bytes.length) && bytes[at]! & 0x80) at++
  return Math.min(at + 1, bytes.length)
}
