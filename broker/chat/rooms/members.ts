/** Memberships. Each act is one commit: the membership, the room's event and the user's event. */
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { RoomRole } from '../../../schemas/permissions.js'
import type { ForAccount } from '../../auth/account-version.js'
import { commit } from '../../store/commit.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Op } from '../../store/op.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Decision, Transaction } from '../../store/transaction.js'
import { type Actor, isAdmin, requireAccount, requireUser } from '../model/actor.js'
import { roomEvent, userEvent } from '../model/events.js'
import { logs } from '../model/views.js'
import { isValid } from './links.js'
import type { RoomOwnership } from './room-ownership.js'
import type { RoomQuota } from './room-quota.js'
import type { RoomRules } from './room-rules.js'

export interface MembersDeps {
  readonly store: Store
  readonly rules: RoomRules
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
 * Key of decisions about the memberships of one user: many users may join a room at once, and what one of them asks for at once is decided
 * one after another.
 */
export function membershipsOf(user: string): string {
  return `rooms of ${user}`
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
  readonly #rules: RoomRules
  readonly #ownership: MembersDeps['ownership']
  readonly #roomQuota: RoomQuota
  readonly #maxMembers: number

  constructor({ store, rules, ownership, roomQuota, maxMembers }: MembersDeps) {
    this.#store = store
    this.#rules = rules
    this.#ownership = ownership
    this.#roomQuota = roomQuota
    this.#maxMembers = maxMembers
  }

  /** Joins a public room, or any room by an invitation or a link. Idempotent. @throws Refusal */
  async join(actor: Actor, room: string, link?: string): Promise<MemberRecord> {
    const user = requireUser(actor)
    const { value } =
      link === undefined
        ? await this.#store.transact(membershipsOf(user), (tx) => this.#joinByName(tx, actor, room))
        : await this.#store.transact(this.#keyOfLink(user, room, link), (tx) => this.#joinByLink(tx, actor, room, link))
    return this.admitted(value)
  }

  #joinByName(tx: Transaction, actor: Actor, room: string): Promise<Decision<MemberRecord>> {
    const { principal } = actor
    const { user } = principal
    const record = this.#rules.with(tx.directory).requireVisible(actor, room)
    if (tx.directory.member(room, user)) return this.#add(tx, room, principal)
    const invited = tx.directory.invite(room, user)
    if (record.direct)
      throw new Refusal('bad_request', 'a direct conversation begins with its first message', { field: 'room' })
    if (record.access !== 'public' && !invited && !isAdmin(actor)) {
      const how = record.access === 'request' ? 'for those who are let in; ask with rooms.request' : 'by invitation'
      throw new Refusal('forbidden', `${room} is ${how}`)
    }
    // An invitation by name can only come from a member who may also change the room.
    return this.#add(tx, room, principal, { commands: invited !== undefined || isAdmin(actor) })
  }

  /** Uses of a link that are counted are decided one after another. */
  #keyOfLink(user: string, room: string, link: string): string {
    const isCounted = typeof this.#store.directory.links.get(room, link)?.uses === 'number'
    return isCounted ? `link ${room} ${link}` : membershipsOf(user)
  }

  /** For an invalid link, `requireVisible` refuses with `not_found` first, so that a stranger learns nothing of a private room. */
  #joinByLink(tx: Transaction, actor: Actor, room: string, link: string): Promise<Decision<MemberRecord>> {
    const { links } = tx.directory
    const record = links.get(room, link)
    if (!record || !isValid(record)) {
      this.#rules.with(tx.directory).requireVisible(actor, room)
      throw new Refusal('forbidden', 'the link is not valid any more', { field: 'link' })
    }
    const consumed = record.uses === null ? [] : [links.putOp({ ...record, uses: record.uses - 1 })]
    return this.#add(tx, room, actor.principal, { consumed })
  }

  /** Admits a user whom the actor may let in, as part of a decision; the value has to go to `admitted` afterwards. */
  admission(tx: Transaction, actor: Actor, room: string, user: string): Promise<Decision<MemberRecord>> {
    const commands = this.#rules.with(tx.directory).mayUpdate(actor, room)
    return this.#add(tx, room, { user }, { by: actor.principal.user, commands })
  }

  /** Completes what was decided: if all others had left, the new member becomes the owner. */
  async admitted(member: MemberRecord): Promise<MemberRecord> {
    const { room, user } = member
    if (this.#store.directory.members(room).size > 1) return member
    await this.#ownership.ensureOwner(room)
    return this.#store.directory.member(room, user) ?? member
  }

  async #add(tx: Transaction, room: string, who: ForAccount, how: JoinOptions = {}): Promise<Decision<MemberRecord>> {
    const { directory } = tx
    const { user } = who
    const known = directory.member(room, user)
    if (known) return { value: known }
    this.#roomQuota.require(directory, user)
    this.#requireOpen(tx, room)
    this.#rules.with(directory).requireNotBanned(room, user)
    await requireAccount(directory, who)
    const { consumed = [], by, commands = false } = how
    const record = await newMember(this.#store, room, user, 'member')
    const member = directory.bots.get(user) ? { ...record, commands } : record
    const ops = [directory.memberOp(member), ...consumed, ...openOps(directory, room, user)]
    const drafts = [roomEvent(room, by === undefined ? { type: 'joined', user } : { type: 'joined', user, by })]
    if (by !== undefined) drafts.push(userEvent(user, { type: 'added', room, by }))
    return { drafts, ops, value: member }
  }

  #requireOpen(tx: Transaction, room: string): void {
    const record = tx.directory.room(room)
    if (!record) throw new Refusal('not_found', `there is no room ${room}`, { field: 'room' })
    if (record.archived) throw new Refusal('forbidden', `${room} is archived`)
    const most = Math.min(this.#maxMembers, record.maxMembers ?? this.#maxMembers)
    tx.limit({ table: 'member', owner: room, most })
    if (this.#store.directory.members(room).size >= most)
      throw new Refusal('conflict', `${room} is full: ${most} members`)
  }

  /** Enables or disables the commands of a bot in the room. */
  async allowCommands(actor: Actor, room: string, bot: string, commands: boolean): Promise<void> {
    await this.#store.transact(room, ({ directory }) => {
      const rules = this.#rules.with(directory)
      rules.require(actor, room, 'update')
      const member = rules.memberOf(room, bot)
      if (!directory.bots.get(bot)) throw new Refusal('bad_request', `${bot} is no bot`, { field: 'bot' })
      return { ops: [directory.memberOp({ ...member, commands })], value: undefined }
    })
  }

  async leave(actor: Actor, room: string): Promise<void> {
    const { user } = actor.principal
    await this.#store.transact(membershipsOf(user), ({ directory }) => {
      const rules = this.#rules.with(directory)
      const member = rules.requireMember(actor, room)
      if (isDirectRoom(room))
        throw new Refusal('bad_request', 'a direct conversation cannot be left', { field: 'room' })
      rules.requireMayGo(member)
      const ops = [...directory.deleteMemberOps(room, user), directory.departedOp(room, user)]
      // Devices that are not connected cannot read the room's events any more.
      const drafts = [roomEvent(room, { type: 'left', user }), userEvent(user, { type: 'left', room, by: user })]
      return { drafts, ops, value: undefined }
    })
  }

  /** Removes a member, or withdraws an invitation. */
  async removeMember(actor: Actor, room: string, user: string): Promise<void> {
    await this.#store.transact(room, (tx) => this.#removeMember(tx, actor, room, user))
  }

  #removeMember({ directory }: Transaction, actor: Actor, room: string, user: string): Decision<void> {
    const rules = this.#rules.with(directory)
    const member = directory.member(room, user)
    rules.require(actor, room, member ? 'remove' : 'invite')
    const by = actor.principal.user
    if (!member) {
      if (!directory.invite(room, user))
        throw new Refusal('not_found', `${user} is not a member of ${room}`, { field: 'user' })
      return { ops: [directory.deleteInviteOp(room, user)], value: undefined }
    }
    if (user === by) throw new Refusal('bad_request', 'leave with rooms.leave', { field: 'user' })
    rules.requireAbove(actor, member)
    rules.requireMayGo(member)
    const ops = [...directory.deleteMemberOps(room, user), directory.departedOp(room, user)]
    const drafts = [roomEvent(room, { type: 'removed', user, by }), userEvent(user, { type: 'removed', room, by })]
    return { drafts, ops, value: undefined }
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
    for (const room of [...directory.memberships(user).keys()]) await this.#removeUserFrom(room, user)
  }

  /** If the user was the only owner, another member becomes owner. */
  async #removeUserFrom(room: string, user: string): Promise<void> {
    await this.#store.transact(room, async (tx) => {
      const { directory } = tx
      if (!directory.member(room, user)) return { value: undefined }
      const { drafts, ops } = await this.#ownership.succession(tx, room, user)
      const left = isDirectRoom(room) ? [] : [roomEvent(room, { type: 'left', user })]
      // Otherwise the next user of that name could write to the other without being a contact.
      const written = [...directory.written.of(room).keys()].map((writer) => directory.written.deleteOp(room, writer))
      const going = [...directory.deleteMemberOps(room, user), ...written]
      return { drafts: [...left, ...drafts], ops: [...going, ...ops], value: undefined }
    })
  }
}

/** Writes that end what was open between a user and a room before the user joined it. */
function openOps(directory: DirectoryStore, room: string, user: string): Op[] {
  const ops: Op[] = []
  if (directory.invite(room, user)) ops.push(directory.deleteInviteOp(room, user))
  if (directory.joinRequests.get(room, user)) ops.push(directory.joinRequests.deleteOp(room, user))
  if (directory.departed(room, user)) ops.push(directory.deleteDepartedOp(room, user))
  return ops
}
