/** The directory: users with their credentials, rooms with their members, and what belongs to either. */

import type { BotRecords } from './bots.js'
import type { CredentialRecord } from './credentials.js'
import type { DeviceStore } from './devices.js'
import type { Op } from './op.js'
import type { PrivacyStore } from './privacy.js'
import type {
  BanRecord,
  ForwardedRecord,
  InviteRecord,
  JoinRequestRecord,
  LinkRecord,
  MemberRecord,
  MuteRecord,
  RoomRecord,
  RoomRecords,
  WrittenRecord,
} from './rooms.js'
import type { BlockRecord, PresenceRecord, ProfileRecord, UserRecord } from './users.js'

/** People and rooms. Rooms, memberships, invites, contacts and blocks are held in memory; users are read when asked for, the busy ones cached. */
export interface DirectoryStore {
  /** Without a promise when cached. */
  user(id: string): UserRecord | null | Promise<UserRecord | null>
  /** The existing user whose name differs at most by case. */
  userLike(id: string): Promise<UserRecord | null>
  users(): AsyncIterable<UserRecord>
  /** Ids that begin with `prefix`, whatever the case, after the id `after`; in the order of their lower case. */
  usersLike(prefix: string, after: string, limit: number): Promise<string[]>
  userOp(record: UserRecord): Op
  /** Removes the account with its credentials, its second factor, its profile, privacy settings, contacts, blocks and those of it; `at` (Unix ms) is kept. */
  deleteUserOps(id: string, at: number): Promise<Op[]>
  /** When an account of that name was removed last; 0: never. */
  removedAt(id: string): Promise<number>
  credential(user: string, id: string): Promise<CredentialRecord | null>
  credentials(user: string): Promise<CredentialRecord[]>
  credentialOp(record: CredentialRecord): Op
  deleteCredentialOp(user: string, id: string): Op

  readonly bots: BotRecords

  profile(user: string): Promise<ProfileRecord | null>
  profileOp(record: ProfileRecord): Op
  /** By the blocked user. */
  blocks(user: string): ReadonlyMap<string, BlockRecord>
  /** Whom the user wants as contacts, with the time (Unix ms); who wants the user too is one. */
  wanted(user: string): ReadonlyMap<string, number>
  /** Who wants the user as a contact. */
  wantedBy(user: string): ReadonlyMap<string, number>
  contactOp(user: string, wanted: string, at: number): Op
  deleteContactOp(user: string, wanted: string): Op
  blockOp(record: BlockRecord): Op
  deleteBlockOp(user: string, blocked: string): Op

  room(id: string): RoomRecord | undefined
  rooms(): Iterable<RoomRecord>
  /** Ids that differ from this one by case at most. */
  roomsLike(id: string): readonly string[]
  roomOp(record: RoomRecord): Op
  /** Removes the room with its memberships and invites. */
  deleteRoomOps(id: string): Op[]

  member(room: string, user: string): MemberRecord | undefined
  members(room: string): ReadonlyMap<string, MemberRecord>
  /** By room id. */
  memberships(user: string): ReadonlyMap<string, MemberRecord>
  memberOp(record: MemberRecord): Op
  deleteMemberOp(room: string, user: string): Op

  invite(room: string, user: string): InviteRecord | undefined
  /** By user. */
  invites(room: string): ReadonlyMap<string, InviteRecord>
  /** How many invitations of a name stand. From memory. */
  invitesBy(name: string): number
  inviteOp(record: InviteRecord): Op
  deleteInviteOp(room: string, user: string): Op
  /** Users who left or were removed: they come back only by rooms.join. */
  departed(room: string, user: string): boolean
  departedOp(room: string, user: string): Op
  deleteDepartedOp(room: string, user: string): Op

  readonly bans: RoomRecords<BanRecord>
  readonly mutes: RoomRecords<MuteRecord>
  readonly links: RoomRecords<LinkRecord>
  readonly joinRequests: RoomRecords<JoinRequestRecord>
  readonly devices: DeviceStore
  readonly written: RoomRecords<WrittenRecord>
  readonly forwarded: RoomRecords<ForwardedRecord>
  readonly privacy: PrivacyStore

  presence(): AsyncIterable<PresenceRecord>
  presenceOp(record: PresenceRecord): Op
  deletePresenceOp(user: string): Op
}
