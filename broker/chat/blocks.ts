import { Refusal } from '../../schemas/errors.js'
import type { DirectoryStore } from '../store/store.js'

/** Each wants the other. */
export function areContacts(directory: Pick<DirectoryStore, 'wanted'>, one: string, other: string): boolean {
  return directory.wanted(one).has(other) && directory.wanted(other).has(one)
}

type Blocks = Pick<DirectoryStore, 'blocks'>

/** Whether `user` wants nothing of `other`. */
export function blocks(directory: Blocks, user: string, other: string): boolean {
  return directory.blocks(user).has(other)
}

/** `why` is all that the other hears: not that it is a block. */
export function requireNotBlocked(directory: Blocks, user: string, other: string, why: string): void {
  if (blocks(directory, user, other)) throw new Refusal('forbidden', why)
}
