/**
 * The messages of a share group between the acknowledged prefix and what was sent, assigned or returned: its packets in flight. They have
 * no packet ids, which belong to the members.
 */
import type { LogFeed, QueueFeed } from '../../following/feeds.js'
import type { PacketsInFlight } from '../../following/inflight-records.js'
import type { InflightChange, SavedInflight } from '../../store/sessions.js'

type Source = LogFeed | QueueFeed

export class Unsettled implements PacketsInFlight {
  readonly #feeds: () => Iterable<Source>
  /** By feed: the highest number that is or was among those that were saved. */
  readonly #savedTo = new Map<Source, number>()
  /** Those that were saved, and have been settled since, or stay with a session since. */
  #changed: InflightChange[] = []
  /** Those that stay with a session. */
  readonly #staying = new Map<Source, Set<number>>()

  constructor(feeds: () => Iterable<Source>) {
    this.#feeds = feeds
  }

  /** The message is acknowledged, or dropped. */
  settled(feed: Source, seq: number): void {
    if (seq <= this.#savedUpTo(feed)) this.#changed.push({ packetId: 0, source: feed.source, seq, ended: true })
    this.#staying.get(feed)?.delete(seq)
  }

  /** Whether it is settled is known by the session that has it, on whichever node that is (QoS 2). */
  stays(feed: Source, seq: number): void {
    const staying = this.#staying.get(feed) ?? new Set()
    this.#staying.set(feed, staying.add(seq))
    if (seq <= this.#savedUpTo(feed)) this.#changed.push(this.#saved(feed, seq))
  }

  staysNot(feed: Source, seq: number): void {
    this.#staying.get(feed)?.delete(seq)
    if (seq <= this.#savedUpTo(feed)) this.#changed.push(this.#saved(feed, seq))
  }

  /** A feed that its members may not receive any more. */
  withdrawn(feed: Source): void {
    for (const seq of feed.outstanding.all) this.settled(feed, seq)
    this.#savedTo.delete(feed)
    this.#staying.delete(feed)
  }

  get count(): number {
    let count = 0
    for (const { outstanding } of this.#feeds()) count += outstanding.all.length
    return count
  }

  all(): SavedInflight[] {
    this.#changed = []
    const all: SavedInflight[] = []
    for (const feed of this.#feeds()) all.push(...this.#save(feed, feed.outstanding.all))
    return all
  }

  changes(most: number): InflightChange[] | null {
    const changes = this.#changed
    this.#changed = []
    for (const feed of this.#feeds()) {
      if (changes.length > most) return null
      changes.push(...this.#save(feed, this.#begun(feed)))
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

  #save(feed: Source, numbers: readonly number[]): SavedInflight[] {
    this.#savedTo.set(feed, feed.next - 1)
    return numbers.map((seq) => this.#saved(feed, seq))
  }

  #saved(feed: Source, seq: number): SavedInflight {
    const qos = this.#staying.get(feed)?.has(seq) ? 2 : 1
    return { packetId: 0, source: feed.source, seq, qos, released: false }
  }
}
