/** Encodes MQTT 5 properties and expiry for journal and chunks: expires u48 | properties length u32 | properties. */
import type { Extra } from '../logs.js'

const HEADER = 10

export function extraSize({ properties }: Extra): number {
  return HEADER + properties.length
}

/** Returns the offset behind it. */
export function writeExtra(buffer: Buffer, { properties, expiresAt }: Extra, at: number): number {
  buffer.writeUIntLE(expiresAt, at, 6)
  buffer.writeUInt32LE(properties.length, at + 6)
  return at + HEADER + properties.copy(buffer, at + HEADER)
}

export function readExtra(buffer: Buffer, at: number): Extra {
  return { expiresAt: buffer.readUIntLE(at, 6), properties: buffer.subarray(at + HEADER, extraEnd(buffer, at)) }
}

/** The offset behind the one at `at`. */
export function extraEnd(buffer: Buffer, at: number): number {
  return at + HEADER + buffer.readUInt32LE(at + 6)
}
