/**
 * Who may reach whom, and who may know what: blocks, and what users let others do. The one place where both are asked, by every path
 * in and out. Who is refused hears the same words whatever the reason.
 */
import type { Audience, PrivacySettings } from '../../../schemas/commands/privacy.js'
import { Refusal } from '../../../schemas/errors.js'
import { directRoom, isDirectRoom, SYSTEM } from '../../../schemas/ids.js'
import type { DirectoryStore } from '../../store/directory.js'
import { type Ownership, personBehind } from '../../store/persons.js'
import { areContacts, blocks } from './blocks.js'

export const OPEN: PrivacySettings = {
  messages: 'everyone',
  presence: 'everyone',
  readReceipts: 'everyone',
  invites: 'everyone',
}

export type People = Pick<DirectoryStore, 'blocks' | 'wanted' | 'privacy' | 'written'> & Ownership

/** Whether `other` is among those to whom `user` allows `what`; users are always among them themselves, with what acts for them. */
function admits(directory: People, user: string, other: string, what: keyof PrivacySettings): boolean {
  const audience: Audience = directory.privacy.get(user)?.[what] ?? 'everyone'
  if (audience === 'everyone' || personBehind(directory, other) === user) return true
  return audience === 'contacts' && (areContacts(directory, user, other) || mayAnswer(directory, user, other, what))
}

/** Whom one has written to oneself is no stranger. */
function mayAnswer({ written }: People, user: string, other: string, what: keyof PrivacySettings): boolean {
  return what === 'messages' && written.get(directRoom(user, other), user) !== undefined
}

/** `why` is all that the other hears: neither that it is a block nor that it is a setting. */
export function requireReachable(
  directory: People,
  user: string,
  other: string,
  what: 'messages' | 'invites',
  why: string,
): void {
  if (other === SYSTEM) return
  if (blocks(directory, user, other) || !admits(directory, user, other, what)) throw new Refusal('forbidden', why)
}

/** Whether `user` shows their presence to `watcher`, if `watcher` is one to see it. */
export function showsPresence(directory: People, user: string, watcher: string): boolean {
  return !blocks(directory, user, watcher) && admits(directory, user, watcher, 'presence')
}

/**
 * Whether `reader` is told how far `user` has come in a room: where both tell each other; in a direct conversation neither may block
 * the other.
 */
export function tellsReceipts(directory: People, room: string, user: string, reader: string): boolean {
  if (user === reader) return true
  if (isDirectRoom(room) && (blocks(directory, user, reader) || blocks(directory, reader, user))) return false
  return admits(directory, user, reader, 'readReceipts') && admits(directory, reader, user, 'readReceipts')
}
