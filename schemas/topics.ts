/**
 * The topic grammar: topic strings are built and parsed only here. `parseTopic` parses the topic of a PUBLISH,
 * `parseFilter` the filter of a SUBSCRIBE; `topics` builds them. DESIGN §2 has the table.
 */
import { directMembers, isChannelId, isRoomId, isUserId } from './ids.js'

export const ROOM_LEAVES = ['messages', 'text', 'events', 'receipts', 'typing', 'info'] as const
export type RoomLeaf = (typeof ROOM_LEAVES)[number]

export const USER_LEAVES = ['messages', 'events', 'notifications', 'presence', 'signals', 'replies'] as const
export type UserLeaf = (typeof USER_LEAVES)[number]

export type Topic =
  | { kind: 'room'; room: string; leaf: RoomLeaf }
  | { kind: 'user'; user: string; leaf: UserLeaf }
  | { kind: 'request'; user: string; method: string }
  | { kind: 'broadcast'; channel: string }
  /** `rest`: the levels below the device. */
  | { kind: 'device'; user: string; rest: string }
  | { kind: 'sys' }
  | { kind: 'plain' }
  | { kind: 'invalid'; why: string }

/** `room`, `user` and `channel` are null where the filter has a wildcard there. */
export type Filter =
  | { kind: 'room'; room: string | null; leaves: readonly RoomLeaf[] }
  | { kind: 'user'; user: string | null; leaves: readonly UserLeaf[] }
  | { kind: 'broadcast'; channel: string | null }
  /** `commands`: it matches those of the device. */
  | { kind: 'device'; user: string | null; commands: boolean }
  | { kind: 'sys' }
  | { kind: 'plain' }
  /** `$share/{share}/{filter}`; `of` is what `filter` is. */
  | { kind: 'shared'; share: string; filter: string; of: Filter }
  | { kind: 'invalid'; why: string }

export const topics = {
  room: (room: string, leaf: RoomLeaf): string => `rooms/${room}/${leaf}`,
  roomPrefix: (room: string): string => `rooms/${room}/`,
  /** Filter: every room the user is a member of, now and later. */
  anyRoom: (leaf: RoomLeaf): string => `rooms/+/${leaf}`,
  /** Filter: everything of the user. */
  allOfUser: (user: string): string => `users/${user}/#`,
  user: (user: string, leaf: UserLeaf): string => `users/${user}/${leaf}`,
  request: (user: string, method: string): string => `users/${user}/requests/${method}`,
  /** Below a device: `commands` and `receipts`, or levels of its own. */
  device: (device: string, rest: string): string => `devices/${device}/${rest}`,
  /** Filter: everything below `devices`, which `#` does not match. */
  allDevices: (): string => 'devices/#',
  /** Prefix of a device's topics. */
  deviceOf: (user: string): string => `devices/${user}/`,
  broadcast: (channel: string): string => `broadcast/${channel}`,
}

/** Wildcards in a filter's first level do not match these (nor topics that begin with `$`). */
const RESERVED_LEVELS: ReadonlySet<string> = /* @__PURE__ */ new Set(['rooms', 'users', 'devices', 'broadcast'])

export function isReservedLevel(level: string): boolean {
  return RESERVED_LEVELS.has(level) || level.startsWith('$')
}

/**
 * Filters on plain topics, which are matched topic by topic and queued; rooms, users and broadcast have logs and
 * cursors instead.
 */
export function isPlainFilter({ kind }: Filter): boolean {
  return kind === 'plain' || kind === 'device' || kind === 'sys'
}

/** The device that a topic belongs to; null: none. */
export function deviceOf(topic: string): string | null {
  return topic.startsWith(DEVICES) ? topic.slice(DEVICES.length, topic.indexOf('/', DEVICES.length)) : null
}

const DEVICES = 'devices/'

/** What the broker tells about itself. */
export function isSysTopic(topic: string): boolean {
  return topic.startsWith('$SYS/')
}

/** Whether the messages on a topic are made by the broker: rooms, users, broadcast. */
export function isChatTopic(topic: string): boolean {
  return topic.startsWith('rooms/') || topic.startsWith('users/') || topic.startsWith('broadcast/')
}

const roomLeaves: ReadonlySet<string> = /* @__PURE__ */ new Set(ROOM_LEAVES)
const userLeaves: ReadonlySet<string> = /* @__PURE__ */ new Set(USER_LEAVES)
/** `text` duplicates `messages`, so only a filter that names it matches. */
const wildcardRoomLeaves: readonly RoomLeaf[] = /* @__PURE__ */ ROOM_LEAVES.filter((leaf) => leaf !== 'text')

function invalid(why: string): { kind: 'invalid'; why: string } {
  return { kind: 'invalid', why }
}

/** Parses the topic of a PUBLISH that already passed `topicNameFault`. */
export function parseTopic(topic: string): Topic {
  if (topic.charCodeAt(0) === 0x24)
    return isSysTopic(topic) ? { kind: 'sys' } : invalid(`${topic}: topics that begin with $ belong to the broker`)
  const first = firstLevel(topic)
  if (!RESERVED_LEVELS.has(first)) return { kind: 'plain' }
  const levels = topic.split('/')
  switch (first) {
    case 'rooms':
      return parseRoomTopic(topic, levels)
    case 'users':
      return parseUserTopic(topic, levels)
    case 'broadcast':
      if (levels.length !== 2 || !isChannelId(levels[1]!)) return invalid(`${topic}: expected broadcast/{channel}`)
      return { kind: 'broadcast', channel: levels[1]! }
    default:
      if (levels.length < 3 || !isUserId(levels[1]!)) return invalid(`${topic}: expected devices/{user}/…`)
      return { kind: 'device', user: levels[1]!, rest: levels.slice(2).join('/') }
  }
}

function firstLevel(topic: string): string {
  const slash = topic.indexOf('/')
  return slash === -1 ? topic : topic.slice(0, slash)
}

function parseRoomTopic(topic: string, levels: string[]): Topic {
  const [, room, leaf] = levels
  if (levels.length !== 3 || !roomLeaves.has(leaf!))
    return invalid(`${topic}: expected rooms/{room}/${ROOM_LEAVES.join('|')}`)
  if (!isRoomId(room!) && !directMembers(room!)) return invalid(`${topic}: ${JSON.stringify(room)} is not a room id`)
  return { kind: 'room', room: room!, leaf: leaf as RoomLeaf }
}

function parseUserTopic(topic: string, levels: string[]): Topic {
  const [, user, leaf, method] = levels
  if (levels.length < 3) return invalid(`${topic}: expected users/{user}/${USER_LEAVES.join('|')}`)
  if (!isUserId(user!)) return invalid(`${topic}: ${JSON.stringify(user)} is not a user id`)
  if (leaf === 'requests') {
    if (levels.length !== 4 || !method) return invalid(`${topic}: expected users/{user}/requests/{method}`)
    return { kind: 'request', user: user!, method }
  }
  if (levels.length !== 3 || !userLeaves.has(leaf!))
    return invalid(`${topic}: expected users/{user}/${USER_LEAVES.join('|')}`)
  return { kind: 'user', user: user!, leaf: leaf as UserLeaf }
}

/** Parses the filter of a SUBSCRIBE that already passed `topicFilterFault`. */
export function parseFilter(filter: string): Filter {
  const first = firstLevel(filter)
  if (first === '$share') return parseShared(filter)
  if (first === '$SYS') return { kind: 'sys' }
  if (first.startsWith('$')) return invalid(`${filter}: only $SYS and $share begin with $`)
  if (!RESERVED_LEVELS.has(first)) return { kind: 'plain' }
  const levels = filter.split('/')
  switch (first) {
    case 'rooms':
      return parseRoomFilter(filter, levels)
    case 'users':
      return parseUserFilter(filter, levels)
    case 'broadcast':
      return parseBroadcastFilter(filter, levels)
    default:
      return parseDeviceFilter(filter, levels)
  }
}

/** The leaves matched by levels[2…] of a filter; null: none. */
function matchLeaves<L extends string>(levels: string[], all: readonly L[], wild: readonly L[]): readonly L[] | null {
  const tail = levels.slice(2)
  if (levels[1] === '#' && tail.length === 0) return wild
  if (tail[0] === '#' && tail.length === 1) return wild
  const rest = tail.slice(1)
  if (rest.length > 1 || (rest.length === 1 && rest[0] !== '#')) return null
  if (tail[0] === '+') return wild
  return all.includes(tail[0] as L) ? [tail[0] as L] : null
}

function parseShared(filter: string): Filter {
  const [, share = '', ...levels] = filter.split('/')
  const of = parseFilter(levels.join('/'))
  if (of.kind === 'invalid') return of
  if (of.kind === 'shared') return invalid(`${filter}: a shared subscription cannot be shared again`)
  return { kind: 'shared', share, filter: levels.join('/'), of }
}

function parseRoomFilter(filter: string, levels: string[]): Filter {
  const room = levels[1] ?? ''
  const leaves = matchLeaves(levels, ROOM_LEAVES, wildcardRoomLeaves)
  if (!leaves) return invalid(`${filter}: expected rooms/{room}/${ROOM_LEAVES.join('|')}`)
  if (room === '+' || room === '#') return { kind: 'room', room: null, leaves }
  if (!isRoomId(room) && !directMembers(room)) return invalid(`${filter}: ${JSON.stringify(room)} is not a room id`)
  return { kind: 'room', room, leaves }
}

function parseUserFilter(filter: string, levels: string[]): Filter {
  const user = levels[1] ?? ''
  const leaves = matchLeaves(levels, USER_LEAVES, USER_LEAVES)
  if (!leaves) return invalid(`${filter}: expected users/{user}/${USER_LEAVES.join('|')}`)
  if (user === '+' || user === '#') return { kind: 'user', user: null, leaves }
  if (!isUserId(user)) return invalid(`${filter}: ${JSON.stringify(user)} is not a user id`)
  return { kind: 'user', user, leaves }
}

function parseBroadcastFilter(filter: string, levels: string[]): Filter {
  const [, channel, ...rest] = levels
  if (channel === undefined || rest.length > 1 || (rest.length === 1 && (rest[0] !== '#' || channel === '#'))) {
    return invalid(`${filter}: expected broadcast/{channel}`)
  }
  if (channel === '+' || channel === '#') return { kind: 'broadcast', channel: null }
  return isChannelId(channel)
    ? { kind: 'broadcast', channel }
    : invalid(`${filter}: ${JSON.stringify(channel)} is not a channel id`)
}

function parseDeviceFilter(filter: string, levels: string[]): Filter {
  const user = levels[1]
  if (user === undefined || (levels.length < 3 && user !== '#')) return invalid(`${filter}: expected devices/{user}/…`)
  const commands = filterMatches(filter, topics.device(user === '#' ? '+' : user, 'commands'))
  if (user === '+' || user === '#') return { kind: 'device', user: null, commands }
  return isUserId(user)
    ? { kind: 'device', user, commands }
    : invalid(`${filter}: ${JSON.stringify(user)} is not a user id`)
}

/** The fault of a topic name [MQTT-4.7.3], or null. UTF-8 was checked by the decoder. */
export function topicNameFault(topic: string, maxLevels: number): string | null {
  if (topic.length === 0) return 'a topic needs at least one character'
  let levels = 1
  for (let i = 0; i < topic.length; i++) {
    const code = topic.charCodeAt(i)
    if (code === 0x2b || code === 0x23) return `a topic may not contain ${topic[i]}`
    if (code === 0) return 'a topic may not contain U+0000'
    if (code === 0x2f && ++levels > maxLevels) return `a topic may have at most ${maxLevels} levels`
  }
  return null
}

/** The fault of a topic filter [MQTT-4.7.1, MQTT-4.7.3], or null. */
export function topicFilterFault(filter: string, maxLevels: number): string | null {
  if (filter.length === 0) return 'a topic filter needs at least one character'
  if (filter.includes('\0')) return 'a topic filter may not contain U+0000'
  const levels = filter.split('/')
  if (levels.length > maxLevels) return `a topic filter may have at most ${maxLevels} levels`
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i]!
    if (level === '#' ? i !== levels.length - 1 : level.includes('#'))
      return '# must be the last level of a filter, alone'
    if (level !== '+' && level.includes('+')) return '+ must be a whole level of a filter'
  }
  return shareFault(levels)
}

/** `$share/{name}/{filter}` needs a name without wildcards and a filter [MQTT5-4.8.2-1, MQTT5-4.8.2-2]. */
function shareFault(levels: string[]): string | null {
  if (levels[0] !== '$share') return null
  const name = levels[1]
  if (!name || name === '+' || name === '#') return 'a shared subscription needs a group name: $share/{group}/{filter}'
  return levels.length < 3 || (levels.length === 3 && levels[2] === '')
    ? 'a shared subscription needs a filter: $share/{group}/{filter}'
    : null
}

/** True when `filter` matches `topic` by the rules of MQTT 4.7, `$` and reserved first levels included. */
export function filterMatches(filter: string, topic: string): boolean {
  const f = filter.split('/')
  const t = topic.split('/')
  if ((f[0] === '+' || f[0] === '#') && isReservedLevel(t[0]!)) return false
  for (let i = 0; i < f.length; i++) {
    if (f[i] === '#') return true
    if (i >= t.length || (f[i] !== '+' && f[i] !== t[i])) return false
  }
  return f.length === t.length
}
