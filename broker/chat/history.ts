import type { LogEntry, Store } from '../store/store.js'
import { logs } from './views.js'

export interface HistoryQuery {
  before?: number | undefined
  after?: number | undefined
  limit: number
  maxBytes: number
  /** Messages up to this number are not for the reader. */
  hidden: number
}

/**
 * A page of a room's log as JSON: `{"messages":[…ascending…],"more":…}`. Every number of the page's range is answered: with the message as
 * it is stored, or with `{seq, gone}` and why. `more`: there is more in the direction asked (older without `after`).
 */
export async function readHistory(store: Store, room: string, query: HistoryQuery): Promise<string> {
  const log = logs.messages(room)
  const { head, tail } = await store.log.open(log)
  const { limit, maxBytes, hidden } = query
  if (query.after !== undefined) {
    const to = Math.min(head, query.after + limit, (query.before ?? head + 1) - 1)
    const entries = to > query.after ? await store.log.read(log, query.after, to - query.after, maxBytes, 'shown') : []
    const page = fill(
      entries.filter(({ seq }) => seq <= to),
      query.after + 1,
      entries.length > 0 ? Math.min(to, entries[entries.length - 1]!.seq) : to,
      hidden,
    )
    return render(page.parts, page.last < Math.min(head, (query.before ?? head + 1) - 1))
  }
  const to = Math.min(head, (query.before ?? head + 1) - 1)
  const from = Math.max(1, to - limit + 1)
  const entries =
    to >= from
      ? (await store.log.readBefore(log, to + 1, limit, maxBytes, 'shown')).filter(({ seq }) => seq >= from)
      : []
  // Where bytes and not numbers bounded the page it begins at its first message; older ones are asked for next.
  const cut = entries.length > 0 && entries[0]!.seq > Math.max(from, tail)
  const page = fill(entries, cut ? entries[0]!.seq : from, to, hidden)
  return render(page.parts, page.first > 1)
}

/** The entries with a placeholder for each missing number of `from..to`. */
function fill(
  entries: readonly LogEntry[],
  from: number,
  to: number,
  hidden: number,
): { parts: string[]; first: number; last: number } {
  const parts: string[] = []
  let next = from
  for (const entry of entries) {
    for (; next < entry.seq; next++) parts.push(gone(next, 'retention'))
    parts.push(shown(entry, hidden))
    next = entry.seq + 1
  }
  for (; next <= to; next++) parts.push(gone(next, 'retention'))
  return { parts, first: from, last: Math.max(to, from - 1) }
}

function shown({ seq, payload, gone: reason }: LogEntry, hidden: number): string {
  if (seq <= hidden) return gone(seq, 'blocked')
  if (!reason) return payload.toString('utf8')
  const { why, ...more } = reason
  return JSON.stringify({ seq, gone: why, ...more })
}

/** What is missing from a log altogether was dropped by retention. */
function gone(seq: number, why: 'retention' | 'blocked'): string {
  return `{"seq":${seq},"gone":"${why}"}`
}

function render(parts: readonly string[], more: boolean): string {
  return `{"messages":[${parts.join(',')}],"more":${more}}`
}
