/**
 * Reads the history of a room. The raw view is the log. The other views (folded, thread, roots, pinned) have messages only, and each page
 * names the position of the next.
 */

import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import { countFitting } from '../model/paging.js'
import { FoldedMessages } from './folded.js'
import { type HistoryPage, type HistoryQuery, renderAll, renderPage } from './history-page.js'
import { type Scan, type ScanResult, scanMessages, scanPins, scanThread } from './history-scan.js'
import { readRaw } from './raw-history.js'
import { isInThread } from './threads.js'

/** A page as JSON: `{"messages":[…ascending…],"more":…}`. `more`: there is more in the requested direction (older, without `after`). */
export async function readHistory(store: Store, log: LogName, query: HistoryQuery): Promise<string> {
  return renderPage(await readPage(store, log, query), query.after === undefined ? 'before' : 'after')
}

export async function readPage(store: Store, log: LogName, query: HistoryQuery): Promise<HistoryPage> {
  const { thread, roots, pinned, view = 'raw' } = query
  if (view === 'raw' && thread === undefined && !roots && !pinned) return readRaw(store, log, query)
  const { head, tail } = await store.log.open(log)
  const scan: Scan = {
    direction: query.after === undefined ? 'back' : 'forth',
    first: Math.max(tail, query.hidden + 1, (query.after ?? 0) + 1),
    last: Math.min(head, (query.before ?? head + 1) - 1),
    limit: query.limit,
    maxBytes: query.maxBytes,
  }
  const found = await scanFor(store, log, scan, query)
  return messagePage(await renderEntries(store, log, query, found.entries), found, scan)
}

/** JSON of entries in the view that is asked for: deleted ones as tombstones. */
export function renderEntries(
  store: Store,
  log: LogName,
  { view, reader }: Pick<HistoryQuery, 'view' | 'reader'>,
  entries: readonly LogEntry[],
): Promise<string[]> {
  const folded = view === 'folded' ? new FoldedMessages(store, log, reader) : null
  return renderAll(entries, (present) => (folded ? folded.render(present) : asStored(present)))
}

function scanFor(store: Store, log: LogName, scan: Scan, { thread, roots, pinned }: HistoryQuery): Promise<ScanResult> {
  if (thread !== undefined) return scanThread(store, log, thread, scan)
  if (pinned) return scanPins(store, log, scan)
  return scanMessages(store, log, scan, (entry) => !entry.isChange && !(roots && isInThread(entry)))
}

async function asStored(entries: readonly LogEntry[]): Promise<string[]> {
  return entries.map(({ payload }) => payload.toString('utf8'))
}

/** As many messages as fit into the bytes, at least one. */
function messagePage(texts: readonly string[], { entries, more, position }: ScanResult, scan: Scan): HistoryPage {
  const count = countFitting(texts, (text) => Buffer.byteLength(text), scan.maxBytes)
  const cut = count < texts.length
  const items = texts.slice(0, count).map((text, i) => ({ seq: entries[i]!.seq, text }))
  if (scan.direction === 'back') items.reverse()
  return { items, more: more || cut, position: cut ? entries[count - 1]!.seq : position }
}
