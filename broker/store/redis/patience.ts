/** How long what is to be read or written waits for Redis where it cannot be reached. */

export class Patience {
  readonly #timeoutMs: number
  #isHurried = false
  #isSpent = false

  /** @param timeoutMs For which each request waits */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** From now on one of them waits for all: behind the first that was given up, none waits. */
  hurry(): void {
    this.#isHurried = true
  }

  /** Until when to wait, as performance.now() tells. Without patience that is now: what can be sent is sent, once. */
  deadline(): number {
    return performance.now() + (this.#isSpent ? 0 : this.#timeoutMs)
  }

  /** Something was given up. */
  gaveUp(): void {
    this.#isSpent = this.#isHurried
  }
}
