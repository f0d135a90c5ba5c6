/** Messages that the broker has taken, until they are seen in their rooms: timelines show them from here meanwhile, also after a reload. */
import type { Item } from './item.js'

/** Of rooms that nothing is heard of. */
const MOST = 200

export class Unheard {
  readonly #items = new Set<Item>()

  /** In the order in which they were sent. */
  get items(): Iterable<Item> {
    return this.#items
  }

  /** Returns those that are given up for it. */
  add(item: Item): Item[] {
    this.#items.add(item)
    return this.#take(() => this.#items.size > MOST)
  }

  /** Returns those that are in their rooms. `headOf`: the last seq of a room that the client has; null: all of them count as seen. */
  heard(headOf: ((room: string) => number) | null): Item[] {
    return this.#take(({ room, seq }) => headOf === null || seq <= headOf(room))
  }

  clear(): void {
    this.#items.clear()
  }

  #take(isOver: (item: Item) => boolean): Item[] {
    const over: Item[] = []
    for (const item of this.#items) if (isOver(item) && this.#items.delete(item)) over.push(item)
    return over
  }
}
