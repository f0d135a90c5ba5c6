/** History at given places: around a message or a time, and single messages by their seqs. */
import type { LogName } from '../../store/log-name.js'
import type { LogEntry, LogInfo } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import { countFitting } from '../model/paging.js'
import { readPage, renderEntries } from './history.js'
import {
  type HistoryPage,
  type HistoryQuery,
  type PageItem,
  renderItems,
  renderPage,
  withheld,
} from './history-page.js'

/** A place in a room: a seq, or the first entry at or after a time (Unix ms). */
export type Place = { readonly seq: number } | { readonly ts: number }

/**
 * A page with what is on both sides of a place, as JSON: `{"messages":[…],"anchor":…,"more":…,"before"?:…,"after"?:…}`. Half of the limit is
 * for what is at the place and newer; what that half does not need is for what is older.
 */
export async function readAround(store: Store, log: LogName, place: Place, query: HistoryQuery): Promise<string> {
  const anchor = await anchorOf(store, log, place, query.hidden)
  const half = { limit: Math.ceil(query.limit / 2), maxBytes: Math.ceil(query.maxBytes / 2) }
  const newer = await readPage(store, log, { ...query, ...half, after: anchor - 1 })
  const older = await olderThan(store, log, anchor, query, newer.items)
  const edges = { ...(older.more ? { before: older.position } : {}), ...(newer.more ? { after: newer.position } : {}) }
  return renderItems([...older.items, ...newer.items], { anchor, more: older.more, ...edges })
}

/** What is left of the limits after `newer`: possibly nothing, with `more` if there is something. */
async function olderThan(
  store: Store,
  log: LogName,
  anchor: number,
  query: HistoryQuery,
  newer: readonly PageItem[],
): Promise<HistoryPage> {
  const limit = query.limit - newer.length
  const maxBytes = query.maxBytes - bytesOf(newer)
  const page = await readPage(store, log, {
    ...query,
    before: anchor,
    limit: Math.max(limit, 1),
    maxBytes: Math.max(maxBytes, 1),
  })
  const fitting = countFitting(page.items.toReversed(), sizeOf, maxBytes, newer.length === 0 ? 1 : 0)
  const count = Math.min(fitting, limit)
  if (count === page.items.length) return page
  const items = page.items.slice(page.items.length - count)
  return { items, more: true, position: items[0]?.seq ?? anchor }
}

/** The seq of the place, within what the reader may see. */
async function anchorOf(store: Store, log: LogName, place: Place, hidden: number): Promise<number> {
  const info = await store.log.open(log)
  const first = Math.max(info.tail, hidden + 1)
  const seq = 'seq' in place ? place.seq : await firstAt(store, info, first, place.ts)
  return Math.max(1, Math.min(seq, info.head))
}

/** The first entry at or after a time, by bisection: entries are in the order of their times, but for differences of clocks between nodes. */
export async function firstAt(
  store: Pick<Store, 'log'>,
  { name, head }: LogInfo,
  first: number,
  ts: number,
): Promise<number> {
  let [low, high] = [first, head + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [entry] = await store.log.read(name, middle - 1, 1, 1, 'shown')
    if (!entry || entry.ts >= ts) high = middle
    else low = Math.max(middle, entry.seq) + 1
  }
  return low
}

/**
 * The messages with these seqs, ascending, as a page that is read backwards: the last ones if not all fit. Seqs that the room has not reached
 * are left out, and in the folded view those of changes.
 */
export async function readSeqs(
  store: Store,
  log: LogName,
  seqs: readonly number[],
  query: HistoryQuery,
): Promise<string> {
  const { before = Number.POSITIVE_INFINITY, after = 0, view = 'raw' } = query
  const { head } = await store.log.open(log)
  const asked = [...new Set(seqs)].filter((seq) => seq <= head && seq < before && seq > after)
  const items: PageItem[] = []
  let bytes = 0
  for (const seq of asked.sort((a, b) => b - a)) {
    const item = await readOne(store, log, seq, query)
    if (!item || (view === 'folded' && item.isChange)) continue
    bytes += sizeOf(item)
    if (items.length > 0 && (bytes > query.maxBytes || items.length === query.limit)) return lastOnes(items, true)
    items.push(item)
  }
  return lastOnes(items, false)
}

function lastOnes(items: readonly PageItem[], more: boolean): string {
  return renderPage({ items: items.toReversed(), more, position: items.at(-1)?.seq ?? 0 }, 'before')
}

async function readOne(
  store: Store,
  log: LogName,
  seq: number,
  query: HistoryQuery,
): Promise<PageItem & Pick<LogEntry, 'isChange'>> {
  if (seq <= query.hidden) return { seq, text: withheld(seq, 'blocked') }
  const [entry] = await store.log.read(log, seq - 1, 1, 1, 'shown')
  if (entry?.seq !== seq) return { seq, text: withheld(seq, 'retention') }
  const [text] = await renderEntries(store, log, query, [entry])
  return { seq, text: text!, ...(entry.isChange ? { isChange: true } : {}) }
}

function bytesOf(items: readonly PageItem[]): number {
  return items.reduce((sum, item) => sum + sizeOf(item), 0)
}

function sizeOf({ text }: PageItem): number {
  return Buffer.byteLength(text)
}
