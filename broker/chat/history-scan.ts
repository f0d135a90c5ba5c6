/** Which entries a page of messages is made of: those near an end, those of a thread, those that are pinned. */
import type { LogEntry, LogName, NoteReader, Store } from '../store/store.js'

/** Entries looked at for one page: a long run of reactions must not hold up everyone else. */
const MAX_SCAN = 2000
/** Entries read at once. */
const PAGE = 200

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

/** The pinned messages, all of them: a room has a bounded number. */
export async function scanPins(store: Store, log: LogName, scan: Scan, maxPins: number): Promise<Scanned> {
  const { first, last, direction, limit } = scan
  const reverse = direction === 'back'
  const found = await store.notes.list(log, { kind: 'pin', targets: [first, last], limit: maxPins, reverse })
  const seqs = found.slice(0, limit).map(({ target }) => target)
  const entries = await readAll(store, log, seqs, scan.maxBytes)
  return { entries, more: entries.length > 0 && found.length > entries.length, reached: entries.at(-1)?.seq ?? 0 }
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
