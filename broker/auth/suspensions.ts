/** Accounts that were suspended: nobody logs in by them, nor by the bots and devices that act for them. */

import type { DirectoryStore } from '../store/directory.js'
import { type Ownership, personBehind } from '../store/persons.js'

export type SuspensionStore = Pick<DirectoryStore, 'user'> & Ownership

export async function isSuspended(store: SuspensionStore, user: string): Promise<boolean> {
  if ((await store.user(user))?.suspended) return true
  const person = personBehind(store, user)
  return person !== user && Boolean((await store.user(person))?.suspended)
}
