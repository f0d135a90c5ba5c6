/** The store contract on Redis: a real server, whose data is that of a deployment for each place. */
import t, { type Test } from 'tap'
import { commit } from '../../broker/store/commit.js'
import { openRedisStore } from '../../broker/store/redis/redis-store.js'
import { type RedisServer, startRedis } from '../helpers/redis-server.js'
import { type NewPlace, type StorePlace, storeSuite } from './store-suite.js'

let places = 0

function placeAt(t: Test, server: RedisServer, prefix: string): StorePlace {
  return {
    open: async (limits, now = Date.now) => {
      const { store } = await openRedisStore({
        url: server.url,
        prefix,
        limits: { queueMessages: 1000, queueBytes: 1_000_000, ...limits },
        now,
        onFault: (error) => t.fail(String(error)),
      })
      return store
    },
    // What is stored is there whatever becomes of a node: a copy of it stands for what a crash leaves.
    afterCrash: async () => {
      const copy = `copy${++places}`
      const keys = (await server.command('--raw', 'KEYS', `{${prefix}}*`)).split('\n')
      for (const key of keys) await server.command('COPY', key, key.replace(`{${prefix}}`, `{${copy}}`))
      return placeAt(t, server, copy)
    },
  }
}

t.test('one server', async (t) => {
  const server = await startRedis(t, { aof: 'off' })
  const newPlace: NewPlace = async (t) => placeAt(t, server, `place${++places}`)
  storeSuite(t, newPlace)
})

t.test('a node that catches up has in memory what another one committed before', async (t) => {
  const place = placeAt(t, await startRedis(t, { aof: 'off' }), 'shared')
  const one = await place.open()
  const two = await place.open()
  const missing: string[] = []
  for (let i = 0; i < 200; i++) {
    const channel = `channel${i}`
    await commit(one, { ops: [one.directory.channelOp(channel)] })
    await two.catchUp()
    if (![...two.directory.channels()].includes(channel)) missing.push(channel)
  }
  t.same(missing, [])
  t.equal(two.counts.catchUps, 200)
  await Promise.all([one.close(), two.close()])
})
