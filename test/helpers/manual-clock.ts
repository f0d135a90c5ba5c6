import type { Clock, Stop } from '../../client/base/platform.js'

interface Timer {
  readonly at: number
  readonly act: () => void
}

/** Time that passes when the test says so. */
export class ManualClock implements Clock {
  #now = 1_000_000
  /** Ms by which the clock was set on. */
  #set = 0
  readonly #timers = new Set<Timer>()

  /** Timers that run. */
  get running(): number {
    return this.#timers.size
  }

  /** Ms until the next timer; null: none runs. */
  get untilNext(): number | null {
    const next = this.#next(Number.POSITIVE_INFINITY)
    return next ? next.at - this.#now : null
  }

  now(): number {
    return this.#now + this.#set
  }

  /** Sets the clock on, or back, by so many ms. Timers run as before. */
  set(ms: number): void {
    this.#set += ms
  }

  timer(ms: number, act: () => void): Stop {
    const timer = { at: this.#now + ms, act }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Timers that become due run in their order, those that they set too; after each, what it caused in promises. */
  async pass(ms: number): Promise<void> {
    await settled()
    const until = this.#now + ms
    for (let due = this.#next(until); due; due = this.#next(until)) {
      this.#now = Math.max(this.#now, due.at)
      this.#timers.delete(due)
      due.act()
      await settled()
    }
    this.#now = until
    await settled()
  }

  #next(until: number): Timer | null {
    const due = [...this.#timers].filter(({ at }) => at <= until)
    return due.sort((a, b) => a.at - b.at)[0] ?? null
  }
}

/** Resolves when promises that can go on have gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
