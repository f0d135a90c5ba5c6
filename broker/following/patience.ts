/** So much of something at once, in ms, and a tenth of the time beyond: nobody can ask for it for ever. */
export class Patience {
  readonly #most: number
  #spent = 0
  /** When what was spent was last looked at. */
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

  /** The time until `now` gave nothing back: it was not at rest. */
  skip(now: number): void {
    this.#at = now
  }

  spend(ms: number): void {
    this.#spent += ms
  }
}
