/** `sync`: brings a client up to date room by room, in pages of bounded size. */
import type { CommandParams } from '../../../schemas/commands.js'
import type { MemberRecord } from '../../store/rooms.js'
import { type Actor, requireUser } from '../model/actor.js'
import { RoomSync, type RoomSyncDeps } from './sync-room.js'

/** Bytes of the reply beside the rooms. */
const ENVELOPE = 1024
const MAX_ROOMS = 500

export interface SyncDeps extends RoomSyncDeps {
  /** Maximum bytes of a reply. */
  readonly replyBytes: number
}

export class Sync {
  readonly #deps: SyncDeps
  readonly #room: RoomSync

  constructor(deps: SyncDeps) {
    this.#deps = deps
    this.#room = new RoomSync(deps)
  }

  /** A page as JSON. Rooms are ordered by id, so that a change between two pages neither repeats nor skips one. */
  async page(actor: Actor, { epoch, rooms: known = {}, cursor, ...limits }: CommandParams<'sync'>): Promise<string> {
    const user = requireUser(actor)
    const { store, receipts } = this.#deps
    const { limit = 20, maxBytes = 131_072 } = limits
    const most = this.#deps.replyBytes - ENVELOPE
    const left = cursor === undefined ? this.#left(user, Object.keys(known)) : []
    let bytes = JSON.stringify(left).length
    const void_ = epoch !== undefined && epoch !== store.epoch
    await receipts.flush()
    const rooms: string[] = []
    let last = cursor ?? ''
    for (const member of this.#after(user, last)) {
      // The user may have left while this request yielded.
      if (store.directory.member(member.room, user)?.since !== member.since) continue
      const place = Object.hasOwn(known, member.room) ? known[member.room]! : null
      const query = { place, void: void_, limit, maxBytes: Math.min(maxBytes, most) }
      const room = await this.#room.render(actor, member, query)
      if (room === null || !store.directory.member(member.room, user)) continue
      const size = Buffer.byteLength(room) + 1
      const full = rooms.length === MAX_ROOMS || (rooms.length > 0 && bytes + size > Math.min(maxBytes, most))
      if (full) return this.#shown(rooms, left, last)
      rooms.push(room)
      bytes += size
      last = member.room
      // Yields to the event loop between rooms.
      await new Promise((resolve) => setImmediate(resolve))
    }
    return this.#shown(rooms, left, null)
  }

  #after(user: string, room: string): MemberRecord[] {
    const mine = [...this.#deps.store.directory.memberships(user).values()].filter((member) => member.room > room)
    return mine.sort((a, b) => (a.room < b.room ? -1 : 1))
  }

  #left(user: string, rooms: readonly string[]): string[] {
    return rooms.filter((room) => !this.#deps.store.directory.member(room, user))
  }

  #shown(rooms: readonly string[], left: readonly string[], cursor: string | null): string {
    const rest = { epoch: this.#deps.store.epoch, left, more: cursor !== null, ...(cursor === null ? {} : { cursor }) }
    return `{"rooms":[${rooms.join(',')}],${JSON.stringify(rest).slice(1)}`
  }
}
