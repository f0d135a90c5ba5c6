/**
 * Users and rooms. Rooms, memberships and invites are loaded at the start and kept in memory, which is updated after
 * the disk.
 */

import type { CredentialRecord } from '../credentials.js'
import type { DirectoryStore } from '../directory.js'
import type { Op } from '../op.js'
import type {
  BanRecord,
  ForwardedRecord,
  InviteRecord,
  JoinRequestRecord,
  LinkRecord,
  MemberRecord,
  MuteRecord,
  RoomRecord,
  WrittenRecord,
} from '../rooms.js'
import { ROOM_DEFAULTS } from '../rooms.js'
import type { BlockRecord, PresenceRecord, ProfileRecord, UserRecord } from '../users.js'
import { LevelBots } from './bots.js'
import type { Database } from './database.js'
import { LevelDevices } from './devices.js'
import { Invites } from './invites.js'
import { keys, partsOf, ranges } from './keys.js'
import { NestedMap } from './nested-map.js'
import { del, put, type StagedOp, wipe } from './operation.js'
import { LevelPrivacy } from './privacy.js'
import type { LevelReceipts } from './receipts.js'
import { LevelRoomRecords } from './room-records.js'
import { UserDirectory } from './users.js'

export class LevelDirectory implements DirectoryStore {
  readonly bots: LevelBots
  readonly bans: LevelRoomRecords<BanRecord>
  readonly mutes: LevelRoomRecords<MuteRecord>
  readonly links: LevelRoomRecords<LinkRecord>
  readonly joinRequests: LevelRoomRecords<JoinRequestRecord>
  readonly devices: LevelDevices
  readonly written: LevelRoomRecords<WrittenRecord>
  readonly forwarded: LevelRoomRecords<ForwardedRecord>
  readonly privacy: LevelPrivacy
  readonly #records: readonly Pick<LevelRoomRecords<BanRecord>, 'load' | 'stageDeleteAll' | 'forgetAll'>[]
  readonly #database: Database
  readonly #users: UserDirectory
  readonly #receipts: LevelReceipts
  readonly #rooms = new Map<string, RoomRecord>()
  /** Ids by their lower case. */
  readonly #roomsByName = new Map<string, readonly string[]>()
  #members = new MemberMap()
  /** By room and user. */
  #invites = new Invites()
  #departed = new NestedMap<true>()
  /** By blocking and blocked user. */
  #blocks = new NestedMap<BlockRecord>()
  /** By blocked and blocking user. */
  #blockers = new NestedMap<true>()
  /** Contact wishes by user and contact, and by contact and user. */
  #wanted = new NestedMap<number>()
  #wantedBy = new NestedMap<number>()

  constructor(database: Database, receipts: LevelReceipts) {
    this.#database = database
    this.#receipts = receipts
    this.#users = new UserDirectory(database)
    this.bots = new LevelBots(database)
    this.bans = new LevelRoomRecords<BanRecord>(database, 'b', userOf)
    this.mutes = new LevelRoomRecords<MuteRecord>(database, 'm', userOf)
    this.links = new LevelRoomRecords<LinkRecord>(database, 'l', ({ link }) => link)
    this.joinRequests = new LevelRoomRecords<JoinRequestRecord>(database, 'r', userOf)
    this.devices = new LevelDevices(database)
    this.written = new LevelRoomRecords<WrittenRecord>(database, 'w', userOf)
    this.forwarded = new LevelRoomRecords<ForwardedRecord>(database, 'f', userOf)
    this.privacy = new LevelPrivacy(database)
    this.#records = [this.bans, this.mutes, this.links, this.joinRequests, this.written, this.forwarded]
  }

  /** Reads everything; the function returned replaces what is in memory, synchronously. */
  async load(): Promise<() => void> {
    const rooms = new Map<string, RoomRecord>()
    const members = new MemberMap()
    const invites = new Invites()
    const departed = new NestedMap<true>()
    await this.#database.scan(ranges.rooms, (key, value) => {
      rooms.set(partsOf(key)[0]!, { ...ROOM_DEFAULTS, ...JSON.parse(value.toString()) })
    })
    await this.#database.scan(ranges.allMembers, (key, value) => {
      const [room, user] = pairOf(key)
      members.add({ room, user, ...JSON.parse(value.toString()) })
    })
    await this.#database.scan(ranges.allInvites, (key, value) => {
      const [room, user] = pairOf(key)
      invites.set({ room, user, ...JSON.parse(value.toString()) })
    })
    await this.#database.scan(ranges.allDeparted, (key) => departed.set(...pairOf(key), true))
    const blocks = new NestedMap<BlockRecord>()
    const blockers = new NestedMap<true>()
    await this.#database.scan(ranges.allBlocks, (key, value) => {
      const [user, blocked] = pairOf(key)
      blocks.set(user, blocked, { user, blocked, at: Number(value.toString()) })
      blockers.set(blocked, user, true)
    })
    const [wanted, wantedBy] = [new NestedMap<number>(), new NestedMap<number>()]
    await this.#database.scan(ranges.allContacts, (key, value) => {
      const [user, other] = pairOf(key)
      const at = Number(value.toString())
      wanted.set(user, other, at)
      wantedBy.set(other, user, at)
    })
    const applies = await Promise.all(
      [...this.#records, this.bots, this.privacy, this.devices].map((records) => records.load()),
    )
    return () => {
      for (const apply of applies) apply()
      this.#users.forget()
      this.#rooms.clear()
      this.#roomsByName.clear()
      for (const room of rooms.values()) this.#keepRoom(room)
      this.#members = members
      this.#invites = invites
      this.#departed = departed
      this.#blocks = blocks
      this.#blockers = blockers
      this.#wanted = wanted
      this.#wantedBy = wantedBy
    }
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

  async deleteUserOps(id: string, at: number): Promise<Op[]> {
    const credentials = (await this.credentials(id)).map((credential) => wipe(keys.credential(id, credential.id), at))
    const blocks = [...this.blocks(id).keys()].map((blocked) => this.deleteBlockOp(id, blocked))
    const blockers = [...this.#blockers.of(id).keys()].map((user) => this.deleteBlockOp(user, id))
    const wanted = [...this.addedContacts(id).keys()].map((other) => this.deleteContactOp(id, other))
    const wantedBy = [...this.addedBy(id).keys()].map((user) => this.deleteContactOp(user, id))
    const removed = put(keys.userRemoved(id), String(at))
    return [
      ...credentials,
      ...blocks,
      ...blockers,
      ...wanted,
      ...wantedBy,
      this.privacy.deleteOp(id),
      wipe(keys.profile(id), at),
      wipe(keys.secondFactor(id), at),
      wipe(keys.user(id), at),
      this.bots.deleteOp(id),
      ...(await this.devices.deleteOps(id)),
      removed,
      this.#users.deleteOp(id),
    ]
  }

  usersLike(prefix: string, after: string, limit: number): Promise<string[]> {
    return this.#users.idsLike(prefix, after, limit)
  }

  async profile(user: string): Promise<ProfileRecord | null> {
    const value = await this.#database.get(keys.profile(user))
    return value ? JSON.parse(value.toString()) : null
  }

  profileOp(record: ProfileRecord): Op {
    return put(keys.profile(record.user), JSON.stringify(record))
  }

  blocks(user: string): ReadonlyMap<string, BlockRecord> {
    return this.#blocks.of(user)
  }

  addedContacts(user: string): ReadonlyMap<string, number> {
    return this.#wanted.of(user)
  }

  addedBy(user: string): ReadonlyMap<string, number> {
    return this.#wantedBy.of(user)
  }

  contactOp(user: string, wanted: string, at: number): Op {
    return put(keys.contact(user, wanted), String(at), () => {
      this.#wanted.set(user, wanted, at)
      this.#wantedBy.set(wanted, user, at)
    })
  }

  deleteContactOp(user: string, wanted: string): Op {
    return del(keys.contact(user, wanted), () => {
      this.#wanted.delete(user, wanted)
      this.#wantedBy.delete(wanted, user)
    })
  }

  blockOp(record: BlockRecord): Op {
    const { user, blocked, at } = record
    return put(keys.block(user, blocked), String(at), () => {
      this.#blocks.set(user, blocked, { user, blocked, at })
      this.#blockers.set(blocked, user, true)
    })
  }

  deleteBlockOp(user: string, blocked: string): Op {
    return del(keys.block(user, blocked), () => {
      this.#blocks.delete(user, blocked)
      this.#blockers.delete(blocked, user)
    })
  }

  async removedAt(id: string): Promise<number> {
    const at = await this.#database.get(keys.userRemoved(id))
    return at ? Number(at.toString()) : 0
  }

  async credential(user: string, id: string): Promise<CredentialRecord | null> {
    const value = await this.#database.get(keys.credential(user, id))
    return value ? JSON.parse(value.toString()) : null
  }

  async credentials(user: string): Promise<CredentialRecord[]> {
    const found: CredentialRecord[] = []
    for await (const [, value] of this.#database.entries(ranges.credentials(user)))
      found.push(JSON.parse(value.toString()))
    return found
  }

  credentialOp(record: CredentialRecord): Op {
    return put(keys.credential(record.user, record.id), JSON.stringify(record))
  }

  deleteCredentialOp(user: string, id: string): Op {
    return del(keys.credential(user, id))
  }

  room(id: string): RoomRecord | undefined {
    return this.#rooms.get(id)
  }

  rooms(): Iterable<RoomRecord> {
    return this.#rooms.values()
  }

  roomOp(record: RoomRecord): Op {
    const kept = { ...record }
    return put(keys.room(record.id), JSON.stringify(kept), () => this.#keepRoom(kept))
  }

  roomsLike(id: string): readonly string[] {
    return this.#roomsByName.get(id.toLowerCase()) ?? []
  }

  #keepRoom(record: RoomRecord): void {
    const { id } = record
    if (!this.#rooms.has(id)) this.#roomsByName.set(id.toLowerCase(), [...this.roomsLike(id), id])
    this.#rooms.set(id, record)
  }

  #forgetRoom(id: string): void {
    const others = this.roomsLike(id).filter((other) => other !== id)
    if (others.length > 0) this.#roomsByName.set(id.toLowerCase(), others)
    else this.#roomsByName.delete(id.toLowerCase())
    this.#rooms.delete(id)
  }

  deleteRoomOps(id: string): Op[] {
    const stage: StagedOp['stage'] = (batch) => {
      batch.del(keys.room(id))
      for (const user of this.#members.ofRoom(id).keys()) {
        batch.del(keys.member(id, user))
        this.#receipts.stageDelete(batch, id, user)
      }
      for (const user of this.#invites.of(id).keys()) batch.del(keys.invite(id, user))
      for (const user of this.#departed.of(id).keys()) batch.del(keys.departed(id, user))
      // Records added by this very commit are not in memory yet.
      for (const range of [ranges.members(id), ranges.invites(id), ranges.departed(id)]) batch.delPuts(range)
      for (const records of this.#records) records.stageDeleteAll(id, batch)
    }
    const applied = (): void => {
      this.#forgetRoom(id)
      for (const map of [this.#members, this.#invites, this.#departed]) map.deleteAll(id)
      for (const records of this.#records) records.forgetAll(id)
      this.#receipts.deletedAll(id)
    }
    const op: StagedOp = { type: 'staged', stage, applied }
    return [op]
  }

  member(room: string, user: string): MemberRecord | undefined {
    return this.#members.get(room, user)
  }

  members(room: string): ReadonlyMap<string, MemberRecord> {
    return this.#members.ofRoom(room)
  }

  memberships(user: string): ReadonlyMap<string, MemberRecord> {
    return this.#members.ofUser(user)
  }

  memberOp(record: MemberRecord): Op {
    const { room, user, ...fields } = record
    const kept = { ...record }
    return put(keys.member(room, user), JSON.stringify(fields), () => this.#members.add(kept))
  }

  deleteMemberOp(room: string, user: string): Op {
    const stage: StagedOp['stage'] = (batch) => {
      batch.del(keys.member(room, user))
      this.#receipts.stageDelete(batch, room, user)
    }
    const applied = (): void => {
      this.#members.delete(room, user)
      this.#receipts.deleted(room, user)
    }
    const op: StagedOp = { type: 'staged', stage, applied }
    return op
  }

  invite(room: string, user: string): InviteRecord | undefined {
    return this.#invites.get(room, user)
  }

  invites(room: string): ReadonlyMap<string, InviteRecord> {
    return this.#invites.of(room)
  }

  invitesBy(name: string): number {
    return this.#invites.countBy(name)
  }

  inviteOp(record: InviteRecord): Op {
    const { room, user, ...fields } = record
    const kept = { ...record }
    return put(keys.invite(room, user), JSON.stringify(fields), () => this.#invites.set(kept))
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

  deletePresenceOp(user: string): Op {
    return wipe(keys.presence(user), Date.now())
  }
}

/** Memberships, by room and user and by user and room. */
class MemberMap {
  readonly #byRoom = new NestedMap<MemberRecord>()
  readonly #byUser = new NestedMap<MemberRecord>()

  get(room: string, user: string): MemberRecord | undefined {
    return this.#byRoom.get(room, user)
  }

  ofRoom(room: string): ReadonlyMap<string, MemberRecord> {
    return this.#byRoom.of(room)
  }

  ofUser(user: string): ReadonlyMap<string, MemberRecord> {
    return this.#byUser.of(user)
  }

  add(record: MemberRecord): void {
    this.#byRoom.set(record.room, record.user, record)
    this.#byUser.set(record.user, record.room, record)
  }

  delete(room: string, user: string): void {
    this.#byRoom.delete(room, user)
    this.#byUser.delete(user, room)
  }

  deleteAll(room: string): void {
    for (const user of this.#byRoom.of(room).keys()) this.#byUser.delete(user, room)
    this.#byRoom.deleteAll(room)
  }
}

const userOf = ({ user }: { user: string }): string => user

function pairOf(key: string): [string, string] {
  return partsOf(key) as [string, string]
}
