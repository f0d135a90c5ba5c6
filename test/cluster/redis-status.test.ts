/** What is shown of nodes on Redis: who they are, and whether each hears and may write. */
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import type { Status } from '../../broker/admin/status.js'
import { banner } from '../../broker/cli/serve.js'
import type { NodeEntry } from '../../broker/store/nodes.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { type RedisServer, startRedis } from '../helpers/redis-server.js'

const SECRET = 'one secret for all nodes, of 32 characters'

function start(t: Test, { url }: RedisServer, id: string, redis: object = {}): Promise<TestBroker> {
  const store = { driver: 'redis', redis: { url, assume: ['appendonly', 'appendfsync'], ...redis } }
  const overrides: Overrides = { node: { id }, store, auth: { jwt: { secret: SECRET } } }
  return startTestBroker(t, overrides)
}

async function statusOf({ dataDir }: TestBroker): Promise<Status> {
  return (await callAdmin(dataDir, 'status')) as Status
}

const namesOf = async (broker: TestBroker) => (await statusOf(broker)).nodes.map(({ name }) => name)

t.test('each node lists all', async (t) => {
  const redis = await startRedis(t, { aof: 'off' })
  const [one, two] = [await start(t, redis, 'a'), await start(t, redis, 'b')]
  await two.connect('bob')
  await until('one hears of two', async () => (await namesOf(one)).length === 2)
  const { self, nodes, store, hindrance, counts } = await statusOf(two)
  t.match(nodes, [{ name: 'a' }, { name: 'b', node: self, connections: 1, version: /^\d/ }])
  t.same(nodes[1]!.addresses, [two.mqttUrl, two.running.listeners.find(({ name }) => name === 'http')!.url])
  t.match(store, new RegExp(`^redis 7\\.\\S+ at ${redis.host}$`))
  t.equal(hindrance, null)
  t.match(counts, { requests: Number, failures: 0, reconnects: 0, fences: 0 })
  t.ok(counts['pushes']! > 0 || (await statusOf(one)).counts['pushes']! > 0, 'of what the other one did')

  const text = banner(two.config, two.running, await two.running.nodes.list())
  t.match(text, /\n {2}Store {11}redis 7\.\S+ at 127\.0\.0\.1:\d+\n {2}Nodes {11}a, b \(this\)\n/)

  await one.running.close()
  t.same(await namesOf(two), ['b'])
  t.same(await redis.command('HKEYS', '{topictalk}settings'), String(self), 'nothing is left of who is gone')
})

t.test('what a node said of itself is forgotten with it, also if it ended without a word', async (t) => {
  const redis = await startRedis(t, { aof: 'off' })
  const broker = await start(t, redis, 'a')
  const gone = '999'
  const [{ node: self, ...facts }] = (await statusOf(broker)).nodes as [NodeEntry]
  const keys = ['{topictalk}facts', '{topictalk}settings', '{topictalk}nodes']
  await redis.command('HSET', keys[0]!, gone, JSON.stringify({ ...facts, name: 'gone' }))
  await redis.command('HSET', keys[1]!, gone, JSON.stringify({ name: 'gone', digests: {} }))
  t.same(await namesOf(broker), ['a', 'gone'])
  await redis.command('HSET', keys[2]!, gone, '1')
  await until('it is taken for gone', async () => (await namesOf(broker)).length === 1)
  for (const key of keys) t.equal(await redis.command('HKEYS', key), String(self), key)
})

t.test('a node whose Redis does not answer gets no new clients, and is not started anew', async (t) => {
  const redis = await startRedis(t, { aof: 'off' })
  const broker = await start(t, redis, 'a', { timeout: '60s' })
  const ready = () => fetchFrom(broker, '/readyz')
  t.equal((await ready()).status, 200)

  redis.pause()
  await until('it is silent', async () => (await ready()).status === 503)
  t.match((await ready()).body, { detail: 'Redis does not answer' })
  t.equal((await fetchFrom(broker, '/healthz')).status, 200)
  t.match(await callAdmin(broker.dataDir, 'health'), { healthy: true, draining: false })
  redis.resume()
  await until('it answers', async () => (await ready()).status === 200)

  await redis.kill9()
  await until('it is gone', async () => (await ready()).body.detail === 'there is no connection to Redis')
  t.match(await statusOf(broker), { nodes: [], hindrance: 'there is no connection to Redis', store: /not connected/ })
  await redis.restart()
  await until('it is back', async () => (await ready()).status === 200)
  t.match((await statusOf(broker)).counts, { reconnects: 1 })

  await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
  await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await until('it is noticed', async () => (await ready()).body.detail?.startsWith('Redis is not set for'))
  t.equal((await fetchFrom(broker, '/healthz')).status, 200)
  // Else it would wait with what it has to save when it stops.
  await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
  await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await until('it is right again', async () => (await ready()).status === 200)
})
