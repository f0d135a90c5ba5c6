/** Memberships. Each act is one commit: the membership, the room's event and the user's event. */
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { RoomRole } from '../../../schemas/permissions.js'
import type { Bus } from '../../store/bus.js'
import { commit } from '../../store/commit.js'
import type { Op } from '../../store/op.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import { type Actor, isAdmin, requireUser } from '../model/actor.js'
import { type RoomEvent, roomEvent, userEvent } from '../model/events.js'
import type { Signal } from '../model/signals.js'
import { logs } from '../model/views.js'
import { isValid, linkLock } from './links.js'
import type { RoomOwnership } from './room-ownership.js'
import type { RoomQuota } from './room-quota.js'
import type { RoomRules } from './room-rules.js'

export interface MembersDeps {
  readonly store: Store
  readonly bus: Bus<Signal>
  readonly rules: RoomRules
  /**
   * Acts that depend on all members run under the room's lock. Joins only take the lock of room and user, so that many users can join at
   * once.
   */
  readonly locks: KeyedMutex
  readonly ownership: Pick<RoomOwnership, 'ensureOwner' | 'succession'>
  readonly roomQuota: RoomQuota
  readonly maxMembers: number
}

/** A new membership, with its cursors at the heads of the room's logs. */
export async function newMember(store: Store, room: string, user: string, role: RoomRole): Promise<MemberRecord> {
  const messages = (await store.log.open(logs.messages(room))).head
  const events = (await store.log.open(logs.roomEvents(room))).head
  return { room, user, role, since: Date.now(), joined: { messages, events } }
}

/**
 * Key of the lock of one user in one room. No other key contains a slash, so it collides with none (locks of devices are named `device
 * lamp`).
 */
export function memberLock(room: string, user: string): string {
  return `${room}/${user}`
}

/** How a user joins. */
interface JoinOptions {
  /** Writes committed with the membership, such as the used link. */
  readonly consumed?: readonly Op[]
  /** Member who let the user in. */
  readonly by?: string
  /** Whether a bot's commands are enabled in the room. */
  readonly commands?: boolean
}

export class Members {
  readonly #store: Store
  readonly #bus: Bus<Signal>
  readonly #rules: RoomRules
  readonly #locks: KeyedMutex
  readonly #ownership: MembersDeps['ownership']
  readonly #roomQuota: RoomQuota
  readonly #maxMembers: number
  /** Joins whose commit is under way, by room: they count towards maxMembers. */
  readonly #joining = new Map<string, number>()
  /** Rooms that are being deleted, which nobody may join. */
  readonly #closing = new Set<string>()

  constructor(deps: MembersDeps) {
    const { store, bus, rules, locks, ownership, roomQuota, maxMembers } = deps
    this.#store = store
    this.#bus = bus
    this.#rules = rules
    this.#locks = locks
    this.#ownership = ownership
    this.#roomQuota = roomQuota
    this.#maxMembers = maxMembers
  }

  /** Runs `work` (the deletion of the room) while nobody can join. */
  async whileClosed(room: string, work: () => Promise<void>): Promise<void> {
    this.#closing.add(room)
    await work().finally(() => this.#closing.delete(room))
  }

  /** Joins a public room, or any room by an invitation or a link. Idempotent. @throws Refusal */
  async join(actor: Actor, room: string, link?: string): Promise<MemberRecord> {
    const user = requireUser(actor)
    if (link !== undefined) return this.withOwner(await this.#joinByLink(actor, room, link))
    const record = this.#rules.requireVisible(actor, room)
    const known = this.#store.directory.member(room, user)
    if (known) return known
    const invited = this.#store.directory.invite(room, user)
    if (record.direct)
      throw new Refusal('bad_request', 'a direct conversation begins with its first message', { field: 'room' })
    if (record.access !== 'public' && !invited && !isAdmin(actor)) {
      const how = record.access === 'request' ? 'for those who are let in; ask with rooms.request' : 'by invitation'
      throw new Refusal('forbidden', `${room} is ${how}`)
    }
    // An invitation by name can only come from a member who may also change the room.
    const commands = invited !== undefined || isAdmin(actor)
    return this.withOwner(await this.#addOnce(room, user, { commands }))
  }

  /** Completes a join: if all others had left, the new member becomes the owner. Takes the room's lock. */
  async withOwner(member: MemberRecord): Promise<MemberRecord> {
    const { room, user } = member
    if (this.#store.directory.members(room).size > 1) return member
    await this.#ownership.ensureOwner(room)
    return this.#store.directory.member(room, user) ?? member
  }

  /** For an invalid link, `requireVisible` refuses with `not_found` first, so that a stranger learns nothing of a private room. */
  #joinByLink(actor: Actor, room: string, link: string): Promise<MemberRecord> {
    const { user } = actor.principal
    const { directory } = this.#store
    return this.#locks.runExclusive(linkLock(room, link), async () => {
      const record = directory.links.get(room, link)
      if (!record || !isValid(record)) {
        this.#rules.requireVisible(actor, room)
        throw new Refusal('forbidden', 'the link is not valid any more', { field: 'link' })
      }
      const consumed = record.uses === null ? [] : [directory.links.putOp({ ...record, uses: record.uses - 1 })]
      return this.#addOnce(room, user, { consumed })
    })
  }

  /** Admits a user who requested to join. */
  admit(actor: Actor, room: string, user: string): Promise<MemberRecord> {
    return this.#addOnce(room, user, { by: actor.principal.user, commands: this.#rules.mayUpdate(actor, room) })
  }

  /** Runs under the lock of user and room, so that joining twice makes one membership. */
  #addOnce(room: string, user: string, how: JoinOptions): Promise<MemberRecord> {
    const { directory } = this.#store
    return this.#locks.runExclusive(
      memberLock(room, user),
      async () => directory.member(room, user) ?? this.#roomQuota.reserve(user, () => this.#add(room, user, how)),
    )
  }

  async #add(room: string, user: string, { consumed = [], by, commands = false }: JoinOptions): Promise<MemberRecord> {
    const { directory } = this.#store
    const record = await newMember(this.#store, room, user, 'member')
    const member = directory.bots.get(user) ? { ...record, commands } : record
    this.#requireOpen(room)
    this.#rules.requireNotBanned(room, user)
    const ops = [directory.memberOp(member), ...consumed]
    if (directory.invite(room, user)) ops.push(directory.deleteInviteOp(room, user))
    if (directory.joinRequests.get(room, user)) ops.push(directory.joinRequests.deleteOp(room, user))
    if (directory.departed(room, user)) ops.push(directory.deleteDepartedOp(room, user))
    const drafts = [roomEvent(room, by === undefined ? { type: 'joined', user } : { type: 'joined', user, by })]
    if (by !== undefined) drafts.push(userEvent(user, { type: 'added', room, by }))
    this.#countJoining(room, 1)
    await commit(this.#store, { drafts, ops }).finally(() => this.#countJoining(room, -1))
    this.#bus.send({ kind: 'membership', room, user, member: true })
    return member
  }

  #requireOpen(room: string): void {
    const { directory } = this.#store
    const record = directory.room(room)
    if (this.#closing.has(room) || !record)
      throw new Refusal('not_found', `there is no room ${room}`, { field: 'room' })
    if (record.archived) throw new Refusal('forbidden', `${room} is archived`)
    const maxMembers = Math.min(this.#maxMembers, record.maxMembers ?? this.#maxMembers)
    if (directory.members(room).size + (this.#joining.get(room) ?? 0) >= maxMembers)
      throw new Refusal('conflict', `${room} is full: ${maxMembers} members`)
  }

  #countJoining(room: string, change: 1 | -1): void {
    const count = (this.#joining.get(room) ?? 0) + change
    if (count > 0) this.#joining.set(room, count)
    else this.#joining.delete(room)
  }

  /** Enables or disables the commands of a bot in the room. */
  async allowCommands(actor: Actor, room: string, bot: string, commands: boolean): Promise<void> {
    await this.#locks.runExclusive(room, async () => {
      const { directory } = this.#store
      this.#rules.require(actor, room, 'update')
      const member = this.#rules.memberOf(room, bot)
      if (!directory.bots.get(bot)) throw new Refusal('bad_request', `${bot} is no bot`, { field: 'bot' })
      await commit(this.#store, { ops: [directory.memberOp({ ...member, commands })] })
    })
  }

  leave(actor: Actor, room: string): Promise<void> {
    return this.#locks.runExclusive(room, () => this.#leave(actor, room))
  }

  async #leave(actor: Actor, room: string): Promise<void> {
    const { role, user } = this.#rules.requireMember(actor, room)
    if (isDirectRoom(room)) throw new Refusal('bad_request', 'a direct conversation cannot be left', { field: 'room' })
    if (role === 'owner' && this.#store.directory.members(room).size > 1) this.#rules.requireAnotherOwner(room, user)
    const { directory } = this.#store
    await this.#commit(room, { type: 'left', user }, [
      ...directory.deleteMemberOps(room, user),
      directory.departedOp(room, user),
    ])
    this.#bus.send({ kind: 'membership', room, user, member: false })
  }

  /** Removes a member, or withdraws an invitation. */
  removeMember(actor: Actor, room: string, user: string): Promise<void> {
    return this.#locks.runExclusive(room, () => this.#removeMember(actor, room, user))
  }

  async #removeMember(actor: Actor, room: string, user: string): Promise<void> {
    const { directory } = this.#store
    const member = directory.member(room, user)
    this.#rules.require(actor, room, member ? 'remove' : 'invite')
    const by = actor.principal.user
    if (!member) {
      if (!directory.invite(room, user))
        throw new Refusal('not_found', `${user} is not a member of ${room}`, { field: 'user' })
      await commit(this.#store, { ops: [directory.deleteInviteOp(room, user)] })
      return
    }
    if (user === by) throw new Refusal('bad_request', 'leave with rooms.leave', { field: 'user' })
    this.#rules.requireAbove(actor, member)
    if (member.role === 'owner' && directory.members(room).size > 1) this.#rules.requireAnotherOwner(room, user)
    const ops = [...directory.deleteMemberOps(room, user), directory.departedOp(room, user)]
    const drafts = [roomEvent(room, { type: 'removed', user, by }), userEvent(user, { type: 'removed', room, by })]
    await commit(this.#store, { drafts, ops })
    this.#bus.send({ kind: 'membership', room, user, member: false })
  }

  /** Removes a deleted user from every room and conversation, with all invitations, so that the next user of that name inherits none. */
  async removeUser(user: string): Promise<void> {
    const { directory } = this.#store
    const ops: Op[] = []
    for (const { id } of directory.rooms()) {
      if (directory.invite(id, user)) ops.push(directory.deleteInviteOp(id, user))
      if (directory.joinRequests.get(id, user)) ops.push(directory.joinRequests.wipeOp(id, user))
      if (directory.departed(id, user)) ops.push(directory.deleteDepartedOp(id, user))
    }
    if (ops.length > 0) await commit(this.#store, { ops })
    for (const room of [...directory.memberships(user).keys()])
      await this.#locks.runExclusive(room, () => this.#removeUserFrom(room, user))
  }

  /** If the user was the only owner, another member becomes owner. */
  async #removeUserFrom(room: string, user: string): Promise<void> {
    const { directory } = this.#store
    if (!directory.member(room, user)) return
    const { drafts, ops } = await this.#ownership.succession(room, user)
    const left = isDirectRoom(room) ? [] : [roomEvent(room, { type: 'left', user })]
    // Otherwise the next user of that name could write to the other without being a contact.
    const written = [...directory.written.of(room).keys()].map((writer) => directory.written.deleteOp(room, writer))
    await commit(this.#store, {
      drafts: [...left, ...drafts],
      ops: [...directory.deleteMemberOps(room, user), ...written, ...ops],
    })
    this.#bus.send({ kind: 'membership', room, user, member: false })
  }

  async #commit(room: string, event: RoomEvent, ops: Op[]): Promise<void> {
    await commit(this.#store, { drafts: [roomEvent(room, event)], ops })
  }
}
