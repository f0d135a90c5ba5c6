import { Refusal } from '../../../schemas/errors.js'
import type { DirectoryStore } from '../../store/directory.js'
import { type Ownership, personBehind } from '../../store/persons.js'

/** Each wants the other. */
export function areContacts(directory: Pick<DirectoryStore, 'wanted'>, one: string, other: string): boolean {
  return directory.wanted(one).has(other) && directory.wanted(other).has(one)
}

type Blocks = Pick<DirectoryStore, 'blocks'> & Ownership

/** Whether `user` wants nothing of `other`, or of whom `other` acts for. */
export function blocks(directory: Blocks, user: string, other: string): boolean {
  const blocked = directory.blocks(user)
  return blocked.size > 0 && (blocked.has(other) || blocked.has(personBehind(directory, other)))
}

/** `why` is all that the other hears: not that it is a block. */
export function requireNotBlocked(directory: Blocks, user: string, other: string, why: string): void {
  if (blocks(directory, user, other)) throw new Refusal('forbidden', why)
}
