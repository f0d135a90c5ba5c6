/** The store contract on Redis: a real server, whose data is that of a deployment for each place. */
import t, { type Test } from 'tap'
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
