/** Rooms: made, changed, deleted. Each act is one commit: the change and the room's event, all or nothing. */
import { Refusal } from '../../../schemas/errors.js'
import { isRoomId, SYSTEM } from '../../../schemas/ids.js'
import type { RoomPolicies } from '../../../schemas/policies.js'
import type { Bus } from '../../store/bus.js'
import type { Draft } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import type { Op } from '../../store/op.js'
import { ROOM_DEFAULTS, type RoomAccess, type RoomRecord } from '../../store/rooms.js'
import { serverEvents } from '../../store/server-events.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import { type Actor, isAdmin, requireUser } from '../model/actor.js'
import { type RoomEvent, roomEvent, userEvent } from '../model/events.js'
import type { Signal } from '../model/signals.js'
import { logs } from '../model/views.js'
import { type Members, newMember } from './members.js'
import type { RoomPlaces } from './room-places.js'
import type { RoomRules } from './room-rules.js'

/** Most users who are told of a deletion in the commit of it; a crash right after can keep it from those beyond. */
const TOLD_AT_ONCE = 10_000

export interface RoomOptions {
  create: 'user' | 'admin'
  autoCreate: boolean
}

export interface RoomDetails {
  access?: RoomAccess | undefined
  name?: string | null | undefined
  topic?: string | null | undefined
  avatar?: string | null | undefined
  slowMode?: number | undefined
  write?: RoomRecord['write'] | undefined
  archived?: boolean | undefined
  maxMembers?: number | null | undefined
  policies?: RoomPolicies | null | undefined
}

export interface RoomsParts {
  readonly store: Store
  readonly bus: Bus<Signal>
  readonly rules: RoomRules
  readonly members: Members
  readonly locks: KeyedMutex
  readonly places: RoomPlaces
  readonly options: RoomOptions
  readonly infoChanged: (room: string) => void
}

export class Rooms {
  readonly #store: Store
  readonly #bus: Bus<Signal>
  readonly #options: RoomOptions
  readonly #places: RoomPlaces
  readonly #rules: RoomRules
  readonly #members: Members
  readonly #locks: KeyedMutex
  readonly #infoChanged: (room: string) => void

  constructor({ store, bus, rules, members, locks, places, options, infoChanged }: RoomsParts) {
    this.#store = store
    this.#bus = bus
    this.#rules = rules
    this.#members = members
    this.#locks = locks
    this.#options = options
    this.#places = places
    this.#infoChanged = infoChanged
  }

  /** The rooms of the configuration that do not exist yet. */
  async ensureListed(list: readonly ({ id: string } & RoomDetails)[]): Promise<void> {
    for (const { id, ...details } of list) {
      if (!isRoomId(id)) throw new Refusal('bad_request', `rooms.list: ${JSON.stringify(id)} is not a room id`)
      if (!this.#store.directory.room(id)) await this.#create(id, SYSTEM, details, null)
    }
  }

  async create(actor: Actor, room: string, details: RoomDetails): Promise<RoomRecord> {
    const user = requireUser(actor)
    if (!isRoomId(room))
      throw new Refusal('bad_request', `${JSON.stringify(room)} is not a room id: letters, digits, . _ -, at most 64`, {
        field: 'room',
      })
    if (this.#options.create === 'admin' && !isAdmin(actor))
      throw new Refusal('forbidden', 'only admins create rooms here')
    return this.#named(room, () => {
      if (this.#store.directory.room(room))
        throw new Refusal('conflict', `there is a room ${room} already`, { field: 'room' })
      return this.#places.take(user, () => this.#create(room, user, details, user))
    })
  }

  async #create(room: string, by: string, details: RoomDetails, owner: string | null): Promise<RoomRecord> {
    const record: RoomRecord = {
      access: 'public',
      name: null,
      topic: null,
      avatar: null,
      ...ROOM_DEFAULTS,
      ...given(details),
      id: room,
      direct: false,
      createdBy: by,
      createdAt: Date.now(),
    }
    const ops: Op[] = [this.#store.directory.roomOp(record)]
    const drafts: Draft[] = [roomEvent(room, { type: 'created', by })]
    if (owner !== null) ops.push(this.#store.directory.memberOp(await newMember(this.#store, room, owner, 'owner')))
    await commit(this.#store, { drafts, ops })
    if (owner !== null) this.#bus.send({ kind: 'membership', room, user: owner, member: true })
    return record
  }

  /** First use of an unknown room, where the configuration makes rooms so. */
  async autoCreate(actor: Actor, room: string): Promise<void> {
    if (!this.#options.autoCreate || !isRoomId(room)) return
    if (this.#options.create === 'admin' && !isAdmin(actor)) return
    const user = requireUser(actor)
    await this.#named(room, async () => {
      if (this.#store.directory.room(room)) return
      await this.#places.take(user, () => this.#create(room, user, { access: 'public' }, user))
    })
  }

  /** Makes a room, one at a time of those whose ids differ by case alone: only what is there already may do so. */
  #named<T>(room: string, make: () => Promise<T>): Promise<T> {
    return this.#locks.runExclusive(`name ${room.toLowerCase()}`, () =>
      this.#locks.runExclusive(room, async () => {
        const [other] = this.#store.directory.roomsLike(room)
        if (other !== undefined && !this.#store.directory.room(room))
          throw new Refusal('conflict', `there is a room ${other} already; ids may not differ only by case`, {
            field: 'room',
          })
        return make()
      }),
    )
  }

  update(actor: Actor, room: string, details: RoomDetails): Promise<RoomRecord> {
    return this.#locks.runExclusive(room, () => this.#update(actor, room, details))
  }

  async #update(actor: Actor, room: string, details: RoomDetails): Promise<RoomRecord> {
    const before = this.#rules.require(actor, room, 'update')
    const record: RoomRecord = { ...before, ...given(details) }
    await this.#commit(room, { type: 'updated', by: actor.principal.user }, [this.#store.directory.roomOp(record)])
    this.#infoChanged(room)
    return record
  }

  remove(actor: Actor, room: string): Promise<void> {
    return this.#locks.runExclusive(room, async () => {
      this.#rules.require(actor, room, 'delete')
      await this.#members.shut(room, () => this.#remove(actor, room))
    })
  }

  async #remove(actor: Actor, room: string): Promise<void> {
    // Joins that were under way are done after this.
    await commit(this.#store, {})
    const { directory } = this.#store
    const by = actor.principal.user
    const members = [...directory.members(room).keys()]
    // The room's own events go with it: who is away, or hoped to come in, hears of it among their own.
    const concerned = new Set([
      ...members,
      ...directory.invites(room).keys(),
      ...directory.joinRequests.of(room).keys(),
    ])
    const told = [...concerned].map((user) => userEvent(user, { type: 'deleted', room, by }))
    const drafts = [
      roomEvent(room, { type: 'deleted', by }),
      ...serverEvents(this.#store, { type: 'room.deleted', room, by }),
      ...told.slice(0, TOLD_AT_ONCE),
    ]
    const [event] = await commit(this.#store, { drafts, ops: directory.deleteRoomOps(room) })
    const [last] = await this.#store.log.read(logs.roomEvents(room), event!.seq - 1, 1, 1)
    for (const user of members)
      this.#bus.send({ kind: 'membership', room, user, member: false, ...(last ? { last } : {}) })
    for (let i = TOLD_AT_ONCE; i < told.length; i += TOLD_AT_ONCE)
      await commit(this.#store, { drafts: told.slice(i, i + TOLD_AT_ONCE) })
    await this.#store.log.drop(logs.messages(room))
    await this.#store.log.drop(logs.roomEvents(room))
  }

  async #commit(room: string, event: RoomEvent, ops: Op[]): Promise<void> {
    await commit(this.#store, { drafts: [roomEvent(room, event)], ops })
  }
}

/** Details without those that are undefined. */
function given(details: RoomDetails): Partial<RoomRecord> {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined))
}
