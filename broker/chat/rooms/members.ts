/** Who is in a room. Each act is one commit: the membership, the room's event and the user's event, all or nothing. */
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
import type { AskLimits } from '../model/ask-limits.js'
import { type RoomEvent, roomEvent, userEvent } from '../model/events.js'
import { requireReachable } from '../model/privacy.js'
import type { Signal } from '../model/signals.js'
import { logs } from '../model/views.js'
import { isValid, linkLock } from './links.js'
import type { Ownership } from './ownership.js'
import type { RoomPlaces } from './room-places.js'
import type { RoomRules } from './room-rules.js'

/** Standing invitations of one room. */
const MAX_INVITES = 10_000

export interface MembersParts {
  readonly store: Store
  readonly bus: Bus<Signal>
  readonly rules: RoomRules
  /** Acts that depend on who is in a room are done one after another; joins only by user, or a crowd would queue. */
  readonly locks: KeyedMutex
  readonly ownership: Pick<Ownership, 'mend' | 'succession'>
  readonly askLimits: AskLimits
  readonly places: RoomPlaces
  readonly maxMembers: number
  /** Those that one person, with bots and devices, may have standing. */
  readonly invitationsPerUser: number
  readonly namesCountedWith: (user: string) => ReadonlySet<string>
}

/** A membership that begins now, its cursors at the heads of the room's logs. */
export async function newMember(store: Store, room: string, user: string, role: RoomRole): Promise<MemberRecord> {
  const messages = (await store.log.open(logs.messages(room))).head
  const events = (await store.log.open(logs.roomEvents(room))).head
  return { room, user, role, since: Date.now(), joined: { messages, events } }
}

/** No other turn has such a name, whatever the room is called: those of devices are `device lamp`. */
export function memberLock(room: string, user: string): string {
  return `${room}/${user}`
}

/** How someone comes in. */
interface Entering {
  /** What it uses up. */
  readonly used?: readonly Op[]
  /** Who let them in. */
  readonly by?: string
  /** Whether commands of a bot count from then on. */
  readonly commands?: boolean
}

export class Members {
  readonly #store: Store
  readonly #bus: Bus<Signal>
  readonly #rules: RoomRules
  readonly #locks: KeyedMutex
  readonly #ownership: MembersParts['ownership']
  readonly #askLimits: AskLimits
  readonly #places: RoomPlaces
  readonly #maxMembers: number
  readonly #invitationsPerUser: number
  readonly #namesCountedWith: MembersParts['namesCountedWith']
  /** Joins that are being written, by room: they count towards maxMembers. */
  readonly #joining = new Map<string, number>()
  /** Rooms that are being deleted: nobody comes in any more. */
  readonly #closing = new Set<string>()

  constructor(parts: MembersParts) {
    const { store, bus, rules, locks, ownership, askLimits, places, maxMembers } = parts
    this.#store = store
    this.#bus = bus
    this.#rules = rules
    this.#locks = locks
    this.#ownership = ownership
    this.#askLimits = askLimits
    this.#places = places
    this.#maxMembers = maxMembers
    this.#invitationsPerUser = parts.invitationsPerUser
    this.#namesCountedWith = parts.namesCountedWith
  }

  /** Lets nobody in while the room is deleted. */
  async shut(room: string, work: () => Promise<void>): Promise<void> {
    this.#closing.add(room)
    await work().finally(() => this.#closing.delete(room))
  }

  /** Joins a public room, or any other by an invitation or a link. Joining twice is joining once. */
  async join(actor: Actor, room: string, link?: string): Promise<MemberRecord> {
    const user = requireUser(actor)
    if (link !== undefined) return this.settled(await this.#joinByLink(actor, room, link))
    const record = this.#rules.visible(actor, room)
    const known = this.#store.directory.member(room, user)
    if (known) return known
    const invited = this.#store.directory.invite(room, user)
    if (record.direct)
      throw new Refusal('bad_request', 'a direct conversation begins with its first message', { field: 'room' })
    if (record.access !== 'public' && !invited && !isAdmin(actor)) {
      const how = record.access === 'request' ? 'for those who are let in; ask with rooms.request' : 'by invitation'
      throw new Refusal('forbidden', `${room} is ${how}`)
    }
    // Invited by name: by someone who may change the room, too.
    const commands = invited !== undefined || isAdmin(actor)
    return this.settled(await this.#enter(room, user, { commands }))
  }

  /** A new member, who owns the room if all others had left. It takes the turn of the room. */
  async settled(member: MemberRecord): Promise<MemberRecord> {
    const { room, user } = member
    if (this.#store.directory.members(room).size > 1) return member
    await this.#ownership.mend(room)
    return this.#store.directory.member(room, user) ?? member
  }

  /** To strangers a link that is not valid says nothing of a private room. */
  #joinByLink(actor: Actor, room: string, link: string): Promise<MemberRecord> {
    const { user } = actor.principal
    const { directory } = this.#store
    return this.#locks.runExclusive(linkLock(room, link), async () => {
      const record = directory.links.get(room, link)
      if (!record || !isValid(record)) {
        this.#rules.visible(actor, room)
        throw new Refusal('forbidden', 'the link is not valid any more', { field: 'link' })
      }
      const used = record.uses === null ? [] : [directory.links.putOp({ ...record, uses: record.uses - 1 })]
      return this.#enter(room, user, { used })
    })
  }

  /** Lets in someone who asked. */
  admit(actor: Actor, room: string, user: string): Promise<MemberRecord> {
    return this.#enter(room, user, { by: actor.principal.user, commands: this.#rules.mayUpdate(actor, room) })
  }

  /** What concerns one user in one room is done one after another. */
  #enter(room: string, user: string, how: Entering): Promise<MemberRecord> {
    const { directory } = this.#store
    return this.#locks.runExclusive(
      memberLock(room, user),
      async () => directory.member(room, user) ?? this.#places.take(user, () => this.#add(room, user, how)),
    )
  }

  async #add(room: string, user: string, { used = [], by, commands = false }: Entering): Promise<MemberRecord> {
    const { directory } = this.#store
    const plain = await newMember(this.#store, room, user, 'member')
    const member = directory.bots.get(user) ? { ...plain, commands } : plain
    this.#requireOpen(room)
    this.#rules.requireNotBanned(room, user)
    const ops = [directory.memberOp(member), ...used]
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

  /** Whether the commands of a bot count in the room. */
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
      directory.deleteMemberOp(room, user),
      directory.departedOp(room, user),
    ])
    this.#bus.send({ kind: 'membership', room, user, member: false })
  }

  /** Who is invited already is not told again. */
  async invite(actor: Actor, room: string, user: string): Promise<void> {
    const { directory } = this.#store
    this.#rules.require(actor, room, 'invite')
    if (!(await directory.user(user))) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
    if (directory.member(room, user))
      throw new Refusal('conflict', `${user} is a member of ${room} already`, { field: 'user' })
    this.#rules.requireNotBanned(room, user)
    const by = actor.principal.user
    requireReachable(directory, user, by, 'invites', `you may not invite ${user}`)
    if (directory.invite(room, user)) return
    if (directory.invites(room).size >= MAX_INVITES)
      throw new Refusal('conflict', `${MAX_INVITES} users are invited to ${room} and have not come; withdraw one first`)
    if (!isAdmin(actor)) this.#requireFewInvitations(by)
    this.#askLimits.require(actor, user, `room ${room}`)
    const ops = [directory.inviteOp({ room, user, by, at: Date.now() })]
    const drafts = [roomEvent(room, { type: 'invited', user, by }), userEvent(user, { type: 'invited', room, by })]
    await commit(this.#store, { drafts, ops })
  }

  /** Of the person: bots and devices would be many of them. */
  #requireFewInvitations(by: string): void {
    const most = this.#invitationsPerUser
    let standing = 0
    for (const name of this.#namesCountedWith(by)) standing += this.#store.directory.invitesBy(name)
    if (standing >= most)
      throw new Refusal(
        'conflict',
        `${most} of your invitations stand (limits.invitationsPerUser); withdraw some, or wait for who is to come`,
      )
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
    const ops = [directory.deleteMemberOp(room, user), directory.departedOp(room, user)]
    const drafts = [roomEvent(room, { type: 'removed', user, by }), userEvent(user, { type: 'removed', room, by })]
    await commit(this.#store, { drafts, ops })
    this.#bus.send({ kind: 'membership', room, user, member: false })
  }

  /** Takes a user who is removed out of every room and conversation; who has the name next inherits no invitation. */
  async forget(user: string): Promise<void> {
    const { directory } = this.#store
    const ops: Op[] = []
    for (const { id } of directory.rooms()) {
      if (directory.invite(id, user)) ops.push(directory.deleteInviteOp(id, user))
      if (directory.joinRequests.get(id, user)) ops.push(directory.joinRequests.wipeOp(id, user))
      if (directory.departed(id, user)) ops.push(directory.deleteDepartedOp(id, user))
    }
    if (ops.length > 0) await commit(this.#store, { ops })
    for (const room of [...directory.memberships(user).keys()])
      await this.#locks.runExclusive(room, () => this.#forgetIn(room, user))
  }

  /** A room that they alone owned is handed on. */
  async #forgetIn(room: string, user: string): Promise<void> {
    const { directory } = this.#store
    if (!directory.member(room, user)) return
    const { drafts, ops } = await this.#ownership.succession(room, user)
    const left = isDirectRoom(room) ? [] : [roomEvent(room, { type: 'left', user })]
    // Who has the name next is no longer whom the other has written to.
    const written = [...directory.written.of(room).keys()].map((writer) => directory.written.deleteOp(room, writer))
    await commit(this.#store, {
      drafts: [...left, ...drafts],
      ops: [directory.deleteMemberOp(room, user), ...written, ...ops],
    })
    this.#bus.send({ kind: 'membership', room, user, member: false })
  }

  async #commit(room: string, event: RoomEvent, ops: Op[]): Promise<void> {
    await commit(this.#store, { drafts: [roomEvent(room, event)], ops })
  }
}
