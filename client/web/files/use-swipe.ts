import { useRef, useState } from 'preact/hooks'

/** Pixels after which it is known where a finger goes. */
const BEGINS = 10
/** Pixels that are a swipe, however slow. */
const FAR = 80
/** Pixels that are one if the finger is fast. */
const NEAR = 25
/** Pixels per ms. */
const FAST = 0.4

interface Moved {
  readonly x: number
  readonly y: number
}

interface Gesture {
  readonly id: number
  readonly begun: PointerEvent
  axis: 'x' | 'y' | null
}

interface SwipeOptions {
  /** The pointer moves something else where it is not. */
  readonly isOn: boolean
  /** To the left (-1) or to the right (1): whether there is something. */
  readonly may: (side: -1 | 1) => boolean
  readonly swiped: (to: 'left' | 'right' | 'down') => void
}

const REST: Moved = { x: 0, y: 0 }

/** Fingers and pens that swipe to the sides, or down. `moved`: how far what is under them has gone with them, in pixels. */
export function useSwipe({ isOn, may, swiped }: SwipeOptions) {
  const [moved, setMoved] = useState(REST)
  const gesture = useRef<Gesture | null>(null)
  /** A pen that is lifted clicks. */
  const wasSwipe = useRef(false)
  const end = (): void => {
    gesture.current = null
    setMoved(REST)
  }
  const down = (event: PointerEvent): void => {
    wasSwipe.current = false
    // A second finger: it is no swipe any more.
    if (!event.isPrimary) return end()
    if (isOn && event.pointerType !== 'mouse') gesture.current = { id: event.pointerId, begun: event, axis: null }
  }
  const move = (event: PointerEvent): void => {
    const { current } = gesture
    if (current?.id !== event.pointerId) return
    const way = wayOf(current.begun, event)
    if (current.axis === null && Math.hypot(way.x, way.y) < BEGINS) return
    if (current.axis === null) (event.currentTarget as Element).setPointerCapture(event.pointerId)
    current.axis ??= Math.abs(way.x) > Math.abs(way.y) ? 'x' : 'y'
    wasSwipe.current = true
    setMoved(shownWay(current.axis, way, may))
  }
  const up = (event: PointerEvent): void => {
    const { current } = gesture
    if (current?.id !== event.pointerId) return
    end()
    const way = wayOf(current.begun, event)
    const { axis } = current
    if (axis === null || !isSwipe(axis === 'x' ? Math.abs(way.x) : way.y, event.timeStamp - current.begun.timeStamp))
      return
    if (axis === 'y') swiped('down')
    else if (may(way.x < 0 ? -1 : 1)) swiped(way.x < 0 ? 'left' : 'right')
  }
  const handlers = { onPointerDown: down, onPointerMove: move, onPointerUp: up, onPointerCancel: end }
  return { moved, handlers, isClick: () => !wasSwipe.current }
}

function wayOf(from: PointerEvent, to: PointerEvent): Moved {
  return { x: to.clientX - from.clientX, y: to.clientY - from.clientY }
}

function isSwipe(pixels: number, ms: number): boolean {
  return pixels >= FAR || (pixels >= NEAR && pixels / ms >= FAST)
}

/** Where there is nothing, it follows reluctantly. */
function shownWay(axis: 'x' | 'y', { x, y }: Moved, may: SwipeOptions['may']): Moved {
  if (axis === 'y') return { x: 0, y: Math.max(0, y) }
  return { x: may(x < 0 ? -1 : 1) ? x : x / 4, y: 0 }
}
