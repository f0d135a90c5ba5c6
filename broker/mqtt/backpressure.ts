import type { Backlog, SlowedPublisher } from '../following/backlog.js'
import { TimeBudget } from '../following/time-budget.js'

/** Ms until a slowed publisher is read again (one message at least), if the receiver has not caught up sooner. */
const STEP = 100

/** Slows a client that publishes faster than its receivers read: for a bounded time, however many receivers there are. */
export class Backpressure implements SlowedPublisher {
  readonly #patience: TimeBudget
  readonly #over: () => void
  #timer: NodeJS.Timeout | null = null
  #until = 0
  #backlog: Backlog | null = null

  /** `most`: ms. */
  constructor(most: number, over: () => void) {
    this.#patience = new TimeBudget(most, performance.now())
    this.#over = over
  }

  get active(): boolean {
    return this.#timer !== null
  }

  begin(backlog: Backlog): void {
    if (this.#timer) return
    const now = performance.now()
    const ms = Math.min(STEP, backlog.slowingLeft(now), this.#patience.left(now))
    if (ms < 1) return
    this.#patience.spend(ms)
    this.#until = now + ms
    this.#timer = setTimeout(() => this.resume(), ms)
    this.#backlog = backlog
    backlog.addSlowed(this, now, ms)
  }

  /** When the time is over, or earlier. */
  resume(): void {
    if (!this.#timer) return
    this.close()
    this.#patience.spend(Math.min(0, performance.now() - this.#until))
    // Not synchronously: during a commit, or a publish that already has its number, a newly read packet would be handled first.
    setImmediate(this.#over)
  }

  close(): void {
    if (!this.#timer) return
    clearTimeout(this.#timer)
    this.#timer = null
    this.#backlog?.forget(this)
  }
}
