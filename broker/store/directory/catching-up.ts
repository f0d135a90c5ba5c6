/** Brings memory up to date with what other processes committed: one round trip at a time, for all who wait. */
import { Refusal } from '../../../schemas/errors.js'
import type { StorePort } from '../store.js'

export class CatchingUp {
  readonly #ask: StorePort['catchUp']
  readonly #counts: StorePort['counts']
  #underWay: Promise<void> | null = null
  /** Begins when the one under way is over: that may have read already what the next ones to ask are to see changed. */
  #next: Promise<void> | null = null

  constructor(port: Pick<StorePort, 'catchUp' | 'counts'>) {
    this.#ask = port.catchUp.bind(port)
    this.#counts = port.counts
  }

  /** See `Store`. */
  begin(): Promise<void> | null {
    if (this.#next) return this.#next
    if (!this.#underWay) return this.#begin()
    const next = (): Promise<void> => this.#beginNext()
    this.#next = this.#underWay.then(next, next)
    return this.#next
  }

  async #beginNext(): Promise<void> {
    this.#next = null
    await this.#begin()
  }

  #begin(): Promise<void> | null {
    const asked = this.#ask()
    if (!asked) return null
    this.#counts.catchUps++
    this.#underWay = this.#settled(asked)
    return this.#underWay
  }

  async #settled(asked: Promise<void>): Promise<void> {
    try {
      await asked
    } catch (cause) {
      throw new Refusal('unavailable', 'what is stored cannot be read right now; try again', { cause })
    } finally {
      this.#underWay = null
    }
  }
}
