/** A node is stopped while its Redis cannot be reached: what it has to save is given up in time, and not piece by piece. */
import t, { type Test } from 'tap'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { startRedis } from '../helpers/redis-server.js'
import { TcpProxy } from '../helpers/tcp-proxy.js'

const SECRET = 'one secret for all nodes, of 32 characters'
/** Seconds (`store.redis.timeout`). */
const TIMEOUT = 2
/** Ms: ten times what it should take. One after the other, a dozen of its sessions would wait longer. */
const IN_TIME = 20_000
const SESSIONS = 12
/** Nobody listens there: webhooks are behind. */
const NOWHERE = 'http://127.0.0.1:9/'

/** Each of its sessions has a will to publish, something to save, and a place in a share group; its webhooks are behind. */
async function busyNode(t: Test): Promise<{ node: TestBroker; proxy: TcpProxy }> {
  const server = await startRedis(t, { aof: 'off' })
  const proxy = await TcpProxy.start(t, server)
  const redis = { url: proxy.url, timeout: `${TIMEOUT}s`, assume: ['appendonly', 'appendfsync'] }
  const overrides = {
    rooms: { list: [{ id: 'den', access: 'public' }] },
    acl: { rules: [{ allow: 'all', who: 'any', topics: ['plain/#'] }] },
    store: { driver: 'redis', redis },
    webhooks: ['a', 'b', 'c'].map((id) => ({ id, url: NOWHERE, secret: `whsec_${'x'.repeat(32)}`, events: ['*'] })),
    auth: { jwt: { secret: SECRET } },
  } as unknown as Overrides
  const node = await startTestBroker(t, overrides)
  const will = { topic: 'plain/gone', payload: Buffer.from('gone'), qos: 1 as const, retain: true }
  for (let i = 0; i < SESSIONS; i++) {
    const client = await node.connect(`user${i}`, { clean: false, will })
    await client.subscribeAsync(['rooms/den/messages', 'plain/#', `$share/group${i}/plain/#`], { qos: 2 })
    await client.publishAsync('rooms/den/messages', 'hello', { qos: 1 })
    await client.publishAsync('plain/a', 'hello', { qos: 1 })
  }
  return { node, proxy }
}

const OUTAGES: Record<string, (proxy: TcpProxy) => void> = {
  'it is silent': (proxy) => proxy.blackhole(),
  'its connections are cut, and new ones come to nothing': (proxy) => {
    proxy.blackhole()
    proxy.cut()
  },
}

const STOPS: Record<string, (node: TestBroker) => Promise<void>> = {
  'clients are sent away first': async ({ running }) => {
    await running.drain()
    await running.close()
  },
  'it closes at once': ({ running }) => running.close(),
}

for (const [outage, begin] of Object.entries(OUTAGES))
  for (const [how, stop] of Object.entries(STOPS))
    t.test(`${outage}; ${how}`, async (t) => {
      const { node, proxy } = await busyNode(t)
      begin(proxy)
      const began = performance.now()
      await stop(node)
      const took = performance.now() - began
      t.ok(took < IN_TIME, `${Math.round(took)} ms`)
    })

t.test('what is saved while it can be reached is saved', async (t) => {
  const { node } = await busyNode(t)
  await node.running.drain()
  await node.running.close()
  await node.restart()
  const { sessions, persistence } = node.running.store
  for (let i = 0; i < SESSIONS; i++) {
    const id = `user${i}/user${i}-${i}`
    t.ok((await sessions.record(id))!.disconnectedAt > 0, id)
    t.match(await persistence.getWill({ id }), { deferred: true })
  }
})
