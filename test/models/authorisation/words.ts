/** The commands of a program of the authorisation test. They are data, so that a failing program can be shrunk, printed and repeated. */
export const USERS = ['ann', 'bob', 'cat', 'dan'] as const
export const ROOMS = ['hall', 'club', 'den', 'nest'] as const
export const CHANNEL = 'broadcast/news'
/** A device of ann, and a bot in the rooms of BOT_ROOMS. */
export const DEVICE = 'lamp'
export const BOT = 'helper'
export const BOT_ROOMS = ['hall', 'den'] as const
/** Roles of the sessions and tokens with which users publish and run commands. */
export const VOICES: Record<string, string[]> = {
  ann: ['red'],
  bob: ['blue'],
  cat: [],
  dan: ['red'],
  root: ['admin', 'publisher', 'notifier'],
  [DEVICE]: ['device'],
  [BOT]: ['bot'],
}

export const PRIVACY = ['messages', 'presence', 'readReceipts', 'invites'] as const
export const AUDIENCES = ['everyone', 'contacts', 'nobody'] as const
export type Privacy = (typeof PRIVACY)[number]
export type Audience = (typeof AUDIENCES)[number]

export type QoS = 0 | 1 | 2
export type Role = 'owner' | 'admin' | 'moderator' | 'member' | 'reader'
export type Access = 'public' | 'request' | 'private'
export const ACCESS: Record<(typeof ROOMS)[number], Access> = {
  hall: 'public',
  club: 'request',
  den: 'private',
  nest: 'private',
}

/** Slots of listeners: MQTT sessions and event streams. */
export const CAST = [
  { user: 'ann', id: 'phone' },
  { user: 'bob', id: 'phone' },
  { user: 'cat', id: 'phone' },
  { user: 'dan', id: 'phone' },
  { user: 'ann', id: 'tablet' },
  { user: 'bob', id: 'tablet' },
  { user: 'anonymous', id: 'guest' },
  { user: 'cat', id: 'stream' },
  { user: 'dan', id: 'stream' },
] as const

export const ROOM_ACTS = [
  ...(['join', 'leave', 'invite', 'remove', 'ban', 'unban'] as const),
  ...(['mute', 'unmute', 'setRole', 'update', 'request', 'approve'] as const),
]

export interface RoomAct {
  act: (typeof ROOM_ACTS)[number]
  room: string
  peer: string
  role: Role
  access: Access
}

export interface Joining {
  version: 4 | 5
  clean: boolean
  /** Acks are held back until a command sends them. */
  held: boolean
  roles: string[]
  filters: { filter: string; qos: QoS }[]
  /** Topic of the will. */
  will: string | null
}

/** A command with one of several names. */
type Each<Name extends string, Fields> = Name extends string ? { do: Name } & Fields : never

/** `slot`: an index into CAST. `nth`: an index into those that exist. */
export type Command =
  | { do: 'say'; user: string; room: string; how: 0 | 1 | 2 | 'text' | 'http' }
  | { do: 'erase'; user: string; room: string; nth: number }
  | { do: 'tell'; user: string; peer: string; how: 0 | 1 | 2 | 'http' }
  | Each<'signal' | 'notify', { user: string; peer: string }>
  | Each<'typing' | 'read', { user: string; room: string }>
  | Each<'status' | 'probe' | 'logout', { user: string }>
  /** For everyone if no role is given. */
  | { do: 'announce'; user: string; roles: string[]; retain: boolean }
  | { do: 'slash'; user: string; room: string }
  | { do: 'report'; user: string; room: string; nth: number }
  | { do: 'forward'; user: string; from: string; room: string; nth: number }
  | { do: 'privacy'; user: string; what: Privacy; to: Audience }
  | { do: 'gauge'; qos: QoS; retain: boolean }
  | { do: 'order'; user: string }
  | { do: 'device'; user: string; peer: string; how: 'read' | 'control' | 'unshare' | 'transfer' }
  | { do: 'plain'; user: string; topic: string; qos: QoS; retain: boolean }
  | { do: 'forge'; user: string; topic: string }
  | ({ do: 'act'; user: string } & RoomAct)
  /** A member is removed while another publishes. */
  | { do: 'race'; user: string; peer: string; speaker: string; room: string; ban: boolean }
  | { do: 'social'; user: string; peer: string; how: 'block' | 'unblock' | 'ask' | 'accept' | 'part' }
  | ({ do: 'come'; slot: number } & Joining)
  | Each<'cut' | 'thaw' | 'end', { slot: number }>
  | { do: 'subscribe'; slot: number; filter: string; qos: QoS }
  | { do: 'unsubscribe'; slot: number; nth: number }
  | { do: 'renew'; slot: number; roles: string[] }
  | { do: 'restart' }

export type Do<What extends Command['do']> = Extract<Command, { do: What }>

export interface Program {
  /** Roles by room and user; null: not a member. */
  roles: (Role | null)[][]
  cast: Joining[]
  commands: Command[]
}
