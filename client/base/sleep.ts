import { type Clock, onAbort, type Signal } from './platform.js'

/** Resolves after `ms`, or when `signal` is aborted. */
export function sleep(clock: Pick<Clock, 'timer'>, ms: number, signal: Signal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const over = (): void => {
      stopTimer()
      stopListening()
      resolve()
    }
    const stopTimer = clock.timer(ms, over)
    const stopListening = onAbort(signal, over)
  })
}
