/**
 * Where the record of a client-chosen id is, and what is in it: hashes by generation and bucket, small enough to be stored compactly. A generation
 * is half of the time for which ids are remembered; the present one and the two before it are searched.
 */
import type { Draft } from '../changes.js'
import { cidHash, cidName, cidText } from '../cid-digest.js'

/** For which ids are remembered, at least. */
export const DEDUPE_DAYS = 7
const DAY = 86_400_000
const HASH_BYTES = 8
/** Generations that are searched. */
export const GENERATIONS = 3

/** Stored as bytes: the first one of them is not 0, with which other ids begin. */
const UUID = /^(?!00)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const UUID_BYTES = 16

export interface DedupeWords {
  readonly field: Buffer
  readonly bucket: string
  readonly hash: Buffer
  /** Time and id of the message. */
  readonly rest: Buffer
}

export function generationAt(now: number, days: number): number {
  return Math.floor(now / ((days * DAY) / 2))
}

/** Unix ms of its last moment. */
export function endOfGeneration(generation: number, days: number): number {
  return Math.ceil((generation + 1) * ((days * DAY) / 2)) - 1
}

export function dedupeWords({ log, from, dedupe, id, ts }: Draft): DedupeWords {
  const { cid, hash } = dedupe!
  const { field, bucket } = cidName(cidText(log, from, cid))
  return { field, bucket: String(bucket), hash: cidHash(hash), rest: encodeRest(ts, id) }
}

/** What a record holds, without the life and the number in front. */
export function splitRest(value: Buffer): { readonly hash: Buffer; readonly rest: Buffer } {
  return { hash: value.subarray(0, HASH_BYTES), rest: value.subarray(HASH_BYTES) }
}

export function encodeRest(ts: number, id: string): Buffer {
  const name = UUID.test(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : Buffer.from(`\0${id}`)
  const rest = Buffer.allocUnsafe(6 + name.length)
  rest.writeUIntBE(ts, 0, 6)
  name.copy(rest, 6)
  return rest
}

export function readRest(rest: Buffer): { readonly id: string; readonly ts: number } {
  const name = rest.subarray(6)
  const id = name.length === UUID_BYTES && name[0] !== 0 ? uuid(name.toString('hex')) : name.toString('utf8', 1)
  return { id, ts: rest.readUIntBE(0, 6) }
}

function uuid(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
