/** Places in lists of messages of many rooms, the newest first. */
import { Refusal } from '../../../schemas/errors.js'

/** By `ts` (Unix ms), then by room, then by seq. */
export interface Place {
  readonly ts: number
  readonly room: string
  readonly seq: number
}

export function comesBefore(one: Place, other: Place): boolean {
  if (one.ts !== other.ts) return one.ts > other.ts
  return one.room === other.room ? one.seq > other.seq : one.room < other.room
}

/** What stands beside the entries of a page. `next`: the place behind which the next page begins; null: there is none. */
export function restOfPage(next: Place | null): { more: boolean; cursor?: string } {
  return next === null ? { more: false } : { more: true, cursor: `${next.ts} ${next.seq} ${next.room}` }
}

/** @throws Refusal */
export function readCursor(cursor: string): Place {
  const [, ts, seq, room] = /^(\d{1,15}) (\d{1,15}) (.+)$/.exec(cursor) ?? []
  if (room !== undefined) return { ts: Number(ts), seq: Number(seq), room }
  throw new Refusal('bad_request', 'cursor is none that this command has given', { field: 'cursor' })
}
