/** What is shown to a user, kept by parts of the app that outlive them: all of it begins anew with the next one. */
import { type Signal, signal } from '@preact/signals'

const resets: (() => void)[] = []

/** For the life of the page. */
export function signalOfUser<T>(first: T): Signal<T> {
  const made = signal(first)
  resets.push(() => {
    made.value = first
  })
  return made
}

export function beginAnew(): void {
  for (const reset of resets) reset()
}
