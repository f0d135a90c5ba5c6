/** An embedded store that is read as a whole. Its database is locked until then: no broker opens it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from '../changes.js'
import type { Contents } from '../moving/contents.js'
import { LevelContents } from './contents.js'
import { Database, diskDatabase, type OpenDatabase } from './database.js'
import { keys } from './keys.js'
import { LevelStore } from './level-store.js'

const NO_LIMITS = { queueMessages: Number.POSITIVE_INFINITY, queueBytes: Number.POSITIVE_INFINITY }

/**
 * Does what a start of the broker does with the journal: replays it, and folds it.
 * @param openDatabase Replaces LevelDB in tests
 * @throws StoreError if it is in use, damaged, or of another format
 */
export async function openLevelContents(location: string, openDatabase?: OpenDatabase): Promise<Contents> {
  if (!openDatabase && !existsSync(join(location, 'CURRENT'))) throw new StoreError(`there is no store in ${location}`)
  const database = await Database.open(openDatabase ? null : location, openDatabase ?? diskDatabase(location))
  let fault: unknown = null
  const onFault = (error: unknown): void => {
    fault ??= error
  }
  const store = new LevelStore(database, {
    ...{ location: openDatabase ? null : location, sync: true, limits: NO_LIMITS, onFault },
  })
  try {
    await store.loadJournal()
    await store.begin()
    // A new epoch is no failure.
    fault = null
    const settled = await store.settle()
    if (fault) throw fault
    const reserved = Number((await database.get(keys.queueNumber))?.toString() ?? 1)
    const facts = { ...settled, queued: reserved - 1, secret: null }
    return new LevelContents(database, location, facts, () => store.close())
  } catch (error) {
    await database.close()
    throw error
  }
}
