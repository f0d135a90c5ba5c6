/** What one connection may rely on, and what it must not wait for, with a store that keeps order only within a log and a session. */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import {
  connectPacket,
  cut,
  leave,
  OPEN_ACL,
  open,
  publish,
  subscribe,
  take,
  takePublishes,
  text,
  told,
  untilPong,
} from '../helpers/protocol.js'
import { Random } from '../helpers/random.js'
import { RawClient } from '../helpers/raw-client.js'
import { UnorderedStore } from '../helpers/unordered-store.js'

const ROOMS = ['one', 'two', 'three', 'four', 'five']

const start = (t: Test): Promise<TestBroker> =>
  startTestBroker(t, { acl: OPEN_ACL, rooms: { list: ROOMS.map((id) => ({ id })) }, limits: { rates: 'off' } })

function packetOf(topic: string, more: Partial<IPublishPacket> = {}): IPublishPacket {
  return { cmd: 'publish', topic, payload: 'x', qos: 1, retain: false, dup: false, ...more }
}

const toRoom = (room: string, more: Partial<IPublishPacket> = {}): IPublishPacket =>
  packetOf(`rooms/${room}/messages`, more)

/** A member of all rooms. */
async function member(broker: TestBroker, user = 'ann', more: Parameters<typeof open>[1] = {}): Promise<RawClient> {
  const client = await open(broker, { user, ...more })
  for (const room of ROOMS) await publish(client, `rooms/${room}/messages`, 'joins')
  return client
}

const answers = (packets: readonly Packet[]) => packets.map(({ cmd, messageId }) => `${cmd} ${messageId}`)

/** Every kind of publish that is acknowledged, and what each may have to wait for. */
const KINDS: ((random: Random) => Partial<IPublishPacket> & { topic: string })[] = [
  (random) => toRoom(random.pick(ROOMS)),
  (random) => packetOf(`rooms/${random.pick(ROOMS)}/text`),
  () => packetOf('t/a'),
  (random) => packetOf('t/b', { retain: random.chance(0.5) }),
  () => packetOf('t/kept'),
  () => packetOf('denied/a'),
  () => packetOf('rooms/nowhere/messages'),
  (random) => packetOf(`rooms/${random.pick(ROOMS)}/typing`, { payload: '{"typing":true}' }),
  (random) => packetOf(`rooms/${random.pick(ROOMS)}/receipts`, { payload: '{"read":1}' }),
  () => packetOf('users/ann/requests/rooms.list', { payload: '{"id":1}' }),
  () => packetOf('users/bob/notifications', { payload: '{"title":"a","body":"b"}' }),
  () => packetOf('users/bob/notifications', { payload: '{"title":"a","body":"b","collapseKey":"k"}' }),
  (random) => toRoom(random.pick(ROOMS), { payload: '{"type":"edit","target":1,"text":"y"}' }),
  (random) => toRoom(random.pick(ROOMS), { payload: '{"type":"pin","target":1}' }),
  () => packetOf('broadcast/news', { payload: '{"text":"x"}' }),
  () => packetOf('broadcast/news', { payload: '{"text":"x"}', retain: true }),
  () => packetOf('users/bob/messages'),
]

t.test(
  'acks leave in the order of the publishes, whatever each is committed to [MQTT-4.6.0-2, MQTT-4.6.0-3]',
  async (t) => {
    const random = Random.from('ORDER_SEED')
    t.comment(`ORDER_SEED=${random.seed}`)
    const broker = await start(t)
    await open(broker, { user: 'bob' })
    const kept = await open(broker, { user: 'bob', id: 'kept', clean: false })
    await subscribe(kept, ['t/kept', 1])
    await leave(broker, kept)
    const client = await member(broker, 'ann', { id: 'ann', clean: false, roles: ['notifier', 'publisher'] })
    const store = new UnorderedStore(broker.running.store, random)
    for (let round = 0; round < 4; round++) {
      const sent = Array.from({ length: 150 }, (_, i) => {
        const qos = random.pick([1, 1, 1, 2] as const)
        return { ...packetOf(''), ...random.pick(KINDS)(random), qos, messageId: i + 1 }
      })
      client.send(...sent)
      const got: Packet[] = []
      while (got.length < sent.length) got.push((await client.next())!)
      t.same(
        answers(got),
        sent.map(({ qos, messageId }) => `${qos === 1 ? 'puback' : 'pubrec'} ${messageId}`),
      )
      const begun = sent.filter(({ qos }) => qos === 2)
      client.send(...begun.map(({ messageId }): Packet => ({ cmd: 'pubrel', messageId })))
      for (const { messageId } of begun) t.match(await take(client, 'pubcomp'), { messageId })
    }
    t.ok(store.reordered > 50, `the store settled ${store.reordered} changes before earlier ones`)
  },
)

t.test('no ack leaves before its commit, and none before that of an earlier publish', async (t) => {
  const broker = await start(t)
  const client = await member(broker, 'ann', { id: 'ann', clean: false })
  const other = await member(broker, 'bob')
  client.send(packetOf('t/again', { qos: 2, messageId: 50 }))
  await take(client, 'pubrec')
  const store = new UnorderedStore(broker.running.store)
  const release = store.hold('m:one')
  client.send(
    toRoom('one', { messageId: 1 }),
    toRoom('two', { messageId: 2 }),
    packetOf('t/a', { messageId: 3 }),
    packetOf('t/a', { messageId: 4, retain: true }),
    packetOf('denied/a', { messageId: 5 }),
    packetOf('rooms/two/typing', { messageId: 6, payload: '{"typing":true}' }),
    packetOf('users/ann/requests/rooms.list', { messageId: 7, payload: '{"id":1}' }),
    packetOf('t/again', { qos: 2, messageId: 50, dup: true }),
    { cmd: 'pubrel', messageId: 50 },
    toRoom('three', { messageId: 8, qos: 2 }),
  )
  await store.whenSettled(4)
  t.same(await untilPong(client), [], 'room two and the others are stored, room one is not')
  await publish(other, 'rooms/two/messages', 'hi')
  await publish(other, 't/a', 'hi')
  t.pass('another connection does not wait for room one')
  release()
  const got: Packet[] = []
  while (got.length < 10) got.push((await client.next())!)
  t.same(answers(got), [
    ...[1, 2, 3, 4, 5, 6, 7].map((id) => `puback ${id}`),
    ...['pubrec 50', 'pubcomp 50', 'pubrec 8'],
  ])
})

t.test(
  'plain messages of one connection are delivered in their order, stored or not [MQTT-4.6.0-5, MQTT-4.6.0-6]',
  async (t) => {
    const random = Random.from('ORDER_SEED')
    const broker = await start(t)
    const kept = await open(broker, { user: 'bob', id: 'kept', clean: false })
    await subscribe(kept, ['t/kept/#', 1])
    await leave(broker, kept)
    const watcher = await open(broker, { user: 'watcher' })
    await subscribe(watcher, ['t/#', 0])
    const client = await member(broker)
    const store = new UnorderedStore(broker.running.store, random)
    const sent = Array.from({ length: 200 }, (_, i) => {
      const qos = random.pick([0, 1] as const)
      const message = random.chance(0.3) ? toRoom(random.pick(ROOMS)) : packetOf(random.pick(['t/a', 't/kept/a']))
      return { ...message, payload: `${i}`, qos, messageId: i + 1, retain: random.chance(0.2) }
    })
    client.send(...sent)
    const plain = sent.filter(({ topic }) => topic.startsWith('t/')).map(({ payload }) => payload)
    t.same((await takePublishes(watcher, plain.length)).map(text), plain)
    t.ok(store.reordered > 0)
  },
)

t.test('a subscription takes effect behind what the client published before', async (t) => {
  const broker = await start(t)
  const client = await member(broker)
  const store = new UnorderedStore(broker.running.store)
  const release = store.hold('m:one')
  client.send(
    toRoom('one', { messageId: 1 }),
    packetOf('t/a', { messageId: 2, payload: 'before' }),
    { cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: 't/a', qos: 0 }] } as Packet,
    packetOf('t/a', { messageId: 4, payload: 'behind' }),
  )
  release()
  const expected = ['puback 1', 'puback 2', 'suback 3', 't/a behind', 'puback 4']
  const heard: string[] = []
  while (heard.length < expected.length) {
    const packet = (await client.next())!
    heard.push(packet.cmd === 'publish' ? told(packet) : answers([packet])[0]!)
  }
  t.same(heard, expected)
})

t.test('the next connection of a session waits for what the last one published [MQTT-4.3.3-2]', async (t) => {
  const broker = await start(t)
  const client = await member(broker, 'ann', { id: 'c', clean: false })
  const watcher = await open(broker, { user: 'bob' })
  await subscribe(watcher, ['rooms/one/messages', 0])
  const store = new UnorderedStore(broker.running.store)
  const release = store.hold('m:one')
  const message = toRoom('one', { qos: 2, messageId: 9, payload: 'once' })
  client.send(message, packetOf('t/a', { messageId: 10 }))
  t.same(await untilPong(client), [])
  const young = new RawClient(broker)
  young.send(await connectPacket(broker, { id: 'c', clean: false }), { ...message, dup: true })
  await client.whenClosed()
  for (let i = 0; i < 20; i++) await untilPong(watcher)
  t.same(young.packets, [], 'its packet ids are not in the store yet')
  release()
  await take(young, 'connack')
  await take(young, 'pubrec')
  await publish(young, 'rooms/one/messages', 'end')
  t.same(
    (await takePublishes(watcher, 2)).map((packet) => JSON.parse(text(packet)).text),
    ['once', 'end'],
  )
})

t.test('a session that logs itself out gets its acks first', async (t) => {
  const broker = await start(t)
  const client = await member(broker)
  const other = await open(broker, { user: 'bob' })
  const store = new UnorderedStore(broker.running.store)
  const release = store.hold('m:one')
  client.send(
    toRoom('one', { messageId: 1 }),
    packetOf('users/ann/requests/auth.logout', { messageId: 2, payload: '{"id":1}' }),
  )
  for (let i = 0; i < 20; i++) await untilPong(other)
  t.notOk(client.closed)
  release()
  t.match(await take(client, 'puback'), { messageId: 1 })
  t.match(await take(client, 'puback'), { messageId: 2 })
  await client.whenClosed()
})

t.test('a will goes behind what its client published', async (t) => {
  const broker = await start(t)
  const watcher = await open(broker, { user: 'watcher' })
  await subscribe(watcher, ['t/#', 0])
  const client = await member(broker, 'ann', { will: { topic: 't/will', payload: 'gone' } })
  const store = new UnorderedStore(broker.running.store)
  const release = store.hold('m:one')
  client.send(toRoom('one', { messageId: 1 }), packetOf('t/a', { messageId: 2, payload: 'last' }))
  t.same(await untilPong(client), [])
  const gone = cut(broker, client)
  t.same(await untilPong(watcher), [])
  release()
  await gone
  t.same((await takePublishes(watcher, 2)).map(told), ['t/a last', 't/will gone'])
})
