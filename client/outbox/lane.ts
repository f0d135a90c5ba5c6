import type { Stop } from '../base/platform.js'
import type { Item } from './item.js'

/** Messages of a room that are under way at a time. */
const WINDOW = 8

/** The messages of one room that are to be sent, in their order. */
export class Lane {
  readonly #items: Item[] = []
  readonly #underWay = new Set<Item>()
  /** In a row, of the first message. */
  failures = 0
  /** Unix ms: nothing is sent earlier. */
  notBefore = 0
  /** Stops the timer of that; null: there is none. */
  stopWait: Stop | null = null
  /** The next messages are being written before they leave. */
  isPreparing = false

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  /** One at a time, and asked for as a request: since one came back, until the first one is through. */
  get isCareful(): boolean {
    return this.failures > 0
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  /** In front of all that have not left yet. */
  insert(items: readonly Item[]): void {
    const at = this.#items.findIndex((item) => !item.hasLeft)
    this.#items.splice(at < 0 ? this.#items.length : at, 0, ...items)
  }

  remove(item: Item): void {
    const at = this.#items.indexOf(item)
    if (at >= 0) this.#items.splice(at, 1)
    this.#underWay.delete(item)
  }

  /** It came back. */
  returned(item: Item): void {
    this.#underWay.delete(item)
  }

  /** Those that await `cid`. */
  awaiting(cid: string): Item[] {
    return this.#items.filter((item) => item.awaits === cid)
  }

  /** The next ones to send, at most `most`; from now on they are under way. */
  take(most: number): Item[] {
    const room = Math.min(most, (this.isCareful ? 1 : WINDOW) - this.#underWay.size)
    const taken: Item[] = []
    for (const item of this.#items) {
      if (taken.length >= room || (this.#isAwaited(item) && !this.#underWay.has(item))) break
      if (!this.#underWay.has(item)) taken.push(item)
    }
    for (const item of taken) this.#underWay.add(item)
    return taken
  }

  #isAwaited({ awaits }: Item): boolean {
    return awaits !== null && this.#items.some(({ cid }) => cid === awaits)
  }
}
