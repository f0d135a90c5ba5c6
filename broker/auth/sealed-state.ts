/** Encrypted, expiring values that a browser keeps for the broker (in a cookie) and can neither read nor change. */
import type { SecretBox } from './secret-box.js'

export class SealedState {
  readonly #secretBox: SecretBox
  readonly #lifetime: number
  readonly #now: () => number

  /** @param lifetime Seconds. */
  constructor(secretBox: SecretBox, lifetime: number, now: () => number = Date.now) {
    this.#secretBox = secretBox
    this.#lifetime = lifetime
    this.#now = now
  }

  close(values: object): string {
    return this.#secretBox.seal(JSON.stringify({ until: this.#now() + this.#lifetime * 1000, values }))
  }

  /** Null: not encrypted by this broker, or expired. */
  open(text: string): unknown {
    const opened = this.#secretBox.open(text)
    if (opened === null) return null
    const { until, values } = JSON.parse(opened) as { until: number; values: unknown }
    return this.#now() < until ? values : null
  }
}
