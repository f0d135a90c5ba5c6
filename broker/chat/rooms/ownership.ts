/** A room that people made has an owner as long as anyone is in it: where the last one's account is gone, another member takes the place. */
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

export interface OwnershipParts {
  readonly store: Store
  readonly locks: KeyedMutex
}

export class Ownership {
  readonly #store: Store
  readonly #locks: KeyedMutex

  constructor({ store, locks }: OwnershipParts) {
    this.#store = store
    this.#locks = locks
  }

  /** Rooms that were left without an owner get one. */
  async mendAll(): Promise<void> {
    for (const { id } of [...this.#store.directory.rooms()]) await this.mend(id)
  }

  /** The same of one room, in its turn. */
  async mend(room: string): Promise<void> {
    if (!this.#isOrphan(room)) return
    await this.#locks.runExclusive(room, async () => {
      const record = this.#store.directory.room(room)
      if (!record || !this.#isOrphan(room) || !(await this.#wasOwned(record))) return
      const change = await this.succession(room)
      if (change.ops.length > 0) await commit(this.#store, change)
    })
  }

  /** What hands the room on where nobody but `leaving` owns it; to be committed in the room's turn. */
  async succession(room: string, leaving?: string): Promise<{ drafts: Draft[]; ops: Op[] }> {
    const { directory } = this.#store
    const others = [...directory.members(room).values()].filter(({ user }) => user !== leaving)
    const nothing = { drafts: [], ops: [] }
    if (directory.room(room)?.direct || others.some(({ role }) => role === 'owner')) return nothing
    const heir = await this.#heir(others)
    if (!heir) return nothing
    const { user } = heir
    const given = { type: 'role', by: SYSTEM, role: 'owner' } as const
    return {
      drafts: [roomEvent(room, { ...given, user }), userEvent(user, { ...given, room })],
      ops: [directory.memberOp({ ...heir, role: 'owner' })],
    }
  }

  /** People before bots and devices, then the highest role, then who has been there longest; and who has an account still. */
  async #heir(members: readonly MemberRecord[]): Promise<MemberRecord | undefined> {
    const { directory } = this.#store
    const isThing = ({ user }: MemberRecord): boolean =>
      Boolean(directory.bots.get(user) ?? directory.devices.get(user))
    const inLine = members.toSorted(
      (a, b) =>
        Number(isThing(a)) - Number(isThing(b)) ||
        Number(isAbove(b.role, a.role)) - Number(isAbove(a.role, b.role)) ||
        a.since - b.since,
    )
    for (const member of inLine) if (await directory.user(member.user)) return member
    return undefined
  }

  #isOrphan(room: string): boolean {
    const { directory } = this.#store
    const members = directory.members(room)
    if (members.size === 0 || directory.room(room)?.direct) return false
    for (const { role } of members.values()) if (role === 'owner') return false
    return true
  }

  /** Rooms of the configuration have no owner. Of one whose maker's account is gone, the event of its making is gone too. */
  async #wasOwned({ id, createdBy }: RoomRecord): Promise<boolean> {
    if (createdBy !== SYSTEM) return true
    const [first] = await this.#store.log.read(logs.roomEvents(id), 0, 1, 1, 'shown')
    return first?.seq === 1 && first.gone?.why === 'deleted'
  }
}
