import type { Clock, Stop } from '../../base/platform.js'
import type { WireError } from '../wire.js'
import { protocolError } from './malformed.js'

interface Ping {
  readonly answered: () => void
  readonly failed: (error: WireError) => void
  readonly stop: Stop
}

/** Finds out whether the broker is still there: PINGREQ after silence, and whenever it is asked to. */
export class KeepAlive {
  readonly #clock: Clock
  readonly #sendPing: () => void
  readonly #lost: (ms: number) => void
  readonly #pings: Ping[] = []
  #stopWatching: Stop = () => {}
  #received = false

  /** `lost`: the broker did not answer for so many ms. */
  constructor(clock: Clock, sendPing: () => void, lost: (ms: number) => void) {
    this.#clock = clock
    this.#sendPing = sendPing
    this.#lost = lost
  }

  /**
   * From now on a ping is sent after each `silence` in which nothing was received, or nothing was sent (`takeSent`): the broker measures
   * what it receives [MQTT5-3.1.2-20].
   */
  watch(silence: number, pingTimeout: number, takeSent: () => boolean): void {
    takeSent()
    this.#received = false
    this.#stopWatching = this.#clock.timer(silence, () => {
      const isLively = takeSent() && this.#received
      if (!isLively && this.#pings.length === 0) this.ping(pingTimeout)
      this.watch(silence, pingTimeout, takeSent)
    })
  }

  received(): void {
    this.#received = true
  }

  /** `answered`, or `failed` when the connection has ended before. */
  ping(timeout: number, answered = () => {}, failed: (error: WireError) => void = () => {}): void {
    this.#pings.push({ answered, failed, stop: this.#clock.timer(timeout, () => this.#lost(timeout)) })
    this.#sendPing()
  }

  /** PINGRESP. Throws `Malformed` if no ping was sent. */
  answered(): void {
    const ping = this.#pings.shift()
    if (!ping) throw protocolError('PINGRESP without a PINGREQ')
    ping.stop()
    ping.answered()
  }

  /** The connection has ended. */
  stop(error: WireError): void {
    this.#stopWatching()
    for (const ping of this.#pings.splice(0)) {
      ping.stop()
      ping.failed(error)
    }
  }
}
