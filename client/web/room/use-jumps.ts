import { type ReadonlySignal, useSignalEffect } from '@preact/signals'
import { useLayoutEffect, useReducer, useRef } from 'preact/hooks'
import { visit } from '../state/router.js'
import { problemText } from '../text/problems.js'
import { showToast } from '../ui/toast.js'
import { asChatError } from '../ui/use-request.js'
import { type Row, rowAt } from './rows.js'
import type { Place, Scroller } from './scroller.js'
import type { Shown } from './use-timeline.js'

/** Where the reader is to be brought. `top`: pixels from the top of the list; null: to the middle, as what was asked for. */
export type Target = { readonly seq: number; readonly top: number | null } | 'end'

/** Places that are remembered, of one room. */
const MOST = 50

interface Jumping {
  readonly at: number | null
  /** A message that is asked for without an address; null: none was yet. */
  readonly asked: ReadonlySignal<{ readonly seq: number } | null>
  readonly shown: Shown
  /** Null: it is not made yet. */
  readonly scroller: Scroller | null
}

export interface Jumps {
  /** What is to be shown and is not yet; null: nothing. */
  readonly target: Target | null
  /** It is on its way: until then what is shown stays. */
  readonly isOnItsWay: boolean
  go(to: Target): void
  /** It is shown. */
  arrived(): void
}

/** Brings the reader to the message that the address names, and «back» to where they were. */
export function useJumps(jumping: Jumping): Jumps {
  const now = useRef(jumping)
  now.current = jumping
  const target = useRef<Target | null>(jumping.at === null ? null : { seq: jumping.at, top: null })
  /** The jump that is on its way; null: none is. */
  const jump = useRef<object | null>(null)
  const [, render] = useReducer((count: number) => count + 1, 0)
  const left = useRef(new Map<number | null, Place | null>())
  const shownAt = useRef({ at: jumping.at, visit: visit.peek() })
  const go = async (to: Target): Promise<void> => {
    const { scroller, shown } = now.current
    const { rows } = shown
    // Who presses twice wants the same.
    if (to === 'end' && target.current === 'end') return
    if (scroller && to !== 'end' && rowAt(rows, to.seq)?.last === to.seq) {
      target.current = null
      arrive(scroller, rows, to)
      return
    }
    const mine = {}
    jump.current = mine
    target.current = to
    try {
      await shown.timeline.jump(to === 'end' ? 'latest' : to.seq)
    } catch (error) {
      if (jump.current === mine) target.current = null
      showToast(problemText(asChatError(error)))
    }
    if (jump.current !== mine) return
    jump.current = null
    render(undefined)
  }
  useLayoutEffect(() => {
    const before = shownAt.current
    const { scroller, at } = now.current
    if (!scroller || before.visit === visit.peek()) return
    shownAt.current = { at, visit: visit.peek() }
    remember(left.current, before.at, scroller.place)
    const to = nextTarget(left.current, at, visit.peek().isReturn)
    if (to) void go(to)
  }, [visit.value])
  useSignalEffect(() => {
    const asked = jumping.asked.value
    if (asked) void go({ seq: asked.seq, top: null })
  })
  return {
    get target() {
      return target.current
    },
    get isOnItsWay() {
      return jump.current !== null
    },
    go: (to) => void go(to),
    arrived: () => {
      target.current = null
    },
  }
}

/** Null: the reader stays. */
function nextTarget(
  left: ReadonlyMap<number | null, Place | null>,
  at: number | null,
  isReturn: boolean,
): Target | null {
  if (isReturn && left.has(at)) return left.get(at) ?? 'end'
  return at === null ? null : { seq: at, top: null }
}

function remember(left: Map<number | null, Place | null>, at: number | null, place: Place | null): void {
  left.delete(at)
  left.set(at, place)
  const [oldest] = left.keys()
  if (left.size > MOST) left.delete(oldest!)
}

/** What is not shown here, such as a reply in a thread, has a place all the same. Returns whether it is there itself. */
export function arrive(scroller: Scroller, rows: readonly Row[], to: Target): boolean {
  const row = to === 'end' ? null : rowAt(rows, to.seq)
  if (!row || to === 'end') {
    scroller.toEnd()
    return to === 'end'
  }
  if (to.top !== null) return scroller.toTop(row.key, to.top)
  scroller.toRow(row.key, 0.5)
  const isIt = row.last === to.seq && !row.isGap
  if (isIt) scroller.mark(row.key)
  return isIt
}
