/** The messages of the outbox, within its limits, and what is shown of them. */
import { ChatError } from '../base/chat-error.js'
import { LiveValue } from '../base/live.js'
import type { Item } from './item.js'
import type { Outgoing } from './outgoing.js'
import { Unheard } from './unheard.js'

/** Those that have failed included. */
const MOST_MESSAGES = 1000
/** Of their JSON. */
const MOST_BYTES = 4_194_304

export class Items implements Iterable<Item> {
  /** By cid, in the order of their keys. */
  #items = new Map<string, Item>()
  #bytes = 0
  readonly shown = new LiveValue<readonly Outgoing[]>([])
  /** Those that the broker has and that were not seen in their rooms yet. */
  readonly unheard = new Unheard()
  /** These, and then the others. Told again when one fails or is changed. */
  readonly pending = new LiveValue<readonly Outgoing[]>([])

  get(cid: string): Item | undefined {
    return this.#items.get(cid)
  }

  /** In the order in which they were sent. */
  [Symbol.iterator](): Iterator<Item> {
    return this.#items.values()
  }

  /** False: it has been sent, canceled, or let go. */
  has(item: Item): boolean {
    return this.#items.get(item.cid) === item
  }

  /** Changes of a message that is here, in their order. */
  about({ cid }: Item): Item[] {
    return [...this].filter(({ awaits }) => awaits === cid)
  }

  hold(items: readonly Item[], areFirst = false): void {
    const more = items.map((item) => [item.cid, item] as const)
    this.#items = new Map(areFirst ? [...more, ...this.#items] : [...this.#items, ...more])
    for (const { bytes } of items) this.#bytes += bytes
    this.show()
  }

  forget(item: Item): void {
    this.drop(item)
    this.show()
  }

  /** Not shown yet. */
  drop(item: Item): void {
    this.#items.delete(item.cid)
    this.#bytes -= item.bytes
  }

  /** One of them has grown by so much. */
  grow(bytes: number): void {
    this.#bytes += bytes
  }

  show(): void {
    const items = [...this]
    this.shown.set(items)
    this.pending.set([...this.unheard.items, ...items])
  }

  /** @throws ChatError `storage` */
  requireSpace(bytes: number, messages: number): void {
    if (this.#items.size + messages > MOST_MESSAGES)
      throw new ChatError('storage', `the outbox is full: ${this.#items.size} messages wait`)
    if (this.#bytes + bytes > MOST_BYTES)
      throw new ChatError('storage', `the outbox is full: ${this.#bytes} of ${MOST_BYTES} bytes wait`)
  }
}
