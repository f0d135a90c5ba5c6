/** Rooms and who is in them. Each act is one commit: the change, the room's event and the user's event, all or nothing. */
import { Refusal } from '../../schemas/errors.js'
import { directMembers, directRoom, isDirectRoom, isRoomId, isUserId, SYSTEM } from '../../schemas/ids.js'
import type { Bus } from '../store/bus.js'
import { commit } from '../store/commit.js'
import type { Draft, MemberRecord, Op, RoomAccess, RoomRecord, RoomRole, Store } from '../store/store.js'
import { Turns } from '../turns.js'
import { type Actor, isAdmin, requireUser } from './actor.js'
import { type RoomEvent, roomEvent, userEvent } from './events.js'
import type { Signal } from './signals.js'
import { logs } from './views.js'

export interface RoomOptions {
  create: 'user' | 'admin'
  autoCreate: boolean
  maxMembers: number
}

export interface RoomDetails {
  access?: RoomAccess | undefined
  name?: string | null | undefined
  topic?: string | null | undefined
  avatar?: string | null | undefined
}

/** What members may do by role. */
const MANAGERS: ReadonlySet<RoomRole> = new Set(['owner', 'admin'])
export const WRITERS: ReadonlySet<RoomRole> = new Set(['owner', 'admin', 'member'])

export class Rooms {
  readonly #store: Store
  readonly #bus: Bus<Signal>
  readonly #options: RoomOptions
  /** Acts that depend on who is in a room are done one after another; joins only by user, or a crowd would queue. */
  readonly #turns = new Turns()
  /** Joins that are being written, by room: they count towards maxMembers. */
  readonly #joining = new Map<string, number>()
  /** Rooms that are being deleted: nobody comes in any more. */
  readonly #closing = new Set<string>()
  readonly #infoChanged: (room: string) => void

  constructor(store: Store, bus: Bus<Signal>, options: RoomOptions, infoChanged: (room: string) => void) {
    this.#store = store
    this.#bus = bus
    this.#options = options
    this.#infoChanged = infoChanged
  }

  /** The rooms of the configuration that do not exist yet. */
  async ensureListed(list: readonly ({ id: string } & RoomDetails)[]): Promise<void> {
    for (const { id, ...details } of list) {
      if (!isRoomId(id)) throw new Refusal('bad_request', `rooms.list: ${JSON.stringify(id)} is not a room id`)
      if (!this.#store.directory.room(id)) await this.#create(id, SYSTEM, details, null)
    }
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
    const record = this.#store.directory.room(room)
    const user = requireUser(actor)
    const known =
      record &&
      (record.access === 'public' ||
        isAdmin(actor) ||
        this.#store.directory.member(room, user) ||
        this.#store.directory.invite(room, user))
    if (!record || !known) throw new Refusal('not_found', `there is no room ${room}`, { field: 'room' })
    return record
  }

  requireMember(actor: Actor, room: string): MemberRecord {
    const user = requireUser(actor)
    const member = this.#store.directory.member(room, user)
    if (member) return member
    this.visible(actor, room)
    throw new Refusal('forbidden', `you are not a member of ${room}; join it with rooms.join`, { field: 'room' })
  }

  async create(actor: Actor, room: string, details: RoomDetails): Promise<RoomRecord> {
    const user = requireUser(actor)
    if (!isRoomId(room))
      throw new Refusal('bad_request', `${JSON.stringify(room)} is not a room id: letters, digits, . _ -, at most 64`, {
        field: 'room',
      })
    if (this.#options.create === 'admin' && !isAdmin(actor))
      throw new Refusal('forbidden', 'only admins create rooms here')
    return this.#turns.take(room, async () => {
      if (this.#store.directory.room(room))
        throw new Refusal('conflict', `there is a room ${room} already`, { field: 'room' })
      return this.#create(room, user, details, user)
    })
  }

  async #create(room: string, by: string, details: RoomDetails, owner: string | null): Promise<RoomRecord> {
    const { access = 'public', name = null, topic = null, avatar = null } = details
    const record: RoomRecord = {
      id: room,
      access,
      direct: false,
      name,
      topic,
      avatar,
      createdBy: by,
      createdAt: Date.now(),
    }
    const ops: Op[] = [this.#store.directory.roomOp(record)]
    const drafts: Draft[] = [roomEvent(room, { type: 'created', by })]
    if (owner !== null) ops.push(this.#store.directory.memberOp(await this.#member(room, owner, 'owner')))
    await commit(this.#store, { drafts, ops })
    if (owner !== null) this.#bus.send({ kind: 'membership', room, user: owner, member: true })
    return record
  }

  /** First use of an unknown room, where the configuration makes rooms so. */
  async autoCreate(actor: Actor, room: string): Promise<void> {
    if (!this.#options.autoCreate || !isRoomId(room)) return
    if (this.#options.create === 'admin' && !isAdmin(actor)) return
    const user = requireUser(actor)
    await this.#turns.take(room, async () => {
      if (!this.#store.directory.room(room)) await this.#create(room, user, { access: 'public' }, user)
    })
  }

  update(actor: Actor, room: string, details: RoomDetails): Promise<RoomRecord> {
    return this.#turns.take(room, () => this.#update(actor, room, details))
  }

  async #update(actor: Actor, room: string, details: RoomDetails): Promise<RoomRecord> {
    const before = this.#requireManaged(actor, room)
    const record: RoomRecord = {
      ...before,
      access: details.access ?? before.access,
      name: details.name === undefined ? before.name : details.name,
      topic: details.topic === undefined ? before.topic : details.topic,
      avatar: details.avatar === undefined ? before.avatar : details.avatar,
    }
    await this.#commit(room, { type: 'updated', by: actor.principal.user }, [this.#store.directory.roomOp(record)])
    this.#infoChanged(room)
    return record
  }

  setRole(actor: Actor, room: string, user: string, role: RoomRole): Promise<MemberRecord> {
    return this.#turns.take(room, () => this.#setRole(actor, room, user, role))
  }

  async #setRole(actor: Actor, room: string, user: string, role: RoomRole): Promise<MemberRecord> {
    this.#requireManaged(actor, room)
    const member = this.#store.directory.member(room, user)
    if (!member) throw new Refusal('not_found', `${user} is not a member of ${room}`, { field: 'user' })
    const by = actor.principal.user
    const free = isAdmin(actor) || this.#roleOf(actor, room) === 'owner'
    if (!free && role === 'owner') throw new Refusal('forbidden', 'only an owner makes owners', { field: 'role' })
    // Or an admin could remove another one by way of a lower role.
    if (!free && MANAGERS.has(member.role) && user !== by)
      throw new Refusal('forbidden', `only an owner changes the role of an ${member.role}`, { field: 'role' })
    if (member.role === 'owner' && role !== 'owner') this.#requireAnotherOwner(room, user)
    const record = { ...member, role }
    const drafts = [
      roomEvent(room, { type: 'role', user, by, role }),
      userEvent(user, { type: 'role', room, by, role }),
    ]
    await commit(this.#store, { drafts, ops: [this.#store.directory.memberOp(record)] })
    return record
  }

  remove(actor: Actor, room: string): Promise<void> {
    return this.#turns.take(room, async () => {
      this.#requireManaged(actor, room)
      if (!isAdmin(actor) && this.#roleOf(actor, room) !== 'owner')
        throw new Refusal('forbidden', `only an owner deletes ${room}`)
      this.#closing.add(room)
      await this.#remove(actor, room).finally(() => this.#closing.delete(room))
    })
  }

  async #remove(actor: Actor, room: string): Promise<void> {
    // Joins that were under way are done after this.
    await commit(this.#store, {})
    const members = [...this.#store.directory.members(room).keys()]
    await this.#commit(room, { type: 'deleted', by: actor.principal.user }, this.#store.directory.deleteRoomOps(room))
    for (const user of members) this.#bus.send({ kind: 'membership', room, user, member: false })
    await this.#store.log.drop(logs.messages(room))
    await this.#store.log.drop(logs.roomEvents(room))
  }

  /** Joins a public room, or a private one by invitation. Joining twice is joining once. */
  async join(actor: Actor, room: string): Promise<MemberRecord> {
    const user = requireUser(actor)
    const record = this.visible(actor, room)
    const known = this.#store.directory.member(room, user)
    if (known) return known
    const invited = this.#store.directory.invite(room, user)
    if (record.direct)
      throw new Refusal('bad_request', 'a direct conversation begins with its first message', { field: 'room' })
    if (record.access === 'private' && !invited && !isAdmin(actor))
      throw new Refusal('forbidden', `${room} is by invitation`)
    return this.#turns.take(`${room} ${user}`, () => this.#join(room, user))
  }

  async #join(room: string, user: string): Promise<MemberRecord> {
    const { directory } = this.#store
    const known = directory.member(room, user)
    if (known) return known
    const member = await this.#member(room, user, 'member')
    this.#requireOpen(room)
    const ops = [directory.memberOp(member)]
    if (directory.invite(room, user)) ops.push(directory.deleteInviteOp(room, user))
    if (directory.departed(room, user)) ops.push(directory.deleteDepartedOp(room, user))
    this.#countJoining(room, 1)
    await this.#commit(room, { type: 'joined', user }, ops).finally(() => this.#countJoining(room, -1))
    this.#bus.send({ kind: 'membership', room, user, member: true })
    return member
  }

  #requireOpen(room: string): void {
    const { directory } = this.#store
    if (this.#closing.has(room) || !directory.room(room))
      throw new Refusal('not_found', `there is no room ${room}`, { field: 'room' })
    const { maxMembers } = this.#options
    if (directory.members(room).size + (this.#joining.get(room) ?? 0) >= maxMembers)
      throw new Refusal('conflict', `${room} is full: ${maxMembers} members (rooms.maxMembers)`)
  }

  #countJoining(room: string, change: 1 | -1): void {
    const count = (this.#joining.get(room) ?? 0) + change
    if (count > 0) this.#joining.set(room, count)
    else this.#joining.delete(room)
  }

  leave(actor: Actor, room: string): Promise<void> {
    return this.#turns.take(room, () => this.#leave(actor, room))
  }

  async #leave(actor: Actor, room: string): Promise<void> {
    const { role, user } = this.requireMember(actor, room)
    if (isDirectRoom(room)) throw new Refusal('bad_request', 'a direct conversation cannot be left', { field: 'room' })
    if (role === 'owner' && this.#store.directory.members(room).size > 1) this.#requireAnotherOwner(room, user)
    const { directory } = this.#store
    await this.#commit(room, { type: 'left', user }, [
      directory.deleteMemberOp(room, user),
      directory.departedOp(room, user),
    ])
    this.#bus.send({ kind: 'membership', room, user, member: false })
  }

  async invite(actor: Actor, room: string, user: string): Promise<void> {
    const { directory } = this.#store
    this.#requireManaged(actor, room)
    if (!(await directory.user(user))) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
    if (directory.member(room, user))
      throw new Refusal('conflict', `${user} is a member of ${room} already`, { field: 'user' })
    const by = actor.principal.user
    const ops = [directory.inviteOp({ room, user, by, at: Date.now() })]
    const drafts = [roomEvent(room, { type: 'invited', user, by }), userEvent(user, { type: 'invited', room, by })]
    await commit(this.#store, { drafts, ops })
  }

  /** Removes a member, or withdraws an invitation. */
  removeMember(actor: Actor, room: string, user: string): Promise<void> {
    return this.#turns.take(room, () => this.#removeMember(actor, room, user))
  }

  async #removeMember(actor: Actor, room: string, user: string): Promise<void> {
    const { directory } = this.#store
    this.#requireManaged(actor, room)
    const member = directory.member(room, user)
    const by = actor.principal.user
    if (!member) {
      if (!directory.invite(room, user))
        throw new Refusal('not_found', `${user} is not a member of ${room}`, { field: 'user' })
      await commit(this.#store, { ops: [directory.deleteInviteOp(room, user)] })
      return
    }
    if (user === by) throw new Refusal('bad_request', 'leave with rooms.leave', { field: 'user' })
    if (MANAGERS.has(member.role) && !isAdmin(actor) && this.#roleOf(actor, room) !== 'owner') {
      throw new Refusal('forbidden', `only an owner removes an ${member.role}`, { field: 'user' })
    }
    const ops = [directory.deleteMemberOp(room, user), directory.departedOp(room, user)]
    const drafts = [roomEvent(room, { type: 'removed', user, by }), userEvent(user, { type: 'removed', room, by })]
    await commit(this.#store, { drafts, ops })
    this.#bus.send({ kind: 'membership', room, user, member: false })
  }

  /** The direct conversation of two users, made when its first message comes. Both are known to exist. */
  async ensureDirect(one: string, other: string): Promise<string> {
    const room = directRoom(one, other)
    await this.#turns.take(room, async () => {
      if (!this.isOpen(room, one, other)) await this.#openDirect(room, one, other)
    })
    return room
  }

  isOpen(room: string, one: string, other: string): boolean {
    const { directory } = this.#store
    return directory.member(room, one) !== undefined && directory.member(room, other) !== undefined
  }

  /** Who comes to an existing conversation (the name was given anew) comes after its past. */
  async #openDirect(room: string, one: string, other: string): Promise<void> {
    const { directory } = this.#store
    const ops: Op[] = []
    if (!directory.room(room)) {
      ops.push(
        directory.roomOp({
          id: room,
          access: 'private',
          direct: true,
          name: null,
          topic: null,
          avatar: null,
          createdBy: one,
          createdAt: Date.now(),
        }),
      )
    }
    const missing = [one, other].filter((user) => !directory.member(room, user))
    for (const user of missing) ops.push(directory.memberOp(await this.#member(room, user, 'member')))
    await commit(this.#store, { ops })
    for (const user of missing) this.#bus.send({ kind: 'membership', room, user, member: true })
  }

  /** Takes a user who is removed out of every room and conversation; who has the name next inherits no invitation. */
  async forget(user: string): Promise<void> {
    const { directory } = this.#store
    const ops: Op[] = []
    for (const { id } of directory.rooms()) {
      if (directory.invite(id, user)) ops.push(directory.deleteInviteOp(id, user))
      if (directory.departed(id, user)) ops.push(directory.deleteDepartedOp(id, user))
    }
    if (ops.length > 0) await commit(this.#store, { ops })
    for (const room of [...directory.memberships(user).keys()]) {
      const drafts = isDirectRoom(room) ? [] : [roomEvent(room, { type: 'left', user })]
      await commit(this.#store, { drafts, ops: [directory.deleteMemberOp(room, user)] })
      this.#bus.send({ kind: 'membership', room, user, member: false })
    }
  }

  async #member(room: string, user: string, role: RoomRole): Promise<MemberRecord> {
    const messages = (await this.#store.log.open(logs.messages(room))).head
    const events = (await this.#store.log.open(logs.roomEvents(room))).head
    return { room, user, role, since: Date.now(), joined: { messages, events } }
  }

  async #commit(room: string, event: RoomEvent, ops: Op[]): Promise<void> {
    await commit(this.#store, { drafts: [roomEvent(room, event)], ops })
  }

  #roleOf(actor: Actor, room: string): RoomRole | undefined {
    return this.#store.directory.member(room, actor.principal.user)?.role
  }

  #requireManaged(actor: Actor, room: string): RoomRecord {
    const record = this.visible(actor, room)
    if (record.direct)
      throw new Refusal('bad_request', 'a direct conversation has no settings and no other members', { field: 'room' })
    const role = this.#roleOf(actor, room)
    if (!isAdmin(actor) && (!role || !MANAGERS.has(role)))
      throw new Refusal('forbidden', `only an owner or admin of ${room} may do this`)
    return record
  }

  #requireAnotherOwner(room: string, user: string): void {
    for (const member of this.#store.directory.members(room).values()) {
      if (member.role === 'owner' && member.user !== user) return
    }
    throw new Refusal('conflict', `${room} needs another owner first (rooms.update with user and role)`)
  }
}
