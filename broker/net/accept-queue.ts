import { Fifo } from '../util/fifo.js'

/** Milliseconds of one turn of the event loop spent on accepting. */
const BUDGET = 5

/**
 * Accepts arrivals in order, a few per turn of the event loop: after a reconnect storm the kernel hands over thousands
 * of connections at once, and traffic of those that are connected already must not wait for all of them.
 */
export class AcceptQueue<T> {
  readonly #accept: (arrival: T) => void
  readonly #waiting = new Fifo<T>()

  constructor(letIn: (arrival: T) => void) {
    this.#accept = letIn
  }

  push(arrival: T): void {
    this.#waiting.push(arrival)
    if (this.#waiting.length === 1) setImmediate(() => this.#turn())
  }

  #turn(): void {
    const began = performance.now()
    while (this.#waiting.length > 0 && performance.now() - began < BUDGET) this.#accept(this.#waiting.shift()!)
    if (this.#waiting.length > 0) setImmediate(() => this.#turn())
  }
}
