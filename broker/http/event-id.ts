/**
 * The id of a server-sent event encodes the position of the stream, such as `3f2a9c1d@lzk3abcd m:lobby=1c`. A client
 * that reconnects with it as `Last-Event-ID` gets what it missed, and the broker stores nothing for that. Ids are
 * bounded however many rooms there are: a log that is not named had nothing for the client since the time in the id,
 * less a tolerance for entries under way.
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

export interface Position {
  /** Key of the set of filters; with other filters the stream starts anew. */
  readonly filters: string
  /** Unix ms up to which the stream was complete; null: written by a version without this time. */
  readonly time: number | null
  /** Last number sent, by cursor name. */
  readonly cursors: ReadonlyMap<string, number>
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

/** Writes as many of the cursors as fit, in order. */
export function writePosition(filters: string, time: number, cursors: Iterable<readonly [string, number]>): string {
  let id = `${filters}@${time.toString(RADIX)}`
  for (const [cursor, last] of cursors) {
    const part = partOf(cursor, last)
    if (id.length + part.length > MAX_ID) break
    id += part
  }
  return id
}

/** Whether all of them fit into an id. */
export function fitsIntoId(cursors: Iterable<readonly [string, number]>): boolean {
  let length = 20
  for (const [cursor, last] of cursors) length += partOf(cursor, last).length
  return length <= MAX_ID
}

function partOf(cursor: string, last: number): string {
  return ` ${cursor}=${last.toString(RADIX)}`
}

/** Null: there is no id, or it is not well formed. */
export function readPosition(id: string | undefined): Position | null {
  const [head = '', ...parts] = (id ?? '').split(' ')
  const [, filters, time] = /^([0-9a-f]{8})(?:@([0-9a-z]{1,10}))?$/.exec(head) ?? []
  if (filters === undefined) return null
  const cursors = new Map<string, number>()
  for (const part of parts) {
    const [, cursor, last] = /^(.+)=([0-9a-z]{1,10})$/.exec(part) ?? []
    if (cursor !== undefined) cursors.set(cursor, Number.parseInt(last!, RADIX))
  }
  const at = time === undefined ? null : Number.parseInt(time, RADIX)
  return { filters, time: at, cursors, complete: cursors.size === parts.length }
}
