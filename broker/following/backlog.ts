/**
 * What may wait for a connected receiver of plain topics beyond `limits.queueMessages` and `queueBytes`. While it answers, its backlog is bounded by
 * bytes, and from half of that on those who publish to it are read more slowly, for a bounded time. Who stands still has the plain bounds, and
 * nobody waits for it.
 */
import type { Allowance } from '../store/queues.js'
import { Patience } from './patience.js'

export interface BacklogLimits {
  readonly queueMessages: number
  readonly queueBytes: number
  readonly backlogBytes: number
  readonly backlogTotalBytes: number
  /** Seconds. */
  readonly backlogWait: number
  readonly backlogStill: number
}

/** Who is read more slowly. */
export interface Slowed {
  /** There is room again. */
  eased(): void
}

/** What holding a message takes beside its bytes. */
const OVERHEAD = 256

/** Those of all receivers of this broker: together they are bounded too. */
export class Backlogs {
  readonly limits: BacklogLimits
  /** Bytes held by receivers beyond their plain bounds. */
  used = 0
  /** Slows the session that published, until `backlog` is eased or the patience of one of them is at its end. */
  slow: (origin: string, backlog: Backlog) => void = () => {}

  constructor(limits: BacklogLimits) {
    this.limits = limits
  }

  /** `own`: whether a session is the receiver, or one of several that are. */
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
  /** Something was acknowledged, or at QoS 0 taken by the socket, since it was last looked at. */
  #answered = false
  /** When it was seen to have answered; 0: never. */
  #answeredAt = 0
  #lookedAt = 0
  /** That nobody looked was its excuse, once. */
  #excused = false
  /** Bytes it holds, where that is beyond the plain bounds. */
  #held = 0
  #patience: Patience | null = null
  /** Until when somebody is slowed for it. */
  #slowedUntil = 0
  #slowed: Set<Slowed> | null = null

  constructor(own: (sessionId: string) => boolean, all: Backlogs) {
    this.#own = own
    this.#all = all
  }

  /** The receiver gets on. Hot path: no clock is asked. */
  answered(): void {
    this.#answered = true
  }

  admits(messages: number, bytes: number, origin: string | null): boolean {
    const now = performance.now()
    const { backlogBytes, backlogTotalBytes } = this.#all.limits
    if (backlogBytes === 0 || !this.#isMoving(now)) {
      this.#ease()
      return false
    }
    const held = bytes + messages * OVERHEAD
    const fits = held <= backlogBytes && this.#all.used - this.#held + held <= backlogTotalBytes
    if (fits) this.#hold(held, now)
    const large = !fits || held * 2 > backlogBytes || this.#all.areLarge
    // What it publishes itself it would have to be read for, to answer.
    if (large && origin !== null && !this.#own(origin)) this.#all.slow(origin, this)
    return fits
  }

  left(messages: number, bytes: number): void {
    if (this.#held === 0) return
    const { queueMessages, queueBytes, backlogBytes } = this.#all.limits
    const within = messages <= queueMessages && bytes <= queueBytes
    this.#hold(within ? 0 : bytes + messages * OVERHEAD, performance.now())
    if (this.#held * 4 < backlogBytes && !this.#all.areLarge) this.#ease()
  }

  close(): void {
    this.#hold(0, performance.now())
    this.#ease()
  }

  /** Ms that somebody may still be slowed for it. */
  patience(now: number): number {
    this.#patience ??= new Patience(this.#all.limits.backlogWait * 1000, now)
    if (this.#held > 0) this.#patience.skip(now)
    return this.#patience.left(now)
  }

  /** Somebody is slowed from now on, so long at most. Those that are at the same time are counted once. */
  slows(slowed: Slowed, now: number, ms: number): void {
    const until = now + ms
    if (until > this.#slowedUntil) {
      this.#patience!.spend(until - Math.max(now, this.#slowedUntil))
      this.#slowedUntil = until
    }
    this.#slowed ??= new Set()
    this.#slowed.add(slowed)
  }

  forget(slowed: Slowed): void {
    this.#slowed?.delete(slowed)
  }

  #isMoving(now: number): boolean {
    const still = this.#all.limits.backlogStill * 1000
    // Where nobody looked for long it may have been the broker that stood still; or those who publish come by seldom, and it stands still.
    const excused = !this.#excused && this.#answeredAt > 0 && now - this.#lookedAt > still / 2
    if (this.#answered || excused) {
      this.#answeredAt = now
      this.#excused = excused && !this.#answered
    }
    this.#answered = false
    this.#lookedAt = now
    return this.#answeredAt > 0 && now - this.#answeredAt < still
  }

  #hold(held: number, now: number): void {
    // What was spent comes back only while it has caught up.
    if (this.#held === 0) this.#patience?.left(now)
    else if (held === 0) this.#patience?.skip(now)
    this.#all.used += held - this.#held
    this.#held = held
  }

  #ease(): void {
    if (!this.#slowed?.size) return
    const now = performance.now()
    if (this.#slowedUntil > now) {
      this.#patience!.spend(now - this.#slowedUntil)
      this.#slowedUntil = now
    }
    const slowed = [...this.#slowed]
    this.#slowed.clear()
    for (const one of slowed) one.eased()
  }
}
