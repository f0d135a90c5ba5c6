/** The deadlines of a connection: CONNECT in time, keep alive [MQTT-3.1.2.10], reading what it is sent, and the expiry of its token. */
import type { Deadline, TimerWheel } from '../util/timer-wheel.js'
import type { WriteBuffer } from './write-buffer.js'

/** Milliseconds a client may take at least to read some of what waits for it: a kernel says so in large steps. */
const LEAST_UNREAD = 10_000

export interface KeepAliveLimits {
  /** Seconds. */
  readonly packetTimeout: number
  readonly unreadTimeout: number
}

/** What is watched of a connection. */
export interface Watched {
  readonly output: WriteBuffer
  readonly isLoggedIn: boolean
  /** Unix ms; null: its token does not expire, or there is none. */
  readonly expiresAt: number | null
  /** What it sends waits unread, for something of before is being handled. */
  readonly isBusy: boolean
  tokenExpired(): void
  /** It was silent for too long, or takes nothing of what waits for it. */
  timedOut(): void
}

export class KeepAlive implements Deadline {
  readonly #watched: Watched
  readonly #limits: KeepAliveLimits
  readonly #wheel: TimerWheel
  /** Milliseconds without a packet after which the client is gone, or, before its login, without one. */
  #patience = Number.POSITIVE_INFINITY
  /** By the steady clock, as all that is measured rather than agreed upon: a clock that is set makes nobody silent. */
  #lastSign = 0
  /** When the packet that is arriving began to. */
  #packetSince = 0
  /** When the client was last seen to take what waits for it, and how far that was. */
  #lastTaken = 0
  #taken = 0

  constructor(watched: Watched, wheel: TimerWheel, limits: KeepAliveLimits) {
    this.#watched = watched
    this.#wheel = wheel
    this.#limits = limits
  }

  /** Starts the watch anew: over its silence, of which it may keep so many seconds, and over the expiry of its token. */
  watch(seconds = this.#patience / 1000): void {
    this.#patience = seconds * 1000
    this.#lastSign = this.#packetSince = this.#lastTaken = this.#wheel.steady
    this.#wheel.delete(this)
    this.#wheel.set(this, this.#nextDeadline(this.#wheel.now, this.#wheel.steady))
  }

  stop(): void {
    this.#wheel.delete(this)
  }

  /** Any bytes are a sign of life, those of a long packet for so long [MQTT-3.1.2-24]. `isMidPacket`: they do not begin one. */
  bytesCame(isMidPacket: boolean): void {
    const { steady } = this.#wheel
    if (!isMidPacket) this.#packetSince = steady
    const late = steady - this.#packetSince >= this.#limits.packetTimeout * 1000
    if (!late || this.#watched.output.congested) this.#lastSign = steady
  }

  /** A whole packet came: what is there already of the next begins to count. */
  packetCame(): void {
    this.#packetSince = this.#wheel.steady
  }

  due(now: number, steady: number): number {
    const { expiresAt, isLoggedIn } = this.#watched
    if (expiresAt !== null && now >= expiresAt) {
      this.#watched.tokenExpired()
      return 0
    }
    if (isLoggedIn) this.#lookAround(steady)
    if (steady - this.#lastSign >= this.#patience || steady - this.#lastTaken >= this.#readingPatience) {
      this.#watched.timedOut()
      return 0
    }
    return this.#nextDeadline(now, steady)
  }

  #lookAround(steady: number): void {
    const { isBusy, output } = this.#watched
    if (isBusy) this.#lastSign = steady
    const { position, congested } = output
    if (!congested || position !== this.#taken) this.#lastTaken = steady
    this.#taken = position
  }

  /** Milliseconds after which a client is gone that takes nothing of what waits for it, whatever it sends. */
  get #readingPatience(): number {
    const patience = Number.isFinite(this.#patience) ? this.#patience : this.#limits.unreadTimeout * 1000
    return Math.max(patience, LEAST_UNREAD)
  }

  #nextDeadline(now: number, steady: number): number {
    const { expiresAt, isLoggedIn } = this.#watched
    const silence = this.#patience - (steady - this.#lastSign)
    const unread = isLoggedIn ? this.#readingPatience - (steady - this.#lastTaken) : Number.POSITIVE_INFINITY
    return Math.min(now + silence, now + unread, expiresAt ?? Number.POSITIVE_INFINITY)
  }
}
