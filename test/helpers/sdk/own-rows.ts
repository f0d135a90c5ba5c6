/** What a timeline shows of the messages that its client sends: each has one row, from the moment it is there until it is taken back. */
import type { Item, Outgoing, Timeline } from '../../../client/index.js'

export class OwnRows {
  readonly wrong: string[] = []
  /** By key; null: it is in the room. */
  readonly #shown = new Map<string, Outgoing | null>()

  /** Of a room in which only the client speaks, and which fits into the timeline. */
  constructor({ items }: Timeline) {
    items.subscribe((all) => this.#look(all))
  }

  #look(items: readonly Item[]): void {
    const keys = new Set(items.map(({ key }) => key))
    if (keys.size < items.length) this.wrong.push(`twice: ${items.map(({ key }) => key).join()}`)
    for (const [key, outgoing] of this.#shown) {
      if (keys.has(key)) continue
      if (outgoing?.state.current.at !== 'canceled') this.wrong.push(`${key} has vanished`)
      this.#shown.delete(key)
    }
    for (const item of items)
      if (item.kind !== 'gap') this.#shown.set(item.key, (item.kind === 'message' && item.outgoing) || null)
  }
}
