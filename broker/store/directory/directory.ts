/** Users and rooms. Rooms, memberships, invitations, contacts and blocks are in memory. */
import type { CredentialRecord } from '../credentials.js'
import type { DirectoryStore } from '../directory.js'
import { clear, del, type Op, put, wipe } from '../op.js'
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
import { keyOf, type Table, type Tables } from '../tables.js'
import type { BlockRecord, PresenceRecord, ProfileRecord, UserRecord } from '../users.js'
import { Bots } from './bots.js'
import { Devices } from './devices.js'
import { InviteTable } from './invites.js'
import { PairTable, parse, type Value } from './memory-table.js'
import { OwnedTable } from './owned-table.js'
import { Privacy } from './privacy.js'
import { RoomTable } from './rooms.js'
import type { TableSlot, TableSlots } from './table-slots.js'
import { Users } from './users.js'

/** What is removed with a room. */
const OF_ROOMS: readonly Table[] = [
  ...(['member', 'receipt', 'invite', 'departed'] as const),
  ...(['ban', 'mute', 'link', 'joinRequest', 'written', 'forwarded'] as const),
]

export class Directory implements DirectoryStore {
  readonly bots: Bots
  readonly bans: OwnedTable<BanRecord>
  readonly mutes: OwnedTable<MuteRecord>
  readonly links: OwnedTable<LinkRecord>
  readonly joinRequests: OwnedTable<JoinRequestRecord>
  readonly devices: Devices
  readonly written: OwnedTable<WrittenRecord>
  readonly forwarded: OwnedTable<ForwardedRecord>
  readonly privacy: Privacy
  readonly #tables: Tables
  readonly #users: Users
  readonly #rooms: TableSlot<RoomTable>
  readonly #members: TableSlot<PairTable<MemberRecord>>
  readonly #invites: TableSlot<InviteTable>
  readonly #departed: TableSlot<PairTable<true>>
  /** By blocking and blocked user. */
  readonly #blocks: TableSlot<PairTable<BlockRecord>>
  /** When a user wished for a contact, by user and contact. */
  readonly #contacts: TableSlot<PairTable<number>>

  constructor(tables: Tables, slots: TableSlots) {
    this.#tables = tables
    this.#users = new Users(tables, slots)
    this.bots = new Bots(slots)
    this.bans = new OwnedTable<BanRecord>(slots, 'ban', ofUser)
    this.mutes = new OwnedTable<MuteRecord>(slots, 'mute', ofUser)
    this.links = new OwnedTable<LinkRecord>(slots, 'link', ({ room, link }) => keyOf(room, link))
    this.joinRequests = new OwnedTable<JoinRequestRecord>(slots, 'joinRequest', ofUser)
    this.written = new OwnedTable<WrittenRecord>(slots, 'written', ofUser)
    this.forwarded = new OwnedTable<ForwardedRecord>(slots, 'forwarded', ofUser)
    this.devices = new Devices(tables, slots)
    this.privacy = new Privacy(slots)
    this.#rooms = slots.add('room', () => new RoomTable())
    this.#members = slots.add('member', () => new PairTable(readMember))
    this.#invites = slots.add('invite', () => new InviteTable())
    this.#departed = slots.add('departed', () => new PairTable(() => true as const))
    this.#blocks = slots.add(
      'block',
      () => new PairTable((value, user, blocked) => ({ user, blocked, at: Number(value) })),
    )
    this.#contacts = slots.add('contact', () => new PairTable(Number))
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

  usersLike(prefix: string, after: string, limit: number): Promise<string[]> {
    return this.#users.idsLike(prefix, after, limit)
  }

  userOps(record: UserRecord): Op[] {
    return this.#users.putOps(record)
  }

  deleteUserOps(id: string, at: number): Op[] {
    return [
      { ...clear('credential', id), wipe: true },
      clear('block', id),
      ...[...this.#blocks.now.byName.of(id).keys()].map((user) => this.deleteBlockOp(user, id)),
      clear('contact', id),
      ...[...this.addedBy(id).keys()].map((user) => this.deleteContactOp(user, id)),
      this.privacy.deleteOp(id),
      wipe('profile', keyOf(id)),
      wipe('secondFactor', keyOf(id)),
      this.bots.deleteOp(id),
      ...this.devices.deleteOps(id),
      put('userRemoved', keyOf(id), String(at)),
      ...this.#users.deleteOps(id),
    ]
  }

  async removedAt(id: string): Promise<number> {
    return Number((await this.#tables.get('userRemoved', keyOf(id))) ?? 0)
  }

  async profile(user: string): Promise<ProfileRecord | null> {
    const value = await this.#tables.get('profile', keyOf(user))
    return value ? parse(value) : null
  }

  profileOp(record: ProfileRecord): Op {
    return put('profile', keyOf(record.user), JSON.stringify(record))
  }

  blocks(user: string): ReadonlyMap<string, BlockRecord> {
    return this.#blocks.now.byOwner.of(user)
  }

  blockOp({ user, blocked, at }: BlockRecord): Op {
    return put('block', keyOf(user, blocked), String(at))
  }

  deleteBlockOp(user: string, blocked: string): Op {
    return del('block', keyOf(user, blocked))
  }

  addedContacts(user: string): ReadonlyMap<string, number> {
    return this.#contacts.now.byOwner.of(user)
  }

  addedBy(user: string): ReadonlyMap<string, number> {
    return this.#contacts.now.byName.of(user)
  }

  contactOp(user: string, wanted: string, at: number): Op {
    return put('contact', keyOf(user, wanted), String(at))
  }

  deleteContactOp(user: string, wanted: string): Op {
    return del('contact', keyOf(user, wanted))
  }

  async credential(user: string, id: string): Promise<CredentialRecord | null> {
    const value = await this.#tables.get('credential', keyOf(user, id))
    return value ? parse(value) : null
  }

  async credentials(user: string): Promise<CredentialRecord[]> {
    return (await this.#tables.list('credential', { owner: user })).map(([, value]) => parse(value))
  }

  credentialOp(record: CredentialRecord): Op {
    return put('credential', keyOf(record.user, record.id), JSON.stringify(record))
  }

  deleteCredentialOp(user: string, id: string): Op {
    return del('credential', keyOf(user, id))
  }

  room(id: string): RoomRecord | undefined {
    return this.#rooms.now.records.get(id)
  }

  rooms(): Iterable<RoomRecord> {
    return this.#rooms.now.records.values()
  }

  roomsLike(id: string): readonly string[] {
    return this.#rooms.now.like(id)
  }

  roomOp(record: RoomRecord): Op {
    return put('room', keyOf(record.id), JSON.stringify(record))
  }

  deleteRoomOps(id: string): Op[] {
    return [...OF_ROOMS.map((table) => clear(table, id)), del('room', keyOf(id))]
  }

  member(room: string, user: string): MemberRecord | undefined {
    return this.#members.now.byOwner.get(room, user)
  }

  members(room: string): ReadonlyMap<string, MemberRecord> {
    return this.#members.now.byOwner.of(room)
  }

  memberships(user: string): ReadonlyMap<string, MemberRecord> {
    return this.#members.now.byName.of(user)
  }

  memberOp({ room, user, ...fields }: MemberRecord): Op {
    return put('member', keyOf(room, user), JSON.stringify(fields))
  }

  deleteMemberOps(room: string, user: string): Op[] {
    return [del('member', keyOf(room, user)), del('receipt', keyOf(room, user))]
  }

  invite(room: string, user: string): InviteRecord | undefined {
    return this.#invites.now.byOwner.get(room, user)
  }

  invites(room: string): ReadonlyMap<string, InviteRecord> {
    return this.#invites.now.byOwner.of(room)
  }

  invitesBy(name: string): number {
    return this.#invites.now.by.get(name)
  }

  inviteOp({ room, user, ...fields }: InviteRecord): Op {
    return put('invite', keyOf(room, user), JSON.stringify(fields))
  }

  deleteInviteOp(room: string, user: string): Op {
    return del('invite', keyOf(room, user))
  }

  departed(room: string, user: string): boolean {
    return this.#departed.now.byOwner.get(room, user) ?? false
  }

  departedOp(room: string, user: string): Op {
    return put('departed', keyOf(room, user), '')
  }

  deleteDepartedOp(room: string, user: string): Op {
    return del('departed', keyOf(room, user))
  }

  async *presence(): AsyncGenerator<PresenceRecord> {
    for await (const [, value] of this.#tables.entries('presence')) yield parse(value)
  }

  presenceOp(record: PresenceRecord): Op {
    return put('presence', keyOf(record.user), JSON.stringify(record))
  }

  deletePresenceOp(user: string): Op {
    return wipe('presence', keyOf(user))
  }
}

function ofUser({ room, user }: { room: string; user: string }): string {
  return keyOf(room, user)
}

function readMember(value: Value, room: string, user: string): MemberRecord {
  return { room, user, ...parse<Omit<MemberRecord, 'room' | 'user'>>(value) }
}
