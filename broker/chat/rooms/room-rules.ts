/** What may be known and done in a room, by whom: decisions alone, no changes. */
import { Refusal } from '../../../schemas/errors.js'
import { directMembers, directRoom, isDirectRoom, isRoomId, isUserId } from '../../../schemas/ids.js'
import { allows, isAbove, PERMISSIONS, type RoomAct, type RoomRole } from '../../../schemas/permissions.js'
import type { DirectoryStore } from '../../store/directory.js'
import { personBehind } from '../../store/persons.js'
import type { BanRecord, MemberRecord, MuteRecord, RoomRecord } from '../../store/rooms.js'
import { type Actor, isAdmin, requireUser } from '../model/actor.js'

/** Whether a ban or mute that has an end is over. */
export function isOver({ until }: { until: number | null }, now = Date.now()): boolean {
  return until !== null && until <= now
}

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
      (record.access !== 'private' ||
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

  /** Someone who is acted on. */
  memberOf(room: string, user: string): MemberRecord {
    const member = this.#directory.member(room, user)
    if (!member) throw new Refusal('not_found', `${user} is not a member of ${room}`, { field: 'user' })
    return member
  }

  /** The room, where the asker's role allows the act. Admins of the broker look after all rooms. */
  require(actor: Actor, room: string, act: RoomAct): RoomRecord {
    const record = this.visible(actor, room)
    if (record.direct)
      throw new Refusal('bad_request', 'a direct conversation has no settings and no other members', { field: 'room' })
    const role = this.roleOf(actor, room)
    if (!isAdmin(actor) && (!role || !allows(role, act)))
      throw new Refusal('forbidden', `this needs the role ${PERMISSIONS[act].least} in ${room}, or one above`)
    return record
  }

  /** Whether the asker may change the room. */
  mayUpdate(actor: Actor, room: string): boolean {
    const role = this.roleOf(actor, room)
    return isAdmin(actor) || (role !== undefined && allows(role, 'update'))
  }

  /** Nobody acts on someone of the same role or one above, except owners. */
  requireAbove(actor: Actor, { room, user, role }: MemberRecord): void {
    if (this.unbound(actor, room) || isAbove(this.roleOf(actor, room) ?? 'reader', role)) return
    throw new Refusal('forbidden', `${user} is ${role} of ${room}: that takes a role above`, { field: 'user' })
  }

  /** Owners, and admins of the broker: no role is above theirs. */
  unbound(actor: Actor, room: string): boolean {
    return isAdmin(actor) || this.roleOf(actor, room) === 'owner'
  }

  /** Whether a member may write now, whatever it is. */
  requireWriter({ room, user, role }: MemberRecord): RoomRecord {
    const record = this.#directory.room(room)!
    if (record.archived) throw new Refusal('forbidden', `${room} is archived`)
    if (!allows(role, record.write === 'moderators' ? 'moderate' : 'write'))
      throw new Refusal('forbidden', `you may read ${room}, not write`)
    const mute = this.standing('mutes', room, user)
    if (mute) throw new Refusal('forbidden', `${who(mute, user)} muted in ${room}${untilWhen(mute.until)}`)
    // A member who is banned is a bot or a device that came to its owner later.
    const ban = this.standing('bans', room, user)
    if (ban) throw new Refusal('forbidden', `${who(ban, user)} banned from ${room}${untilWhen(ban.until)}`)
    return record
  }

  /** Who knows of the room is told of a ban. */
  requireNotBanned(room: string, user: string): void {
    const ban = this.standing('bans', room, user)
    if (ban) throw new Refusal('forbidden', `${ban.user} is banned from ${room}${untilWhen(ban.until)}`)
  }

  /** What is done about a user holds for the bots and devices that act for them. */
  standing(what: 'bans' | 'mutes', room: string, user: string): MuteRecord | BanRecord | undefined {
    const records = this.#directory[what]
    if (records.of(room).size === 0) return undefined
    const own = records.get(room, user)
    if (own && !isOver(own)) return own
    const ofPerson = records.get(room, personBehind(this.#directory, user))
    return ofPerson && !isOver(ofPerson) ? ofPerson : undefined
  }

  roleOf(actor: Actor, room: string): RoomRole | undefined {
    return this.#directory.member(room, actor.principal.user)?.role
  }

  /** Whether a member's role allows what concerns the messages of others. In a direct conversation nobody's does. */
  moderates(actor: Actor, room: string, act: RoomAct): boolean {
    const role = this.roleOf(actor, room)
    return !isDirectRoom(room) && role !== undefined && (allows(role, act) || isAdmin(actor))
  }

  /** A room with members is not left without an owner; `going`: who leaves. */
  requireAnotherOwner(room: string, ...going: readonly string[]): void {
    for (const member of this.#directory.members(room).values()) {
      if (member.role === 'owner' && !going.includes(member.user)) return
    }
    throw new Refusal('conflict', `${room} needs another owner first (rooms.setRole)`)
  }
}

function who(record: MuteRecord, user: string): string {
  return record.user === user ? 'you are' : `${record.user}, for whom you act, is`
}

function untilWhen(until: number | null): string {
  return until === null ? '' : ` until ${new Date(until).toISOString()}`
}
