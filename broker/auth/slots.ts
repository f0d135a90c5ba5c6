import { Refusal } from '../../schemas/errors.js'

/** A semaphore with a bounded waiting list. */
export class Slots {
  #free: number
  readonly #maxWaiting: number
  readonly #waiting: (() => void)[] = []

  constructor(slots: number, maxWaiting: number) {
    this.#free = slots
    this.#maxWaiting = maxWaiting
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
    if (this.#waiting.length >= this.#maxWaiting)
      throw new Refusal('unavailable', 'too many logins at once', { retryAfter: 5 })
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}
