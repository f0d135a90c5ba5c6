/** A bystander's round trips: the event loop of a broker seen from outside. */
import { Histogram } from '../histogram.js'
import { pause } from './crowd.js'
import { Link } from './link.js'
import type { Caller } from './requests.js'

const PING_EVERY_MS = 5

/** Pings at a fixed rate; one that waits for another counts from when it should have left. */
export class Pinging {
  latencies = new Histogram()
  readonly #link: Link
  #stopped = false
  #turn = Promise.resolve()

  private constructor(link: Link) {
    this.#link = link
  }

  static async start(port: number, bystander: Caller): Promise<Pinging> {
    const link = new Link(port, 'tcp')
    await link.open(bystander)
    const pinging = new Pinging(link)
    void pinging.#run()
    return pinging
  }

  async #run(): Promise<void> {
    for (let due = performance.now(); !this.#stopped; due += PING_EVERY_MS) {
      const early = due - performance.now()
      if (early > 0) await pause(early)
      this.#turn = this.#link.ping().then(() => this.latencies.record((performance.now() - due) * 1000))
      await this.#turn
    }
    this.#link.close()
  }

  clear(): void {
    this.latencies = new Histogram()
  }

  /** Resolves when what is under way has come back. */
  turn(): Promise<void> {
    return this.#turn
  }

  stop(): void {
    this.#stopped = true
  }
}
