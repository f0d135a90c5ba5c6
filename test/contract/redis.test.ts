/** The store contract on Redis: a real server, whose data is that of a deployment for each place. */
import t, { type Test } from 'tap'
import { commit } from '../../broker/store/commit.js'
import { openRedisStore } from '../../broker/store/redis/redis-store.js'
import { leastRights } from '../helpers/redis-deployments.js'
import { type RedisServer, startRedis } from '../helpers/redis-server.js'
import { type NewPlace, type StorePlace, storeSuite } from './store-suite.js'

let places = 0

function placeAt(t: Test, server: RedisServer, prefix: string, url = server.url): StorePlace {
  return {
    open: async (limits, now = Date.now) => {
      const { store } = await openRedisStore({
        url,
        deployment: { secret: 'one', settings: { name: 'node', digests: {} } },
        needs: { acks: 'synced', replicas: 1, assume: ['appendonly', 'appendfsync'] },
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
      return placeAt(t, server, copy, url)
    },
  }
}

t.test('one server, as a user with no more rights than a node needs', async (t) => {
  const server = await startRedis(t, { aof: 'off', config: { user: leastRights() } })
  const newPlace: NewPlace = async (t) =>
    placeAt(t, server, `place${++places}`, server.url.replace('//', '//topictalk:password@'))
  t.test('the contract', async (t) => storeSuite(t, newPlace))
  t.test('the rights', async (t) => {
    t.equal(await server.command('ACL', 'LOG'), '', 'nothing was denied')
    const rest = [['WAIT', '1', '1'], ['SELECT', '1'], ['CLUSTER', 'SLOTS'], ['BGREWRITEAOF'], ['INFO'], ['TIME']]
    for (const command of [...rest, ['SPUBLISH', '{p}node:1', 'x'], ['SSUBSCRIBE', '{p}mail:1']])
      t.equal(await server.command('ACL', 'DRYRUN', 'topictalk', ...command), 'OK', command.join(' '))
    t.match(await server.command('ACL', 'DRYRUN', 'topictalk', 'HGET', 'other', 'x'), /no permissions/)
    t.match(await server.command('ACL', 'DRYRUN', 'topictalk', 'FLUSHALL'), /no permissions/)
  })
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

t.test('what is swept: the journal of what nodes were told, and where subscriptions changed', async (t) => {
  const server = await startRedis(t, { aof: 'off' })
  const place = placeAt(t, server, 'swept')
  const [one, two] = [await place.open(), await place.open()]
  const subscribe = (filter: string) =>
    commit(one, { ops: one.sessions.subscribeOps('ann/1', [{ topic: filter, qos: 1 }]) })
  await subscribe('a/b')
  t.equal(await server.command('XLEN', '{swept}journal'), '1')
  await one.log.sweep()
  await subscribe('a/c')
  await subscribe('d/#')
  t.equal(await server.command('HLEN', '{swept}subscriptions'), '2')
  await one.log.sweep()
  t.equal(await server.command('HLEN', '{swept}subscriptions'), '2', 'not what was committed since the last time')
  await one.log.sweep()
  t.equal(await server.command('HLEN', '{swept}subscriptions'), '0')
  await subscribe('e')
  t.equal(await server.command('XLEN', '{swept}journal'), '1')
  await two.catchUp()
  t.same(two.subscriptions.topicsOf('ann/1').sort(), ['a/b', 'a/c', 'd/#', 'e'])
  await Promise.all([one.close(), two.close()])
})
