/** Whether memory is known to be up to date: as of a moment ago it had all that any node had committed. */

/** Ms for which it counts as up to date after it was confirmed. */
const FRESH = 1000

export class Freshness {
  /** Kept current by `check`: read at every delivery. */
  isFresh = false
  /** Monotonic ms: as of then memory had all that was committed. */
  #confirmedAt = Number.NEGATIVE_INFINITY
  readonly #listeners: (() => void)[] = []

  onFresh(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** @param at Monotonic ms when the store was asked */
  confirm(at: number): void {
    this.#confirmedAt = at
    this.check()
  }

  /** To be called in short intervals, and before anything that was heard is told. Listeners must not throw. */
  check(): void {
    const isFresh = performance.now() - this.#confirmedAt < FRESH
    if (isFresh === this.isFresh) return
    this.isFresh = isFresh
    if (isFresh) for (const listener of this.#listeners) listener()
  }
}
