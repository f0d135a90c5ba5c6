import { useCallback, useSyncExternalStore } from 'react'
import type { Live } from '../index.js'

/**
 * The current value; the component renders with each later one.
 * @param atServer What is rendered on a server, and in the browser until that is taken over: there it must be the same. Left out: the current
 * value
 */
export function useLive<T>(live: Live<T>, atServer: T = live.current): T {
  return useLiveOr(live, atServer)
}

/** `none`: as long as there is no `live`, and on a server. */
export function useLiveOr<T>(live: Live<T> | null, none: T): T {
  const subscribe = useCallback((listener: () => void) => live?.subscribe(listener) ?? noop, [live])
  return useSyncExternalStore(
    subscribe,
    () => (live ? live.current : none),
    () => none,
  )
}

function noop(): void {}
