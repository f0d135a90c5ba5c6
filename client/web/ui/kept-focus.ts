import type { RefObject } from 'preact'
import { useLayoutEffect } from 'preact/hooks'

const STOP = '[data-entry], a[href], button, input, select'

/**
 * The focus that goes with a row stays in the list: at the row that has its place now, or the last one, or the frame if there is none any more.
 * Else it falls to the page, where the keys of the panel do not work. @param frame Can be focused
 */
export function useKeptFocus(frame: RefObject<HTMLElement | null>): void {
  // Read before this rendering takes rows away.
  const focused = document.activeElement
  const at = rowsOf(frame.current).findIndex((row) => row.contains(focused))
  useLayoutEffect(() => {
    if (at >= 0 && !focused!.isConnected) focusRow(frame.current!, at)
  })
}

/** Of the rows in `frame` that at `at`, or the last one. */
export function focusRow(frame: HTMLElement, at: number): void {
  const rows = rowsOf(frame)
  const row = rows[Math.min(at, rows.length - 1)]
  const stop = row?.querySelector<HTMLElement>(STOP) ?? frame
  stop.focus()
}

function rowsOf(frame: HTMLElement | null): Element[] {
  return [...(frame?.querySelectorAll('li') ?? [])]
}
