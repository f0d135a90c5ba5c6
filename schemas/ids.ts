/**
 * Names: users, rooms, direct conversations, broadcast channels, client ids.
 * The patterns are part of the wire contract.
 */

const USER = /^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}$/
const ROOM = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** The user every client without credentials is, where `auth.anonymous` allows them. */
export const ANONYMOUS = 'anonymous'
/** The user the broker itself speaks as. */
export const SYSTEM = 'system'
/** What a user may be called, for people. */
export const USER_NAMES =
  'letters, digits and . _ @ | ~ -, at most 128, beginning with a letter or digit; anonymous, system and room are reserved'
const RESERVED_USERS: ReadonlySet<string> = new Set([ANONYMOUS, SYSTEM])
/** `@room` mentions everyone in the room. */
const EVERYONE = 'room'

export function isUserId(id: string): boolean {
  return USER.test(id)
}

/** True for names an account may have: well formed and not reserved in any spelling. */
export function isAccountName(id: string): boolean {
  return USER.test(id) && !RESERVED_USERS.has(id.toLowerCase())
}

/** True for names a new account may have: those there are already stay. */
export function isNewAccountName(id: string): boolean {
  return isAccountName(id) && id.toLowerCase() !== EVERYONE
}

/** True for the id of a room that people create; direct conversations have their own form. */
export function isRoomId(id: string): boolean {
  return ROOM.test(id)
}

export function isChannelId(id: string): boolean {
  return ROOM.test(id)
}

/** A client id has no control characters; how long it may be is `limits.clientIdBytes`. */
export function isClientId(id: string): boolean {
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i)
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false
  }
  return true
}

/** The room of the direct conversation between two users: `dm:{a}:{b}`, a < b in code-unit order. */
export function directRoom(one: string, other: string): string {
  return one < other ? `dm:${one}:${other}` : `dm:${other}:${one}`
}

export function isDirectRoom(room: string): boolean {
  return directMembers(room) !== null
}

/** The two users of `dm:{a}:{b}`, or null when `room` is not the one right spelling of such an id. */
export function directMembers(room: string): [string, string] | null {
  if (!room.startsWith('dm:')) return null
  const [, a, b, ...rest] = room.split(':')
  if (a === undefined || b === undefined || rest.length > 0) return null
  return isUserId(a) && isUserId(b) && a < b ? [a, b] : null
}

/** The other user of a direct conversation. */
export function directPeer(room: string, user: string): string | null {
  const members = directMembers(room)
  if (!members) return null
  if (members[0] === user) return members[1]
  return members[1] === user ? members[0] : null
}
