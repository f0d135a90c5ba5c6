/**
 * Blocks and privacy settings: who may contact whom, and who may see what of a user. Every path in and out asks this module. A refusal has
 * the same message whatever the reason, so that it does not reveal a block.
 */
import type { Audience, PrivacySettings } from '../../../schemas/commands/privacy.js'
import { Refusal } from '../../../schemas/errors.js'
import { directRoom, isDirectRoom, SYSTEM } from '../../../schemas/ids.js'
import type { DirectoryStore } from '../../store/directory.js'
import { type Ownership, personBehind } from '../../store/persons.js'
import { areContacts, hasBlocked } from './blocks.js'

export const DEFAULT_PRIVACY: PrivacySettings = {
  messages: 'everyone',
  presence: 'everyone',
  readReceipts: 'everyone',
  invites: 'everyone',
}

export type People = Pick<DirectoryStore, 'blocks' | 'addedContacts' | 'privacy' | 'written'> & Ownership

/** Whether the setting `what` of `user` admits `other`. Users always admit themselves, their bots and their devices. */
function allowsTo(directory: People, user: string, other: string, what: keyof PrivacySettings): boolean {
  const audience: Audience = directory.privacy.get(user)?.[what] ?? 'everyone'
  if (audience === 'everyone' || personBehind(directory, other) === user) return true
  return audience === 'contacts' && (areContacts(directory, user, other) || isAnswer(directory, user, other, what))
}

/** Someone whom the user has written to may always answer. */
function isAnswer({ written }: People, user: string, other: string, what: keyof PrivacySettings): boolean {
  return what === 'messages' && written.get(directRoom(user, other), user) !== undefined
}

/** `why` is the message of the refusal: it must reveal neither a block nor a setting. @throws Refusal `forbidden`. */
export function requireReachable(
  directory: People,
  user: string,
  other: string,
  what: 'messages' | 'invites',
  why: string,
): void {
  if (other === SYSTEM || other === user) return
  if (hasBlocked(directory, user, other) || !allowsTo(directory, user, other, what)) throw new Refusal('forbidden', why)
}

/** Whether `watcher`, who may see presence of contacts and co-members at all, may see that of `user`. */
export function showsPresence(directory: People, user: string, watcher: string): boolean {
  return !hasBlocked(directory, user, watcher) && allowsTo(directory, user, watcher, 'presence')
}

/**
 * Whether `reader` may see the read receipts of `user` in a room: both must share theirs with each other, and in a direct conversation
 * neither may block the other.
 */
export function mayReadReceipts(directory: People, room: string, user: string, reader: string): boolean {
  if (user === reader) return true
  if (isDirectRoom(room) && (hasBlocked(directory, user, reader) || hasBlocked(directory, reader, user))) return false
  return allowsTo(directory, user, reader, 'readReceipts') && allowsTo(directory, reader, user, 'readReceipts')
}
