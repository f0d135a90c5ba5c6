/** Values that a browser keeps for the broker for a while, and can neither read nor change. */
import type { Sealer } from './sealing.js'

export class Seal {
  readonly #sealer: Sealer
  readonly #lifetime: number
  readonly #now: () => number

  /** `lifetime` in seconds. */
  constructor(sealer: Sealer, lifetime: number, now: () => number = Date.now) {
    this.#sealer = sealer
    this.#lifetime = lifetime
    this.#now = now
  }

  close(values: object): string {
    return this.#sealer.seal(JSON.stringify({ until: this.#now() + this.#lifetime * 1000, values }))
  }

  /** Null: not sealed here, or too long ago. */
  open(text: string): unknown {
    const opened = this.#sealer.open(text)
    if (opened === null) return null
    const { until, values } = JSON.parse(opened) as { until: number; values: unknown }
    return this.#now() < until ? values : null
  }
}
