/** Ms for which a finger rests, and pixels that it may move meanwhile. */
const LONG = 500
const STILL = 10

/** Calls `act` once the finger that came `down` has rested for long enough, still down. Returns what gives the wait up. */
export function onLongPress(down: PointerEvent, act: () => void): () => void {
  const waiting = new AbortController()
  const { signal } = waiting
  const end = (): void => waiting.abort()
  const timer = setTimeout(() => {
    end()
    act()
  }, LONG)
  signal.addEventListener('abort', () => clearTimeout(timer))
  const move = ({ clientX, clientY }: PointerEvent): void => {
    if (Math.hypot(clientX - down.clientX, clientY - down.clientY) > STILL) end()
  }
  addEventListener('pointermove', move, { signal })
  addEventListener('pointerup', end, { signal })
  addEventListener('pointercancel', end, { signal })
  return end
}
