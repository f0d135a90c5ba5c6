import { useRef } from 'preact/hooks'

export type InTurn = <T>(act: () => Promise<T>) => Promise<T>

/** Acts of which each begins when those before it are over, also if they failed: none overtakes another one. */
export function useTurns(): InTurn {
  const last = useRef<Promise<unknown>>(Promise.resolve())
  return (act) => {
    const next = last.current.then(act)
    last.current = next.catch(() => {})
    return next
  }
}
