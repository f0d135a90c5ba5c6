export interface BreakerOptions {
  /** Consecutive failures that open the circuit. */
  readonly failures: number
  /** Ms for which it stays open; then a single request decides. */
  readonly pause: number
}

/** A circuit breaker: spares a failing server, and callers the wait for it. */
export class CircuitBreaker {
  readonly #options: BreakerOptions
  #failures = 0
  /** Unix ms. */
  #until = 0
  #probing = false

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  /** Whether a request may be made. If so, the caller reports its outcome. */
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
