/** What is stored of client-chosen ids: their records, and what is known of a generation of them. */
import { type CidName, cidName } from '../cid-digest.js'
import type { DedupeRecord } from './commit-codec.js'

export const DAY = 86_400_000

export interface GenerationRecord {
  /** Since 1970, on which the last of its ids was used. */
  readonly day: number
  readonly records: number
  /** It is full, and its filter is stored. */
  readonly sealed: boolean
  /** It was moved from a store that keeps digests only: keys and records hold these. */
  readonly hashed?: true
}

/** A record of which the text is not known. */
export interface HashedRecord extends DedupeRecord {
  /** Of the log. */
  readonly incarnation: number
}

export function encodeRecord({ hash, id, seq, ts }: DedupeRecord): string {
  return JSON.stringify([hash, id, seq, ts])
}

export function decodeRecord(value: Buffer): DedupeRecord {
  const [hash, id, seq, ts] = JSON.parse(value.toString())
  return { hash, id, seq, ts }
}

/** `hash` is a digest, in hex. */
export function encodeHashed({ hash, id, seq, ts, incarnation }: HashedRecord): string {
  return JSON.stringify([hash, id, seq, ts, incarnation])
}

export function decodeHashed(value: Buffer): HashedRecord {
  const [hash, id, seq, ts, incarnation] = JSON.parse(value.toString())
  return { hash, id, seq, ts, incarnation }
}

const FIELD_DIGITS = 24

/** A name in keys that no text is: those begin with the name of a log. */
export function hashedName({ field, bucket }: CidName): string {
  return `#${field.toString('hex')}${bucket.toString(36)}`
}

/** @param text As `keys.dedupeName` makes it */
export function hashedNameOf(text: string): string {
  return hashedName(cidName(text))
}

export function nameOfHashed(name: string): CidName {
  const bucketAt = 1 + FIELD_DIGITS
  return { field: Buffer.from(name.slice(1, bucketAt), 'hex'), bucket: Number.parseInt(name.slice(bucketAt), 36) }
}
