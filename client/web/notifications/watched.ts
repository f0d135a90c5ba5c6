/** In which rooms somebody looks, over all tabs of the browser: each tab holds a lock of the room it shows, which goes with the tab. */
import { effect, signal } from '@preact/signals'
import { roomOf, route } from '../state/router.js'

const isVisible = signal(!document.hidden)
document.addEventListener('visibilitychange', () => {
  isVisible.value = !document.hidden
})

/** Tells it of this tab, until `end`. */
export function watch(user: string, end: AbortSignal): void {
  let left = new AbortController()
  const stop = effect(() => {
    left.abort()
    const room = roomOf(route.value, user)
    if (room === null || !isVisible.value) return
    left = new AbortController()
    const { signal } = left
    void navigator.locks.request(lockOf(user, room), { mode: 'shared' }, () => ended(signal))
  })
  end.addEventListener('abort', () => {
    stop()
    left.abort()
  })
}

export async function isWatched(user: string, room: string): Promise<boolean> {
  const { held = [] } = await navigator.locks.query()
  return held.some(({ name }) => name === lockOf(user, room))
}

export function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve())
  })
}

function lockOf(user: string, room: string): string {
  return `topictalk-watched:${user}:${room}`
}
