/** Clocks that a test can move forward. */
import type { Test } from 'tap'
// Keeps the clock of the system, which the clock of Redis is compared with, before a test moves ours.
import '../../broker/store/redis/server-check.js'
import type { Connection } from '../../broker/mqtt/connection.js'
import type { TestBroker } from './broker.js'

/** To be made before the broker starts. */
export interface Clock {
  forward(seconds: number): void
}

/** A clock that goes on: for tests in which it does not matter how long a slow machine takes. */
export function movableClock(t: Test): Clock {
  const original = Date.now
  let ahead = 0
  Date.now = () => original() + ahead
  t.teardown(() => {
    Date.now = original
  })
  return { forward: (seconds) => void (ahead += seconds * 1000) }
}

/** A clock that stands still, but for `forward`, until `goOn`: so that nothing refills or expires while a slow machine works. */
export function stillClock(t: Test): Clock & { goOn(): void } {
  const original = Date.now
  let now = original()
  let behind: number | null = null
  Date.now = () => (behind === null ? now : original() - behind)
  t.teardown(() => {
    Date.now = original
  })
  return {
    forward: (seconds) => {
      now += seconds * 1000
      if (behind !== null) behind -= seconds * 1000
    },
    goOn: () => void (behind = original() - now),
  }
}

/** Timeouts of exactly `ms` that are set from now on last only `instead` ms. */
export function shortenedTimeouts(t: Test, ms: number, instead: number): void {
  const original = globalThis.setTimeout
  globalThis.setTimeout = ((run: () => void, after?: number, ...rest: []) =>
    original(run, after === ms ? instead : after, ...rest)) as typeof setTimeout
  t.teardown(() => {
    globalThis.setTimeout = original
  })
}

/** Intervals that are set from now on fire only when the test says so. */
export function heldIntervals(t: Test): { turn(times: number): void } {
  const original = globalThis.setInterval
  const held = new Map<object, () => void>()
  globalThis.setInterval = ((run: () => void) => {
    const timer = original(() => {}, 2 ** 31 - 1)
    held.set(timer, run)
    return timer
  }) as typeof setInterval
  t.teardown(() => {
    globalThis.setInterval = original
  })
  return {
    turn: (times) => {
      for (let i = 0; i < times; i++) for (const run of held.values()) run()
    },
  }
}

/** Resolves when the broker's timer wheel has reached the present time. */
export async function ticked({ running }: TestBroker): Promise<void> {
  const [connection] = Object.values(running.aedes.clients) as Connection[]
  const now = Date.now()
  while (connection!.services.wheel.now < now) await new Promise((resolve) => setImmediate(resolve))
}

/** Asks a connection for its next deadline as if `ms` had passed. */
export function dueIn(connection: Connection, ms: number): number {
  const { wheel } = connection.services
  return connection.keepAlive.due(wheel.now + ms, wheel.steady + ms)
}
