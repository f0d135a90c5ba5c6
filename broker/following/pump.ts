import type { Behind, Progress } from './feeds.js'

/** What the pump works for. */
export interface Pumped {
  /** Messages that wait in memory, and go before what the feeds have. */
  readonly waiting: number
  /** Sends the first of them; false when it cannot go now. */
  sendWaiting(): boolean
  /** The pump has sent what it could. */
  rested(): void
  failed(error: unknown): void
}

/** Sends what is not live: what waits first, then the feeds that are behind, in turn and a page each, while there is room. */
export class Pump {
  readonly #host: Pumped
  #behind: Behind[] = []
  #running = false
  /** Room came, or more to send, while the pump ran. */
  #again = false
  #held = true
  #stopped = false

  constructor(host: Pumped) {
    this.#host = host
  }

  /** Nothing is sent yet. */
  get held(): boolean {
    return this.#held
  }

  /** Whether a feed has something to send. */
  get isBehind(): boolean {
    return this.#behind.length > 0
  }

  start(): void {
    this.#held = false
  }

  stop(): void {
    this.#stopped = true
    this.#behind = []
  }

  fallBehind(feed: Behind): void {
    if (feed.behind) return
    feed.behind = true
    this.#behind.push(feed)
    this.run()
  }

  forget(feed: Behind): void {
    this.#behind = this.#behind.filter((behind) => behind !== feed)
  }

  /** Called whenever room may have come. */
  run(): void {
    if (this.#held || this.#stopped) return
    this.#again = this.#running
    if (this.#running || (this.#host.waiting === 0 && this.#behind.length === 0)) return
    this.#running = true
    void this.#loop()
  }

  async #loop(): Promise<void> {
    try {
      for (let blocked = 0; ; ) {
        while (this.#host.waiting > 0 && this.#host.sendWaiting());
        if (this.#again) blocked = 0
        this.#again = false
        if (this.#stopped || blocked >= this.#behind.length) break
        const feed = this.#behind.shift()!
        const step = feed.advance()
        const progress: Progress = step instanceof Promise ? await step : step
        if (progress !== 'done') this.#behind.push(feed)
        blocked = progress === 'blocked' ? blocked + 1 : 0
      }
    } catch (error) {
      this.#host.failed(error)
    } finally {
      this.#running = false
      this.#host.rested()
    }
  }
}
