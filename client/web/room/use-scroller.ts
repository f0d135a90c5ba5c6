import { type ReadonlySignal, useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { Fetching } from './fetching.js'
import { rowAt } from './rows.js'
import { Scroller } from './scroller.js'
import { arrive, type Jumps, type Target, useJumps } from './use-jumps.js'
import type { Shown } from './use-timeline.js'
import type { View } from './view.js'

interface Watching {
  readonly at: number | null
  /** A message that is asked for without an address. */
  readonly asked: View['asked']
  /** To be told the newest seq on the screen. */
  readonly read: (seq: number) => void
  /** To be told what was asked for and is not there. */
  readonly missed: (seq: number) => void
}

interface Scrolling {
  /** The newest message is shown, and what comes is followed. */
  readonly isAtEnd: ReadonlySignal<boolean>
  readonly fetching: Fetching
  /** To the newest message. */
  toLatest(): void
}

/** Keeps the list where the reader left it, fetches what comes into view, and begins at what is new, or what was asked for. */
export function useScroller(
  list: { readonly current: HTMLElement | null },
  shown: Shown,
  watching: Watching,
): Scrolling {
  const scroller = useRef<Scroller | null>(null)
  const isAtEnd = useSignal(true)
  const jumps = useJumps({ at: watching.at, asked: watching.asked, shown, scroller: scroller.current })
  const now = useRef({ shown, watching, jumps })
  now.current = { shown, watching, jumps }
  const isPlaced = useRef(false)
  // Before it has its place, what is near it is not what the reader is going to see.
  const isSettled = (): boolean => isPlaced.current && now.current.jumps.target === null
  const look = (): void => {
    const { shown } = now.current
    if (shown.mayBegin || isSettled()) fetching.begin(scroller.current!, shown)
  }
  const fetching = useFetching(look)
  useEffect(look, [shown.mayBegin])
  useLayoutEffect(() => {
    const moved = (moved: Scroller): void => {
      const { shown, watching } = now.current
      isAtEnd.value = moved.isAtEnd && shown.state.newer === 'end'
      if (!isSettled()) return
      fetching.begin(moved, shown)
      // Until all rows are there, it may still go to what was missed: nobody has seen what is below that.
      if (!shown.isWhole) return
      const seq = Number(moved.lastShown()?.dataset['seq'])
      if (seq > 0 && !isBeyondGap(shown, seq)) watching.read(seq)
    }
    const mayFollow = (): boolean => !isSettled() || now.current.shown.state.newer === 'end'
    scroller.current = new Scroller(list.current!, moved, mayFollow)
    return () => scroller.current!.dispose()
  }, [])
  usePlacing({ scroller, isPlaced, jumps, missed: watching.missed }, shown)
  const toLatest = (): void => (shown.state.newer === 'end' ? scroller.current?.toEnd() : jumps.go('end'))
  return { isAtEnd, fetching, toLatest }
}

interface Placing {
  /** Made before the first rows are placed. */
  readonly scroller: { readonly current: Scroller | null }
  /** Whether they have begun anywhere. */
  readonly isPlaced: { current: boolean }
  readonly jumps: Jumps
  readonly missed: (seq: number) => void
}

/**
 * Brings new rows to where the reader is, or is to be. Where they begin, and at the end, that is done with the next frame, in which they are seen first:
 * whatever else comes until then is measured once with them. Who reads elsewhere stays where they are at any moment.
 */
function usePlacing({ scroller, isPlaced, jumps, missed: tellMissed }: Placing, shown: Shown): void {
  /** What was missed when they were placed. */
  const placedFrom = useRef<number | null>(null)
  const place = (): void => {
    const list = scroller.current!
    const { target } = jumps
    const { newFrom, rows, isWhole } = shown
    const missed = newFrom !== null && newFrom !== placedFrom.current ? rowAt(rows, newFrom) : null
    const begins = rows.length > 0 && (target ? mayArrive(target, jumps, shown) : !isPlaced.current)
    if (begins) {
      isPlaced.current = true
      placedFrom.current = newFrom
      jumps.arrived()
      if (!target) toNew(list, null)
      else if (!arrive(list, rows, target) && target !== 'end') tellMissed(target.seq)
    } else if (missed && !target && isWhole) {
      placedFrom.current = newFrom
      // Who has gone back stays there.
      if (list.isAtEnd) toNew(list, missed)
    }
    list.restore()
  }
  const latest = useRef(place)
  latest.current = place
  const frame = useRef(0)
  useLayoutEffect(() => {
    cancelAnimationFrame(frame.current)
    if (isPlaced.current && !scroller.current!.isAtEnd) return place()
    scroller.current!.change()
    frame.current = requestAnimationFrame(() => latest.current())
  })
  useLayoutEffect(() => () => cancelAnimationFrame(frame.current), [])
}

/** What is asked for is there, or all that there is instead. */
function mayArrive(target: Target, { isOnItsWay }: Jumps, { rows, isWhole, state }: Shown): boolean {
  if (isOnItsWay || !isWhole) return false
  return target === 'end' || state.older !== 'loading' || rowAt(rows, target.seq)?.last === target.seq
}

/** What has failed is tried again with each connection. */
function useFetching(look: () => void): Fetching {
  const { chat } = usePresent()
  const fetching = useMemo(() => new Fetching(look), [])
  // One that is taken away before it was painted has no other effects.
  useLayoutEffect(() => () => fetching.dispose(), [fetching])
  useSignalEffect(() => {
    if (signalOf(chat.status).value.state === 'online') fetching.retry()
  })
  return fetching
}

/** To the line above what was missed, or that itself. */
function toNew(scroller: Scroller, row: { readonly key: string } | null): void {
  if (!scroller.toRow('new', 0.2) && !(row && scroller.toRow(row.key, 0.2))) scroller.toEnd()
}

/** Something that was missed is not loaded before this message: nobody has seen it. */
function isBeyondGap({ items, newFrom }: Shown, seq: number): boolean {
  return newFrom !== null && items.some((item) => item.kind === 'gap' && item.to >= newFrom && item.from < seq)
}
