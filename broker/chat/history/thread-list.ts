/** Lists the threads of a room by their last reply. */
import type { LogName } from '../../store/log-name.js'
import type { Store } from '../../store/store.js'
import { type Replies, ThreadSummaries } from './threads.js'

/** Replies per read, and per page of the list. */
const PAGE = 200
const MAX_SCANNED = 2000

export interface ListedThread {
  readonly seq: number
  readonly replies: Replies
}

export interface ThreadListQuery {
  /** Only threads whose last reply is below this seq. */
  readonly before: number
  /** Messages up to this seq are hidden from the reader. */
  readonly hidden: number
  readonly limit: number
}

/** `next`: the `before` of the next page; null: there is none. A page may have fewer than `limit`, also none, and be followed by others. */
export async function listThreads(
  store: Pick<Store, 'log' | 'notes'>,
  log: LogName,
  { before, hidden, limit }: ThreadListQuery,
): Promise<{ threads: ListedThread[]; next: number | null }> {
  const summaries = new ThreadSummaries(store, log)
  const seen = new Set<number>()
  const threads: ListedThread[] = []
  let position = before
  for (let scanned = 0; scanned < MAX_SCANNED; ) {
    const targets = [hidden + 1, position - 1] as const
    const replies = await store.notes.list(log, { kind: 'inThread', targets, limit: PAGE, reverse: true })
    for (const { target, value } of replies) {
      if (threads.length === limit) return { threads, next: position }
      position = target
      const seq = Number(value)
      if (seen.has(seq) || seq <= hidden) continue
      const summary = await summaries.of(seq)
      // With a later reply it was on an earlier page; an expired reply is not the last one.
      if (!summary || summary.lastSeq > target) seen.add(seq)
      if (summary?.lastSeq !== target) continue
      seen.add(seq)
      threads.push({ seq, replies: summary })
    }
    scanned += replies.length
    if (replies.length < PAGE) return { threads, next: null }
  }
  return { threads, next: position }
}
