/**
 * The messages of a share group between the acknowledged prefix and what was sent, assigned or returned: its packets in flight. They have
 * no packet ids, which belong to the members.
 */
import type { LogFeed, QueueFeed } from '../../following/feeds.js'
import type { PacketsInFlight } from '../../following/inflight-records.js'
import type { InflightChange, SavedInflight } from '../../store/sessions.js'

type Source = LogFeed | QueueFeed

/** A QoS 2 exchange of a member whose session outlives its connection. */
export interface Exchange {
  readonly feed: Source
  readonly seq: number
  /** Its session has it, whichever node serves that. */
  readonly isStored: boolean
  /** The last save in which its session has it. */
  readonly lastSave: number
}

interface Held {
  readonly by: Exchange
  /** What was saved of the group last says that a session has it. */
  marked: boolean
}

interface Change {
  readonly feed: Source
  readonly seq: number
  readonly ended: boolean
}

export class Unsettled implements PacketsInFlight {
  readonly #feeds: () => Iterable<Source>
  /** By feed: the highest number that is or was among those that were saved. */
  readonly #savedTo = new Map<Source, number>()
  /** Those that were saved, and have been settled since, or have another state. */
  #changed: Change[] = []
  readonly #held = new Map<Source, Map<number, Held>>()

  constructor(feeds: () => Iterable<Source>) {
    this.#feeds = feeds
  }

  /** The message is acknowledged, or dropped. */
  settled(feed: Source, seq: number): void {
    this.#change(feed, seq, true)
    this.#held.get(feed)?.delete(seq)
  }

  /**
   * A member has it. Whether it is settled is known by the session alone once that is stored, and only then may what is saved of the group say
   * so: of a message that no session has any more, it means that it was completed.
   */
  taken(by: Exchange): void {
    const held = this.#held.get(by.feed) ?? new Map<number, Held>()
    this.#held.set(by.feed, held.set(by.seq, { by, marked: false }))
  }

  returned(exchange: Exchange): void {
    if (!this.#of(exchange)) return
    this.#held.get(exchange.feed)!.delete(exchange.seq)
    this.#change(exchange.feed, exchange.seq)
  }

  /** The exchange is in a save that is made now. */
  saving(exchange: Exchange): void {
    if (this.#of(exchange)) this.#change(exchange.feed, exchange.seq)
  }

  /** The exchange is stored. True: what is saved of the group does not say so yet. */
  stored(exchange: Exchange): boolean {
    const held = this.#of(exchange)
    if (!held || held.marked) return false
    this.#change(exchange.feed, exchange.seq)
    return true
  }

  #of(exchange: Exchange): Held | null {
    const held = this.#held.get(exchange.feed)?.get(exchange.seq)
    return held?.by === exchange ? held : null
  }

  /** A feed that its members may not receive any more. */
  withdrawn(feed: Source): void {
    for (const seq of feed.outstanding.all) this.settled(feed, seq)
    this.#savedTo.delete(feed)
    this.#held.delete(feed)
  }

  #change(feed: Source, seq: number, ended = false): void {
    if (seq <= this.#savedUpTo(feed)) this.#changed.push({ feed, seq, ended })
  }

  get count(): number {
    let count = 0
    for (const { outstanding } of this.#feeds()) count += outstanding.all.length
    return count
  }

  all(save: number): SavedInflight[] {
    this.#changed = []
    const all: SavedInflight[] = []
    for (const feed of this.#feeds()) all.push(...this.#save(feed, feed.outstanding.all, save))
    return all
  }

  changes(most: number, save: number): InflightChange[] | null {
    const changes: InflightChange[] = []
    for (const { feed, seq, ended } of this.#changed)
      if (ended) changes.push({ packetId: 0, source: feed.source, seq, ended })
      else if (feed.outstanding.has(seq)) changes.push(this.#saved(feed, seq, save))
    this.#changed = []
    for (const feed of this.#feeds()) {
      if (changes.length > most) return null
      changes.push(...this.#save(feed, this.#begun(feed), save))
    }
    return changes.length > most ? null : changes
  }

  #savedUpTo(feed: Source): number {
    return this.#savedTo.get(feed) ?? 0
  }

  /** The numbers of a feed begin in their order, so that these are the last ones. */
  #begun(feed: Source): readonly number[] {
    const { all } = feed.outstanding
    const saved = this.#savedUpTo(feed)
    return all.slice(all.findLastIndex((seq) => seq <= saved) + 1)
  }

  #save(feed: Source, numbers: readonly number[], save: number): SavedInflight[] {
    this.#savedTo.set(feed, feed.next - 1)
    return numbers.map((seq) => this.#saved(feed, seq, save))
  }

  #saved(feed: Source, seq: number, save: number): SavedInflight {
    const held = this.#held.get(feed)?.get(seq)
    if (held) held.marked = held.by.isStored || held.by.lastSave === save
    return { packetId: 0, source: feed.source, seq, qos: held?.marked ? 2 : 1, released: false }
  }
}
