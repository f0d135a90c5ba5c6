import { Refusal } from '../../schemas/errors.js'
import type { DirectoryStore } from '../store/store.js'

type Blocks = Pick<DirectoryStore, 'blocks'>

/** Whether `user` wants nothing of `other`. */
export function blocks(directory: Blocks, user: string, other: string): boolean {
  return directory.blocks(user).has(other)
}

/** `why` is all that the other hears: not that it is a block. */
export function requireNotBlocked(directory: Blocks, user: string, other: string, why: string): void {
  if (blocks(directory, user, other)) throw new Refusal('forbidden', why)
}
