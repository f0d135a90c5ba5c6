/** An open room as lines: its last messages, then what is new. */
import type { Item, Room, Timeline } from '../node/index.js'
import { isSettled, type News, newsOf, seqOf } from './news.js'
import { within } from './waiting.js'

export interface FeedOptions {
  /** Messages up to this one are known. Left out: `begin` shows the last ones. */
  readonly after?: number
  news(news: readonly News[]): void
}

/** Ms for the messages of a room to come. */
const PATIENCE = 10_000

export class Feed {
  readonly room: Room
  readonly #timeline: Timeline
  readonly #news: FeedOptions['news']
  readonly #stop: () => void
  /** By seq, as it was told. */
  #told = new Map<number, Item>()
  /** Up to this seq all was told; null: not begun. */
  #last: number | null
  /** When the room was created that this is of; undefined: that is not known. */
  #created: number | undefined

  constructor(room: Room, { after, news }: FeedOptions) {
    this.room = room
    this.#news = news
    this.#last = after ?? null
    this.#created = room.info.current?.createdAt
    this.#timeline = room.timeline({ replies: true })
    this.#stop = this.#timeline.items.subscribe(() => this.#tell())
  }

  get items(): readonly Item[] {
    return this.#timeline.items.current
  }

  get isBegun(): boolean {
    return this.#last !== null
  }

  /** The last number that was told. */
  get last(): number {
    return this.#last ?? 0
  }

  get created(): number | undefined {
    return this.#created
  }

  /** Tells the `count` last messages, if the room has any; then those that come. */
  async begin(count: number, signal: AbortSignal): Promise<void> {
    if (this.room.info.current || !this.room.id.startsWith('dm:'))
      await within(PATIENCE, this.#timeline.state, ({ older }) => older !== 'loading', signal)
    this.#created = this.room.info.current?.createdAt
    const settled = this.items.filter(isSettled)
    this.#told = new Map(settled.map((item) => [seqOf(item), item]))
    const known = settled.slice(0, Math.max(0, settled.length - count))
    this.#last = known.length > 0 ? seqOf(known.at(-1)!) : seqBefore(settled)
    this.#tell()
  }

  /** The `count` last messages, older ones included. Rejects with a `ChatError` if they cannot be fetched. */
  async earlier(count: number): Promise<readonly Item[]> {
    const missing = count - this.items.length
    if (missing > 0 && this.#timeline.state.current.older !== 'end') await this.#timeline.older(missing)
    return this.items.slice(-count)
  }

  end(): void {
    this.#stop()
    this.#timeline.dispose()
  }

  #tell(): void {
    if (this.#last === null) return
    const now = this.items.filter(isSettled)
    if (!this.#isOfTheRoom(now)) return
    const news = newsOf(this.#told, now, this.#last)
    const shown = new Set(this.items.map(seqOf))
    for (const seq of this.#told.keys()) if (!shown.has(seq)) this.#told.delete(seq)
    for (const item of now) this.#told.set(seqOf(item), item)
    this.#last = Math.max(this.#last, ...now.slice(-1).map(seqOf))
    if (news.length > 0) this.#news(news)
  }

  /** Where the room was made anew its numbers begin again. False: the items are those of the former one still. */
  #isOfTheRoom(now: readonly Item[]): boolean {
    const created = this.room.info.current?.createdAt ?? this.#created
    if (this.#created !== undefined && created !== this.#created) {
      if (now.some((item) => this.#told.get(seqOf(item)) === item)) return false
      this.#told.clear()
      this.#last = 0
    }
    this.#created = created
    return true
  }
}

/** Nothing from these items on was told. */
function seqBefore(items: readonly Item[]): number {
  const [first] = items
  return first === undefined ? 0 : first.kind === 'gap' ? first.from - 1 : first.message.seq - 1
}
