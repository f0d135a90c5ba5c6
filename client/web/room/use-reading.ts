import { useEffect, useRef } from 'preact/hooks'
import { panel } from '../state/panel.js'
import { modals } from '../ui/modal.js'
import type { View } from './view.js'

/** Ms for which a message has to be on the screen to be read. */
const READING = 500

interface Reading {
  /** To be told the newest seq on the screen, whenever that may have changed. */
  seen(seq: number): void
  /** Who answers has read what is on the screen. */
  answered(): void
}

/** Marks as read what somebody looks at in the list, once `isUpToDate`. */
export function useReading(list: { readonly current: HTMLElement | null }, view: View, isUpToDate: boolean): Reading {
  const { room, thread } = view
  const mayRead = useRef(isUpToDate)
  mayRead.current = isUpToDate
  const newest = useRef(0)
  /** Told already: what was marked as unread since then stays so. */
  const told = useRef(0)
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  const mark = (): void => {
    if (!mayRead.current || !isWatched(list.current) || newest.current <= told.current) return
    told.current = newest.current
    room.read(told.current, thread === null ? {} : { thread })
  }
  const look = (): void => {
    timer.current ??= setTimeout(() => {
      timer.current = null
      mark()
    }, READING)
  }
  useEffect(() => {
    addEventListener('focus', look)
    document.addEventListener('visibilitychange', look)
    // What it covered can be seen again when it closes.
    const stops = [panel.subscribe(look), modals.subscribe(look)]
    return () => {
      for (const stop of stops) stop()
      removeEventListener('focus', look)
      document.removeEventListener('visibilitychange', look)
      if (timer.current !== null) clearTimeout(timer.current)
      timer.current = null
    }
  }, [view])
  useEffect(() => void (isUpToDate && look()), [isUpToDate])
  const seen = (seq: number): void => {
    if (seq <= newest.current) return
    newest.current = seq
    look()
  }
  return { seen, answered: mark }
}

function isWatched(list: HTMLElement | null): boolean {
  return list !== null && document.visibilityState === 'visible' && document.hasFocus() && !isCovered(list)
}

/** Where there is no space beside the room a panel lies over it, and the list keeps its place below; a dialog lies over it in any case. */
function isCovered(list: HTMLElement): boolean {
  if (modals.peek() > 0) return true
  const { left, top, width, height } = list.getBoundingClientRect()
  const over = document.elementFromPoint(left + width / 2, top + height / 2)?.closest('.panel')
  return !!over && !over.contains(list)
}
