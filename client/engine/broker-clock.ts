import type { Clock } from '../base/platform.js'

/** What time it is at the broker, by what it says and when that arrives. */
export class BrokerClock {
  readonly #clock: Pick<Clock, 'now'>
  /** Ms by which the clock of the device is ahead: as the last connection has told, or as was kept; else 0. */
  ahead = 0
  /** The same, of the present connection: the answer that took the shortest time knows best. */
  #least = Number.POSITIVE_INFINITY

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** Unix ms. */
  now(): number {
    return this.#clock.now() - this.ahead
  }

  /** A new connection: the clock of the device may have been set since. */
  begin(): void {
    this.#least = Number.POSITIVE_INFINITY
  }

  /** The broker's time when it sent what arrives now, or earlier; Unix ms. */
  told(time: number): void {
    const ahead = this.#clock.now() - time
    if (ahead < this.#least) this.ahead = this.#least = ahead
  }
}
