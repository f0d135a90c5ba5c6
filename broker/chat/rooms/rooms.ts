/** Creates, changes and deletes rooms. Each act is one commit: the change and the room's event. */
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
import type { RoomQuota } from './room-quota.js'
import type { RoomRules } from './room-rules.js'

/**
 * Maximum number of user events in the commit of a deletion; further ones follow in commits of their own, and a crash before these loses
 * them.
 */
const EVENTS_PER_COMMIT = 10_000

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

export interface RoomsDeps {
  readonly store: Store
  readonly bus: Bus<Signal>
  readonly rules: RoomRules
  readonly members: Members
  readonly locks: KeyedMutex
  readonly roomQuota: RoomQuota
  readonly options: RoomOptions
  readonly infoChanged: (room: string) => void
}

export class Rooms {
  readonly #store: Store
  readonly #bus: Bus<Signal>
  readonly #options: RoomOptions
  readonly #roomQuota: RoomQuota
  readonly #rules: RoomRules
  readonly #members: Members
  readonly #locks: KeyedMutex
  readonly #infoChanged: (room: string) => void

  constructor({ store, bus, rules, members, locks, roomQuota, options, infoChanged }: RoomsDeps) {
    this.#store = store
    this.#bus = bus
    this.#rules = rules
    this.#members = members
    this.#locks = locks
    this.#options = options
    this.#roomQuota = roomQuota
    this.#infoChanged = infoChanged
  }

  /** Creates the rooms of the configuration that do not exist yet. */
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
    return this.#withUniqueId(room, () => {
      if (this.#store.directory.room(room))
        throw new Refusal('conflict', `there is a room ${room} already`, { field: 'room' })
      return this.#roomQuota.reserve(user, () => this.#create(room, user, details, user))
    })
  }

  async #create(room: string, by: string, details: RoomDetails, owner: string | null): Promise<RoomRecord> {
    const record: RoomRecord = {
      access: 'public',
      name: null,
      topic: null,
      avatar: null,
      ...ROOM_DEFAULTS,
      ...definedOf(details),
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

  /** Creates an unknown room on first use, if `rooms.autoCreate` is set. */
  async autoCreate(actor: Actor, room: string): Promise<void> {
    if (!this.#options.autoCreate || !isRoomId(room)) return
    if (this.#options.create === 'admin' && !isAdmin(actor)) return
    const user = requireUser(actor)
    await this.#withUniqueId(room, async () => {
      if (this.#store.directory.room(room)) return
      await this.#roomQuota.reserve(user, () => this.#create(room, user, { access: 'public' }, user))
    })
  }

  /** Runs `make` under the lock of the id. No two rooms may have ids that differ only by case, except rooms that already do. */
  #withUniqueId<T>(room: string, make: () => Promise<T>): Promise<T> {
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
    const record: RoomRecord = { ...before, ...definedOf(details) }
    await this.#commit(room, { type: 'updated', by: actor.principal.user }, [this.#store.directory.roomOp(record)])
    this.#infoChanged(room)
    return record
  }

  remove(actor: Actor, room: string): Promise<void> {
    return this.#locks.runExclusive(room, async () => {
      this.#rules.require(actor, room, 'delete')
      await this.#members.whileClosed(room, () => this.#remove(actor, room))
    })
  }

  async #remove(actor: Actor, room: string): Promise<void> {
    // Waits for joins whose commit is under way.
    await commit(this.#store, {})
    const { directory } = this.#store
    const by = actor.principal.user
    const members = [...directory.members(room).keys()]
    // The room's event log is deleted with the room, so everyone concerned gets the event in their own log.
    const recipients = new Set([
      ...members,
      ...directory.invites(room).keys(),
      ...directory.joinRequests.of(room).keys(),
    ])
    const userEvents = [...recipients].map((user) => userEvent(user, { type: 'deleted', room, by }))
    const drafts = [
      roomEvent(room, { type: 'deleted', by }),
      ...serverEvents(this.#store, { type: 'room.deleted', room, by }),
      ...userEvents.slice(0, EVENTS_PER_COMMIT),
    ]
    const [event] = await commit(this.#store, { drafts, ops: directory.deleteRoomOps(room) })
    const [last] = await this.#store.log.read(logs.roomEvents(room), event!.seq - 1, 1, 1)
    for (const user of members)
      this.#bus.send({ kind: 'membership', room, user, member: false, ...(last ? { last } : {}) })
    for (let i = EVENTS_PER_COMMIT; i < userEvents.length; i += EVENTS_PER_COMMIT)
      await commit(this.#store, { drafts: userEvents.slice(i, i + EVENTS_PER_COMMIT) })
    await this.#store.log.drop(logs.messages(room))
    await this.#store.log.drop(logs.roomEvents(room))
  }

  async #commit(room: string, event: RoomEvent, ops: Op[]): Promise<void> {
    await commit(this.#store, { drafts: [roomEvent(room, event)], ops })
  }
}

/** The details that are not undefined. */
function definedOf(details: RoomDetails): Partial<RoomRecord> {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined))
}
