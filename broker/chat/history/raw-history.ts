/** The raw view of a log: every seq of a page's range is answered, by the entry or by `{seq, gone}` with the reason. */
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import { type HistoryPage, type HistoryQuery, type PageItem, tombstone, withheld } from './history-page.js'

export function readRaw(store: Store, log: LogName, query: HistoryQuery): Promise<HistoryPage> {
  return query.after === undefined ? readBefore(store, log, query) : readAfter(store, log, query, query.after)
}

async function readAfter(store: Store, log: LogName, query: HistoryQuery, after: number): Promise<HistoryPage> {
  const { head } = await store.log.open(log)
  const { limit, maxBytes, before = head + 1 } = query
  const end = Math.min(head, before - 1)
  const to = Math.min(after + limit, end)
  const entries = to > after ? await store.log.read(log, after, to - after, maxBytes, 'shown') : []
  const last = entries.length > 0 ? Math.min(to, entries[entries.length - 1]!.seq) : to
  const within = entries.filter(({ seq }) => seq <= to)
  const position = Math.max(last, after)
  return { items: fill(within, after + 1, last, query), more: position < end, position }
}

async function readBefore(store: Store, log: LogName, query: HistoryQuery): Promise<HistoryPage> {
  const { head, tail } = await store.log.open(log)
  const { limit, maxBytes, before = head + 1 } = query
  const to = Math.min(head, before - 1)
  const from = Math.max(1, to - limit + 1)
  const read = to >= from ? await store.log.readBefore(log, to + 1, limit, maxBytes, 'shown') : []
  const entries = read.filter(({ seq }) => seq >= from)
  // If the bytes cut the page, it begins at its first message, and the next page ends before it.
  const cut = entries.length > 0 && entries[0]!.seq > Math.max(from, tail)
  const first = cut ? entries[0]!.seq : from
  return { items: fill(entries, first, to, query), more: first > 1, position: first }
}

/** The entries, with a placeholder for each missing seq of `from..to`. */
function fill(entries: readonly LogEntry[], from: number, to: number, query: HistoryQuery): PageItem[] {
  const items: PageItem[] = []
  let next = from
  for (const entry of entries) {
    for (; next < entry.seq; next++) items.push({ seq: next, text: withheld(next, 'retention') })
    items.push({ seq: entry.seq, text: shown(entry, query) })
    next = entry.seq + 1
  }
  for (; next <= to; next++) items.push({ seq: next, text: withheld(next, 'retention') })
  return items
}

/** An entry as its reader may see it. */
export function shown(entry: LogEntry, { hidden, isFor }: Pick<HistoryQuery, 'hidden' | 'isFor'>): string {
  if (entry.seq <= hidden) return withheld(entry.seq, 'blocked')
  if (entry.gone) return tombstone(entry)
  return isFor?.(entry) === false ? withheld(entry.seq, 'blocked') : entry.payload.toString('utf8')
}
