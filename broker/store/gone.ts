/** Entries that may not be read any more: when they expire, and what is left of them. */
import type { Gone, LogEntry } from './logs.js'

export const EXPIRED: Gone = { why: 'expired' }
export const HOUR = 3_600_000
const NOTHING = Buffer.alloc(0)

/** The hour in which something expires. */
export function hourOf(at: number): number {
  return Math.floor(at / HOUR)
}

export function isExpired({ extra }: LogEntry, now: number): boolean {
  return extra !== null && extra.expiresAt > 0 && extra.expiresAt <= now
}

/** Whether the entry was removed with its author's account. */
export function isNameless(gone: Gone | undefined): boolean {
  return gone?.why === 'deleted' && gone.by === null
}

/** Removes the payload. The author and time stay, unless the account is gone. */
export function remains({ seq, ts, qos, from: author, isChange }: LogEntry, gone: Gone): LogEntry {
  const from = isNameless(gone) ? '' : author
  const left = { seq, ts, qos, from, origin: '', payload: NOTHING, extra: null, gone }
  return isChange ? { ...left, isChange } : left
}
