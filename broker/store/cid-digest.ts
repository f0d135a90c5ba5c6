/** Client-chosen ids as digests: what an adapter keeps of them that does not keep their texts, and by which those of any adapter can be compared. */
import { createHash } from 'node:crypto'
import type { LogName } from './log-name.js'
import { keyPart } from './tables.js'

const NAME_BYTES = 12
const HASH_BYTES = 8
/** Hashes of a generation in Redis: with as many records for each as make it a compact one at some ten million messages. */
export const BUCKETS = 262_144

export interface CidName {
  /** The first bytes of its digest. */
  readonly field: Buffer
  /** Below `BUCKETS`, of further bytes of it. */
  readonly bucket: number
}

/** The text that identifies a client-chosen id in a store. */
export function cidText(log: LogName, from: string, cid: string): string {
  return `${keyPart(log)}\0${keyPart(from)}\0${keyPart(cid)}`
}

/** @param text As `cidText` makes it */
export function cidName(text: string): CidName {
  const name = digest(text)
  return { field: name.subarray(0, NAME_BYTES), bucket: name.readUInt32BE(NAME_BYTES) % BUCKETS }
}

/** @param hash Of the normalised input (`Draft.dedupe`) */
export function cidHash(hash: string): Buffer {
  return digest(hash).subarray(0, HASH_BYTES)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
