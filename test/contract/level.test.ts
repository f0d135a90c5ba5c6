/** The embedded store passes the contract: in memory, on disk, and with every commit folded at once. */
import { cp, readdir, rm, stat } from 'node:fs/promises'
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
      open: (limits, now = Date.now) =>
        openLevelStore({
          location,
          sync: true,
          limits: { ...LIMITS, ...limits },
          fold,
          now,
          onFault: (error) => t.fail(String(error)),
        }),
      afterCrash: async () => {
        const copy = `${directory}/crash${++copies}`
        await copyQuiet(location, copy)
        return at(copy)
      },
    })
    return at(`${directory}/store`)
  }
}

/** Copies a live directory as it is at one moment: again, if LevelDB tidied up meanwhile. */
async function copyQuiet(from: string, to: string): Promise<void> {
  const state = async (): Promise<string> => {
    const names = (await readdir(from)).sort()
    const sizes = await Promise.all(names.map(async (name) => (await stat(`${from}/${name}`)).size))
    return JSON.stringify([names, sizes])
  }
  while (true) {
    try {
      const before = await state()
      await cp(from, to, { recursive: true })
      if ((await state()) === before) return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    await rm(to, { recursive: true, force: true })
  }
}

const inMemory: NewPlace = async (t) => {
  const openDatabase = await memoryDatabase()
  return {
    open: (limits, now = Date.now) =>
      openLevelStore({
        location: null,
        sync: true,
        limits: { ...LIMITS, ...limits },
        openDatabase,
        fold: ON_DEMAND,
        now,
        onFault: (error) => t.fail(String(error)),
      }),
  }
}

/** Never by the clock. */
const ON_DEMAND: Partial<FoldLimits> = { idleMs: 2 ** 30 }
const EVERY_COMMIT: Partial<FoldLimits> = { ...ON_DEMAND, commits: 1 }

t.test('in memory', (t) => {
  storeSuite(t, inMemory)
  t.end()
})

t.test('on disk', (t) => {
  storeSuite(t, onDisk(ON_DEMAND))
  t.end()
})

t.test('on disk, folding at every commit', (t) => {
  storeSuite(t, onDisk(EVERY_COMMIT))
  t.end()
})

t.test('who reads key after key does not keep the event loop', async (t) => {
  const store = await openLevelStore({ location: t.testdir(), sync: true, limits: LIMITS, fold: ON_DEMAND })
  t.teardown(() => store.close())
  let reads = 0
  let over = false
  const reading = (async () => {
    for (; !over; reads++) await store.accounts.removal('nobody')
  })()
  // Three turns of it.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  over = true
  await reading
  t.ok(reads >= 1000)
})
