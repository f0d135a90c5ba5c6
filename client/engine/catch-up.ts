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
/** Gets what a page says of the user. */
export type TakeMe = (me: Page['me']) => Promise<void>
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

export interface CatchUpHooks {
  /** The client has messages of this room that, as the broker says, were not delivered to the user. */
  received(room: string): void
  readonly takeMe: TakeMe
}

export class CatchUp {
  readonly #ask: Pick<Methods, 'sync'>
  readonly #replica: Replica
  readonly #fetches: Fetches
  readonly #hooks: CatchUpHooks
  /** Rooms in which the user may not be any more. */
  readonly #doubted = new Set<string>()
  /** The last time that the broker has told, Unix ms. */
  #now = 0

  constructor(ask: Pick<Methods, 'sync'>, replica: Replica, fetches: Fetches, hooks: CatchUpHooks) {
    this.#hooks = hooks
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
    let named = [...doubted, ...this.#ahead()].slice(0, MOST_PLACES)
    let done = 0
    for (let round = 0; round < ROUNDS; round++) {
      const rooms: Places = Object.fromEntries(named.map((room) => [room, this.#placeOf(room)]))
      named = [...(await this.#pages(rooms, signal, (told) => progress((done += told))))]
      if (named.length === 0) break
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
      await this.#hooks.takeMe(page.me)
      mustLast(signal)
      for (const { at } of page.rooms) this.#told(at.ts!)
      await this.#apply(page, isFirst && (since === undefined || page.reset === true), behind)
      mustLast(signal)
      for (const { room, at, delivered } of page.rooms)
        if (delivered < at.seq && !behind.has(room)) this.#hooks.received(room)
      if (page.rooms.length > 0) told(page.rooms.length)
    }
    return behind
  }

  #page(params: Params): Promise<Page> {
    const size: Params = { order: 'recent', limit: MESSAGES, maxBytes: PAGE_BYTES }
    return this.#ask.sync({ ...params, ...size }, { timeout: PAGE_TIMEOUT })
  }

  #told(now: number): void {
    this.#now = Math.max(this.#now, now)
    this.#replica.clock.told(now)
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
      for (const news of page.rooms) if (!(await this.#applyRoom(tx, news))) behind.add(news.room)
      // The next call would not tell what this one has left out.
      if (page.more || behind.size > 0) return
      tx.setSince(page.since!, this.#replica.user!, this.#replica.clock.ahead)
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
    this.#fetches.refresh(tx, room, roots)
    return true
  }

  /** Messages that began a thread of which replies are gone. */
  async #rootsOf(tx: Transaction, { room, changed, messages }: RoomNews): Promise<number[]> {
    const gone = [...changed, ...messages].filter(isGone)
    const known = await tx.messages(
      room,
      gone.map(({ seq }) => seq),
    )
    const roots = [...gone, ...known.values()].flatMap(({ thread }) => thread ?? [])
    // What is left of a deleted reply says its thread; of what is gone for another reason the broker does not know it any more.
    const unknown = gone.filter((one) => one.gone !== 'deleted' && !known.has(one.seq)).map(({ seq }) => seq)
    return [...roots, ...(await this.#replica.rootsAround(room, unknown))]
  }

  #placeOf(room: string): Place {
    const state = this.#replica.rooms.get(room)
    if (!state) return NOWHERE
    return { seq: state.seq, created: state.created, ...(state.id && { id: state.id }) }
  }

  /** Rooms that have gone on since the token was given, the most active ones first. */
  #ahead(): string[] {
    const ahead = [...this.#replica.rooms.values()].filter(({ isAhead }) => isAhead)
    return ahead.sort((a, b) => b.activeAt - a.activeAt).map(({ room }) => room)
  }
}
