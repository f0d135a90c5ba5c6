/** So much work at a time; more waits in line, and a bounded number of it. */
export class Semaphore {
  #free: number
  readonly #maxWaiting: number
  /** What is said where the line is too long. */
  readonly #full: () => Error
  readonly #waiting: (() => void)[] = []

  constructor(slots: number, maxWaiting: number, full: () => Error) {
    this.#free = slots
    this.#maxWaiting = maxWaiting
    this.#full = full
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#take()
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }

  async #take(): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return
    }
    if (this.#waiting.length >= this.#maxWaiting) throw this.#full()
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}
