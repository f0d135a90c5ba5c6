import type { DirectoryStore } from './directory.js'

/**
 * Rooms and conversations in which a user may have written: those where they are a member, have left, or are banned.
 */
export function roomsTouchedBy(directory: DirectoryStore, user: string): string[] {
  const touched = ({ id }: { id: string }): boolean =>
    directory.member(id, user) !== undefined ||
    directory.departed(id, user) ||
    directory.bans.get(id, user) !== undefined
  return [...directory.rooms()].filter(touched).map(({ id }) => id)
}

/** Also rooms into which others forwarded messages of the user. */
export function roomsWithMessagesOf(directory: DirectoryStore, user: string): string[] {
  const forwarded = [...directory.rooms()].filter(({ id }) => directory.forwarded.get(id, user) !== undefined)
  return [...new Set([...roomsTouchedBy(directory, user), ...forwarded.map(({ id }) => id)])]
}
