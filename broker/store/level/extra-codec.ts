/** What an MQTT 5 publisher added, as it lies in journal and chunks: expires u48 | properties length u32 | properties. */
import type { Extra } from '../logs.js'

const HEADER = 10

export function extraSize({ properties }: Extra): number {
  return HEADER + properties.length
}

/** Returns the place behind it. */
export function writeExtra(buffer: Buffer, { properties, expiresAt }: Extra, at: number): number {
  buffer.writeUIntLE(expiresAt, at, 6)
  buffer.writeUInt32LE(properties.length, at + 6)
  return at + HEADER + properties.copy(buffer, at + HEADER)
}

export function readExtra(buffer: Buffer, at: number): Extra {
  return { expiresAt: buffer.readUIntLE(at, 6), properties: buffer.subarray(at + HEADER, extraEnd(buffer, at)) }
}

/** The place behind the one at `at`. */
export function extraEnd(buffer: Buffer, at: number): number {
  return at + HEADER + buffer.readUInt32LE(at + 6)
}
