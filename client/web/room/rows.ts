/** What a timeline shows line by line: items, with days and the mark of what is new between them. */
import type { VNode } from 'preact'
import type { Item } from '../../index.js'

export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly ts: number }
  | { readonly kind: 'new'; readonly key: string }
  /** Something that is no message, and is made elsewhere. */
  | { readonly kind: 'aside'; readonly key: string; readonly element: VNode }
  | {
      readonly kind: 'item'
      readonly key: string
      readonly item: Item
      /** It says who wrote it; others of the same author stand below it. */
      readonly isFirst: boolean
    }

/** Ms within which messages of one author stand together. */
const TOGETHER = 300_000

/** @param newFrom The seq of the first message that was missed; null: none was */
export function rowsOf(items: readonly Item[], newFrom: number | null): Row[] {
  const rows: Row[] = []
  let before: Item | null = null
  let day: CalendarDay | null = null
  let isMarked = newFrom === null
  for (const item of items) {
    const ts = timeOf(item)
    if (ts !== null && !(day && ts >= day.from && ts < day.to)) {
      day = dayOf(ts)
      rows.push({ kind: 'day', key: `day-${day.from}`, ts })
      before = null
    }
    if (!isMarked && placeOf(item) >= newFrom!) {
      isMarked = true
      // Own messages are not new to anyone who looks.
      if (!(item.kind === 'message' && item.own)) {
        rows.push({ kind: 'new', key: 'new' })
        before = null
      }
    }
    rows.push({ kind: 'item', key: item.key, item, isFirst: !standsWith(before, item) })
    before = item
  }
  return rows
}

/** Rows of one day, the first of which says which one that is. */
export interface Day {
  readonly key: string
  readonly rows: readonly Row[]
}

export function daysOf(rows: readonly Row[]): Day[] {
  const days: { key: string; rows: Row[] }[] = []
  for (const row of rows) {
    if (row.kind === 'day' || days.length === 0) days.push({ key: row.kind === 'day' ? row.key : 'before', rows: [] })
    days.at(-1)!.rows.push(row)
  }
  return days
}

interface RowAt {
  readonly key: string
  /** The seq of its message, or of the last one that is not loaded. */
  readonly last: number
  readonly isGap: boolean
}

/** The first row at or after this seq, of what the room has; null: there is none. */
export function rowAt(rows: readonly Row[], seq: number): RowAt | null {
  for (const row of rows) {
    if (row.kind !== 'item') continue
    const { key, item } = row
    const isGap = item.kind === 'gap'
    const last = isGap ? item.to : item.message.seq
    if (last >= seq) return { key, last, isGap }
  }
  return null
}

/** Unix ms, of the calendar here. */
interface CalendarDay {
  readonly from: number
  readonly to: number
}

function dayOf(ts: number): CalendarDay {
  const midnight = new Date(new Date(ts).setHours(0, 0, 0, 0))
  const from = midnight.getTime()
  return { from, to: midnight.setDate(midnight.getDate() + 1) }
}

function timeOf(item: Item): number | null {
  return item.kind === 'message' ? item.message.ts : null
}

/** Messages on their way come last. */
function placeOf(item: Item): number {
  return item.kind === 'gap' ? item.from : item.message.seq || Number.MAX_SAFE_INTEGER
}

function standsWith(before: Item | null, item: Item): boolean {
  if (before?.kind !== 'message' || item.kind !== 'message') return false
  const [a, b] = [before.message, item.message]
  return a.from === b.from && b.ts - a.ts < TOGETHER
}
