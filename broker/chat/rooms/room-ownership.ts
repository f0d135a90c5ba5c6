/**
 * Keeps every room that users created owned while it has members: when the account of its last owner is deleted, another member becomes
 * owner.
 */
import { SYSTEM } from '../../../schemas/ids.js'
import { isAbove } from '../../../schemas/permissions.js'
import type { Draft } from '../../store/changes.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Op } from '../../store/op.js'
import { isOwned } from '../../store/persons.js'
import type { MemberRecord, RoomRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Transaction } from '../../store/transaction.js'
import { roomEvent, userEvent } from '../model/events.js'
import { logs } from '../model/views.js'

export class RoomOwnership {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** Gives an owner to every room without one. */
  async ensureOwners(): Promise<void> {
    for (const { id } of [...this.#store.directory.rooms()]) await this.ensureOwner(id)
  }

  /** The same for one room. */
  async ensureOwner(room: string): Promise<void> {
    if (!this.#isOrphan(room)) return
    await this.#store.transact(room, async (tx) => {
      const record = tx.directory.room(room)
      const isOrphan = record && this.#isOrphan(room) && (await this.#wasOwned(record))
      return { ...(isOrphan ? await this.succession(tx, room) : {}), value: undefined }
    })
  }

  /** What gives the room a new owner if nobody but `leaving` owns it. */
  async succession(tx: Transaction, room: string, leaving?: string): Promise<{ drafts: Draft[]; ops: Op[] }> {
    const { directory } = tx
    const nothing = { drafts: [], ops: [] }
    if (directory.room(room)?.direct) return nothing
    tx.topic(`owner of ${room}`)
    // Not guarded, because members come and go: only who is found is read again.
    const others = [...this.#store.directory.members(room).values()].filter(({ user }) => user !== leaving)
    const isOwner = ({ user, role }: MemberRecord): boolean =>
      role === 'owner' && directory.member(room, user)?.role === 'owner'
    if (others.some(isOwner)) return nothing
    const successor = await this.#successor(directory, others)
    if (!successor) return nothing
    const { user } = successor
    const given = { type: 'role', by: SYSTEM, role: 'owner' } as const
    return {
      drafts: [roomEvent(room, { ...given, user }), userEvent(user, { ...given, room })],
      ops: [directory.memberOp({ ...successor, role: 'owner' })],
    }
  }

  /** The successor: people before bots and devices, then by role, then by length of membership. The account must still exist. */
  async #successor(directory: DirectoryStore, members: readonly MemberRecord[]): Promise<MemberRecord | undefined> {
    const isAutomated = ({ user }: MemberRecord): boolean => isOwned(this.#store.directory, user)
    const candidates = members.toSorted(
      (a, b) =>
        Number(isAutomated(a)) - Number(isAutomated(b)) ||
        Number(isAbove(b.role, a.role)) - Number(isAbove(a.role, b.role)) ||
        a.since - b.since,
    )
    for (const { room, user } of candidates) {
      const member = directory.member(room, user)
      if (member && (await directory.user(user))) return member
    }
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
