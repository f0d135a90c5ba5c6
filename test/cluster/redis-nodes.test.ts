/** Two brokers on one Redis: what one does reaches who is connected to the other. */
import t, { type Test } from 'tap'
import { openRedisStore } from '../../broker/store/redis/redis-store.js'
import { Inbox, type Overrides, request, startTestBroker } from '../helpers/broker.js'
import { begin, LOG, owned, phone, said, TAKEN_OVER } from '../helpers/moving-session.js'
import { disconnected, subscribe5 } from '../helpers/mqtt5.js'
import { until } from '../helpers/patience.js'
import { open, publish, take, takePublishes } from '../helpers/protocol.js'
import { SECRET, twoNodes } from '../helpers/redis-nodes.js'
import { startRedis } from '../helpers/redis-server.js'
import { TcpProxy } from '../helpers/tcp-proxy.js'

t.test('a room', async (t) => {
  const [one, two] = await twoNodes(t)
  const [ann, bob] = [await one.connect('ann'), await two.connect('bob')]
  const heard = new Inbox(bob)
  await bob.subscribeAsync('rooms/den/messages', { qos: 1 })
  await ann.subscribeAsync('rooms/den/messages', { qos: 1 })
  for (const text of ['1', '2', '3']) await ann.publishAsync('rooms/den/messages', text, { qos: 1 })
  await bob.publishAsync('rooms/den/messages', '4', { qos: 1 })
  t.same(
    (await heard.wait(4)).map(({ payload }) => {
      const { seq, text, from } = JSON.parse(payload.toString())
      return `${seq} ${from} ${text}`
    }),
    ['1 ann 1', '2 ann 2', '3 ann 3', '4 bob 4'],
  )
  t.match(await request(ann, 'ann', 'history', { room: 'den' }), { ok: true, result: { messages: { length: 4 } } })
})

t.test('a room made on one, joined on the other', async (t) => {
  const [one, two] = await twoNodes(t)
  const [ann, bob] = [await one.connect('ann'), await two.connect('bob')]
  t.match(await request(ann, 'ann', 'rooms.create', { room: 'tea', access: 'public' }), { ok: true })
  t.match(await request(bob, 'bob', 'rooms.join', { room: 'tea' }), { ok: true })
  const heard = new Inbox(ann)
  await ann.subscribeAsync('rooms/+/messages', { qos: 1 })
  await bob.publishAsync('rooms/tea/messages', 'hello', { qos: 1 })
  t.match(JSON.parse((await heard.wait(1, ({ topic }) => topic === 'rooms/tea/messages'))[0]!.payload.toString()), {
    text: 'hello',
  })
  t.match(await request(ann, 'ann', 'rooms.remove', { room: 'tea', user: 'bob' }), { ok: true })
  t.match(await request(bob, 'bob', 'history', { room: 'tea' }), { ok: false })
})

t.test('plain topics, retained and queued', async (t) => {
  const [one, two] = await twoNodes(t)
  const [ann, bob] = [await one.connect('ann'), await two.connect('bob', { clean: false, clientId: 'phone' })]
  const heard = new Inbox(bob)
  await bob.subscribeAsync('plain/#', { qos: 1 })
  await ann.publishAsync('plain/a', 'live', { qos: 1 })
  await ann.publishAsync('plain/zero', 'live at 0', { qos: 0 })
  t.same(
    (await heard.wait(2)).map(({ payload }) => payload.toString()),
    ['live', 'live at 0'],
  )
  await bob.endAsync()
  await ann.publishAsync('plain/b', 'queued', { qos: 1 })
  await ann.publishAsync('plain/c', 'retained', { qos: 1, retain: true })
  const again = await one.connect('bob', { clean: false, clientId: 'phone' })
  const later = new Inbox(again)
  t.same(
    (await later.wait(2)).map(({ payload }) => payload.toString()),
    ['queued', 'retained'],
  )
  const carol = await two.connect('carol')
  const kept = new Inbox(carol)
  await carol.subscribeAsync('plain/+', { qos: 0 })
  t.match(await kept.wait(1), [{ topic: 'plain/c', retain: true }])
})

t.test('a node that begins takes nobody for gone', async (t) => {
  const { url } = await startRedis(t, { aof: 'off' })
  const options = { url, prefix: 'nodes', limits: { queueMessages: 10, queueBytes: 1000 } }
  for (const known of [[1], [1, 2], [1, 2, 3]]) {
    const { store, nodes } = await openRedisStore(options)
    t.teardown(() => store.close())
    t.same([...nodes.alive()].sort(), known)
  }
})

t.test('a session is taken over by the other node', async (t) => {
  const [one, two] = await twoNodes(t)
  const options = { clean: false, clientId: 'phone' }
  const first = await one.connect('bob', options)
  await first.subscribeAsync('rooms/den/messages', { qos: 2 })
  const ended = new Promise<void>((resolve) => first.once('close', () => resolve()))
  const second = await two.connect('bob', options)
  await ended
  const heard = new Inbox(second)
  const ann = await one.connect('ann')
  await ann.publishAsync('rooms/den/messages', 'to the new one', { qos: 2 })
  t.match(JSON.parse((await heard.wait(1))[0]!.payload.toString()), { text: 'to the new one' })
})

t.test('a session moves between them, with what is in flight', async (t) => {
  const [one, two] = await twoNodes(t)
  const bob = await open(two, { user: 'bob', id: 'bob' })
  const { client: before } = await phone({ broker: one })
  await subscribe5(before, LOG, { qos: 2 })
  await publish(bob, LOG, 'first')
  await publish(bob, LOG, 'second', { qos: 2 })
  const [first, second] = await takePublishes(before, 2)
  before.send({ cmd: 'pubrec', messageId: second!.messageId! })
  await take(before, 'pubrel')
  const { client: after, sessionPresent } = await phone({ broker: two })
  t.ok(sessionPresent)
  t.equal(await disconnected(before), TAKEN_OVER)
  t.match(await take(after, 'publish'), { messageId: first!.messageId, dup: true })
  t.match(await take(after, 'pubrel'), { messageId: second!.messageId })
  for (let i = 0; i < 5; i++) {
    const { sessionPresent } = await phone({ broker: i % 2 === 0 ? one : two })
    t.ok(sessionPresent, 'and back')
  }
  await owned(two.running.store, /^1\./)
})

t.test('of connections that claim a session at once, one has it in the end', async (t) => {
  const [one, two] = await twoNodes(t)
  const all = await Promise.all([one, two, one, two].map((broker) => begin({ broker })))
  while (all.filter(({ closed }) => !closed).length > 1)
    await Promise.race(all.map((client) => (client.closed ? NEVER : client.whenClosed())))
  const winner = all.find(({ closed }) => !closed)!
  await take(winner, 'connack')
  await subscribe5(winner, LOG)
  await publish(await open(two, { user: 'bob', id: 'bob' }), LOG, 'hello')
  t.equal(said(await take(winner, 'publish')), 'hello')
})

const NEVER = new Promise<void>(() => {})

/** Two nodes, both behind a proxy of their own. */
async function withProxy(t: Test) {
  const server = await startRedis(t, { aof: 'off' })
  const [near, proxy] = [await TcpProxy.start(t, server), await TcpProxy.start(t, server)]
  const nodes = (url: string): Overrides => ({
    acl: { rules: [{ allow: 'all', who: 'any', topics: ['plain/#'] }] },
    store: { driver: 'redis', redis: { url, assume: ['appendonly', 'appendfsync'] } },
    auth: { jwt: { secret: SECRET } },
  })
  const [one, two] = [await startTestBroker(t, nodes(near.url)), await startTestBroker(t, nodes(proxy.url))]
  return { one, two, proxy, near }
}

t.test('a message that is queued for who is connected elsewhere comes, even if nothing tells of it', async (t) => {
  const { one, two, proxy } = await withProxy(t)
  const [ann, bob] = [await one.connect('ann'), await two.connect('bob', { clean: false, clientId: 'phone' })]
  const heard = new Inbox(bob)
  await bob.subscribeAsync('plain/#', { qos: 1 })
  proxy.loses = (channel) => channel.includes('mail:')
  await ann.publishAsync('plain/a', 'signal lost', { qos: 1 })
  await heard.wait(1)
  proxy.loses = () => true
  await ann.publishAsync('plain/b', 'all lost', { qos: 1 })
  t.same(
    (await heard.wait(2)).map(({ payload }) => payload.toString()),
    ['signal lost', 'all lost'],
  )
  t.ok(proxy.lost >= 2)
})

t.test('a message is queued for a subscription of which its node has not heard', async (t) => {
  const { one, two, near } = await withProxy(t)
  const options = { clean: false, clientId: 'phone' }
  const [ann, bob] = [await one.connect('ann'), await two.connect('bob', options)]
  const heardBy = one.running.store.lastCommit
  near.loses = () => true
  await bob.subscribeAsync('plain/#', { qos: 1 })
  await bob.endAsync()
  await ann.publishAsync('plain/a', 'for later', { qos: 1 })
  t.ok(near.lost >= 1 && one.running.store.lastCommit > heardBy, 'it was lost, and found')
  const heard = new Inbox(await two.connect('bob', options))
  t.same(
    (await heard.wait(1)).map(({ payload }) => payload.toString()),
    ['for later'],
  )
})

t.test('a clean session that is ended on another node ends, even if no signal tells of it', async (t) => {
  const { one, two, proxy } = await withProxy(t)
  const [here, there] = [
    await one.connect('bob', { clientId: 'here' }),
    await two.connect('bob', { clientId: 'there' }),
  ]
  proxy.loses = (channel) => channel.includes('mail:')
  const ended = new Promise<void>((resolve) => there.once('close', () => resolve()))
  t.match(await request(here, 'bob', 'sessions.end', { session: 'there' }), { ok: true })
  await ended
  t.ok(proxy.lost >= 1)
  await until('nobody serves it', async () => one.running.store.sessionOwners.owner('bob/there') === undefined)
  t.match(await request(here, 'bob', 'sessions.list'), { result: { sessions: [{ session: 'here' }] } })
})

t.test('a node that may not know of rights that ended delivers nothing until it does', async (t) => {
  const { two, proxy } = await withProxy(t)
  const [bob, carol] = [await two.connect('bob'), await two.connect('carol')]
  const heard = new Inbox(bob)
  await bob.subscribeAsync('plain/#', { qos: 0 })
  const { store } = two.running
  const send = async (text: string): Promise<void> => {
    await carol.publishAsync('plain/a', text, { qos: 0 })
    // The ping of each of them is answered behind it.
    for (const client of [carol, bob]) {
      client.sendPing()
      await new Promise<void>((resolve) => client.once('packetreceive', () => resolve()))
    }
  }
  await carol.publishAsync('plain/a', 'heard', { qos: 0 })
  await heard.wait(1)
  proxy.blackhole()
  while (store.fresh) await new Promise((resolve) => setTimeout(resolve, 10))
  await send('held')
  t.equal(heard.messages.length, 1)
  proxy.heal()
  t.same(
    (await heard.wait(2)).map(({ payload }) => payload.toString()),
    ['heard', 'held'],
  )
  t.ok(store.fresh)
})

t.test('presence', async (t) => {
  const [one, two] = await twoNodes(t, {
    presence: { offlineDelay: 0, restartGrace: 0 },
    node: { drain: { delay: 0, spread: 0 } },
  })
  const ann = await one.connect('ann')
  const bob = await two.connect('bob')
  t.match(await request(bob, 'bob', 'rooms.create', { room: 'ours', access: 'private' }), { ok: true })
  t.match(await request(bob, 'bob', 'rooms.invite', { room: 'ours', user: 'ann' }), { ok: true })
  t.match(await request(ann, 'ann', 'rooms.join', { room: 'ours' }), { ok: true })
  const heard = new Inbox(ann)
  const states = () => heard.json('users/bob/presence').map(({ state, devices }) => `${state} ${devices}`)
  await ann.subscribeAsync('users/bob/presence', { qos: 1 })
  await heard.wait(1)
  const second = await one.connect('bob', { clientId: 'second' })
  await heard.wait(2)
  await bob.endAsync()
  await heard.wait(3)
  await second.endAsync()
  await heard.wait(4)
  const elsewhere = await two.connect('bob')
  await heard.wait(5)
  t.same(states(), ['online 1', 'online 2', 'online 1', 'offline 0', 'online 1'])
  await elsewhere.publishAsync('users/bob/presence', '{"away":true}', { qos: 1 })
  await heard.wait(6)
  await two.running.drain()
  await two.running.close()
  await heard.wait(7)
  t.same(states().slice(5), ['away 1', 'offline 0'], 'nobody looked after it but the other node')
})

t.test('receipts and typing', async (t) => {
  const [one, two] = await twoNodes(t)
  const ann = await one.connect('ann')
  const [first, second] = [await one.connect('bob', { clientId: 'a' }), await two.connect('bob', { clientId: 'b' })]
  await ann.subscribeAsync('rooms/den/messages', { qos: 1 })
  t.match(await request(first, 'bob', 'rooms.join', { room: 'den' }), { ok: true })
  for (let i = 0; i < 20; i++) await ann.publishAsync('rooms/den/messages', 'x', { qos: 1 })
  const heard = new Inbox(ann)
  await ann.subscribeAsync(['rooms/den/receipts', 'rooms/den/typing'], { qos: 1 })
  await second.publishAsync('rooms/den/typing', '', { qos: 1 })
  await heard.wait(1, ({ topic }) => topic === 'rooms/den/typing')
  const read = (client: typeof first, seq: number) =>
    client.publishAsync('rooms/den/receipts', JSON.stringify({ read: seq }), { qos: 1 })
  await Promise.all([19, 3, 7, 20, 5].map((seq, i) => read(i % 2 === 0 ? first : second, seq)))
  await heard.wait(1, ({ payload }) => payload.includes('"user":"bob","read":20'))
  const places = heard
    .json('rooms/den/receipts')
    .filter(({ user }) => user === 'bob')
    .map((one) => one.read)
  t.same(
    places,
    [...new Set(places)].sort((a, b) => a - b),
    'none goes back, none comes twice',
  )
  for (const { running } of [one, two]) t.equal(running.store.receipts.get('den', 'bob')?.read, 20)
})
