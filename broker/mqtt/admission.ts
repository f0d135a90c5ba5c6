/**
 * Limits concurrent logins, as when all clients reconnect after a restart: first come, first served. Loading a session takes some turns of the
 * event loop, and the more logins run, the longer a turn takes for all connected clients. So the limit adapts to the length of turns.
 */

import { Fifo } from '../util/fifo.js'

/** Concurrent logins: the highest and the lowest limit. */
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
  /** When the last turn began, by performance.now(); null: none is scheduled. */
  #turnAt: number | null = null

  /** Resolves when a login may begin; `leave` has to follow. Undefined: at once. */
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

  /** Schedules the next turn, if a login may begin then. */
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
