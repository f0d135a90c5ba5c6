import type { Contact } from '../../../schemas/commands/contacts.js'
import type { DirectoryStore } from '../../store/directory.js'

/** A user's contacts, and requests in both directions, by user id. */
export function contactsOf(directory: DirectoryStore, user: string): Contact[] {
  const [mine, others] = [directory.addedContacts(user), directory.addedBy(user)]
  return [...new Set([...mine.keys(), ...others.keys()])].sort().map((other) => {
    const state = !others.has(other) ? 'asked' : mine.has(other) ? 'contact' : 'asking'
    return { user: other, state, since: Math.max(mine.get(other) ?? 0, others.get(other) ?? 0) }
  })
}
