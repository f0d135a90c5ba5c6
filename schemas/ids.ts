/**
 * Names: users, rooms, direct conversations, broadcast channels, client ids.
 * The patterns are part of the wire contract.
 */

const USER = /^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}$/
const ROOM = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** The user of all clients without credentials, if `auth.anonymous` allows them. */
export const ANONYMOUS = 'anonymous'
/** The user in whose name the broker publishes. */
export const SYSTEM = 'system'
/** The rule for user names, in words. */
export const USER_NAMES =
  'letters, digits and . _ @ | ~ -, at most 128, beginning with a letter or digit; anonymous, system and room are reserved'
const RESERVED_USERS: ReadonlySet<string> = new Set([ANONYMOUS, SYSTEM])
/** `@room` mentions everyone in the room. */
const EVERYONE = 'room'

export function isUserId(id: string): boolean {
  return USER.test(id)
}

/** Whether the name is valid for an account: well formed, and not reserved in any spelling. */
export function isAccountName(id: string): boolean {
  return USER.test(id) && !RESERVED_USERS.has(id.toLowerCase())
}

/** Whether the name is valid for a new account; existing accounts may have names that are not. */
export function isNewAccountName(id: string): boolean {
  return isAccountName(id) && id.toLowerCase() !== EVERYONE
}

/** Whether this is the id of an ordinary room, not of a direct conversation. */
export function isRoomId(id: string): boolean {
  return ROOM.test(id)
}

export function isChannelId(id: string): boolean {
  return ROOM.test(id)
}

/** Client ids have no control characters; their length is limited by `limits.clientIdBytes`. */
export function isClientId(id: string): boolean {
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i)
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false
  }
  return true
}

/** The room of the direct conversation between two users: `dm:{a}:{b}`, a < b in code-unit order. Notes to oneself are `dm:{a}:{a}`. */
export function directRoom(one: string, other: string): string {
  return one < other ? `dm:${one}:${other}` : `dm:${other}:${one}`
}

export function isDirectRoom(room: string): boolean {
  return directMembers(room) !== null
}

/** The two users of `dm:{a}:{b}`, who may be the same; null: not the canonical id of a direct conversation. */
export function directMembers(room: string): [string, string] | null {
  if (!room.startsWith('dm:')) return null
  const [, a, b, ...rest] = room.split(':')
  if (a === undefined || b === undefined || rest.length > 0) return null
  return isUserId(a) && isUserId(b) && a <= b ? [a, b] : null
}

/** The other user of a direct conversation; of notes to oneself, the user. */
export function directPeer(room: string, user: string): string | null {
  const members = directMembers(room)
  if (!members) return null
  if (members[0] === user) return members[1]
  return members[1] === user ? members[0] : null
}
