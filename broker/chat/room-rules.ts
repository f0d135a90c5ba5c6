/** What may be known and done in a room, by whom: decisions alone, no changes. */
import { Refusal } from '../../schemas/errors.js'
import { directMembers, directRoom, isDirectRoom, isRoomId, isUserId } from '../../schemas/ids.js'
import type { DirectoryStore, MemberRecord, RoomRecord, RoomRole } from '../store/store.js'
import { type Actor, isAdmin, requireUser } from './actor.js'

/** What members may do by role. */
export const MANAGERS: ReadonlySet<RoomRole> = new Set(['owner', 'admin'])
/** Who may change what others wrote. */
export const MODERATORS: ReadonlySet<RoomRole> = new Set(['owner', 'admin', 'moderator'])
export const WRITERS: ReadonlySet<RoomRole> = new Set(['owner', 'admin', 'moderator', 'member'])

export class RoomRules {
  readonly #directory: DirectoryStore

  constructor(directory: DirectoryStore) {
    this.#directory = directory
  }

  /** The id behind `room` or `@user`; dm ids are checked to be the asker's own. */
  resolve(actor: Actor, room: string): string {
    const user = requireUser(actor)
    if (room.startsWith('@')) {
      const peer = room.slice(1)
      if (!isUserId(peer) || peer === user)
        throw new Refusal('bad_request', `${room} is not another user`, { field: 'room' })
      return directRoom(user, peer)
    }
    const members = directMembers(room)
    if (members && !members.includes(user))
      throw new Refusal('not_found', `there is no room ${room}`, { field: 'room' })
    if (!members && !isRoomId(room))
      throw new Refusal('bad_request', `${JSON.stringify(room)} is not a room id`, { field: 'room' })
    return room
  }

  /** The room, as far as the asker may know of it: a private room is `not_found` to strangers. */
  visible(actor: Actor, room: string): RoomRecord {
    const record = this.#directory.room(room)
    const user = requireUser(actor)
    const known =
      record &&
      (record.access === 'public' ||
        isAdmin(actor) ||
        this.#directory.member(room, user) ||
        this.#directory.invite(room, user))
    if (!record || !known) throw new Refusal('not_found', `there is no room ${room}`, { field: 'room' })
    return record
  }

  requireMember(actor: Actor, room: string): MemberRecord {
    const user = requireUser(actor)
    const member = this.#directory.member(room, user)
    if (member) return member
    this.visible(actor, room)
    throw new Refusal('forbidden', `you are not a member of ${room}; join it with rooms.join`, { field: 'room' })
  }

  /** The room, where the asker is one of those who manage it. */
  requireManaged(actor: Actor, room: string): RoomRecord {
    const record = this.visible(actor, room)
    if (record.direct)
      throw new Refusal('bad_request', 'a direct conversation has no settings and no other members', { field: 'room' })
    const role = this.roleOf(actor, room)
    if (!isAdmin(actor) && (!role || !MANAGERS.has(role)))
      throw new Refusal('forbidden', `only an owner or admin of ${room} may do this`)
    return record
  }

  roleOf(actor: Actor, room: string): RoomRole | undefined {
    return this.#directory.member(room, actor.principal.user)?.role
  }

  /** In a direct conversation nobody does. */
  moderates(actor: Actor, room: string): boolean {
    const role = this.roleOf(actor, room)
    return !isDirectRoom(room) && role !== undefined && (MODERATORS.has(role) || isAdmin(actor))
  }

  /** A room with members is not left without an owner. */
  requireAnotherOwner(room: string, user: string): void {
    for (const member of this.#directory.members(room).values()) {
      if (member.role === 'owner' && member.user !== user) return
    }
    throw new Refusal('conflict', `${room} needs another owner first (rooms.update with user and role)`)
  }
}
