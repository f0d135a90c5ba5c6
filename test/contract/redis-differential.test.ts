/**
 * The same random changes go to the embedded store and to two nodes on one Redis, by turns: outcomes, and what can be read on either afterwards, are
 * the same, and both nodes have it in memory.
 */
import t, { type Test } from 'tap'
import { memoryDatabase } from '../../broker/store/level/database.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { openRedisStore } from '../../broker/store/redis/redis-store.js'
import { Random } from '../helpers/random.js'
import { startRedis } from '../helpers/redis-server.js'
import { commit, LIMITS, Program, Side, stateOf } from '../helpers/store-programs.js'

const random = Random.from('STORE_SEED')
t.comment(`STORE_SEED=${random.seed}`)

const PROGRAMS = 12
const STEPS = 40

async function play(t: Test, level: Side, nodes: readonly Side[], program: Program, pick: Random): Promise<void> {
  const sides = [level, ...nodes]
  for (const { store } of sides) store.outbox.watch((log) => log.startsWith('m:'))
  for (let step = 0; step < STEPS; step++) {
    for (const side of sides) {
      side.positions.push(side.store.position)
      side.begun = side.cuts.length
    }
    const recipes = await program.changes(step, level)
    const node = pick.pick(nodes)
    const [expected, found] = await Promise.all(
      [level, node].map((side) => Promise.all(recipes.map((recipe) => commit(side, recipe(side))))),
    )
    for (const other of nodes) {
      if (other !== node) other.numbers.splice(0, Number.POSITIVE_INFINITY, ...node.numbers)
      await other.store.catchUp()
    }
    if (!t.same(found, expected, `step ${step}`)) return
    const state = await stateOf(level)
    for (const side of nodes) if (!t.same(await stateOf(side), state, `state after step ${step}`)) return
  }
}

t.test('the same random changes', async (t) => {
  const { url } = await startRedis(t, { aof: 'off' })
  for (let i = 0; i < PROGRAMS; i++)
    await t.test(`program ${i}`, async (t) => {
      const part = random.part(i)
      const onFault = (error: unknown): void => void t.fail(String(error))
      const openDatabase = await memoryDatabase()
      const level = await openLevelStore({ location: null, sync: false, limits: LIMITS, openDatabase, onFault })
      const options = { url, prefix: `p${i}`, limits: LIMITS, onFault }
      const stores = [await openRedisStore(options), await openRedisStore(options)].map(({ store }) => store)
      const nodes = stores.map((store) => new Side(store))
      const used = i % 2 === 0 ? nodes.slice(0, 1) : nodes
      await play(t, new Side(level), used, new Program(part, used.length === 1), part.part(1))
      for (const store of [level, ...stores]) await store.close()
    })
})
