/** A store in memory, for tests of what is decided on it. */
import type { Test } from 'tap'
import { memoryDatabase } from '../../broker/store/level/database.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import type { Store } from '../../broker/store/store.js'

export async function memoryStore(t: Test): Promise<Store> {
  const store = await openLevelStore({
    location: null,
    sync: true,
    limits: { queueMessages: 1000, queueBytes: 1_000_000 },
    openDatabase: await memoryDatabase(),
    fold: { idleMs: 2 ** 30 },
    onFault: (error) => t.fail(String(error)),
  })
  t.teardown(() => store.close())
  return store
}
