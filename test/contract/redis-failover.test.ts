/** The link to Redis where another server takes over: it comes back on the one that takes writes. */
import t, { type Test } from 'tap'
import { Link } from '../../broker/store/redis/link.js'
import { until } from '../helpers/patience.js'
import { startCluster, startSentinel } from '../helpers/redis-deployments.js'
import type { RedisServer } from '../helpers/redis-server.js'

const KEY = '{test}key'

interface Started {
  readonly link: Link
  /** Resolves with the address of the next server that is connected to. */
  readonly next: () => Promise<string>
}

async function start(t: Test, url: string): Promise<Started> {
  const link = new Link({
    url,
    hashTag: 'test',
    timeoutMs: 1000,
    name: 'test',
    onFault: (error) => t.comment(String(error)),
  })
  t.teardown(() => link.close())
  await link.start()
  const next = (): Promise<string> =>
    new Promise((resolve) => {
      link.onConnect = async (connection) => {
        await connection.call('SET', [KEY, 'written'])
        resolve(/ laddr=(\S+)/.exec(String(await connection.call('CLIENT', ['INFO'])))![1]!)
      }
    })
  return { link, next }
}

t.test('Sentinels: whoever they have made master', async (t) => {
  const { url, servers, sentinels, masterOf } = await startSentinel(t)
  const [first, second] = servers as [(typeof servers)[0], (typeof servers)[0]]
  const { link, next } = await start(t, url)
  await link.connection!.call('SET', [KEY, 'value'])
  await link.connection!.call('WAIT', [1, 0])

  const killed = next()
  await first.kill9()
  t.equal(await killed, second.host, 'after the master was killed')

  await first.restart()
  const handed = next()
  await sentinels[2]!.kill9()
  const failover = (): Promise<string> => sentinels[0]!.command('SENTINEL', 'FAILOVER', 'main')
  await until('the Sentinel knows a replica again', async () => (await failover()) === 'OK')
  t.equal(await handed, first.host, 'after it was told to hand over')
  t.equal((await masterOf(KEY)).port, first.port)

  const paused = next()
  first.pause()
  await t.rejects(link.connection!.call('PING', []), /did not answer within 1 s/)
  t.equal(await paused, second.host, 'after it has become silent')
  first.resume()
})

t.test('Sentinels that know no such master, or are gone, are named', async (t) => {
  const { url, servers, sentinels } = await startSentinel(t)
  await t.rejects(
    start(t, url.replace(/main$/, 'other')),
    /^the Sentinel at \S+ knows no master other; the Sentinel at /,
  )
  await t.rejects(start(t, `redis://${sentinels[0]!.host}`), /is a Sentinel: use redis\+sentinel/)
  await t.rejects(start(t, `redis+sentinel://${servers[0]!.host}/main`), /unknown command 'SENTINEL'/)
  await t.rejects(start(t, `redis+cluster://${servers[0]!.host}`), /is not part of a Redis Cluster/)
  await sentinels[0]!.kill9()
  t.ok((await start(t, url)).link.connection, 'one that answers is enough')
  for (const sentinel of sentinels) await sentinel.kill9()
  await t.rejects(start(t, url), /ECONNREFUSED.*; .*ECONNREFUSED/)
})

t.test('a Cluster: the server that has the hash slot of the keys', async (t) => {
  const { servers, masterOf } = await startCluster(t)
  await t.rejects(start(t, servers[0]!.url), /is part of a Redis Cluster: use redis\+cluster/)
  const before = await masterOf(KEY)
  const [named, first] = (await Promise.all([masterOf('other'), masterOf('b')])) as [RedisServer, RedisServer]
  t.equal(new Set([before, named, first]).size, 3)
  const { link, next } = await start(t, `redis+cluster://${named.host}`)
  t.ok(link.connection!.isCluster)
  const heard: string[] = []
  await link.connection!.subscribe('{test}channel', (message) => void heard.push(String(message)))
  await link.connection!.call('SPUBLISH', ['{test}channel', 'message'])
  t.strictSame(heard, ['message'])

  const moved = next()
  const slot = await named.command('CLUSTER', 'KEYSLOT', KEY)
  const [owner, last] = [await first.command('CLUSTER', 'MYID'), await before.command('CLUSTER', 'MYID')]
  // Only the end of an import gives the new owner a newer epoch: without one the others may give the slot back, and refuse its replica their votes.
  await first.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', last)
  for (const server of [first, before]) await server.command('CLUSTER', 'SETSLOT', slot, 'NODE', owner)
  t.equal(await moved, first.host, 'after the slot was moved, though nothing was asked for')
  await until('all servers know who has the slot', async () => {
    const owners = await Promise.all(servers.map((server) => masterOf(KEY, server)))
    return owners.every((host) => host === first)
  })

  const killed = next()
  await first.kill9()
  const second = await killed
  t.not(second, first.host, 'after the master was killed')

  await first.restart()
  const handed = next()
  const connection = link.connection!
  await until('another one takes over', async () => {
    // It is told in vain until it follows its master.
    await first.command('CLUSTER', 'FAILOVER')
    await connection.call('SET', [KEY, 'value']).catch(() => {})
    return connection.ended
  })
  t.equal(await handed, first.host, 'after another one has taken over')

  const again = next()
  await named.kill9()
  await t.rejects(link.connection!.call('SET', ['other', 'value']), /MOVED/)
  t.equal(await again, first.host, 'whom others of the Cluster name, if those in the address are gone')
})
