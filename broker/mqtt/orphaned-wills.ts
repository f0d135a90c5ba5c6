/**
 * Wills with a delay whose broker is gone, and so the timer that it had for them. They are looked up when this broker starts, and when another one is
 * gone; among nodes each of them does, and the first one that comes to a will sends it.
 */
import type { WillPacket } from '../store/persistence.js'
import { readAhead } from '../util/read-ahead.js'
import type { Deadline, TimerWheel } from '../util/timer-wheel.js'

/** Published at a time. */
const BESIDE = 32

export interface OrphanedWillsDeps {
  readonly wheel: TimerWheel
  readonly stored: () => AsyncIterable<WillPacket>
  /** Unix ms: those that a broker deferred when it left are not due before. */
  readonly deferredUntil: number
  /** Publishes the will of a client if it is still the one that is due then. */
  readonly publish: (id: string, due: number) => Promise<void>
  readonly failed: (error: unknown) => void
}

interface Orphan {
  readonly id: string
  /** Unix ms: as it is stored, and when it is sent. */
  readonly due: number
  readonly at: number
}

export class OrphanedWills implements Deadline {
  readonly #deps: OrphanedWillsDeps
  /** The next one is the last one. */
  #waiting: Orphan[] = []
  #finding: Promise<void> = Promise.resolve()
  #publishing: Promise<void> = Promise.resolve()

  constructor(deps: OrphanedWillsDeps) {
    this.#deps = deps
  }

  /** Looks at all that are stored: also at those whose broker is there, as nothing says whose they are. */
  find(): Promise<void> {
    const finding = this.#finding.then(() => this.#find())
    this.#finding = finding.catch(() => {})
    return finding
  }

  async #find(): Promise<void> {
    const { wheel, stored, deferredUntil } = this.#deps
    const found: Orphan[] = []
    // One of a client that is connected is not due yet.
    for await (const { clientId: id = '', due, deferred } of stored())
      if (due !== undefined) found.push({ id, due, at: deferred ? Math.max(due, deferredUntil) : due })
    this.#waiting = found.sort((a, b) => b.at - a.at)
    const next = found.at(-1)
    if (next) wheel.set(this, next.at)
  }

  due(now: number): number {
    const due: Orphan[] = []
    while (this.#waiting.length > 0 && this.#waiting.at(-1)!.at <= now) due.push(this.#waiting.pop()!)
    this.#publishing = this.#publishing.then(() => this.#publish(due))
    return this.#waiting.at(-1)?.at ?? 0
  }

  async #publish(due: readonly Orphan[]): Promise<void> {
    const { publish, failed } = this.#deps
    const publishing = readAhead(due, BESIDE, ({ id, due }) => publish(id, due).catch(failed))
    for await (const _ of publishing);
  }
}
