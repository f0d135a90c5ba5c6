/** Which entries a page of messages is made of: those near an end, those of a thread, those that are pinned. */

import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { NoteReader } from '../../store/notes.js'
import type { Store } from '../../store/store.js'

/** Entries looked at for one page: a long run of reactions must not hold up everyone else. */
const MAX_SCAN = 2000
/** Entries read at once. */
const PAGE = 200

/** Notes of pinned messages, those that are gone among them: they go when another message is pinned. */
const MOST_PIN_NOTES = 1000

/** From where on, in which direction, how far. Numbers outside of `first` to `last` are not looked at. */
export interface Scan {
  readonly direction: 'back' | 'forth'
  readonly first: number
  readonly last: number
  readonly limit: number
  readonly maxBytes: number
}

export interface Scanned {
  /** Nearest first. */
  readonly entries: readonly LogEntry[]
  /** There may be more beyond. */
  readonly more: boolean
  /** The last number looked at. */
  readonly reached: number
}

/** Messages alone, also those that are gone; what is about others is passed over. */
export async function scanMessages(store: Store, log: LogName, scan: Scan): Promise<Scanned> {
  const { direction, first, last, limit, maxBytes } = scan
  const back = direction === 'back'
  const end = back ? first : last
  let reached = back ? last + 1 : first - 1
  const entries: LogEntry[] = []
  let bytes = 0
  for (let scanned = 0; scanned < MAX_SCAN; ) {
    const page = back
      ? (await store.log.readBefore(log, reached, PAGE, maxBytes, 'shown')).reverse()
      : await store.log.read(log, reached, PAGE, maxBytes, 'shown')
    for (const entry of page) {
      if (entry.seq < first || entry.seq > last) return { entries, more: false, reached: end }
      reached = entry.seq
      scanned++
      if (!entry.aside) {
        entries.push(entry)
        bytes += entry.payload.length
      }
      if (entries.length >= limit || bytes >= maxBytes) return { entries, more: reached !== end, reached }
    }
    if (page.length === 0 || reached === end) return { entries, more: false, reached: end }
  }
  return { entries, more: reached !== end, reached }
}

/** Numbers of the newest replies in a thread, from `first` to `last`; newest first. */
export async function repliesBefore(
  notes: NoteReader,
  log: LogName,
  thread: number,
  [first, last]: readonly [number, number],
  limit: number,
): Promise<number[]> {
  const names = { gte: notes.nameOf(first), lt: notes.nameOf(last + 1) }
  const found = await notes.list(log, { kind: 'reply', targets: [thread, thread], names, limit, reverse: true })
  return found.map(({ name }) => notes.numberOf(name))
}

/** The replies in a thread; `reached` is the number of the last one given. */
export async function scanThread(store: Store, log: LogName, thread: number, scan: Scan): Promise<Scanned> {
  const { direction, first, last, limit } = scan
  const { notes } = store
  const names = { gte: notes.nameOf(first), lt: notes.nameOf(last + 1) }
  const targets = [thread, thread] as const
  const reverse = direction === 'back'
  const found = await notes.list(log, { kind: 'reply', targets, names, limit: limit + 1, reverse })
  const seqs = found.slice(0, limit).map(({ name }) => notes.numberOf(name))
  const entries = await readAll(store, log, seqs, scan.maxBytes)
  const more = entries.length > 0 && found.length > entries.length
  return { entries, more, reached: entries.at(-1)?.seq ?? 0 }
}

/** The pinned messages that are there, all of them: a room has a bounded number. */
export async function scanPins(store: Store, log: LogName, scan: Scan): Promise<Scanned> {
  const { first, last, direction, limit, maxBytes } = scan
  const present = (await pinsOf(store, log, [first, last])).filter(({ entry }) => entry).map(({ entry }) => entry!)
  if (direction === 'back') present.reverse()
  let bytes = 0
  const fitting = present.findIndex(({ payload }, i) => i >= limit || ((bytes += payload.length) > maxBytes && i > 0))
  const entries = fitting === -1 ? present : present.slice(0, fitting)
  return { entries, more: entries.length < present.length, reached: entries.at(-1)?.seq ?? 0 }
}

/** What is pinned, ascending; without an entry where the message is gone, and its note is yet to go. */
export async function pinsOf(
  store: Pick<Store, 'log' | 'notes'>,
  log: LogName,
  targets: readonly [number, number],
): Promise<{ target: number; entry: LogEntry | null }[]> {
  const found = await store.notes.list(log, { kind: 'pin', targets, limit: MOST_PIN_NOTES })
  const pins: { target: number; entry: LogEntry | null }[] = []
  for (const { target } of found) {
    const [entry] = await store.log.read(log, target - 1, 1, 1)
    pins.push({ target, entry: entry?.seq === target ? entry : null })
  }
  return pins
}

/** Those with these numbers, up to `maxBytes` or one. */
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
