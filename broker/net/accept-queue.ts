import { Fifo } from '../util/fifo.js'

/** Milliseconds of one turn of the event loop that go into those who arrive. */
const BUDGET = 5

/**
 * Lets in who arrives, in order, a few in each turn of the event loop: the kernel hands over all that have connected at once, and those
 * who are inside already should not have to wait for thousands of them.
 */
export class AcceptQueue<T> {
  readonly #letIn: (arrival: T) => void
  readonly #waiting = new Fifo<T>()

  constructor(letIn: (arrival: T) => void) {
    this.#letIn = letIn
  }

  arrive(arrival: T): void {
    this.#waiting.push(arrival)
    if (this.#waiting.length === 1) setImmediate(() => this.#turn())
  }

  #turn(): void {
    const began = performance.now()
    while (this.#waiting.length > 0 && performance.now() - began < BUDGET) this.#letIn(this.#waiting.shift()!)
    if (this.#waiting.length > 0) setImmediate(() => this.#turn())
  }
}
