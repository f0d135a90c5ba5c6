/** Selects the log entries of a history page: messages near a position, replies of a thread, pinned messages. */

import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import { noteName, seqOfName } from '../../store/notes.js'
import type { Store } from '../../store/store.js'
import { countFitting } from '../model/paging.js'

/** Entries scanned per page, so that a long run of reactions does not block the event loop. */
const MAX_SCAN = 2000
/** Entries per read. */
const PAGE = 200

/** Maximum number of pin notes. It includes notes of deleted messages, which are removed with the next pin. */
const MAX_PIN_NOTES = 1000

/** A range of seqs (`first` to `last`), a direction, and the limits of the page. */
export interface Scan {
  readonly direction: 'back' | 'forth'
  readonly first: number
  readonly last: number
  readonly limit: number
  readonly maxBytes: number
}

export interface ScanResult {
  /** In scan order: nearest to the start first. */
  readonly entries: readonly LogEntry[]
  /** There may be more in this direction. */
  readonly more: boolean
  /** The last seq scanned. */
  readonly position: number
}

/** Scans for messages, including deleted ones; edits, reactions and other changes are skipped unless `isWanted` says otherwise. */
export async function scanMessages(
  store: Store,
  log: LogName,
  scan: Scan,
  isWanted: (entry: LogEntry) => boolean = ({ isChange }) => !isChange,
): Promise<ScanResult> {
  const { direction, first, last, limit, maxBytes } = scan
  const back = direction === 'back'
  const end = back ? first : last
  let position = back ? last + 1 : first - 1
  const entries: LogEntry[] = []
  let bytes = 0
  for (let scanned = 0; scanned < MAX_SCAN; ) {
    const page = back
      ? (await store.log.readBefore(log, position, PAGE, maxBytes, 'shown')).reverse()
      : await store.log.read(log, position, PAGE, maxBytes, 'shown')
    for (const entry of page) {
      if (entry.seq < first || entry.seq > last) return { entries, more: false, position: end }
      position = entry.seq
      scanned++
      if (isWanted(entry)) {
        entries.push(entry)
        bytes += entry.payload.length
      }
      if (entries.length >= limit || bytes >= maxBytes) return { entries, more: position !== end, position }
    }
    if (page.length === 0 || position === end) return { entries, more: false, position: end }
  }
  return { entries, more: position !== end, position }
}

/** Scans the replies in a thread; `position` is the seq of the last one returned. */
export async function scanThread(store: Store, log: LogName, thread: number, scan: Scan): Promise<ScanResult> {
  const { direction, first, last, limit } = scan
  const { notes } = store
  const names = { gte: noteName(first), lt: noteName(last + 1) }
  const targets = [thread, thread] as const
  const reverse = direction === 'back'
  const found = await notes.list(log, { kind: 'reply', targets, names, limit: limit + 1, reverse })
  const seqs = found.slice(0, limit).map(({ name }) => seqOfName(name))
  const entries = await readAll(store, log, seqs, scan.maxBytes)
  const more = entries.length > 0 && found.length > entries.length
  return { entries, more, position: entries.at(-1)?.seq ?? 0 }
}

/** Scans the pinned messages. The number of pins per room is bounded, so all are read. */
export async function scanPins(store: Store, log: LogName, scan: Scan): Promise<ScanResult> {
  const { first, last, direction, limit, maxBytes } = scan
  const present = (await pinsOf(store, log, [first, last])).filter(({ entry }) => entry).map(({ entry }) => entry!)
  if (direction === 'back') present.reverse()
  const nearest = present.slice(0, limit)
  const entries = nearest.slice(
    0,
    countFitting(nearest, ({ payload }) => payload.length, maxBytes),
  )
  return { entries, more: entries.length < present.length, position: entries.at(-1)?.seq ?? 0 }
}

/** The pins, ascending. `entry` is null for a deleted message whose note has not been removed yet. */
export async function pinsOf(
  store: Pick<Store, 'log' | 'notes'>,
  log: LogName,
  targets: readonly [number, number],
): Promise<{ target: number; entry: LogEntry | null }[]> {
  const found = await store.notes.list(log, { kind: 'pin', targets, limit: MAX_PIN_NOTES })
  const pins: { target: number; entry: LogEntry | null }[] = []
  for (const { target } of found) {
    const [entry] = await store.log.read(log, target - 1, 1, 1)
    pins.push({ target, entry: entry?.seq === target ? entry : null })
  }
  return pins
}

/** Reads the entries with these seqs, up to `maxBytes`, but at least one. */
async function readAll(
  store: Store,
  log: LogName,
  seqs: readonly number[],
  maxBytes: number,
): Promise<readonly LogEntry[]> {
  const entries: LogEntry[] = []
  let bytes = 0
  for (const seq of seqs) {
    const [entry] = await store.log.read(log, seq - 1, 1, 1, 'shown')
    if (entry?.seq !== seq) continue
    bytes += entry.payload.length
    if (entries.length > 0 && bytes > maxBytes) break
    entries.push(entry)
  }
  return entries
}
