/** Permission checks for rooms: who may see and do what. Nothing is changed here. */
import { Refusal } from '../../../schemas/errors.js'
import { directMembers, directRoom, isDirectRoom, isRoomId, isUserId } from '../../../schemas/ids.js'
import { allows, isAbove, PERMISSIONS, type RoomAct, type RoomRole } from '../../../schemas/permissions.js'
import type { DirectoryStore } from '../../store/directory.js'
import { personBehind } from '../../store/persons.js'
import type { BanRecord, MemberRecord, MuteRecord, RoomRecord } from '../../store/rooms.js'
import { type Actor, isAdmin, requireUser } from '../model/actor.js'

/** Whether a ban or mute has expired. */
export function isOver({ until }: { until: number | null }, now = Date.now()): boolean {
  return until !== null && until <= now
}

export class RoomRules {
  readonly #directory: DirectoryStore
  /** For searches through many records: what is found is read again from `#directory`, so that it alone is guarded. */
  readonly #unguarded: DirectoryStore

  constructor(directory: DirectoryStore, unguarded = directory) {
    this.#directory = directory
    this.#unguarded = unguarded
  }

  /** The same rules for a transaction: what they read of its directory is guarded. */
  with(directory: DirectoryStore): RoomRules {
    return new RoomRules(directory, this.#unguarded)
  }

  /** The room id for `room` or `@user`. @throws Refusal for an invalid id, or the conversation of others. */
  resolve(actor: Actor, room: string): string {
    const user = requireUser(actor)
    if (room.startsWith('@')) {
      const peer = room.slice(1)
      if (!isUserId(peer)) throw new Refusal('bad_request', `${room} is not a user`, { field: 'room' })
      return directRoom(user, peer)
    }
    const members = directMembers(room)
    if (members && !members.includes(user))
      throw new Refusal('not_found', `there is no room ${room}`, { field: 'room' })
    if (!members && !isRoomId(room))
      throw new Refusal('bad_request', `${JSON.stringify(room)} is not a room id`, { field: 'room' })
    return room
  }

  /**
   * The room, if the actor may know of it. @throws Refusal `not_found` for an unknown room, or a private room of which the actor is neither
   * member nor invited.
   */
  requireVisible(actor: Actor, room: string): RoomRecord {
    const record = this.#directory.room(room)
    if (!record || !this.isVisible(actor, record))
      throw new Refusal('not_found', `there is no room ${room}`, { field: 'room' })
    return record
  }

  /** Whether the actor may know of the room. */
  isVisible(actor: Actor, { id, access }: RoomRecord): boolean {
    const user = requireUser(actor)
    return (
      access !== 'private' ||
      isAdmin(actor) ||
      this.#directory.member(id, user) !== undefined ||
      this.#directory.invite(id, user) !== undefined
    )
  }

  requireMember(actor: Actor, room: string): MemberRecord {
    const user = requireUser(actor)
    const member = this.#directory.member(room, user)
    if (member) return member
    this.requireVisible(actor, room)
    throw new Refusal('forbidden', `you are not a member of ${room}; join it with rooms.join`, { field: 'room' })
  }

  /** The member that an act is about. @throws Refusal `not_found`. */
  memberOf(room: string, user: string): MemberRecord {
    const member = this.#directory.member(room, user)
    if (!member) throw new Refusal('not_found', `${user} is not a member of ${room}`, { field: 'user' })
    return member
  }

  /** The room, if the actor's role allows `act`. Admins of the broker may do all in every room. @throws Refusal */
  require(actor: Actor, room: string, act: RoomAct): RoomRecord {
    const record = this.requireVisible(actor, room)
    if (record.direct)
      throw new Refusal('bad_request', 'a direct conversation has no settings and no other members', { field: 'room' })
    const role = this.roleOf(actor, room)
    if (!isAdmin(actor) && (!role || !allows(role, act)))
      throw new Refusal('forbidden', `this needs the role ${PERMISSIONS[act].least} in ${room}, or one above`)
    return record
  }

  /** Whether the actor may change the room's settings. */
  mayUpdate(actor: Actor, room: string): boolean {
    const role = this.roleOf(actor, room)
    return isAdmin(actor) || (role !== undefined && allows(role, 'update'))
  }

  /** Nobody may act on a member of the same or a higher role, except owners and admins. @throws Refusal `forbidden`. */
  requireAbove(actor: Actor, { room, user, role }: MemberRecord): void {
    if (this.isOwnerOrAdmin(actor, room) || isAbove(this.roleOf(actor, room) ?? 'reader', role)) return
    throw new Refusal('forbidden', `${user} is ${role} of ${room}: that takes a role above`, { field: 'user' })
  }

  /** Whether the actor is an owner or an admin of the broker, above whom there is no role. */
  isOwnerOrAdmin(actor: Actor, room: string): boolean {
    return isAdmin(actor) || this.roleOf(actor, room) === 'owner'
  }

  /** The room, if the member may write in it now. @throws Refusal `forbidden` (archived, read only, muted, banned). */
  requireWriter({ room, user, role }: MemberRecord): RoomRecord {
    const record = this.#directory.room(room)!
    if (record.archived) throw new Refusal('forbidden', `${room} is archived`)
    if (!allows(role, record.write === 'moderators' ? 'moderate' : 'write'))
      throw new Refusal('forbidden', `you may read ${room}, not write`)
    const mute = this.activeSanction('mutes', room, user)
    if (mute) throw new Refusal('forbidden', `${subject(mute, user)} muted in ${room}${untilWhen(mute.until)}`)
    // A banned member is a bot or device that was created, or changed its owner, after the ban.
    const ban = this.activeSanction('bans', room, user)
    if (ban) throw new Refusal('forbidden', `${subject(ban, user)} banned from ${room}${untilWhen(ban.until)}`)
    return record
  }

  /** @throws Refusal `forbidden` for a banned user. Only call it for users who may know of the room. */
  requireNotBanned(room: string, user: string): void {
    const ban = this.activeSanction('bans', room, user)
    if (ban) throw new Refusal('forbidden', `${ban.user} is banned from ${room}${untilWhen(ban.until)}`)
  }

  /** The ban or mute of a user that is in force. A sanction of a user also covers their bots and devices. */
  activeSanction(what: 'bans' | 'mutes', room: string, user: string): MuteRecord | BanRecord | undefined {
    const records = this.#directory[what]
    const own = records.get(room, user)
    if (own && !isOver(own)) return own
    const person = personBehind(this.#directory, user)
    const ofPerson = person === user ? undefined : records.get(room, person)
    return ofPerson && !isOver(ofPerson) ? ofPerson : undefined
  }

  roleOf(actor: Actor, room: string): RoomRole | undefined {
    return this.#directory.member(room, actor.principal.user)?.role
  }

  /** Whether the member may do `act` to messages of others. In a direct conversation nobody may. */
  mayModerate(actor: Actor, room: string, act: RoomAct): boolean {
    const role = this.roleOf(actor, room)
    return !isDirectRoom(room) && role !== undefined && (allows(role, act) || isAdmin(actor))
  }

  /** Whether a member may go: a room with members keeps an owner. @throws Refusal `conflict`. */
  requireMayGo({ room, user, role }: MemberRecord): void {
    if (role !== 'owner') return
    if (this.#unguarded.members(room).size > 1) this.requireAnotherOwner(room, user)
    // The last member may go, unless someone joins at the same time.
    else this.#directory.members(room)
  }

  /** A room with members must keep an owner; `going`: members who leave. @throws Refusal `conflict`. */
  requireAnotherOwner(room: string, ...going: readonly string[]): void {
    for (const { role, user } of this.#unguarded.members(room).values()) {
      const stays = role === 'owner' && !going.includes(user)
      if (stays && this.#directory.member(room, user)?.role === 'owner') return
    }
    throw new Refusal('conflict', `${room} needs another owner first (rooms.setRole)`)
  }
}

function subject(record: MuteRecord, user: string): string {
  return record.user === user ? 'you are' : `${record.user}, for whom you act, is`
}

function untilWhen(until: number | null): string {
  return until === null ? '' : ` until ${new Date(until).toISOString()}`
}
