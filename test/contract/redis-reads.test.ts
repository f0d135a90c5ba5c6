/** A node reads from the server that it writes to, whichever of its connections learns first that another one has taken over. */
import t from 'tap'
import { openRedisStore } from '../../broker/store/redis/redis-store.js'
import { until } from '../helpers/patience.js'
import { type RedisServer, startRedis } from '../helpers/redis-server.js'
import { TcpProxy } from '../helpers/tcp-proxy.js'
import { append, draft, texts } from './store-suite.js'

const NAMES = ['topictalk', 'topictalk-reads']

/** Ids of the connections of nodes, by their name. */
async function connectionsTo(server: RedisServer): Promise<Map<string, string>> {
  const list = (await server.command('CLIENT', 'LIST')).split('\n')
  const found = list.map((line) => /^id=(\d+) .* name=(topictalk\S*) /.exec(line))
  return new Map(found.flatMap((match) => (match ? [[match[2]!, match[1]!]] : [])))
}

for (const lost of NAMES)
  t.test(`another server has taken over behind the address, and ${lost} is lost`, async (t) => {
    const [first, second] = [await startRedis(t), await startRedis(t)]
    const proxy = await TcpProxy.start(t, first)
    const limits = { queueMessages: 100, queueBytes: 100_000 }
    const { store } = await openRedisStore({ url: proxy.url, prefix: 'tt', limits, timeoutMs: 60_000 })
    t.teardown(() => store.close())
    await append(store, draft('m:a', 'one'))
    await second.command('REPLICAOF', '127.0.0.1', String(first.port))
    await until('it has all', async () => (await second.command('HGET', '{tt}meta', 'commit')) === '1')
    await second.command('REPLICAOF', 'NO', 'ONE')
    t.same([...(await connectionsTo(first)).keys()].sort(), NAMES)

    proxy.moveTo(second)
    await first.command('CLIENT', 'KILL', 'ID', (await connectionsTo(first)).get(lost)!)
    await until('both lead to the other one', async () => (await connectionsTo(second)).size === 2)
    t.equal((await connectionsTo(first)).size, 0)
    t.equal(await append(store, draft('m:a', 'two')), 'appended 2')
    t.same(texts(await store.log.read('m:a', 0, 10, 1e6)), ['one', 'two'])
  })
