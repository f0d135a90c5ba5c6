/**
 * Flow control for connected receivers of plain topics. Beyond `limits.queueMessages` and `queueBytes` the backlog of a
 * receiver that makes progress is bounded by bytes, and from half of that on its publishers are read more slowly, for a
 * bounded time. A receiver without progress has only the ordinary limits, and slows nobody.
 */
import type { Allowance } from '../store/queues.js'
import { TimeBudget } from './time-budget.js'

export interface BacklogLimits {
  readonly queueMessages: number
  readonly queueBytes: number
  readonly backlogBytes: number
  readonly backlogTotalBytes: number
  /** Seconds. */
  readonly backlogWait: number
  readonly backlogStill: number
}

/** A publisher that is read more slowly. */
export interface SlowedPublisher {
  /** The backlog has shrunk: read at full speed again. */
  resume(): void
}

/** Approximate memory of a held message beside its bytes. */
const OVERHEAD = 256

/** The backlogs of all receivers of this broker, which are bounded together too. */
export class Backlogs {
  readonly limits: BacklogLimits
  /** Bytes held by receivers beyond their ordinary limits. */
  used = 0
  /**
   * Slows the publishing session until `backlog` has shrunk, or the time allowed for slowing is used up on either side.
   */
  slow: (origin: string, backlog: Backlog) => void = () => {}

  constructor(limits: BacklogLimits) {
    this.limits = limits
  }

  /** @param own Whether a session is the receiver, or one of the receivers of a share group. */
  open(own: (sessionId: string) => boolean): Backlog {
    return new Backlog(own, this)
  }

  get areLarge(): boolean {
    return this.used > this.limits.backlogTotalBytes / 2
  }
}

export class Backlog implements Allowance {
  readonly #own: (sessionId: string) => boolean
  readonly #all: Backlogs
  /** Progress since the last check: an acknowledgement, or at QoS 0 bytes taken by the socket. */
  #hasProgress = false
  /** Time of the last check that found progress; 0: never. */
  #progressAt = 0
  #checkedAt = 0
  /** Whether missing progress was excused once because the last check was long ago. */
  #excused = false
  /** Bytes held, if beyond the ordinary limits. */
  #held = 0
  #budget: TimeBudget | null = null
  /** Until when a publisher is slowed for this receiver. */
  #slowedUntil = 0
  #slowed: Set<SlowedPublisher> | null = null

  constructor(own: (sessionId: string) => boolean, all: Backlogs) {
    this.#own = own
    this.#all = all
  }

  /** Notes progress. Hot path: does not read the clock. */
  progressed(): void {
    this.#hasProgress = true
  }

  admits(messages: number, bytes: number, origin: string | null): boolean {
    const now = performance.now()
    const { backlogBytes, backlogTotalBytes } = this.#all.limits
    if (backlogBytes === 0 || !this.#isMoving(now)) {
      this.#resumeAll()
      return false
    }
    const held = bytes + messages * OVERHEAD
    const fits = held <= backlogBytes && this.#all.used - this.#held + held <= backlogTotalBytes
    if (fits) this.#hold(held, now)
    const large = !fits || held * 2 > backlogBytes || this.#all.areLarge
    // A publisher is not slowed for its own backlog: it has to be read to make progress.
    if (large && origin !== null && !this.#own(origin)) this.#all.slow(origin, this)
    return fits
  }

  left(messages: number, bytes: number): void {
    if (this.#held === 0) return
    const { queueMessages, queueBytes, backlogBytes } = this.#all.limits
    const within = messages <= queueMessages && bytes <= queueBytes
    this.#hold(within ? 0 : bytes + messages * OVERHEAD, performance.now())
    if (this.#held * 4 < backlogBytes && !this.#all.areLarge) this.#resumeAll()
  }

  close(): void {
    this.#hold(0, performance.now())
    this.#resumeAll()
  }

  /** Ms for which a publisher may still be slowed for this receiver. */
  slowingLeft(now: number): number {
    this.#budget ??= new TimeBudget(this.#all.limits.backlogWait * 1000, now)
    if (this.#held > 0) this.#budget.skip(now)
    return this.#budget.left(now)
  }

  /** A publisher is slowed from now on, for at most `ms`. Overlapping times are counted once. */
  addSlowed(slowed: SlowedPublisher, now: number, ms: number): void {
    const until = now + ms
    if (until > this.#slowedUntil) {
      this.#budget!.spend(until - Math.max(now, this.#slowedUntil))
      this.#slowedUntil = until
    }
    this.#slowed ??= new Set()
    this.#slowed.add(slowed)
  }

  forget(slowed: SlowedPublisher): void {
    this.#slowed?.delete(slowed)
  }

  #isMoving(now: number): boolean {
    const still = this.#all.limits.backlogStill * 1000
    // A long time without a check may mean that the broker itself stood still, or that publishes are rare and the
    // receiver stands still: excused once.
    const excused = !this.#excused && this.#progressAt > 0 && now - this.#checkedAt > still / 2
    if (this.#hasProgress || excused) {
      this.#progressAt = now
      this.#excused = excused && !this.#hasProgress
    }
    this.#hasProgress = false
    this.#checkedAt = now
    return this.#progressAt > 0 && now - this.#progressAt < still
  }

  #hold(held: number, now: number): void {
    // Time spent is regained only while there is no backlog.
    if (this.#held === 0) this.#budget?.left(now)
    else if (held === 0) this.#budget?.skip(now)
    this.#all.used += held - this.#held
    this.#held = held
  }

  #resumeAll(): void {
    if (!this.#slowed?.size) return
    const now = performance.now()
    if (this.#slowedUntil > now) {
      this.#budget!.spend(now - this.#slowedUntil)
      this.#slowedUntil = now
    }
    const slowed = [...this.#slowed]
    this.#slowed.clear()
    for (const one of slowed) one.resume()
  }
}
