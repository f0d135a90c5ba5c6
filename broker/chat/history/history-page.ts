/** A page of messages: what is asked for, the messages as JSON, and where the next page begins. */
import type { LogEntry } from '../../store/logs.js'

export type Direction = 'before' | 'after'

export interface HistoryQuery {
  before?: number | undefined
  after?: number | undefined
  limit: number
  maxBytes: number
  view?: 'raw' | 'folded' | undefined
  thread?: number | undefined
  roots?: boolean | undefined
  pinned?: boolean | undefined
  /** Messages up to this seq are hidden from the reader. */
  hidden: number
  /** Whether the reader may see an entry; absent: all. */
  isFor?: (entry: LogEntry) => boolean
  /** The user whose own reactions are marked `me`. */
  reader: string
}

export interface PageItem {
  readonly seq: number
  /** The message, or `{seq, gone}`. */
  readonly text: string
}

export interface HistoryPage {
  /** Ascending. */
  readonly items: readonly PageItem[]
  /** There is more in the direction in which the page was read. */
  readonly more: boolean
  /** The `before` or `after` of the next page. */
  readonly position: number
}

/** The position comes last, so that it can be found without parsing the whole page. */
export function renderPage({ items, more, position }: HistoryPage, direction: Direction, name = 'messages'): string {
  const next = more ? { [direction]: position } : {}
  return renderItems(items, { more, ...next }, name)
}

/** `{"messages":[…],…}` with what stands beside the messages. `name`: of the list. */
export function renderItems(items: readonly PageItem[], rest: object, name = 'messages'): string {
  return `{"${name}":[${items.map(({ text }) => text).join(',')}],${JSON.stringify(rest).slice(1)}`
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

/** `{seq, gone:"expired"}`, or `{seq, gone:"deleted", by, at, thread?}`. What changed a reply was in no thread itself. */
export function tombstone({ seq, gone: reason, isChange }: LogEntry): string {
  const { why, ...more } = reason!
  return JSON.stringify({ seq, gone: why, ...more, ...(isChange ? { thread: undefined } : {}) })
}

/** Seqs that are missing from the log were dropped by retention. */
export function withheld(seq: number, why: 'retention' | 'blocked'): string {
  return `{"seq":${seq},"gone":"${why}"}`
}
