/** Rooms, their members, and what else belongs to a room. */

import type { RoomRole } from '../../schemas/permissions.js'
import type { RoomPolicies } from '../../schemas/policies.js'
import type { OwnedRecords } from './owned-records.js'

/** `request`: seen by all, entered by who is let in. */
export type RoomAccess = 'public' | 'request' | 'private'

/** What a room asks of those in it. */
export interface RoomSettings {
  /** Seconds between two messages of a member; 0: none. */
  slowMode: number
  write: 'members' | 'moderators'
  /** Nobody writes, nobody joins. */
  archived: boolean
  /** Null: as many as the broker allows. */
  maxMembers: number | null
  /** Null: those of the broker alone. */
  policies: RoomPolicies | null
}

/** What a room has that was made without. */
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
  /** Heads of the room's logs at the join: where a cursor starts that no subscription has set. 0 in a direct conversation. */
  joined: { messages: number; events: number }
  /** Of a bot: whether someone who may change the room let its commands count. Absent: it came before anyone was asked. */
  commands?: boolean
  /** Absent: as everyone begins. */
  settings?: MemberSettings
}

/** How a member wants to see a room. */
export interface MemberSettings {
  notifications: 'all' | 'mentions' | 'none'
  pinned: boolean
  hidden: boolean
  /** The first message that is to count as unread, though it was read; null, or absent: none. */
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
  /** The token that lets in whoever has it. */
  link: string
  by: string
  /** Unix ms. */
  at: number
  /** Unix ms; null: never. */
  expires: number | null
  /** How many it still lets in; null: any number. */
  uses: number | null
}

export interface JoinRequestRecord {
  room: string
  user: string
  /** Unix ms. */
  at: number
  message: string | null
}

/** `user` has written in a direct conversation. */
export interface WrittenRecord {
  room: string
  user: string
}

/** Words of `user` were forwarded into the room, whoever did it. */
export interface ForwardedRecord {
  room: string
  user: string
}

/** Records of rooms, each under a name (a user, a link). Those of a room go with it. */
export type RoomRecords<T> = OwnedRecords<T>
