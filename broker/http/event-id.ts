/**
 * The id of a server-sent event encodes the position of the stream, such as `3f2a9c1d@lzk3abcd m:lobby=1c`. A client
 * that reconnects with it as `Last-Event-ID` gets what it missed, and the broker stores nothing for that. Ids are
 * bounded however many rooms there are: a log that is not named had nothing for the client since the time in the id,
 * less a tolerance for entries under way. A number is followed by the incarnation of its log, and the time by the beginning
 * of the store's epoch: `3f2a9c1d@lzk3abcd!0f1e2d3c m:lobby=1c.lzk2f00d`. Numbers of a former log, or of a store that was restored since, are void.
 */
import { createHash } from 'node:crypto'

/** Longest id; each event carries one. */
const MAX_ID = 2000
/** Numbers are written in base 36. */
const RADIX = 36
/**
 * Tolerance in ms between an entry's timestamp and its arrival at the store. Entries waiting for their commit are
 * accounted for separately.
 */
export const TOLERANCE = 300

export interface SentUpTo {
  /** Last number sent. */
  readonly seq: number
  /** Of its log; 0: not known. */
  readonly incarnation: number
}

export interface Position {
  /** Key of the set of filters; with other filters the stream starts anew. */
  readonly filters: string
  /** Unix ms up to which the stream was complete; null: written by a version without this time. */
  readonly time: number | null
  /** Beginning of the store's epoch; null: written by a version without it. */
  readonly epoch: string | null
  /** By cursor name. */
  readonly cursors: ReadonlyMap<string, SentUpTo>
  /** False: the id had no space for all cursors it should name. */
  readonly complete: boolean
}

/** A short key for a set of filters. */
export function filtersKey(filters: readonly string[]): string {
  return createHash('sha256')
    .update([...filters].sort().join('\n'))
    .digest('hex')
    .slice(0, 8)
}

/** What an id has of an epoch. */
function beginningOf(epoch: string): string {
  return epoch.slice(0, 8)
}

/** Whether the numbers of a position are of the store as it is. */
export function isOfEpoch(position: Position, epoch: string): boolean {
  return position.epoch === null || position.epoch === beginningOf(epoch)
}

/** Writes as many of the cursors as fit, in order. */
export function writePosition(
  { filters, time, epoch }: { filters: string; time: number; epoch: string },
  cursors: Iterable<readonly [string, SentUpTo]>,
): string {
  let id = `${filters}@${time.toString(RADIX)}!${beginningOf(epoch)}`
  for (const cursor of cursors) {
    const part = partOf(cursor)
    if (id.length + part.length > MAX_ID) break
    id += part
  }
  return id
}

/** Whether all of them fit into an id. */
export function fitsIntoId(cursors: Iterable<readonly [string, SentUpTo]>): boolean {
  let length = 30
  for (const cursor of cursors) length += partOf(cursor).length
  return length <= MAX_ID
}

function partOf([cursor, { seq, incarnation }]: readonly [string, SentUpTo]): string {
  const number = seq.toString(RADIX)
  return incarnation === 0 ? ` ${cursor}=${number}` : ` ${cursor}=${number}.${incarnation.toString(RADIX)}`
}

/** Null: there is no id, or it is not well formed. */
export function readPosition(id: string | undefined): Position | null {
  const [head = '', ...parts] = (id ?? '').split(' ')
  const [, filters, time, epoch = null] = /^([0-9a-f]{8})(?:@([0-9a-z]{1,10}))?(?:!([0-9a-f-]{1,8}))?$/.exec(head) ?? []
  if (filters === undefined) return null
  const cursors = new Map<string, SentUpTo>()
  for (const part of parts) {
    const [, cursor, seq, incarnation = '0'] = /^(.+)=([0-9a-z]{1,10})(?:\.([0-9a-z]{1,10}))?$/.exec(part) ?? []
    if (cursor === undefined) continue
    cursors.set(cursor, { seq: Number.parseInt(seq!, RADIX), incarnation: Number.parseInt(incarnation, RADIX) })
  }
  const at = time === undefined ? null : Number.parseInt(time, RADIX)
  return { filters, time: at, epoch, cursors, complete: cursors.size === parts.length }
}
