/** What happened in a room, from the newest backwards as far as it is asked for, and from now on. */
import { signal } from '@preact/signals'
import type { Chat, ChatEvents } from '../../index.js'
import { ofChat } from '../state/of-chat.js'

export type Happened = ChatEvents['roomEvent'] & {
  readonly seq: number
  readonly user?: string
  readonly by?: string
  readonly role?: string
  readonly changed?: readonly string[]
}

/** Events of a request, and most that are kept of a room: older ones are not shown. */
const PAGE = 100
const MOST = 500
/** Rooms whose events are kept and followed: who comes back to one asks for nothing. */
const KEPT = 10

type Page = Awaited<ReturnType<Chat['ask']['rooms']['events']>>

/** By room. */
const feedsOf = ofChat(() => new Map<string, EventFeed>())

export function feedOf(chat: Chat, room: string): EventFeed {
  const feeds = feedsOf(chat)
  const feed = feeds.get(room) ?? new EventFeed(chat, room)
  // The one that was shown last goes last.
  feeds.delete(room)
  feeds.set(room, feed)
  if (feeds.size <= KEPT) return feed
  const [oldest, forgotten] = feeds.entries().next().value!
  forgotten.dispose()
  feeds.delete(oldest)
  return feed
}

export class EventFeed {
  /** Ascending. */
  readonly events = signal<readonly Happened[]>([])
  readonly #chat: Chat
  readonly #room: string
  readonly #stops: readonly (() => void)[]
  /** Where the next older page begins. Undefined: none was asked for; null: there is none. */
  #before: number | null | undefined
  /** The highest seq that is known; null: none was asked for. */
  #last: number | null = null
  /** Unix ms to which events are wanted. */
  #wanted = Number.POSITIVE_INFINITY
  #asking: Promise<void> | null = null
  /** Without a connection something may have happened. */
  #isStale = false
  #isShown = false
  #isDisposed = false

  constructor(chat: Chat, room: string) {
    this.#chat = chat
    this.#room = room
    this.#stops = [
      chat.on('roomEvent', (event) => event.room === room && this.#heard(event as Happened)),
      chat.status.subscribe(({ state }) => state === 'online' && this.#refresh()),
    ]
  }

  dispose(): void {
    this.#isDisposed = true
    for (const stop of this.#stops) stop()
  }

  /** Asks for those since `ts` (Unix ms), until it is hidden. What cannot be asked for now is asked for by the next connection. */
  show(ts: number): void {
    this.#isShown = true
    this.#wanted = Math.min(this.#wanted, ts)
    this.#ask()
  }

  hide(): void {
    this.#isShown = false
  }

  #refresh(): void {
    this.#isStale = true
    if (this.#isShown) this.#ask()
  }

  #heard(event: Happened): void {
    // A room of the same name begins anew.
    if (event.type === 'deleted') return this.#clear()
    if (this.#last !== null && event.seq <= this.#last + 1) return this.#add([event])
    // It may not be in a page that is asked for.
    if (this.#last !== null || this.#asking) this.#refresh()
  }

  #ask(): void {
    if (this.#wanted === Number.POSITIVE_INFINITY || this.#chat.status.current.state !== 'online') return
    this.#asking ??= this.#fetch().then(
      () => {
        this.#asking = null
        // It became so meanwhile.
        if (this.#isStale) this.#ask()
      },
      () => {
        this.#asking = null
        this.#isStale = true
      },
    )
  }

  async #fetch(): Promise<void> {
    const last = this.#isStale ? this.#last : null
    this.#isStale = false
    if (last !== null) await this.#catchUp(last)
    while (!this.#isDisposed && this.#needsOlder()) {
      const page = await this.#page(this.#before === undefined ? {} : { before: this.#before! })
      this.#last ??= page.events.at(-1)?.seq ?? 0
      this.#before = page.more ? (page.before ?? null) : null
      this.#add(page.events)
    }
  }

  /** What came since, as during a time without a connection. Of more than a page the newest are asked for anew. */
  async #catchUp(last: number): Promise<void> {
    const page = await this.#page({ after: last })
    if (page.more) this.#clear()
    else this.#add(page.events)
  }

  #clear(): void {
    this.#last = null
    this.#before = undefined
    this.events.value = []
  }

  #needsOlder(): boolean {
    const events = this.events.peek()
    if (this.#before === undefined) return true
    return this.#before !== null && events.length < MOST && (events[0]?.ts ?? this.#wanted + 1) > this.#wanted
  }

  #page(range: { before?: number; after?: number }): Promise<Page> {
    return this.#chat.ask.rooms.events({ room: this.#room, limit: PAGE, ...range })
  }

  #add(events: readonly { readonly seq: number }[]): void {
    if (events.length === 0) return
    const bySeq = new Map(this.events.peek().map((event) => [event.seq, event]))
    // What is gone says no more than that.
    for (const event of events) if ('type' in event) bySeq.set(event.seq, event as unknown as Happened)
    this.#last = Math.max(this.#last ?? 0, events.at(-1)!.seq)
    this.events.value = [...bySeq.values()].sort((a, b) => a.seq - b.seq).slice(-MOST - PAGE)
  }
}
