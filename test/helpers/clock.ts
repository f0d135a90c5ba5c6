/** Clocks that a test may put forward. */
import type { Test } from 'tap'
import type { Connection } from '../../broker/mqtt/connection.js'

/** To be made before the broker starts. */
export interface Clock {
  forward(seconds: number): void
}

/** `step`: it begins at a multiple of so many seconds, so that a test does not meet the next one by chance. */
export function movableClock(t: Test, step = 0): Clock {
  const original = Date.now
  let ahead = step === 0 ? 0 : step * 1000 - (original() % (step * 1000))
  Date.now = () => original() + ahead
  t.teardown(() => {
    Date.now = original
  })
  return { forward: (seconds) => void (ahead += seconds * 1000) }
}

/** Asks a connection for its next deadline as if `ms` had gone by. */
export function dueIn(connection: Connection, ms: number): number {
  const { wheel } = connection.services
  return connection.keepAlive.due(wheel.now + ms, wheel.steady + ms)
}
