/** A clock that a test may put forward. To be made before the broker starts. */
import type { Test } from 'tap'

export interface Clock {
  forward(seconds: number): void
}

export function movableClock(t: Test): Clock {
  const original = Date.now
  let ahead = 0
  Date.now = () => original() + ahead
  t.teardown(() => {
    Date.now = original
  })
  return { forward: (seconds) => void (ahead += seconds * 1000) }
}
