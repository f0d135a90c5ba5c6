/** `sync`: the one way in which the client learns what it has missed. */
import type { CommandParams, CommandResult } from '../../schemas/commands.js'
import type { Signal } from '../base/platform.js'
import { mustLast } from '../base/scope.js'
import type { Methods } from '../requests/methods.js'
import type { Fetches } from './fetches.js'
import { isGone } from './folding.js'
import type { Replica, Transaction } from './replica.js'
import { applyNews, isRecent, type RoomNews } from './room-state.js'

type Params = CommandParams<'sync'>
type Page = CommandResult<'sync'>
type Places = NonNullable<Params['rooms']>
type Place = Places[string]

/** Messages of a room that are told at once; the others are asked for when they are looked at. */
const MESSAGES = 50
/** Of one page: so that one arrives in time where there is next to no network. */
const PAGE_BYTES = 32_768
/** Ms for the answer with a page. */
const PAGE_TIMEOUT = 60_000
/** Rooms of which the client says where it is: more would make the request long, and are told some of what they know. */
const MOST_PLACES = 200
/** Of a room of which nothing is known: a position in a life that it never had, so that it is told anew. */
const NOWHERE: Place = { seq: 1, created: 0 }
/** Times that the client says where it is in rooms of which it was not told all that it misses. */
const ROUNDS = 3

export class CatchUp {
  readonly #ask: Pick<Methods, 'sync'>
  readonly #replica: Replica
  readonly #fetches: Fetches
  /** Rooms in which the user may not be any more. */
  readonly #doubted = new Set<string>()
  /** The last time that the broker has told, Unix ms. */
  #now = 0

  constructor(ask: Pick<Methods, 'sync'>, replica: Replica, fetches: Fetches) {
    this.#ask = ask
    this.#replica = replica
    this.#fetches = fetches
  }

  /** The room is asked about by name. */
  doubt(room: string): void {
    this.#doubted.add(room)
  }

  /**
   * Brings the client up to date. What is done of it when it rejects stays done. `progress`: rooms that were told of so far.
   * @throws ChatError `offline` when `signal` is aborted, as the connection has ended: what the next one tells must not be overtaken
   */
  async run(signal: Signal, progress: (rooms: number) => void): Promise<void> {
    const doubted = [...this.#doubted]
    const named = [...doubted, ...this.#ahead()].slice(0, MOST_PLACES)
    let rooms: Places = Object.fromEntries(named.map((room) => [room, this.#placeOf(room)]))
    let done = 0
    for (let round = 0; round < ROUNDS; round++) {
      const behind = await this.#pages(rooms, signal, (told) => progress((done += told)))
      if (behind.size === 0) break
      rooms = Object.fromEntries([...behind].map((room) => [room, this.#placeOf(room)]))
    }
    for (const room of doubted) this.#doubted.delete(room)
  }

  /** Returns the rooms that have to say where they are, as they were not told all that they miss. */
  async #pages(rooms: Places, signal: Signal, told: (rooms: number) => void): Promise<ReadonlySet<string>> {
    const behind = new Set<string>()
    const since = this.#replica.since ?? undefined
    const known: Params = since === undefined ? {} : { since, rooms }
    for (let page: Page | null = null; page === null || page.more; ) {
      const cursor = page === null ? {} : { cursor: page.cursor! }
      const isFirst = page === null
      page = await this.#page({ ...known, ...cursor })
      mustLast(signal)
      await this.#apply(page, isFirst && (since === undefined || page.reset === true), behind)
      mustLast(signal)
      if (page.rooms.length > 0) told(page.rooms.length)
    }
    return behind
  }

  #page(params: Params): Promise<Page> {
    const size: Params = { order: 'recent', limit: MESSAGES, maxBytes: PAGE_BYTES }
    return this.#ask.sync({ ...params, ...size }, { timeout: PAGE_TIMEOUT })
  }

  /** `isAnew`: what the client has is void. */
  #apply(page: Page, isAnew: boolean, behind: Set<string>): Promise<void> {
    return this.#replica.transact(async (tx) => {
      if (isAnew) {
        for (const room of this.#replica.rooms.keys()) this.#fetches.drop(room)
        tx.clear()
      }
      for (const room of page.left) {
        this.#fetches.drop(room)
        tx.remove(room)
      }
      for (const { at } of page.rooms) this.#now = Math.max(this.#now, at.ts ?? 0)
      for (const news of page.rooms) if (!(await this.#applyRoom(tx, news))) behind.add(news.room)
      // The next call would not tell what this one has left out.
      if (page.more || behind.size > 0) return
      tx.setSince(page.since!, this.#replica.user!)
      for (const { room } of this.#replica.rooms.values()) {
        const state = tx.room(room)
        if (state?.isAhead && !isRecent(state.activeAt, this.#now)) tx.put({ ...state, isAhead: false })
      }
    })
  }

  async #applyRoom(tx: Transaction, news: RoomNews): Promise<boolean> {
    const { room } = news
    const old = tx.room(room)
    const applied = applyNews(old, news)
    if (!applied) return false
    this.#fetches.drop(room)
    const { state, messages, after } = applied
    if (old && after === 0) tx.remove(room)
    else if (old && (after < old.seq || old.tail < state.tail)) await tx.keepMessages(room, [state.tail, after])
    const roots = await this.#rootsOf(tx, news)
    tx.put(state, messages)
    this.#fetches.refresh(room, roots)
    return true
  }

  /** Messages that began a thread of which replies were deleted: the broker does not know any more which thread that was. */
  async #rootsOf(tx: Transaction, { room, changed, messages }: RoomNews): Promise<number[]> {
    const gone = [...changed, ...messages].filter(isGone).map(({ seq }) => seq)
    const known = await tx.messages(room, gone)
    const roots = [...known.values()].flatMap((message) => (isGone(message) ? [] : (message.thread ?? [])))
    const unknown = gone.filter((seq) => !known.has(seq))
    return [...roots, ...(await this.#replica.rootsAround(room, unknown))]
  }

  #placeOf(room: string): Place {
    const state = this.#replica.rooms.get(room)
    if (!state) return NOWHERE
    return { seq: state.seq, created: state.created, ...(state.id === undefined ? {} : { id: state.id }) }
  }

  /** Rooms that have gone on since the token was given, the most active ones first. */
  #ahead(): string[] {
    const ahead = [...this.#replica.rooms.values()].filter(({ isAhead }) => isAhead)
    return ahead.sort((a, b) => b.activeAt - a.activeAt).map(({ room }) => room)
  }
}
