/** The embedded store passes the contract: in memory, on disk, and with every commit folded at once. */

import { cp, mkdir, readdir, rm, stat } from 'node:fs/promises'
import t from 'tap'
import { memoryDatabase, type OpenDatabase } from '../../broker/store/level/database.js'
import type { FoldLimits } from '../../broker/store/level/folding.js'
import { keys, ranges } from '../../broker/store/level/keys.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { encodeReference } from '../../broker/store/level/queue.js'
import { dequeueOp } from '../../broker/store/queue-ops.js'
import { enqueued } from './store-queues-suite.js'
import { append, commit, draft, folded, type NewPlace, type StorePlace, storeSuite, texts } from './store-suite.js'

const LIMITS = { queueMessages: 1000, queueBytes: 1_000_000 }

function onDisk(fold: Partial<FoldLimits>): NewPlace {
  return async (t) => {
    const directory = t.testdir()
    let copies = 0
    const failed = (error: unknown): void => void t.fail(String(error))
    const at = (location: string, onFault = failed): StorePlace => ({
      open: (limits, now = Date.now) =>
        openLevelStore({
          location,
          sync: true,
          limits: { ...LIMITS, ...limits },
          fold,
          now,
          onFault,
        }),
      copyOf: async (store) => {
        const copy = `${directory}/copy`
        await mkdir(copy)
        await store.copyTo(copy, () => {}, new AbortController().signal)
        // It is told that the store has less than it had.
        return at(copy, () => {})
      },
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

t.test('what was queued when messages counted for less is taken away as it was counted', async (t) => {
  const openDatabase = await memoryDatabase()
  const options = { location: null, sync: true, limits: LIMITS, openDatabase, fold: ON_DEMAND }
  let store = await openLevelStore(options)
  const extra = { properties: Buffer.alloc(500), expiresAt: 0 }
  const message = { topic: 'a/b', payload: Buffer.from('x'), qos: 1, retain: false, clientId: null, extra } as const
  const { number } = await enqueued(store, message, ['ann/a'])
  t.same(store.queue.size('ann/a'), { messages: 1, bytes: 504 })
  await store.close()

  const level = await openDatabase()
  await level.put(keys.reference('ann/a', number), Buffer.from(encodeReference({ qos: 1, bytes: 4 })))
  store = await openLevelStore(options)
  t.same(store.queue.size('ann/a'), { messages: 1, bytes: 4 })
  await commit(store, [], [dequeueOp('ann/a', number)])
  t.same(store.queue.size('ann/a'), { messages: 0, bytes: 0 })
  await store.close()
})

t.test('commits are folded when the journal has its part of cacheBytes', async (t) => {
  const openDatabase = await memoryDatabase()
  const cacheBytes = 400_000
  const options = { location: null, sync: true, limits: LIMITS, openDatabase, fold: ON_DEMAND, cacheBytes }
  const store = await openLevelStore(options)
  const level = await openDatabase()
  const unfolded = async (appends: number): Promise<number> => {
    for (let i = 0; i < appends; i++) await append(store, draft('r:lobby', 'x'.repeat(10_000)))
    return (await level.keys(ranges.journal).all()).length
  }
  t.equal(await unfolded(5), 5)
  t.ok((await unfolded(30)) < 25, 'half of it, and no more, is not folded')
  await store.close()
})

t.test('who reads key after key does not keep the event loop', async (t) => {
  const location = `${t.testdir()}/store`
  const store = await openLevelStore({ location, sync: true, limits: LIMITS, fold: ON_DEMAND })
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

interface Written {
  readonly bytes: number
  readonly deleted: readonly string[]
}

/** A database in memory that tells of each batch. */
async function watchedDatabase(told: (batch: Written) => void): Promise<OpenDatabase> {
  const openDatabase = await memoryDatabase()
  return async () => {
    const level = await openDatabase()
    const begin = level.batch.bind(level) as () => ReturnType<typeof level.batch>
    const watched = () => {
      const chain = begin()
      const { put, del, write } = chain
      const deleted: string[] = []
      let bytes = 0
      return Object.assign(chain, {
        put(key: string, value: Buffer | string) {
          bytes += value.length
          return put.call(chain, key, value as Buffer, {})
        },
        del(key: string) {
          deleted.push(key)
          return del.call(chain, key, {})
        },
        write(options: object) {
          told({ bytes, deleted })
          return write.call(chain, options)
        },
      })
    }
    return Object.assign(level, { batch: watched }) as typeof level
  }
}

t.test('large messages are folded in small steps, for commits wait while one is written', async (t) => {
  const written: Written[] = []
  const openDatabase = await watchedDatabase((batch) => written.push(batch))
  const COMMITS = 20
  const fold = { ...ON_DEMAND, commits: COMMITS }
  const store = await openLevelStore({ location: null, sync: true, limits: LIMITS, openDatabase, fold })
  t.teardown(() => store.close())
  const long = 'x'.repeat(60_000)
  const logs = ['m:one', 'm:two']
  for (let i = 0; i < COMMITS; i++) await append(store, ...logs.map((log) => draft(log, `${i} ${long}`)))
  await folded(store)
  const largest = Math.max(...written.map(({ bytes }) => bytes))
  t.ok(largest < 700_000, `the largest write has ${largest} bytes`)
  for (const log of logs) {
    const entries = await store.log.read(log, 0, COMMITS, 2 ** 30)
    t.same(
      texts(entries).map((text) => text.split(' ')[0]),
      Array.from({ length: COMMITS }, (_, i) => String(i)),
    )
  }
})

t.test(
  'nothing under way is written down, not deleted: sessions need not read past what others have deleted',
  async (t) => {
    const written: Written[] = []
    const openDatabase = await watchedDatabase((batch) => written.push(batch))
    const store = await openLevelStore({ location: null, sync: true, limits: LIMITS, openDatabase, fold: ON_DEMAND })
    t.teardown(() => store.close())
    await store.sessions.writeLazily(store.sessions.inflightOps('ann/phone', []))
    t.same(
      written.flatMap(({ deleted }) => deleted),
      [],
    )
    t.same((await store.sessions.progress('ann/phone')).inflight, [])
  },
)
