/** A bystander's round trips: the event loop of a broker seen from outside. */
import { Fifo } from '../../broker/util/fifo.js'
import { Histogram } from '../histogram.js'
import { pause } from './crowd.js'
import { Link } from './link.js'
import type { Login } from './wire.js'

const PING_EVERY_MS = 5

/** Pings at a fixed rate, whether or not those before are answered; each counts from when it should have left. */
export class Pinging {
  latencies = new Histogram()
  readonly #link: Link
  readonly #due = new Fifo<number>()
  #stopped = false
  #caughtUp: (() => void) | null = null

  private constructor(link: Link) {
    this.#link = link
    link.onPong = () => this.#answered()
  }

  static async start(port: number, bystander: Login): Promise<Pinging> {
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
      // A timer may be a little early.
      this.#due.push(Math.min(due, performance.now()))
      this.#link.ping()
    }
  }

  #answered(): void {
    this.latencies.record((performance.now() - this.#due.shift()!) * 1000)
    if (this.#due.length === 0) this.#caughtUp?.()
  }

  clear(): void {
    this.latencies = new Histogram()
  }

  /** Resolves when what is under way has come back. */
  async settle(): Promise<void> {
    if (this.#due.length > 0) await new Promise<void>((resolve) => (this.#caughtUp = resolve))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.settle()
    this.#link.close()
  }
}
