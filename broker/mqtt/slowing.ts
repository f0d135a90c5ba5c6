import type { Backlog, Slowed } from '../following/backlog.js'
import { Patience } from '../following/patience.js'

/** Ms until a publisher that is slowed is read again, one message at least, if the reader has not caught up sooner. */
const STEP = 100

/** How a client is slowed that publishes faster than others read: for a bounded time, whoever they are and however many. */
export class Slowing implements Slowed {
  readonly #patience: Patience
  readonly #over: () => void
  #timer: NodeJS.Timeout | null = null
  #until = 0
  #backlog: Backlog | null = null

  /** `most`: ms. */
  constructor(most: number, over: () => void) {
    this.#patience = new Patience(most, performance.now())
    this.#over = over
  }

  get active(): boolean {
    return this.#timer !== null
  }

  begin(backlog: Backlog): void {
    if (this.#timer) return
    const now = performance.now()
    const ms = Math.min(STEP, backlog.patience(now), this.#patience.left(now))
    if (ms < 1) return
    this.#patience.spend(ms)
    this.#until = now + ms
    this.#timer = setTimeout(() => this.eased(), ms)
    this.#backlog = backlog
    backlog.slows(this, now, ms)
  }

  /** By the clock, or before. */
  eased(): void {
    if (!this.#timer) return
    this.close()
    this.#patience.spend(Math.min(0, performance.now() - this.#until))
    // Not now: in the midst of a commit, or of a publish that has its number, what is read would go before it.
    setImmediate(this.#over)
  }

  close(): void {
    if (!this.#timer) return
    clearTimeout(this.#timer)
    this.#timer = null
    this.#backlog?.forget(this)
  }
}
