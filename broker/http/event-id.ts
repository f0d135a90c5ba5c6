/**
 * The id of an event says how far the stream was: `3f2a9c1d@lzk3abcd m:lobby=1c`. A client that comes back with it as `Last-Event-ID` gets what
 * it missed, and the broker keeps nothing for that. Logs it does not name had nothing for the client that is younger than the time in it, less
 * what the clock of entries may be off: however many rooms there are, an id is short.
 */
import { createHash } from 'node:crypto'

/** Longest id: it leaves with each event. */
const MAX_ID = 2000
/** Numbers are written short. */
const RADIX = 36
/** An entry has the time at which it was taken; it is handed to the store within this, in ms. What the store has yet to commit is looked at. */
export const UNSURE = 300

export interface Position {
  /** Of the filters: another choice of filters begins anew. */
  readonly filters: string
  /** When the stream was so far, Unix ms; null: of a broker that did not say it. */
  readonly time: number | null
  /** Last number sent, by cursor. */
  readonly cursors: ReadonlyMap<string, number>
  /** False: there was no room for all that had to be named. */
  readonly complete: boolean
}

/** A short name of a set of filters. */
export function filtersKey(filters: readonly string[]): string {
  return createHash('sha256')
    .update([...filters].sort().join('\n'))
    .digest('hex')
    .slice(0, 8)
}

/** As many of the cursors as there is room for, the first ones first. */
export function writePosition(filters: string, time: number, cursors: Iterable<readonly [string, number]>): string {
  let id = `${filters}@${time.toString(RADIX)}`
  for (const [cursor, last] of cursors) {
    const part = partOf(cursor, last)
    if (id.length + part.length > MAX_ID) break
    id += part
  }
  return id
}

/** Whether an id has room for all of them. */
export function hasRoomFor(cursors: Iterable<readonly [string, number]>): boolean {
  let length = 20
  for (const [cursor, last] of cursors) length += partOf(cursor, last).length
  return length <= MAX_ID
}

function partOf(cursor: string, last: number): string {
  return ` ${cursor}=${last.toString(RADIX)}`
}

/** Null: none, or not one of ours. */
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
