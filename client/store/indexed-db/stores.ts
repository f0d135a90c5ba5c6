import type { StoreOwner } from '../store.js'
import { IndexedDbStore } from './indexed-db-store.js'

/** One database for each user of each broker. */
export function indexedDbStore({ broker, user }: StoreOwner): IndexedDbStore {
  return new IndexedDbStore(`topictalk:${broker}:${user}`)
}
