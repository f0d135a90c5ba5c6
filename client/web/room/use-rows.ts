import { useEffect, useMemo, useReducer, useRef } from 'preact/hooks'
import type { Item } from '../../index.js'
import { type Row, rowsOf } from './rows.js'

/** Pixels of a message of one line, at least, and of what stands above and below the messages: more of them than fit on a screen are shown at first. */
const LINE = 38
const AROUND = 120
/** Rows that are added in one frame. */
const SLICE = 15

export interface Rows {
  readonly rows: readonly Row[]
  /** None is left to be added above them. */
  readonly isWhole: boolean
}

/**
 * The rows of a timeline. Who comes into a room sees a screen of them and what is below it at once; those above it are added after that, some in each
 * frame.
 * @param newFrom As `rowsOf` has it
 * @param at The seq of a message that the timeline begins at; null: where the reader left off
 */
export function useRows(items: readonly Item[], newFrom: number | null, at: number | null): Rows {
  const all = useMemo(() => rowsOf(items, newFrom), [items, newFrom])
  /** How many are left out; null: none is there yet. */
  const left = useRef<number | null>(null)
  const [, render] = useReducer((count: number) => count + 1, 0)
  if (left.current === null && all.length > 0) left.current = at === null ? leftOutOf(all) : 0
  const count = Math.min(left.current ?? 0, all.length)
  const isWhole = count === 0
  useEffect(() => {
    if (isWhole) return
    // This is after a frame was painted: the rows come with the next one.
    const frame = requestAnimationFrame(() => {
      left.current = Math.max(0, count - SLICE)
      render(undefined)
    })
    return () => cancelAnimationFrame(frame)
  })
  return { rows: useMemo(() => withoutFirst(all, count), [all, count]), isWhole }
}

/** Above the screen that is shown first: that of the line where what is new begins, or the last one. */
function leftOutOf(rows: readonly Row[]): number {
  const screen = Math.ceil((innerHeight - AROUND) / LINE)
  const news = rows.findIndex(({ kind }) => kind === 'new')
  return Math.max(0, Math.min(rows.length, news < 0 ? rows.length : news) - screen)
}

/** The day of the first row that is there stays: those of its day that come later stand below it, and the others stay where they are. */
function withoutFirst(rows: readonly Row[], count: number): readonly Row[] {
  if (count === 0) return rows
  const day = rows.findLast(({ kind }, at) => kind === 'day' && at < count)
  const shown = rows.slice(count)
  return day ? [day, ...shown] : shown
}
