/** Creates, changes and deletes rooms. Each act is one commit: the change and the room's event. */
import { Refusal } from '../../../schemas/errors.js'
import { isRoomId, SYSTEM } from '../../../schemas/ids.js'
import type { RoomPolicies } from '../../../schemas/policies.js'
import { commit } from '../../store/commit.js'
import type { DirectoryStore } from '../../store/directory.js'
import { ROOM_DEFAULTS, type RoomAccess, type RoomRecord } from '../../store/rooms.js'
import { serverEvents } from '../../store/server-events.js'
import type { Store } from '../../store/store.js'
import type { Decision, Transaction } from '../../store/transaction.js'
import { type Actor, isAdmin, requireAccount, requireUser } from '../model/actor.js'
import { roomEvent, userEvent } from '../model/events.js'
import { membershipsOf, newMember } from './members.js'
import { roomDeletionOps } from './room-deletion.js'
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
  readonly rules: RoomRules
  readonly roomQuota: RoomQuota
  readonly options: RoomOptions
}

export class Rooms {
  readonly #store: Store
  readonly #options: RoomOptions
  readonly #roomQuota: RoomQuota
  readonly #rules: RoomRules

  constructor({ store, rules, roomQuota, options }: RoomsDeps) {
    this.#store = store
    this.#rules = rules
    this.#options = options
    this.#roomQuota = roomQuota
  }

  /** Creates the rooms of the configuration that do not exist yet. */
  async ensureListed(list: readonly ({ id: string } & RoomDetails)[]): Promise<void> {
    for (const { id, ...details } of list) {
      if (!isRoomId(id)) throw new Refusal('bad_request', `rooms.list: ${JSON.stringify(id)} is not a room id`)
      await this.#store.transact(id, ({ directory }) => {
        if (directory.room(id)) return { value: undefined }
        const record = newRoom(id, SYSTEM, details)
        const drafts = [roomEvent(id, { type: 'created', by: SYSTEM })]
        return { drafts, ops: [directory.roomOp(record)], value: undefined }
      })
    }
  }

  async create(actor: Actor, room: string, details: RoomDetails): Promise<RoomRecord> {
    requireUser(actor)
    if (!isRoomId(room))
      throw new Refusal('bad_request', `${JSON.stringify(room)} is not a room id: letters, digits, . _ -, at most 64`, {
        field: 'room',
      })
    if (this.#options.create === 'admin' && !isAdmin(actor))
      throw new Refusal('forbidden', 'only admins create rooms here')
    return this.#create(actor, room, details)
  }

  /** Creates an unknown room on first use, if `rooms.autoCreate` is set. */
  async autoCreate(actor: Actor, room: string): Promise<void> {
    if (!this.#options.autoCreate || !isRoomId(room)) return
    if (this.#options.create === 'admin' && !isAdmin(actor)) return
    requireUser(actor)
    await this.#create(actor, room, { access: 'public' }).catch((error) => {
      // Another may have made it meanwhile.
      if (!this.#store.directory.room(room)) throw error
    })
  }

  /** Creates a room, whose owner is the actor. */
  async #create(actor: Actor, room: string, details: RoomDetails): Promise<RoomRecord> {
    const { user } = actor.principal
    const { value: made } = await this.#store.transact(membershipsOf(user), (tx) =>
      this.#decideToCreate(tx, actor, room, details),
    )
    return made
  }

  /** No two rooms may have ids that differ only by case, except rooms that already do. */
  async #decideToCreate(
    { directory }: Transaction,
    actor: Actor,
    room: string,
    details: RoomDetails,
  ): Promise<Decision<RoomRecord>> {
    const { user } = actor.principal
    const [other] = directory.roomsLike(room)
    if (directory.room(room)) throw new Refusal('conflict', `there is a room ${room} already`, { field: 'room' })
    if (other !== undefined)
      throw new Refusal('conflict', `there is a room ${other} already; ids may not differ only by case`, {
        field: 'room',
      })
    this.#roomQuota.require(directory, user)
    await requireAccount(directory, actor.principal)
    const record = newRoom(room, user, details)
    const owner = await newMember(this.#store, room, user, 'owner')
    const ops = [directory.roomOp(record), directory.memberOp(owner)]
    return { drafts: [roomEvent(room, { type: 'created', by: user })], ops, value: record }
  }

  async update(actor: Actor, room: string, details: RoomDetails): Promise<RoomRecord> {
    const { value } = await this.#store.transact(room, ({ directory }) => {
      const before = this.#rules.with(directory).require(actor, room, 'update')
      const record: RoomRecord = { ...before, ...definedOf(details) }
      const changed = changedKeys(before, record)
      const drafts = [roomEvent(room, { type: 'updated', by: actor.principal.user, changed })]
      return { drafts, ops: [directory.roomOp(record)], value: record }
    })
    return value
  }

  async remove(actor: Actor, room: string): Promise<void> {
    const { value: laterEvents } = await this.#store.transact(room, ({ directory }) => {
      this.#rules.with(directory).require(actor, room, 'delete')
      return this.#removal(directory, actor, room)
    })
    for (let i = 0; i < laterEvents.length; i += EVENTS_PER_COMMIT)
      await commit(this.#store, { drafts: laterEvents.slice(i, i + EVENTS_PER_COMMIT) })
  }

  /** The value: events that are to be written later. */
  #removal(directory: DirectoryStore, actor: Actor, room: string) {
    const by = actor.principal.user
    // The room's event log is deleted with the room, so everyone concerned gets the event in their own log.
    const recipients = new Set([
      ...directory.members(room).keys(),
      ...directory.invites(room).keys(),
      ...directory.joinRequests.of(room).keys(),
    ])
    const userEvents = [...recipients].map((user) => userEvent(user, { type: 'deleted', room, by }))
    const event = roomEvent(room, { type: 'deleted', by })
    const drafts = [
      event,
      ...serverEvents(this.#store, { type: 'room.deleted', room, by }),
      ...userEvents.slice(0, EVENTS_PER_COMMIT),
    ]
    return { drafts, ops: roomDeletionOps(directory, room), value: userEvents.slice(EVENTS_PER_COMMIT) }
  }
}

function newRoom(id: string, createdBy: string, details: RoomDetails): RoomRecord {
  return {
    access: 'public',
    name: null,
    topic: null,
    avatar: null,
    ...ROOM_DEFAULTS,
    ...definedOf(details),
    id,
    direct: false,
    createdBy,
    createdAt: Date.now(),
  }
}

function changedKeys(before: RoomRecord, after: RoomRecord): string[] {
  const keys = Object.keys(after) as (keyof RoomRecord)[]
  return keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
}

/** The details that are not undefined. */
function definedOf(details: RoomDetails): Partial<RoomRecord> {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined))
}
