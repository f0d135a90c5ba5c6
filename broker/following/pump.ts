import type { LaggingFeed, Progress } from './feeds.js'

/** What the pump sends for. */
export interface PumpHost {
  /** Buffered messages, which are sent before those of the feeds. */
  readonly waiting: number
  /** Sends the first of them; false if it cannot be sent now. */
  sendWaiting(): boolean
  /** The pump has sent what it could. */
  pumped(): void
  failed(error: unknown): void
}

/**
 * Sends what did not go out live, while there is capacity: first buffered messages, then the feeds that lag, round
 * robin, a page each.
 */
export class Pump {
  readonly #host: PumpHost
  #lagging: LaggingFeed[] = []
  #running = false
  /** `run` was called while the pump was running. */
  #again = false
  #held = true
  #stopped = false

  constructor(host: PumpHost) {
    this.#host = host
  }

  /** Sending has not started yet. */
  get held(): boolean {
    return this.#held
  }

  /** Whether a feed has entries to send. */
  get hasLagging(): boolean {
    return this.#lagging.length > 0
  }

  start(): void {
    this.#held = false
  }

  stop(): void {
    this.#stopped = true
    this.#lagging = []
  }

  catchUp(feed: LaggingFeed): void {
    if (feed.lagging) return
    feed.lagging = true
    this.#lagging.push(feed)
    this.run()
  }

  forget(feed: LaggingFeed): void {
    this.#lagging = this.#lagging.filter((behind) => behind !== feed)
  }

  /** Called whenever there may be capacity again. */
  run(): void {
    if (this.#held || this.#stopped) return
    this.#again = this.#running
    if (this.#running || (this.#host.waiting === 0 && this.#lagging.length === 0)) return
    this.#running = true
    void this.#loop()
  }

  async #loop(): Promise<void> {
    try {
      for (let blocked = 0; ; ) {
        while (this.#host.waiting > 0 && this.#host.sendWaiting());
        if (this.#again) blocked = 0
        this.#again = false
        if (this.#stopped || blocked >= this.#lagging.length) break
        const feed = this.#lagging.shift()!
        const step = feed.advance()
        const progress: Progress = step instanceof Promise ? await step : step
        if (progress !== 'done') this.#lagging.push(feed)
        blocked = progress === 'blocked' ? blocked + 1 : 0
      }
    } catch (error) {
      this.#host.failed(error)
    } finally {
      this.#running = false
      this.#host.pumped()
    }
  }
}
