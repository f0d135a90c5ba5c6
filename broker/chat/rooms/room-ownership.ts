/**
 * Keeps every room that users created owned while it has members: when the account of its last owner is deleted, another member becomes
 * owner.
 */
import { SYSTEM } from '../../../schemas/ids.js'
import { isAbove } from '../../../schemas/permissions.js'
import type { Draft } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import type { Op } from '../../store/op.js'
import type { MemberRecord, RoomRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import { roomEvent, userEvent } from '../model/events.js'
import { logs } from '../model/views.js'

export interface RoomOwnershipDeps {
  readonly store: Store
  readonly locks: KeyedMutex
}

export class RoomOwnership {
  readonly #store: Store
  readonly #locks: KeyedMutex

  constructor({ store, locks }: RoomOwnershipDeps) {
    this.#store = store
    this.#locks = locks
  }

  /** Gives an owner to every room without one. */
  async ensureOwners(): Promise<void> {
    for (const { id } of [...this.#store.directory.rooms()]) await this.ensureOwner(id)
  }

  /** The same for one room. Takes the lock of the room. */
  async ensureOwner(room: string): Promise<void> {
    if (!this.#isOrphan(room)) return
    await this.#locks.runExclusive(room, async () => {
      const record = this.#store.directory.room(room)
      if (!record || !this.#isOrphan(room) || !(await this.#wasOwned(record))) return
      const change = await this.succession(room)
      if (change.ops.length > 0) await commit(this.#store, change)
    })
  }

  /** The change that gives the room a new owner if nobody but `leaving` owns it. The caller commits it under the room's lock. */
  async succession(room: string, leaving?: string): Promise<{ drafts: Draft[]; ops: Op[] }> {
    const { directory } = this.#store
    const others = [...directory.members(room).values()].filter(({ user }) => user !== leaving)
    const nothing = { drafts: [], ops: [] }
    if (directory.room(room)?.direct || others.some(({ role }) => role === 'owner')) return nothing
    const successor = await this.#successor(others)
    if (!successor) return nothing
    const { user } = successor
    const given = { type: 'role', by: SYSTEM, role: 'owner' } as const
    return {
      drafts: [roomEvent(room, { ...given, user }), userEvent(user, { ...given, room })],
      ops: [directory.memberOp({ ...successor, role: 'owner' })],
    }
  }

  /** The successor: people before bots and devices, then by role, then by length of membership. The account must still exist. */
  async #successor(members: readonly MemberRecord[]): Promise<MemberRecord | undefined> {
    const { directory } = this.#store
    const isAutomated = ({ user }: MemberRecord): boolean =>
      Boolean(directory.bots.get(user) ?? directory.devices.get(user))
    const candidates = members.toSorted(
      (a, b) =>
        Number(isAutomated(a)) - Number(isAutomated(b)) ||
        Number(isAbove(b.role, a.role)) - Number(isAbove(a.role, b.role)) ||
        a.since - b.since,
    )
    for (const member of candidates) if (await directory.user(member.user)) return member
    return undefined
  }

  #isOrphan(room: string): boolean {
    const { directory } = this.#store
    const members = directory.members(room)
    if (members.size === 0 || directory.room(room)?.direct) return false
    for (const { role } of members.values()) if (role === 'owner') return false
    return true
  }

  /**
   * Rooms of the configuration never had an owner. If the account of a room's creator is deleted, `createdBy` is SYSTEM and the `created`
   * event is deleted, which tells the two cases apart.
   */
  async #wasOwned({ id, createdBy }: RoomRecord): Promise<boolean> {
    if (createdBy !== SYSTEM) return true
    const [first] = await this.#store.log.read(logs.roomEvents(id), 0, 1, 1, 'shown')
    return first?.seq === 1 && first.gone?.why === 'deleted'
  }
}
