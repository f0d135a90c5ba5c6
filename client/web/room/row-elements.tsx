import type { VNode } from 'preact'
import { useRef } from 'preact/hooks'
import type { Fetching } from './fetching.js'
import { MessageRow } from './message-row.js'
import { DayRow, GapRow, GoneRow, NewRow } from './other-rows.js'
import type { Row } from './rows.js'

interface Made {
  readonly row: Row
  readonly isEntry: boolean
  readonly element: VNode
}

/**
 * Makes the elements of rows. One of a row that has not changed stays the same, and is not rendered again, whatever happens to others.
 * @param entry The key of the row at which the list is entered with the Tab key
 * @param fetching Of the list, for as long as that is shown
 */
export function useRowElements(entry: string | undefined, fetching: Fetching): (row: Row) => VNode {
  const made = useRef<ReadonlyMap<string, Made>>(new Map())
  const before = made.current
  const next = new Map<string, Made>()
  made.current = next
  return (row) => {
    const isEntry = row.key === entry
    const known = before.get(row.key)
    const isKnown = known && known.isEntry === isEntry && isSame(known.row, row)
    const element = isKnown ? known.element : elementOf(row, isEntry, fetching)
    next.set(row.key, { row, isEntry, element })
    return element
  }
}

function isSame(a: Row, b: Row): boolean {
  if (a.kind === 'item' && b.kind === 'item') return a.item === b.item && a.isFirst === b.isFirst
  if (a.kind === 'aside' || b.kind === 'aside') return a === b
  // What a day is called changes at midnight.
  return a.kind === b.kind && a.kind !== 'day'
}

function elementOf(row: Row, isEntry: boolean, fetching: Fetching): VNode {
  const { key } = row
  if (row.kind === 'day') return <DayRow key={key} row={row} />
  if (row.kind === 'new') return <NewRow key={key} />
  if (row.kind === 'aside') return row.element
  const { item, isFirst } = row
  if (item.kind === 'gap') return <GapRow key={key} gap={item} fetching={fetching} />
  if (item.kind === 'gone') return <GoneRow key={key} item={item} isEntry={isEntry} />
  return <MessageRow key={key} rowKey={key} item={item} isFirst={isFirst} isEntry={isEntry} />
}
