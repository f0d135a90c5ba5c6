/** Events of a room in their place by time between its rows. */
import type { VNode } from 'preact'
import { daysBetween } from '../ui/times.js'
import type { Happened } from './event-feed.js'
import type { Row } from './rows.js'

/** Which ends of the room the rows reach. */
export interface Ends {
  readonly isBegun: boolean
  readonly isEnded: boolean
}

/** The rows with lines of events between them. */
export type Weave = (rows: readonly Row[], ends: Ends) => readonly Row[]

type Aside = Extract<Row, { kind: 'aside' }>

/**
 * Those before the first message are shown where the room begins, those after the last one where it ends. Days are those of messages: they are not
 * divided by what happens between them.
 * @param show What is shown of events that no message divides
 */
export function weaveOf(events: readonly Happened[], show: (events: readonly Happened[], key: string) => VNode): Weave {
  /** Rows stay the same as long as their events are: what has not changed is not rendered. */
  const known = new Map<string, { readonly from: number; readonly to: number; readonly row: Aside }>()
  const asideOf = (run: readonly Happened[], after: string): Aside => {
    const key = `events-${after}`
    const [from, to] = [run[0]!.seq, run.at(-1)!.seq]
    const before = known.get(key)
    if (before?.from === from && before.to === to) return before.row
    const row: Aside = { kind: 'aside', key, element: show(run, key) }
    known.set(key, { from, to, row })
    return row
  }
  return (rows, { isBegun, isEnded }) => {
    const woven: Row[] = []
    let next = 0
    let isPast = isBegun
    const until = (end: (event: Happened) => boolean): void => {
      const first = next
      while (next < events.length && end(events[next]!)) next++
      if (next > first && isPast) woven.push(asideOf(events.slice(first, next), woven.at(-1)?.key ?? 'begin'))
    }
    rows.forEach((row, at) => {
      const ts = tsOf(row)
      // Before the day of a message only what happened on others.
      if (row.kind === 'day') until((event) => event.ts < row.ts && daysBetween(event.ts, row.ts) !== 0)
      else if (row.kind === 'new') until((event) => event.ts < (tsOf(rows[at + 1]) ?? 0))
      else if (ts !== null) until((event) => event.ts < ts)
      if (ts !== null) isPast = true
      const isApart = woven.at(-1)?.kind === 'aside' && row.kind === 'item' && !row.isFirst
      woven.push(isApart ? { ...row, isFirst: true } : row)
    })
    if (isEnded) until(() => true)
    return woven
  }
}

function tsOf(row: Row | undefined): number | null {
  return row?.kind === 'item' && row.item.kind === 'message' ? row.item.message.ts : null
}
