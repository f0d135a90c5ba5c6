/** What a chat of lines follows: the open room, and conversations in which something is said, whatever room is open. */
import { directMembers } from '../../schemas/ids.js'
import type { Chat, RoomSummary } from '../node/index.js'
import { Feed } from './feed.js'
import type { News } from './news.js'

/** Conversations that are followed beside the open room: those in which something was said last. */
const MOST_FEEDS = 50

/** How far a room was told. */
interface Known {
  readonly last: number
  /** When the room was created: one that is made anew begins again. */
  readonly created: number | undefined
}

export class LineFeeds {
  readonly #chat: Pick<Chat, 'room' | 'rooms'>
  readonly #news: (room: string, news: readonly News[]) => void
  readonly #feeds = new Map<string, Feed>()
  /** The last seq of each room when the chat began, or up to which a feed of it told. */
  readonly #known: Map<string, Known>

  constructor(chat: Pick<Chat, 'room' | 'rooms'>, news: (room: string, news: readonly News[]) => void) {
    this.#chat = chat
    this.#news = news
    this.#known = new Map(
      chat.rooms.current.map(({ room, last, info }) => [room, { last: last?.seq ?? 0, created: info.createdAt }]),
    )
  }

  of(room: string): Feed | undefined {
    return this.#feeds.get(room)
  }

  /** The last number of the room that was told. */
  told(room: string): number {
    return this.#feeds.get(room)?.last ?? this.#known.get(room)?.last ?? 0
  }

  /** `after`: messages up to this one are known; left out: it is to be begun. */
  add(room: string, after?: number): Feed {
    this.end(room)
    const feed = new Feed(this.#chat.room(room), {
      ...(after !== undefined && { after }),
      news: (news) => this.#news(room, news),
    })
    this.#feeds.set(room, feed)
    return feed
  }

  /** What is said there later goes on where it ended. */
  end(room: string): void {
    const feed = this.#feeds.get(room)
    if (!feed) return
    const { last, created } = feed
    this.#known.set(room, { last: Math.max(last, this.#knownOf(room, created)), created })
    feed.end()
    this.#feeds.delete(room)
  }

  /** `open`: the room that is followed in any case. */
  update(rooms: readonly RoomSummary[], open: string): void {
    for (const { room, last, info } of rooms) {
      const known = this.#knownOf(room, info.createdAt)
      if (directMembers(room) && !this.#feeds.has(room) && last && last.seq > known) this.add(room, known)
    }
    for (const room of this.#feeds.keys()) {
      if (this.#feeds.size <= MOST_FEEDS) break
      if (room !== open) this.end(room)
    }
  }

  #knownOf(room: string, created: number | undefined): number {
    const known = this.#known.get(room)
    return known && known.created === created ? known.last : 0
  }

  close(): void {
    for (const room of this.#feeds.keys()) this.end(room)
  }
}
