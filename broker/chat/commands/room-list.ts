/** `rooms.list`: by id, or the one with the newest message first, with that message and what is unread. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CommandParams } from '../../../schemas/commands.js'
import { Refusal } from '../../../schemas/errors.js'
import { directPeer } from '../../../schemas/ids.js'
import type { RoomRecord } from '../../store/rooms.js'
import { isNamed, queryWords } from '../../util/name-words.js'
import { LastMessages } from '../history/last-message.js'
import { type SyncedRoom, SyncRooms, type SyncRoomsDeps } from '../history/sync-rooms.js'
import { decodeKey, encodeKey } from '../history/sync-token.js'
import { NO_NEWS } from '../history/sync-user.js'
import type { Unread } from '../history/unread.js'
import { type Actor, requireUser } from '../model/actor.js'
import { listedBytes, renderFitting } from '../model/paging.js'
import { describeRoom } from '../rooms/room-view.js'

/** Rooms whose names are compared in one turn of the event loop. */
const ROOMS_PER_TURN = 500
/** Bytes of the reply beside the rooms. */
const ENVELOPE = 1024

export interface RoomListDeps extends SyncRoomsDeps {
  readonly unread: Unread
  readonly replyBytes: number
}

type Params = CommandParams<'rooms.list'>

export class RoomList {
  readonly #deps: RoomListDeps
  readonly #rooms: SyncRooms
  readonly #last: LastMessages

  constructor(deps: RoomListDeps) {
    this.#deps = deps
    this.#rooms = new SyncRooms(deps)
    this.#last = new LastMessages(deps.store)
  }

  /** A page as JSON. @throws Refusal */
  page(actor: Actor, params: Params): Promise<string> {
    return params.order === 'recent' ? this.#recent(actor, params) : this.#byId(actor, params)
  }

  async #byId(actor: Actor, { scope = 'joined', query, after = '', limit = 100 }: Params): Promise<string> {
    const { store, replyBytes } = this.#deps
    const { directory } = store
    const user = requireUser(actor)
    const all =
      scope === 'public'
        ? [...directory.rooms()].filter(({ access }) => access !== 'private')
        : [...directory.memberships(user).keys()].map((id) => directory.room(id)!)
    const rest = all.filter((room) => room.id > after && isOf(scope, room)).sort((a, b) => (a.id < b.id ? -1 : 1))
    const named = query === undefined ? rest : await roomsNamed(rest, query, user, limit + 1)
    // The comparison may have taken a while.
    const page = named.filter(({ id }) =>
      scope === 'public' ? (directory.room(id)?.access ?? 'private') !== 'private' : directory.member(id, user),
    )
    // Rooms may be long (policies), so bytes limit the page as well.
    const show = (room: RoomRecord): Promise<string> => describeRoom(this.#deps, actor, room)
    const shown = await renderFitting(page.slice(0, limit), show, replyBytes - ENVELOPE)
    return `{"rooms":[${shown.join(',')}],"more":${page.length > shown.length}}`
  }

  async #recent(actor: Actor, { scope = 'joined', query, after, limit = 100 }: Params): Promise<string> {
    if (scope === 'public')
      throw new Refusal('bad_request', 'only the rooms of the caller are in that order', { field: 'order' })
    const { directory } = this.#deps.store
    const user = requireUser(actor)
    const from = after === undefined ? { commit: this.#deps.store.lastCommit, key: null } : decodeKey(after, 'after')
    const selection = { order: 'recent', start: from, since: null, news: NO_NEWS, places: {} } as const
    const selected = await this.#rooms.select(user, from.key, selection)
    const rest = selected.filter(({ room }) => isOf(scope, directory.room(room)))
    const found = query === undefined ? null : new Set(await this.#named(rest, query, user, limit + 1))
    const page = found ? rest.filter(({ room }) => found.has(room)) : rest
    const { texts, last } = await this.#render(actor, page.slice(0, limit))
    const more = last !== null && last !== page.at(-1)
    const next = more ? `,"after":${JSON.stringify(encodeKey({ commit: from.commit, key: last }))}` : ''
    return `{"rooms":[${texts.join(',')}],"more":${more}${next}}`
  }

  async #named(rooms: readonly SyncedRoom[], query: string, user: string, limit: number): Promise<string[]> {
    const records = rooms.flatMap(({ room }) => this.#deps.store.directory.room(room) ?? [])
    return (await roomsNamed(records, query, user, limit)).map(({ id }) => id)
  }

  /** JSON of as many as fit, and the last one of them. */
  async #render(actor: Actor, rooms: readonly SyncedRoom[]): Promise<{ texts: string[]; last: SyncedRoom | null }> {
    const texts: string[] = []
    let last: SyncedRoom | null = null
    let bytes = 0
    for (const room of rooms) {
      const text = await this.#renderRoom(actor, room)
      bytes += listedBytes(text ?? '')
      if (texts.length > 0 && bytes > this.#deps.replyBytes - ENVELOPE) break
      if (text !== null) texts.push(text)
      last = room
      await nextTurn()
    }
    return { texts, last }
  }

  /** Null: the user is not in it any more. */
  async #renderRoom(actor: Actor, { room, member }: SyncedRoom): Promise<string | null> {
    const { store, unread } = this.#deps
    const isMember = (): boolean => store.directory.member(room, member.user)?.since === member.since
    const record = store.directory.room(room)
    if (!record || !isMember()) return null
    const counts = await unread.of(member)
    const { text: last, ts: lastTs } = await this.#last.of(member)
    const info = await describeRoom(this.#deps, actor, record)
    if (!isMember()) return null
    return `${info.slice(0, -1)},${JSON.stringify({ ...counts, lastTs }).slice(1, -1)},"last":${last}}`
  }
}

function isOf(scope: Params['scope'], room: RoomRecord | undefined): boolean {
  return scope !== 'direct' || room?.direct === true
}

/** The first `limit` rooms that are so named. Names are compared one by one, so it yields to the event loop in between. */
async function roomsNamed(
  rooms: readonly RoomRecord[],
  query: string,
  user: string,
  limit: number,
): Promise<RoomRecord[]> {
  const words = queryWords(query)
  const found: RoomRecord[] = []
  for (const [i, room] of rooms.entries()) {
    if (found.length === limit) break
    if (i % ROOMS_PER_TURN === ROOMS_PER_TURN - 1) await nextTurn()
    const id = room.direct ? (directPeer(room.id, user) ?? '') : room.id
    if (isNamed(words, id, room.name ?? '')) found.push(room)
  }
  return found
}
