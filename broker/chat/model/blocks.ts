import { Refusal } from '../../../schemas/errors.js'
import type { DirectoryStore } from '../../store/directory.js'
import { type Ownership, personBehind } from '../../store/persons.js'

/** Whether both users have added each other as contacts. */
export function areContacts(directory: Pick<DirectoryStore, 'addedContacts'>, one: string, other: string): boolean {
  return directory.addedContacts(one).has(other) && directory.addedContacts(other).has(one)
}

type Blocks = Pick<DirectoryStore, 'blocks'> & Ownership

/** Whether `user` has blocked `other`, or the owner of the bot or device `other`. */
export function hasBlocked(directory: Blocks, user: string, other: string): boolean {
  const blocked = directory.blocks(user)
  return blocked.size > 0 && (blocked.has(other) || blocked.has(personBehind(directory, other)))
}

/** `why` is the message of the refusal: it must not reveal the block. @throws Refusal `forbidden`. */
export function requireNotBlocked(directory: Blocks, user: string, other: string, why: string): void {
  if (hasBlocked(directory, user, other)) throw new Refusal('forbidden', why)
}
