/** Runs something once at a time, and once more for all that ask for it meanwhile. */
export class Rerun {
  readonly #act: () => Promise<void>
  /** Null: it does not run. */
  #running: Promise<void> | null = null
  #isAsked = false

  /** `act` must not reject. */
  constructor(act: () => Promise<void>) {
    this.#act = act
  }

  /** Resolves when it has run since, as a whole. It begins after all that is done in this turn. */
  run(): Promise<void> {
    this.#isAsked = true
    this.#running ??= this.#runAll()
    return this.#running
  }

  async #runAll(): Promise<void> {
    while (this.#isAsked) {
      await null
      this.#isAsked = false
      await this.#act()
    }
    this.#running = null
  }
}
