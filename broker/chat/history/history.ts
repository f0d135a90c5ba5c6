/**
 * Reads the history of a room. The raw view is the log: every seq of the page's range is answered, by the entry or by `{seq, gone}` with
 * the reason. The other views (folded, thread, pinned) have messages only, and each page names the position of the next.
 */

import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import { countFitting } from '../model/paging.js'
import { FoldedMessages } from './folded.js'
import { type Scan, type ScanResult, scanMessages, scanPins, scanThread } from './history-scan.js'

export interface HistoryQuery {
  before?: number | undefined
  after?: number | undefined
  limit: number
  maxBytes: number
  view?: 'raw' | 'folded' | undefined
  thread?: number | undefined
  pinned?: boolean | undefined
  /** Messages up to this seq are hidden from the reader. */
  hidden: number
  /** Whether the reader may see an entry; absent: all. */
  isFor?: (entry: LogEntry) => boolean
  /** The user whose own reactions are marked `me`. */
  reader: string
}

/** A page as JSON: `{"messages":[…ascending…],"more":…}`. `more`: there is more in the requested direction (older, without `after`). */
export async function readHistory(store: Store, log: LogName, query: HistoryQuery): Promise<string> {
  const { thread, pinned, view = 'raw' } = query
  if (view === 'raw' && thread === undefined && !pinned) return readRaw(store, log, query)
  const { head, tail } = await store.log.open(log)
  const scan: Scan = {
    direction: query.after === undefined ? 'back' : 'forth',
    first: Math.max(tail, query.hidden + 1, (query.after ?? 0) + 1),
    last: Math.min(head, (query.before ?? head + 1) - 1),
    limit: query.limit,
    maxBytes: query.maxBytes,
  }
  const found = await scanFor(store, log, scan, query)
  const render = view === 'folded' ? new FoldedMessages(store, log, query.reader) : { render: asStored }
  return messagePage(await renderAll(found.entries, (present) => render.render(present)), found, scan)
}

function scanFor(store: Store, log: LogName, scan: Scan, { thread, pinned }: HistoryQuery): Promise<ScanResult> {
  if (thread !== undefined) return scanThread(store, log, thread, scan)
  return pinned ? scanPins(store, log, scan) : scanMessages(store, log, scan)
}

async function asStored(entries: readonly LogEntry[]): Promise<string[]> {
  return entries.map(({ payload }) => payload.toString('utf8'))
}

/** JSON of all entries in their order: deleted ones as tombstones, the others by `render`. */
export async function renderAll(
  entries: readonly LogEntry[],
  render: (present: LogEntry[]) => Promise<string[]>,
): Promise<string[]> {
  const present = entries.filter(({ gone }) => !gone)
  const rendered = await render(present)
  let next = 0
  return entries.map((entry) => (entry.gone ? tombstone(entry) : rendered[next++]!))
}

/** As many messages as fit into the bytes, at least one. */
function messagePage(parts: readonly string[], { entries, more, position }: ScanResult, scan: Scan): string {
  const count = countFitting(parts, (part) => Buffer.byteLength(part), scan.maxBytes)
  const cut = count < parts.length
  const back = scan.direction === 'back'
  const shown = parts.slice(0, count)
  if (back) shown.reverse()
  const at = cut ? entries[count - 1]!.seq : position
  return pageOf(shown, more || cut, back ? 'before' : 'after', at)
}

async function readRaw(store: Store, log: LogName, query: HistoryQuery): Promise<string> {
  const { head, tail } = await store.log.open(log)
  const { limit, maxBytes } = query
  if (query.after !== undefined) {
    const to = Math.min(head, query.after + limit, (query.before ?? head + 1) - 1)
    const entries = to > query.after ? await store.log.read(log, query.after, to - query.after, maxBytes, 'shown') : []
    const page = fill(
      entries.filter(({ seq }) => seq <= to),
      query.after + 1,
      entries.length > 0 ? Math.min(to, entries[entries.length - 1]!.seq) : to,
      query,
    )
    const more = page.last < Math.min(head, (query.before ?? head + 1) - 1)
    return pageOf(page.parts, more, 'after', page.last)
  }
  const to = Math.min(head, (query.before ?? head + 1) - 1)
  const from = Math.max(1, to - limit + 1)
  const entries =
    to >= from
      ? (await store.log.readBefore(log, to + 1, limit, maxBytes, 'shown')).filter(({ seq }) => seq >= from)
      : []
  // If the bytes cut the page, it begins at its first message, and the next page ends before it.
  const cut = entries.length > 0 && entries[0]!.seq > Math.max(from, tail)
  const page = fill(entries, cut ? entries[0]!.seq : from, to, query)
  return pageOf(page.parts, page.first > 1, 'before', page.first)
}

/** JSON of the entries, with a placeholder for each missing seq of `from..to`. */
function fill(
  entries: readonly LogEntry[],
  from: number,
  to: number,
  query: HistoryQuery,
): { parts: string[]; first: number; last: number } {
  const parts: string[] = []
  let next = from
  for (const entry of entries) {
    for (; next < entry.seq; next++) parts.push(gone(next, 'retention'))
    parts.push(shown(entry, query))
    next = entry.seq + 1
  }
  for (; next <= to; next++) parts.push(gone(next, 'retention'))
  return { parts, first: from, last: Math.max(to, from - 1) }
}

function shown(entry: LogEntry, { hidden, isFor }: HistoryQuery): string {
  if (entry.seq <= hidden) return gone(entry.seq, 'blocked')
  if (entry.gone) return tombstone(entry)
  return isFor?.(entry) === false ? gone(entry.seq, 'blocked') : entry.payload.toString('utf8')
}

/** `{seq, gone:"expired"}`, or `{seq, gone:"deleted", by, at}`. */
function tombstone({ seq, gone: reason }: LogEntry): string {
  const { why, ...more } = reason!
  return JSON.stringify({ seq, gone: why, ...more })
}

/** Seqs that are missing from the log were dropped by retention. */
function gone(seq: number, why: 'retention' | 'blocked'): string {
  return `{"seq":${seq},"gone":"${why}"}`
}

/** `from`: position of the next page. It comes last, so that it can be found without parsing the whole page. */
function pageOf(parts: readonly string[], more: boolean, direction: 'before' | 'after', from: number): string {
  return `{"messages":[${parts.join(',')}],"more":${more}${more ? `,"${direction}":${from}` : ''}}`
}
