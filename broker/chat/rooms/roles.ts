/** Changes the roles of members and transfers rooms. Each act is one commit with its events. */
import { Refusal } from '../../../schemas/errors.js'
import type { RoomRole } from '../../../schemas/permissions.js'
import { isAbove } from '../../../schemas/permissions.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Decision } from '../../store/transaction.js'
import type { Actor } from '../model/actor.js'
import { roomEvent, userEvent } from '../model/events.js'
import type { RoomRules } from './room-rules.js'

export class Roles {
  readonly #store: Store
  readonly #rules: RoomRules

  constructor(store: Store, rules: RoomRules) {
    this.#store = store
    this.#rules = rules
  }

  async set(actor: Actor, room: string, user: string, role: RoomRole): Promise<MemberRecord> {
    const { value } = await this.#store.transact(room, ({ directory }) => {
      const rules = this.#rules.with(directory)
      rules.require(actor, room, 'setRole')
      const member = rules.memberOf(room, user)
      requireNotAboveOwn(rules, actor, room, role)
      // Otherwise an admin could remove another admin by lowering the role first. Everyone may lower their own role.
      if (user !== actor.principal.user) rules.requireAbove(actor, member)
      if (member.role === 'owner' && role !== 'owner') rules.requireAnotherOwner(room, user)
      return given(directory, actor, { ...member, role })
    })
    return value
  }

  /** Makes `user` the owner, and the asking owner an admin. */
  async transfer(actor: Actor, room: string, user: string): Promise<MemberRecord> {
    const { value } = await this.#store.transact(room, ({ directory }) => {
      const rules = this.#rules.with(directory)
      rules.require(actor, room, 'transfer')
      const successor = rules.memberOf(room, user)
      const mine = directory.member(room, actor.principal.user)
      if (mine?.role !== 'owner')
        throw new Refusal('forbidden', `only an owner hands ${room} over; admins use rooms.setRole`)
      if (user === mine.user) throw new Refusal('bad_request', 'the room is yours already', { field: 'user' })
      return given(directory, actor, { ...successor, role: 'owner' }, { ...mine, role: 'admin' })
    })
    return value
  }
}

function requireNotAboveOwn(rules: RoomRules, actor: Actor, room: string, role: RoomRole): void {
  const own = rules.roleOf(actor, room) ?? 'reader'
  if (!rules.isOwnerOrAdmin(actor, room) && isAbove(role, own))
    throw new Refusal('forbidden', `only an owner makes an ${role}`, { field: 'role' })
}

/** Gives members the roles of these records. */
function given(
  directory: DirectoryStore,
  actor: Actor,
  first: MemberRecord,
  ...others: MemberRecord[]
): Decision<MemberRecord> {
  const by = actor.principal.user
  const records = [first, ...others]
  const drafts = records.flatMap(({ room, user, role }) => [
    roomEvent(room, { type: 'role', user, by, role }),
    userEvent(user, { type: 'role', room, by, role }),
  ])
  return { drafts, ops: records.map((record) => directory.memberOp(record)), value: first }
}
