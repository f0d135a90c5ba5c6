export interface BreakerOptions {
  /** Failures in a row after which nobody is asked for a while. */
  readonly failures: number
  /** How long, in ms; then one is asked, and decides. */
  readonly pause: number
}

/** Spares who does not answer, and those who would wait for it. */
export class CircuitBreaker {
  readonly #options: BreakerOptions
  #failures = 0
  /** Unix ms. */
  #until = 0
  #probing = false

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  /** Whether to ask. Who may, reports what came of it. */
  mayAsk(now: number): boolean {
    if (this.#failures < this.#options.failures) return true
    if (this.#probing || now < this.#until) return false
    this.#probing = true
    return true
  }

  succeeded(): void {
    this.#failures = 0
    this.#probing = false
  }

  failed(now: number): void {
    this.#failures++
    this.#probing = false
    this.#until = now + this.#options.pause
  }
}
