/** The directory: users with their credentials, rooms with their members, and what belongs to either. */

import type { AccountDataStore } from './account-data.js'
import type { BlockedContentStore } from './blocked-contents.js'
import type { BotRecords } from './bots.js'
import type { CredentialRecord } from './credentials.js'
import type { DeviceStore } from './devices.js'
import type { FileStore } from './files.js'
import type { Op } from './op.js'
import type { PresenceStore } from './presence.js'
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
import type { SavedStore } from './saved.js'
import type { NotificationRecord, PrivacyRecord, UserSettings } from './user-settings.js'
import type { BlockRecord, ProfileRecord, UserRecord } from './users.js'

/**
 * Users and rooms. Rooms, memberships, invites, contacts and blocks are held in memory; users are read on demand and
 * cached.
 */
export interface DirectoryStore {
  /** Returns no promise if cached. */
  user(id: string): UserRecord | null | Promise<UserRecord | null>
  /** The existing user whose name equals this one except for case. */
  userLike(id: string): Promise<UserRecord | null>
  users(): AsyncIterable<UserRecord>
  /** Ids after `after` that begin with `prefix`, ignoring case; sorted by their lower case. */
  usersLike(prefix: string, after: string, limit: number): Promise<string[]>
  userOps(record: UserRecord): Op[]
  /**
   * Removes the account with its credentials, second factor, profile, settings, private data, contacts, and blocks in both
   * directions. `at` (Unix ms) is recorded as the time of removal. `profile`: the present one.
   */
  deleteUserOps(id: string, at: number, profile?: ProfileRecord | null): Op[]
  /** When an account of that name was last removed; 0: never. */
  removedAt(id: string): Promise<number>
  credential(user: string, id: string): Promise<CredentialRecord | null>
  credentials(user: string): Promise<CredentialRecord[]>
  credentialOp(record: CredentialRecord): Op
  deleteCredentialOp(user: string, id: string): Op

  readonly bots: BotRecords

  profile(user: string): Promise<ProfileRecord | null>
  /** `before`: the present one. */
  profileOps(record: ProfileRecord, before: ProfileRecord | null): Op[]
  /** Users with a word in their name that begins with this one, the first by these words; each once. */
  usersNamed(word: string, limit: number): Promise<string[]>
  /** Users whom the user blocks, by their id. */
  blocks(user: string): ReadonlyMap<string, BlockRecord>
  /** Contact wishes of the user, with their time (Unix ms). A contact is mutual: the other has the wish too. */
  addedContacts(user: string): ReadonlyMap<string, number>
  /** Users with a contact wish for this user. */
  addedBy(user: string): ReadonlyMap<string, number>
  contactOp(user: string, wanted: string, at: number): Op
  deleteContactOp(user: string, wanted: string): Op
  blockOp(record: BlockRecord): Op
  deleteBlockOp(user: string, blocked: string): Op

  room(id: string): RoomRecord | undefined
  rooms(): Iterable<RoomRecord>
  /** Ids that equal this one except for case. */
  roomsLike(id: string): readonly string[]
  roomOp(record: RoomRecord): Op
  /** Removes the room with everything that belongs to it. */
  deleteRoomOps(id: string): Op[]

  member(room: string, user: string): MemberRecord | undefined
  members(room: string): ReadonlyMap<string, MemberRecord>
  /** By room id. */
  memberships(user: string): ReadonlyMap<string, MemberRecord>
  memberOp(record: MemberRecord): Op
  /** With the member's receipt. */
  deleteMemberOps(room: string, user: string): Op[]

  /** Broadcast channels; not those that were last used with an earlier version, which only have a log. From memory. */
  channels(): Iterable<string>
  isChannel(name: string): boolean
  channelOp(name: string): Op

  /** Its id (`deploymentId`); null: none was given yet. */
  deployment(): Promise<string | null>
  deploymentOp(id: string): Op

  invite(room: string, user: string): InviteRecord | undefined
  /** By user. */
  invites(room: string): ReadonlyMap<string, InviteRecord>
  /** Invitations of a user, by room. */
  invitesOf(user: string): ReadonlyMap<string, InviteRecord>
  /** Number of open invitations made by a user. From memory. */
  invitesBy(name: string): number
  inviteOp(record: InviteRecord): Op
  deleteInviteOp(room: string, user: string): Op
  /** Users who left or were removed: they come back only by `rooms.join`. */
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
  readonly presence: PresenceStore
  readonly files: FileStore
  readonly blockedContents: BlockedContentStore
  readonly privacy: UserSettings<PrivacyRecord>
  readonly notificationSettings: UserSettings<NotificationRecord>
  readonly accountData: AccountDataStore
  readonly saved: SavedStore
}
