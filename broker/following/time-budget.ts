/**
 * A time budget: up to `most` ms at once, regained at a tenth of the time that passes. Bounds how long publishers are
 * slowed.
 */
export class TimeBudget {
  readonly #most: number
  #spent = 0
  /** When the budget was last updated. */
  #at: number

  constructor(most: number, now: number) {
    this.#most = most
    this.#at = now
  }

  left(now: number): number {
    this.#spent = Math.max(0, this.#spent - (now - this.#at) / 10)
    this.#at = now
    return this.#most - this.#spent
  }

  /** The time until `now` regains nothing. */
  skip(now: number): void {
    this.#at = now
  }

  spend(ms: number): void {
    this.#spent += ms
  }
}
