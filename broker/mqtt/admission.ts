/**
 * The door for CONNECTs that come all at once, as after a restart: first come, first served, so many at a time. Reading a session costs
 * some turns of the event loop; the more of them are under way, the longer a turn takes for everyone who is connected. So there are as many as
 * the turns stay short with.
 */

import { Fifo } from '../util/fifo.js'

/** Logins under way: at most, and however slow the turns are. */
const MOST = 256
const LEAST = 16
/** Milliseconds that a turn of the event loop may take. */
const SHORT_TURN = 20
/** Milliseconds in which logins are begun in one turn. */
const BUDGET = 5

export class Admission {
  readonly #waiting = new Fifo<() => void>()
  #underWay = 0
  #bound = MOST
  /** When the last turn began, by performance.now(); null: nobody can go on. */
  #turnAt: number | null = null

  /** Resolves when it is one's turn; `leave` has to follow. */
  enter(): Promise<void> | undefined {
    if (this.waiting === 0 && this.#underWay < this.#bound) {
      this.#underWay++
      return undefined
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#await()
    })
  }

  leave(): void {
    this.#underWay--
    this.#await()
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Where somebody may go on, that is in the next turn. */
  #await(): void {
    if (this.#turnAt !== null || this.waiting === 0 || this.#underWay >= this.#bound) return
    this.#turnAt = performance.now()
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    const now = performance.now()
    const took = now - this.#turnAt!
    this.#bound = took > SHORT_TURN ? Math.max(LEAST, this.#bound >> 1) : Math.min(MOST, this.#bound + 1)
    while (this.waiting > 0 && this.#underWay < this.#bound && performance.now() - now < BUDGET) {
      this.#underWay++
      this.#waiting.shift()!()
    }
    this.#turnAt = null
    this.#await()
  }
}
