/** Suspended accounts: they cannot log in, nor can their bots and devices. */

import type { DirectoryStore } from '../store/directory.js'
import { type Ownership, personBehind } from '../store/persons.js'

export type SuspensionStore = Pick<DirectoryStore, 'user'> & Ownership

export async function isSuspended(store: SuspensionStore, user: string): Promise<boolean> {
  if ((await store.user(user))?.suspended) return true
  const person = personBehind(store, user)
  return person !== user && Boolean((await store.user(person))?.suspended)
}
