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
import type { NotificationRecord, PrivacyRecord } from '../user-settings.js'
import type { BlockRecord, ProfileRecord, UserRecord } from '../users.js'
import { AccountData } from './account-data.js'
import { BlockedContents } from './blocked-contents.js'
import { Bots } from './bots.js'
import { Devices } from './devices.js'
import { deleteExpiringOp } from './expiring.js'
import { Files } from './files.js'
import { InviteTable } from './invites.js'
import { PairTable, parse, SingleTable, type Value } from './memory-table.js'
import { nameWordOps, usersNamed } from './name-words.js'
import { readRange, readRecord } from './on-demand.js'
import { OwnedTable } from './owned-table.js'
import { PresenceTable } from './presence.js'
import type { Reads } from './reads.js'
import { RoomTable } from './rooms.js'
import { Saved } from './saved.js'
import type { TableSlot, TableSlots } from './table-slots.js'
import { UserSettingsTable } from './user-settings.js'
import type { Users } from './users.js'

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
  readonly presence: PresenceTable
  readonly files: Files
  readonly blockedContents: BlockedContents
  readonly privacy: UserSettingsTable<PrivacyRecord>
  readonly notificationSettings: UserSettingsTable<NotificationRecord>
  readonly accountData: AccountData
  readonly saved: Saved
  readonly #tables: Tables
  readonly #users: Users
  readonly #reads: Reads | null
  readonly #rooms: TableSlot<RoomTable>
  readonly #members: TableSlot<PairTable<MemberRecord>>
  readonly #channels: TableSlot<SingleTable<true>>
  readonly #invites: TableSlot<InviteTable>
  readonly #departed: TableSlot<PairTable<true>>
  /** By blocking and blocked user. */
  readonly #blocks: TableSlot<PairTable<BlockRecord>>
  /** When a user wished for a contact, by user and contact. */
  readonly #contacts: TableSlot<PairTable<number>>

  /** @param reads Records what is read */
  constructor(tables: Tables, slots: TableSlots, users: Users, reads: Reads | null) {
    this.#tables = tables
    this.#users = users
    this.#reads = reads
    this.bots = new Bots(slots, reads)
    this.bans = new OwnedTable<BanRecord>(slots, 'ban', ofUser, reads)
    this.mutes = new OwnedTable<MuteRecord>(slots, 'mute', ofUser, reads)
    this.links = new OwnedTable<LinkRecord>(slots, 'link', ({ room, link }) => keyOf(room, link), reads)
    this.joinRequests = new OwnedTable<JoinRequestRecord>(slots, 'joinRequest', ofUser, reads)
    this.written = new OwnedTable<WrittenRecord>(slots, 'written', ofUser, reads)
    this.forwarded = new OwnedTable<ForwardedRecord>(slots, 'forwarded', ofUser, reads)
    this.devices = new Devices(tables, slots, reads)
    this.presence = new PresenceTable(slots, reads)
    this.files = new Files(tables, reads)
    this.blockedContents = new BlockedContents(tables)
    this.privacy = new UserSettingsTable<PrivacyRecord>(slots, 'privacy', reads)
    this.notificationSettings = new UserSettingsTable<NotificationRecord>(slots, 'notificationSettings', reads)
    this.accountData = new AccountData(tables)
    this.saved = new Saved(tables)
    this.#rooms = slots.of('room', () => new RoomTable())
    this.#members = slots.of('member', () => new PairTable(readMember))
    this.#invites = slots.of('invite', () => new InviteTable())
    this.#departed = slots.of('departed', () => new PairTable(() => true as const))
    this.#channels = slots.of('channel', () => new SingleTable(() => true as const))
    this.#blocks = slots.of(
      'block',
      () => new PairTable((value, user, blocked) => ({ user, blocked, at: Number(value) })),
    )
    this.#contacts = slots.of('contact', () => new PairTable(Number))
  }

  user(id: string): UserRecord | null | Promise<UserRecord | null> {
    this.#reads?.record('user', keyOf(id))
    return this.#users.get(id)
  }

  userLike(id: string): Promise<UserRecord | null> {
    this.#reads?.record('userName', keyOf(id.toLowerCase()))
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

  deleteUserOps(id: string, at: number, profile: ProfileRecord | null = null): Op[] {
    return [
      { ...clear('credential', id), wipe: true },
      clear('block', id),
      ...[...this.#blockers(id)].map((user) => this.deleteBlockOp(user, id)),
      clear('contact', id),
      ...[...this.addedBy(id).keys()].map((user) => this.deleteContactOp(user, id)),
      this.privacy.deleteOp(id),
      this.notificationSettings.deleteOp(id),
      this.accountData.clearOp(id),
      this.saved.clearOp(id),
      wipe('profile', keyOf(id)),
      ...nameWordOps(null, profile),
      wipe('secondFactor', keyOf(id)),
      deleteExpiringOp(id),
      this.bots.deleteOp(id),
      ...this.devices.deleteOps(id),
      put('userRemoved', keyOf(id), String(at)),
      ...this.#users.deleteOps(id),
    ]
  }

  async removedAt(id: string): Promise<number> {
    return Number((await this.#tables.get('userRemoved', keyOf(id))) ?? 0)
  }

  profile(user: string): Promise<ProfileRecord | null> {
    return readRecord(this.#tables, 'profile', keyOf(user))
  }

  profileOps(record: ProfileRecord, before: ProfileRecord | null): Op[] {
    return [put('profile', keyOf(record.user), JSON.stringify(record)), ...nameWordOps(record, before)]
  }

  usersNamed(word: string, limit: number): Promise<string[]> {
    return usersNamed(this.#tables, word, limit)
  }

  blocks(user: string): ReadonlyMap<string, BlockRecord> {
    this.#reads?.owner('block', user)
    return this.#blocks.now.byOwner.of(user)
  }

  blockOp({ user, blocked, at }: BlockRecord): Op {
    return put('block', keyOf(user, blocked), String(at))
  }

  #blockers(user: string): Iterable<string> {
    this.#reads?.name('block', user)
    return this.#blocks.now.byName.of(user).keys()
  }

  deleteBlockOp(user: string, blocked: string): Op {
    return del('block', keyOf(user, blocked))
  }

  addedContacts(user: string): ReadonlyMap<string, number> {
    this.#reads?.owner('contact', user)
    return this.#contacts.now.byOwner.of(user)
  }

  addedBy(user: string): ReadonlyMap<string, number> {
    this.#reads?.name('contact', user)
    return this.#contacts.now.byName.of(user)
  }

  contactOp(user: string, wanted: string, at: number): Op {
    return put('contact', keyOf(user, wanted), String(at))
  }

  deleteContactOp(user: string, wanted: string): Op {
    return del('contact', keyOf(user, wanted))
  }

  credential(user: string, id: string): Promise<CredentialRecord | null> {
    return readRecord(this.#tables, 'credential', keyOf(user, id))
  }

  credentials(user: string): Promise<CredentialRecord[]> {
    this.#reads?.owner('credential', user)
    return readRange(this.#tables, 'credential', { owner: user })
  }

  credentialOp(record: CredentialRecord): Op {
    return put('credential', keyOf(record.user, record.id), JSON.stringify(record))
  }

  deleteCredentialOp(user: string, id: string): Op {
    return del('credential', keyOf(user, id))
  }

  room(id: string): RoomRecord | undefined {
    this.#reads?.record('room', keyOf(id))
    return this.#rooms.now.records.get(id)
  }

  rooms(): Iterable<RoomRecord> {
    return this.#rooms.now.records.values()
  }

  roomsLike(id: string): readonly string[] {
    this.#reads?.topic(`room ${id.toLowerCase()}`)
    return this.#rooms.now.like(id)
  }

  roomOp(record: RoomRecord): Op {
    return put('room', keyOf(record.id), JSON.stringify(record))
  }

  deleteRoomOps(id: string): Op[] {
    return [...OF_ROOMS.map((table) => clear(table, id)), this.files.roomTotalsOp(id, null), del('room', keyOf(id))]
  }

  member(room: string, user: string): MemberRecord | undefined {
    this.#reads?.record('member', keyOf(room, user))
    return this.#members.now.byOwner.get(room, user)
  }

  members(room: string): ReadonlyMap<string, MemberRecord> {
    this.#reads?.owner('member', room)
    return this.#members.now.byOwner.of(room)
  }

  memberships(user: string): ReadonlyMap<string, MemberRecord> {
    this.#reads?.name('member', user)
    return this.#members.now.byName.of(user)
  }

  memberOp({ room, user, ...fields }: MemberRecord): Op {
    return put('member', keyOf(room, user), JSON.stringify(fields))
  }

  deleteMemberOps(room: string, user: string): Op[] {
    return [del('member', keyOf(room, user)), del('receipt', keyOf(room, user))]
  }

  channels(): Iterable<string> {
    return this.#channels.now.records.keys()
  }

  isChannel(name: string): boolean {
    return this.#channels.now.records.has(name)
  }

  channelOp(name: string): Op {
    return put('channel', keyOf(name), '')
  }

  deployment(): Promise<string | null> {
    return readRecord(this.#tables, 'deployment', keyOf(''))
  }

  deploymentOp(id: string): Op {
    return put('deployment', keyOf(''), JSON.stringify(id))
  }

  invite(room: string, user: string): InviteRecord | undefined {
    this.#reads?.record('invite', keyOf(room, user))
    return this.#invites.now.byOwner.get(room, user)
  }

  invites(room: string): ReadonlyMap<string, InviteRecord> {
    this.#reads?.owner('invite', room)
    return this.#invites.now.byOwner.of(room)
  }

  invitesOf(user: string): ReadonlyMap<string, InviteRecord> {
    this.#reads?.name('invite', user)
    return this.#invites.now.byName.of(user)
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
    this.#reads?.record('departed', keyOf(room, user))
    return this.#departed.now.byOwner.get(room, user) ?? false
  }

  departedOp(room: string, user: string): Op {
    return put('departed', keyOf(room, user), '')
  }

  deleteDepartedOp(room: string, user: string): Op {
    return del('departed', keyOf(room, user))
  }
}

function ofUser({ room, user }: { room: string; user: string }): string {
  return keyOf(room, user)
}

function readMember(value: Value, room: string, user: string): MemberRecord {
  const { role, since, joined, ...others } = parse<Omit<MemberRecord, 'room' | 'user'>>(value)
  // There are many, and most have no other fields: named here, these stand in the object itself and not in a table beside it.
  return Object.assign({ room, user, role, since, joined }, others)
}
