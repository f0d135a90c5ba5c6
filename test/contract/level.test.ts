/** The embedded store passes the contract: in memory, on disk, and with every commit folded at once. */
import { cp } from 'node:fs/promises'
import t from 'tap'
import { memoryDatabase } from '../../broker/store/level/database.js'
import type { FoldLimits } from '../../broker/store/level/folding.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { type NewPlace, type StorePlace, storeSuite } from './store-suite.js'

const LIMITS = { queueMessages: 1000, queueBytes: 1_000_000 }

function onDisk(fold: Partial<FoldLimits>): NewPlace {
  return async (t) => {
    const directory = t.testdir()
    let copies = 0
    const at = (location: string): StorePlace => ({
      open: (limits) =>
        openLevelStore({
          location,
          sync: true,
          limits: { ...LIMITS, ...limits },
          fold,
          onFault: (error) => t.fail(String(error)),
        }),
      afterCrash: async () => {
        const copy = `${directory}/crash${++copies}`
        await cp(location, copy, { recursive: true })
        return at(copy)
      },
    })
    return at(`${directory}/store`)
  }
}

const inMemory: NewPlace = async (t) => {
  const openDatabase = await memoryDatabase()
  return {
    open: (limits) =>
      openLevelStore({
        location: null,
        sync: true,
        limits: { ...LIMITS, ...limits },
        openDatabase,
        onFault: (error) => t.fail(String(error)),
      }),
  }
}

const EVERY_COMMIT: Partial<FoldLimits> = { commits: 1 }

t.test('in memory', (t) => {
  storeSuite(t, inMemory)
  t.end()
})

t.test('on disk', (t) => {
  storeSuite(t, onDisk({}))
  t.end()
})

t.test('on disk, folding at every commit', (t) => {
  storeSuite(t, onDisk(EVERY_COMMIT))
  t.end()
})
