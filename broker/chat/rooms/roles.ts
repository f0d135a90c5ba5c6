/** Changes the roles of members and transfers rooms. Each act is one commit with its events, under the lock of the room. */
import { Refusal } from '../../../schemas/errors.js'
import type { RoomRole } from '../../../schemas/permissions.js'
import { isAbove } from '../../../schemas/permissions.js'
import type { Draft } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import type { Actor } from '../model/actor.js'
import { roomEvent, userEvent } from '../model/events.js'
import type { RoomRules } from './room-rules.js'

export interface RolesDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly locks: KeyedMutex
}

export class Roles {
  readonly #store: Store
  readonly #rules: RoomRules
  readonly #locks: KeyedMutex

  constructor({ store, rules, locks }: RolesDeps) {
    this.#store = store
    this.#rules = rules
    this.#locks = locks
  }

  set(actor: Actor, room: string, user: string, role: RoomRole): Promise<MemberRecord> {
    return this.#locks.runExclusive(room, () => this.#set(actor, room, user, role))
  }

  async #set(actor: Actor, room: string, user: string, role: RoomRole): Promise<MemberRecord> {
    this.#rules.require(actor, room, 'setRole')
    const member = this.#rules.memberOf(room, user)
    this.#requireNotAboveOwn(actor, room, role)
    // Otherwise an admin could remove another admin by lowering the role first. Everyone may lower their own role.
    if (user !== actor.principal.user) this.#rules.requireAbove(actor, member)
    if (member.role === 'owner' && role !== 'owner') this.#rules.requireAnotherOwner(room, user)
    const [record] = await this.#give(actor, [{ ...member, role }])
    return record!
  }

  /** Makes `user` the owner, and the asking owner an admin. */
  transfer(actor: Actor, room: string, user: string): Promise<MemberRecord> {
    return this.#locks.runExclusive(room, async () => {
      this.#rules.require(actor, room, 'transfer')
      const successor = this.#rules.memberOf(room, user)
      const mine = this.#store.directory.member(room, actor.principal.user)
      if (mine?.role !== 'owner')
        throw new Refusal('forbidden', `only an owner hands ${room} over; admins use rooms.setRole`)
      if (user === mine.user) throw new Refusal('bad_request', 'the room is yours already', { field: 'user' })
      const [record] = await this.#give(actor, [
        { ...successor, role: 'owner' },
        { ...mine, role: 'admin' },
      ])
      return record!
    })
  }

  #requireNotAboveOwn(actor: Actor, room: string, role: RoomRole): void {
    const own = this.#rules.roleOf(actor, room) ?? 'reader'
    if (!this.#rules.isOwnerOrAdmin(actor, room) && isAbove(role, own))
      throw new Refusal('forbidden', `only an owner makes an ${role}`, { field: 'role' })
  }

  async #give(actor: Actor, records: MemberRecord[]): Promise<MemberRecord[]> {
    const by = actor.principal.user
    const drafts: Draft[] = records.flatMap(({ room, user, role }) => [
      roomEvent(room, { type: 'role', user, by, role }),
      userEvent(user, { type: 'role', room, by, role }),
    ])
    await commit(this.#store, { drafts, ops: records.map((record) => this.#store.directory.memberOp(record)) })
    return records
  }
}
