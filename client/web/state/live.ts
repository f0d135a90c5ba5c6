/** Values of the SDK as signals. */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { Live } from '../../index.js'

const known = new WeakMap<object, ReadonlySignal<unknown>>()

/**
 * The same signal for all that is shown. The value is subscribed to as long as something reads it; what is shown after that has another signal, which
 * begins with what the value is by then: one render, not one of what it was and one more.
 */
export function signalOf<T>(live: Live<T>): ReadonlySignal<T> {
  const before = known.get(live)
  if (before) return before as ReadonlySignal<T>
  let stop = (): void => {}
  const made = signal(live.current, {
    watched() {
      stop = live.subscribe((value) => {
        this.value = value
      })
      this.value = live.current
    },
    unwatched() {
      stop()
      known.delete(live)
    },
  })
  known.set(live, made)
  return made
}
