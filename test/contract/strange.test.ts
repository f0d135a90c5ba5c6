/** The contract holds of an adapter that is sent its ops as text, and tells of changes late and sometimes twice (models/strange-store.ts). */
import t from 'tap'
import { memoryDatabase } from '../../broker/store/level/database.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import type { Op } from '../../broker/store/op.js'
import { Random } from '../helpers/random.js'
import { strangeStore } from '../models/strange-store.js'
import { type NewPlace, storeSuite } from './store-suite.js'

const random = Random.from('STORE_SEED')
t.comment(`STORE_SEED=${random.seed}`)

/** Kinds of ops that were sent. */
const sentTypes = new Set<string>()

const behindALine: NewPlace = async (t) => {
  const openDatabase = await memoryDatabase()
  return {
    open: async (limits, now = Date.now) => {
      const store = await openLevelStore({
        location: null,
        sync: true,
        limits: { queueMessages: 1000, queueBytes: 1_000_000, ...limits },
        openDatabase,
        fold: { idleMs: 2 ** 30 },
        now,
        onFault: (error) => t.fail(String(error)),
      })
      return strangeStore(store, random, (type) => sentTypes.add(type))
    },
  }
}

storeSuite(t, behindALine)

/** A kind of op that is missing does not compile. */
const KINDS: Readonly<Record<Op['type'], true>> = {
  ...{ put: true, delete: true, clear: true, touch: true, effect: true, enqueue: true, dequeue: true },
  ...{ discardQueue: true, retain: true, retainEntry: true, cut: true, readLog: true, dropLog: true },
}

t.test('every kind of op can be sent as text', async (t) => {
  t.same(
    Object.keys(KINDS).filter((kind) => !sentTypes.has(kind)),
    [],
    'a kind that the contract suite does not commit belongs there',
  )
})
