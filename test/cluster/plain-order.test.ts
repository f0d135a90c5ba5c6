/** Messages on plain topics for a session, published on several nodes: they come from each of them, and no order is kept between those. */
import t, { type Test } from 'tap'
import { Inbox, type Overrides, startTestBroker } from '../helpers/broker.js'
import { until } from '../helpers/patience.js'
import { OPEN_ACL } from '../helpers/protocol.js'
import { startRedis } from '../helpers/redis-server.js'
import { TcpProxy } from '../helpers/tcp-proxy.js'

const SECRET = 'one secret for all nodes, of 32 characters'

/** Two nodes; bob's session is on the second one, which reaches Redis by the proxy. */
async function setup(t: Test) {
  const redis = await startRedis(t, { aof: 'off' })
  const proxy = await TcpProxy.start(t, redis)
  const start = (url: string) => {
    const store: Overrides['store'] = { driver: 'redis', redis: { url, assume: ['appendonly', 'appendfsync'] } }
    return startTestBroker(t, { store, acl: OPEN_ACL, auth: { jwt: { secret: SECRET } } })
  }
  const [one, two] = [await start(redis.url), await start(proxy.url)]
  const bob = await two.connect('bob', { clean: false, clientId: 'phone' })
  const inbox = new Inbox(bob)
  await bob.subscribeAsync('plain/#', { qos: 1 })
  const [ann, cid] = [await one.connect('ann'), await two.connect('cid')]
  await ann.publishAsync('plain/begin', 'begin', { qos: 1 })
  await inbox.wait(1)
  const received = async (count: number): Promise<string[]> =>
    (await inbox.wait(count)).map(({ payload }) => payload.toString())
  return { proxy, ann, cid, received, two }
}

t.test('a message that comes behind a later one of the own node', async (t) => {
  const { proxy, ann, cid, received } = await setup(t)
  proxy.loses = (channel, message) => channel.includes('mail:') && message.includes('plain/lost')
  await ann.publishAsync('plain/lost', 'lost', { qos: 1 })
  await until('it is lost', async () => proxy.lost === 1)
  await cid.publishAsync('plain/own', 'own', { qos: 1 })
  t.same(await received(3), ['begin', 'lost', 'own'])
})

t.test('a message whose commit the node has not heard of', async (t) => {
  const { proxy, ann, cid, received } = await setup(t)
  proxy.loses = (channel, message) => message.includes('plain/lost') || channel.includes('node:')
  await ann.publishAsync('plain/lost', 'lost', { qos: 1 })
  await ann.publishAsync('plain/unheard', 'unheard', { qos: 1 })
  await until('its commit is lost', async () => proxy.lost >= 2)
  proxy.loses = () => false
  await cid.publishAsync('plain/own', 'own', { qos: 1 })
  t.same(await received(4), ['begin', 'lost', 'unheard', 'own'])
})

t.test('messages that are published at the same time', async (t) => {
  const { ann, cid, received } = await setup(t)
  const names = Array.from({ length: 100 }, (_, i) => String(i))
  await Promise.all(names.map((name, i) => (i % 2 === 0 ? ann : cid).publishAsync(`plain/${name}`, name, { qos: 1 })))
  t.same(new Set(await received(101)), new Set(['begin', ...names]))
})
