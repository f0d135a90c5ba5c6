/** Rooms, their members, and what else belongs to a room. */

import type { NotifyLevel } from '../../schemas/commands/notification-settings.js'
import type { RoomRole } from '../../schemas/permissions.js'
import type { RoomPolicies } from '../../schemas/policies.js'
import type { OwnedRecords } from './owned-records.js'

/** `request`: visible to all; joining has to be approved. */
export type RoomAccess = 'public' | 'request' | 'private'

/** Rules of a room for its members. */
export interface RoomSettings {
  /** Seconds between two messages of a member; 0: none. */
  slowMode: number
  write: 'members' | 'moderators'
  /** Nobody may write or join. */
  archived: boolean
  /** Null: the limit of the configuration. */
  maxMembers: number | null
  /** Null: only the broker's own policies apply. */
  policies: RoomPolicies | null
}

/** Settings of a room created without any. */
export const ROOM_DEFAULTS: RoomSettings = {
  slowMode: 0,
  write: 'members',
  archived: false,
  maxMembers: null,
  policies: null,
}

export interface RoomRecord extends RoomSettings {
  id: string
  access: RoomAccess
  /** True for `dm:{a}:{b}`. */
  direct: boolean
  name: string | null
  topic: string | null
  avatar: string | null
  createdBy: string
  createdAt: number
}

export interface MemberRecord {
  room: string
  user: string
  role: RoomRole
  /** Unix ms. */
  since: number
  /** Heads of the room's logs at the join, where a cursor starts by default. 0 in a direct conversation. */
  joined: { messages: number; events: number }
  /**
   * Of a bot: whether a room admin has enabled its slash commands. Absent: the membership is older than that setting.
   */
  commands?: boolean
  /** Absent: the defaults. */
  settings?: MemberSettings
  /** The threads that the member follows, ascending; absent: none. */
  followed?: readonly number[]
}

/** A member's own settings for a room. */
export interface MemberSettings {
  /** `default`: as in the user's settings for all rooms. */
  notifications: NotifyLevel | 'default'
  /** Unix ms until which nothing notifies; null: not muted. Absent in settings of before, whose `all` was the default. */
  mutedUntil?: number | null
  pinned: boolean
  hidden: boolean
  /** Of a direct conversation: the last commit when it was hidden; a later message shows it again. Null or absent: nothing does. */
  hiddenIn?: number | null
  /** The first message marked as unread, although it was read; null or absent: none. */
  unreadFrom?: number | null
}

export interface InviteRecord {
  room: string
  user: string
  by: string
  at: number
}

export interface BanRecord {
  room: string
  user: string
  by: string
  /** Unix ms. */
  at: number
  /** Unix ms; null: for good. */
  until: number | null
  reason: string | null
}

export type MuteRecord = Omit<BanRecord, 'reason'>

export interface LinkRecord {
  room: string
  /** The token: whoever presents it may join. */
  link: string
  by: string
  /** Unix ms. */
  at: number
  /** Unix ms; null: never. */
  expires: number | null
  /** How many more may join by it; null: any number. */
  uses: number | null
}

export interface JoinRequestRecord {
  room: string
  user: string
  /** Unix ms. */
  at: number
  message: string | null
}

/** The user has written in this direct conversation. */
export interface WrittenRecord {
  room: string
  user: string
}

/** A message of the user was forwarded into the room, by anyone. */
export interface ForwardedRecord {
  room: string
  user: string
}

/** Records of rooms, keyed by a user or a link. Removed with the room. */
export type RoomRecords<T> = OwnedRecords<T>
