/**
 * The id of an event says how far the stream was in each of its logs: `3f2a9c m:lobby=1c n:bob=4`. A client that comes back with it as
 * `Last-Event-ID` gets what it missed, and the broker keeps nothing for that.
 */
import { createHash } from 'node:crypto'

/** Longest id: it comes back as a header, and those have 16 kB together. */
const MAX_ID = 6000
/** Numbers are written short. */
const RADIX = 36

export interface Position {
  /** Of the filters: another choice of filters begins anew. */
  readonly filters: string
  /** Last number sent, by cursor. */
  readonly cursors: ReadonlyMap<string, number>
  /** False: there was no room for all. */
  readonly complete: boolean
}

/** A short name of a set of filters. */
export function filtersKey(filters: readonly string[]): string {
  return createHash('sha256')
    .update([...filters].sort().join('\n'))
    .digest('hex')
    .slice(0, 8)
}

export function writePosition(filters: string, cursors: Iterable<readonly [string, number]>): string {
  let id = filters
  for (const [cursor, last] of cursors) {
    const part = ` ${cursor}=${last.toString(RADIX)}`
    if (id.length + part.length > MAX_ID) return `${id} +`
    id += part
  }
  return id
}

/** Null: none, or not one of ours. */
export function readPosition(id: string | undefined): Position | null {
  const [filters = '', ...parts] = (id ?? '').split(' ')
  if (!/^[0-9a-f]{8}$/.test(filters)) return null
  const cursors = new Map<string, number>()
  for (const part of parts) {
    const [, cursor, last] = /^(.+)=([0-9a-z]{1,10})$/.exec(part) ?? []
    if (cursor !== undefined) cursors.set(cursor, Number.parseInt(last!, RADIX))
  }
  return { filters, cursors, complete: cursors.size === parts.length }
}
