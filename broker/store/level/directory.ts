/** People and rooms. Rooms, memberships and invites are read once and kept in memory; it changes after the disk did. */
import type {
  DirectoryStore,
  InviteRecord,
  MemberRecord,
  Op,
  PresenceRecord,
  RoomRecord,
  UserRecord,
} from '../store.js'
import type { Database } from './database.js'
import { keys, partsOf, ranges } from './keys.js'
import { del, put, type StagedOp } from './operation.js'
import { PairMap } from './pair-map.js'
import { UserDirectory } from './users.js'

export class LevelDirectory implements DirectoryStore {
  readonly #database: Database
  readonly #users: UserDirectory
  readonly #rooms = new Map<string, RoomRecord>()
  /** By room and user. */
  readonly #members = new PairMap<MemberRecord>()
  /** By user and room. */
  readonly #memberships = new PairMap<MemberRecord>()
  readonly #invites = new PairMap<InviteRecord>()
  readonly #departed = new PairMap<true>()

  constructor(database: Database) {
    this.#database = database
    this.#users = new UserDirectory(database)
  }

  async load(): Promise<void> {
    this.#users.forget()
    for (const map of [this.#rooms, this.#members, this.#memberships, this.#invites, this.#departed]) map.clear()
    for await (const [, value] of this.#database.entries(ranges.rooms)) this.#addRoom(JSON.parse(value.toString()))
    for await (const [key, value] of this.#database.entries(ranges.allMembers)) {
      const [room, user] = pairOf(key)
      this.#addMember({ room, user, ...JSON.parse(value.toString()) })
    }
    for await (const [key, value] of this.#database.entries(ranges.allInvites)) {
      const [room, user] = pairOf(key)
      this.#invites.set(room, user, { room, user, ...JSON.parse(value.toString()) })
    }
    for await (const page of this.#database.keyPages(ranges.allDeparted))
      for (const key of page) this.#departed.set(...pairOf(key), true)
  }

  user(id: string): UserRecord | null | Promise<UserRecord | null> {
    return this.#users.get(id)
  }

  userLike(id: string): Promise<UserRecord | null> {
    return this.#users.like(id)
  }

  users(): AsyncIterable<UserRecord> {
    return this.#users.all()
  }

  userOp(record: UserRecord): Op {
    return this.#users.putOp(record)
  }

  deleteUserOp(id: string): Op {
    return this.#users.deleteOp(id)
  }

  room(id: string): RoomRecord | undefined {
    return this.#rooms.get(id)
  }

  rooms(): Iterable<RoomRecord> {
    return this.#rooms.values()
  }

  roomOp(record: RoomRecord): Op {
    const kept = { ...record }
    return put(keys.room(record.id), JSON.stringify(kept), () => this.#addRoom(kept))
  }

  deleteRoomOps(id: string): Op[] {
    const stage: StagedOp['stage'] = (batch) => {
      batch.del(keys.room(id))
      for (const user of this.#members.of(id).keys()) batch.del(keys.member(id, user))
      for (const user of this.#invites.of(id).keys()) batch.del(keys.invite(id, user))
      for (const user of this.#departed.of(id).keys()) batch.del(keys.departed(id, user))
      // What this very commit adds is not in memory yet.
      for (const range of [ranges.members(id), ranges.invites(id), ranges.departed(id)]) batch.delPuts(range)
    }
    const applied = (): void => {
      this.#rooms.delete(id)
      for (const user of this.#members.of(id).keys()) this.#memberships.delete(user, id)
      for (const map of [this.#members, this.#invites, this.#departed]) map.deleteAll(id)
    }
    const op: StagedOp = { type: 'staged', stage, applied }
    return [op]
  }

  member(room: string, user: string): MemberRecord | undefined {
    return this.#members.get(room, user)
  }

  members(room: string): ReadonlyMap<string, MemberRecord> {
    return this.#members.of(room)
  }

  memberships(user: string): ReadonlyMap<string, MemberRecord> {
    return this.#memberships.of(user)
  }

  memberOp(record: MemberRecord): Op {
    const { room, user, ...fields } = record
    const kept = { ...record }
    return put(keys.member(room, user), JSON.stringify(fields), () => this.#addMember(kept))
  }

  deleteMemberOp(room: string, user: string): Op {
    return del(keys.member(room, user), () => {
      this.#members.delete(room, user)
      this.#memberships.delete(user, room)
    })
  }

  invite(room: string, user: string): InviteRecord | undefined {
    return this.#invites.get(room, user)
  }

  inviteOp(record: InviteRecord): Op {
    const { room, user, ...fields } = record
    const kept = { ...record }
    return put(keys.invite(room, user), JSON.stringify(fields), () => this.#invites.set(room, user, kept))
  }

  deleteInviteOp(room: string, user: string): Op {
    return del(keys.invite(room, user), () => this.#invites.delete(room, user))
  }

  departed(room: string, user: string): boolean {
    return this.#departed.get(room, user) ?? false
  }

  departedOp(room: string, user: string): Op {
    return put(keys.departed(room, user), '', () => this.#departed.set(room, user, true))
  }

  deleteDepartedOp(room: string, user: string): Op {
    return del(keys.departed(room, user), () => this.#departed.delete(room, user))
  }

  async *presence(): AsyncGenerator<PresenceRecord> {
    for await (const [, value] of this.#database.entries(ranges.presence)) yield JSON.parse(value.toString())
  }

  presenceOp(record: PresenceRecord): Op {
    return put(keys.presence(record.user), JSON.stringify(record))
  }

  #addRoom(record: RoomRecord): void {
    this.#rooms.set(record.id, record)
  }

  #addMember(record: MemberRecord): void {
    this.#members.set(record.room, record.user, record)
    this.#memberships.set(record.user, record.room, record)
  }
}

function pairOf(key: string): [string, string] {
  return partsOf(key) as [string, string]
}
