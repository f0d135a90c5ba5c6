import type { Stop } from '../base/platform.js'
import type { Item } from './item.js'

/**
 * The messages of one room that are to be sent, in their order. One is under way at a time: if the broker does not take it for a moment, the next
 * one would come before it.
 */
export class Lane {
  readonly #items: Item[] = []
  #underWay: Item | null = null
  /** In a row, of the first message. It is sent as a request from then on, which the broker refuses without ending the connection. */
  failures = 0
  /** Ms for which nothing is sent, until `notBefore`, Unix ms; 0: it is over. */
  wait = 0
  notBefore = 0
  /** Stops the timer of that; null: there is none. */
  stopWait: Stop | null = null

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  /** In front of all that have not left yet. */
  insert(items: readonly Item[]): void {
    const at = this.#items.findIndex((item) => !item.hasLeft)
    this.#items.splice(at < 0 ? this.#items.length : at, 0, ...items)
  }

  has(item: Item): boolean {
    return this.#items.includes(item)
  }

  remove(item: Item): void {
    const at = this.#items.indexOf(item)
    if (at >= 0) this.#items.splice(at, 1)
    this.returned(item)
  }

  /** It is not under way any more. */
  returned(item: Item): void {
    if (this.#underWay === item) this.#underWay = null
  }

  /** Those that await `cid`. */
  awaiting(cid: string): Item[] {
    return this.#items.filter((item) => item.awaits === cid)
  }

  /** The next one, which is under way from now on; null: there is none, its files are not uploaded yet, or one is under way. */
  take(): Item | null {
    const [next] = this.#items
    if (this.#underWay || !next?.isReady) return null
    this.#underWay = next
    return next
  }
}

/** In their order. */
export function byRoom(items: readonly Item[]): Map<string, Item[]> {
  const rooms = new Map<string, Item[]>()
  for (const item of items) rooms.set(item.room, [...(rooms.get(item.room) ?? []), item])
  return rooms
}
