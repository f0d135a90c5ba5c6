/** What programs on Node have besides `topictalk/client`. */
import { join } from 'node:path'
import type { OpenStore } from '../store/store.js'
import { DirectoryStore } from './directory-store.js'

/**
 * Keeps what has to survive in a directory, below it in one for each user of each broker: the option `store` of `createChat`. One client at a
 * time; another one gets a `ChatError` `storage` for what it wants to keep.
 */
export function directoryStore(directory: string): OpenStore {
  return ({ broker, user }) => new DirectoryStore(join(directory, ...[broker, user].map(encodeURIComponent)))
}
