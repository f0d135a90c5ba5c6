import type { DirectoryStore } from './directory.js'

/** Rooms and conversations where a user is or was, and may have written: who was there is a member, or has left, or is banned. */
export function roomsTouchedBy(directory: DirectoryStore, user: string): string[] {
  const touched = ({ id }: { id: string }): boolean =>
    directory.member(id, user) !== undefined ||
    directory.departed(id, user) ||
    directory.bans.get(id, user) !== undefined
  return [...directory.rooms()].filter(touched).map(({ id }) => id)
}

/** Those, and where others forwarded what the user wrote. */
export function roomsWithWordsOf(directory: DirectoryStore, user: string): string[] {
  const forwarded = [...directory.rooms()].filter(({ id }) => directory.forwarded.get(id, user) !== undefined)
  return [...new Set([...roomsTouchedBy(directory, user), ...forwarded.map(({ id }) => id)])]
}
