/** `sync`: brings a client up to date, in pages of bounded size: about the user, then room by room. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CommandParams } from '../../../schemas/commands.js'
import { Refusal } from '../../../schemas/errors.js'
import { type Actor, requireUser } from '../model/actor.js'
import { listedBytes } from '../model/paging.js'
import { Growth } from './log-growth.js'
import { RoomSync, type RoomSyncDeps } from './sync-room.js'
import { type Selection, type SyncedRoom, SyncRooms } from './sync-rooms.js'
import { decodeCursor, decodePoint, encodeCursor, encodePoint, type SyncCursor, type SyncPoint } from './sync-token.js'
import { NO_NEWS, SyncUser, type SyncUserDeps, type UserNews } from './sync-user.js'

/** Bytes of the reply beside what it lists. */
const ENVELOPE = 1024
const MAX_ROOMS = 500

export interface SyncDeps extends RoomSyncDeps, SyncUserDeps {
  /** Maximum bytes of a reply. */
  readonly replyBytes: number
}

type Params = CommandParams<'sync'>

type Limits = Params & { readonly reset: boolean; readonly maxBytes: number; readonly given: number }

interface Beginning {
  /** When the client was up to date; null: it knows nothing that counts. */
  readonly since: SyncPoint | null
  readonly news: UserNews
  readonly cursor: SyncCursor
  readonly isFirst: boolean
}

/** What is given of the rooms on one page. */
interface Page {
  /** JSON of each. */
  readonly rooms: readonly string[]
  /** The last one; null: there are no more. */
  readonly last: SyncedRoom | null
}

export class Sync {
  readonly #deps: SyncDeps
  readonly #user: SyncUser
  readonly #rooms: SyncRooms
  readonly #room: RoomSync

  constructor(deps: SyncDeps) {
    this.#deps = deps
    this.#user = new SyncUser(deps)
    // One, as the rooms that are chosen are asked about again when they are rendered.
    const growth = new Growth(deps.store.log)
    this.#rooms = new SyncRooms(deps, growth)
    this.#room = new RoomSync(deps, growth)
  }

  /** A page as JSON. Rooms are in an order that no change between two pages disturbs, so that none is skipped. */
  async page(actor: Actor, params: Params): Promise<string> {
    const user = requireUser(actor)
    const { order = 'room', rooms: places = {}, maxBytes = 131_072 } = params
    const { since, cursor, news, isFirst } = await this.#begin(user, params)
    await this.#deps.receipts.flush()
    const most = Math.min(maxBytes, this.#deps.replyBytes - ENVELOPE)
    const me = await this.#user.render(actor, news, since, cursor, { isFirst, maxBytes: most })
    const left = isFirst ? this.#left(user, [...Object.keys(places), ...news.ended]) : []
    const given = listedBytes(me.text) + listedBytes(JSON.stringify(left))
    const selection: Selection = { order, start: cursor.start, since, news, places }
    const selected = await this.#rooms.select(user, cursor.room, selection)
    const limits = { ...params, reset: cursor.reset, maxBytes: most, given }
    const { rooms, last } = await this.#render(actor, selected, selection, limits)
    const more = last !== null || me.seq < cursor.start.events
    const next = { ...cursor, events: me.seq, room: last ?? selected.at(-1) ?? cursor.room }
    const rest = {
      epoch: this.#deps.store.epoch,
      left,
      ...(isFirst ? { reset: cursor.reset } : {}),
      more,
      ...(more ? { cursor: encodeCursor(next) } : { since: encodePoint(cursor.start) }),
    }
    return `{"me":${me.text},"rooms":[${rooms.join(',')}],${JSON.stringify(rest).slice(1)}`
  }

  /** @throws Refusal */
  async #begin(user: string, params: Params): Promise<Beginning> {
    const token = params.since === undefined ? null : decodePoint(params.since, 'since')
    if (params.cursor !== undefined) return this.#goOn(user, token, decodeCursor(params.cursor))
    const now = await this.#user.point(user)
    const news = token?.of === now.of ? await this.#user.news(user, token, now) : null
    const since = news === null ? null : token
    const cursor = { start: now, reset: token !== null && since === null, events: (since ?? now).events, room: null }
    return { since, cursor, news: news ?? NO_NEWS, isFirst: true }
  }

  async #goOn(user: string, token: SyncPoint | null, cursor: SyncCursor): Promise<Beginning> {
    const since = cursor.reset ? null : token
    const news = since === null ? NO_NEWS : await this.#user.news(user, since, cursor.start)
    if (news === null || cursor.start.of !== this.#user.of(user))
      throw new Refusal('conflict', 'this page is not there any more; begin without a cursor', { field: 'cursor' })
    return { since, cursor, news, isFirst: false }
  }

  async #render(
    actor: Actor,
    selected: readonly SyncedRoom[],
    { since, places }: Selection,
    { epoch, limit = 20, maxRooms = MAX_ROOMS, reset, maxBytes, given }: Limits,
  ): Promise<Page> {
    const { store } = this.#deps
    const isVoid = reset || (epoch !== undefined && epoch !== store.epoch)
    const rooms: string[] = []
    let last: SyncedRoom | null = null
    let bytes = given
    for (const room of selected) {
      const { member } = room
      const isMember = (): boolean => store.directory.member(member.room, member.user)?.since === member.since
      // The user may have left while this request yielded.
      if (!isMember()) continue
      const place = Object.hasOwn(places, member.room) ? places[member.room]! : null
      const text = await this.#room.render(actor, member, { place, void: isVoid, reset, since, limit, maxBytes })
      if (text === null || !isMember()) continue
      const size = listedBytes(text)
      if (rooms.length > 0 && (rooms.length >= Math.min(maxRooms, MAX_ROOMS) || bytes + size > maxBytes))
        return { rooms, last }
      rooms.push(text)
      bytes += size
      last = room
      // Yields to the event loop between rooms.
      await nextTurn()
    }
    return { rooms, last: null }
  }

  /** Those of the rooms that the user is not in. */
  #left(user: string, rooms: readonly string[]): string[] {
    return [...new Set(rooms)].filter((room) => !this.#deps.store.directory.member(room, user))
  }
}
