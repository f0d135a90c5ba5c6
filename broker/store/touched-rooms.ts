import type { DirectoryStore } from './store.js'

/** Rooms and conversations where a user is or was, and may have written: who was there is a member, or has left, or is banned. */
export function roomsTouchedBy(directory: DirectoryStore, user: string): string[] {
  const touched = ({ id }: { id: string }): boolean =>
    directory.member(id, user) !== undefined ||
    directory.departed(id, user) ||
    directory.bans.get(id, user) !== undefined
  return [...directory.rooms()].filter(touched).map(({ id }) => id)
}
