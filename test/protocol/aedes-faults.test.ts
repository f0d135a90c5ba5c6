/**
 * What stock Aedes 1.2.0 does wrong (DESIGN §3), one test each. They use nothing but raw clients, Aedes' own hooks and a store that can be
 * held, so that they can be run against stock Aedes, where each of them fails.
 */
import { Duplex } from 'node:stream'
import type { IPublishPacket, Packet } from 'mqtt-packet'
import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { type Change, StoreError } from '../../broker/store/changes.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import {
  connectPacket,
  cut,
  OPEN_ACL,
  open,
  openWith,
  publish,
  subscribe,
  take,
  takePublishes,
  text,
  told,
  untilPong,
} from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

function packetOf(topic: string, more: Partial<IPublishPacket> = {}): IPublishPacket {
  return { cmd: 'publish', topic, payload: 'x', qos: 0, retain: false, dup: false, ...more }
}

const start = (t: Parameters<typeof startTestBroker>[0]): Promise<TestBroker> => startTestBroker(t, { acl: OPEN_ACL })

/** Nothing is stored until `release`, or until it fails. */
function hold(broker: TestBroker): { release: () => void; fail: () => void } {
  const { store } = broker.running
  const commit = store.commit
  const held: Change[] = []
  store.commit = (change) => void held.push(change)
  const end = (each: (change: Change) => void) => (): void => {
    store.commit = commit
    for (const change of held) each(change)
  }
  return {
    release: end((change) => store.commit(change)),
    fail: end((change) => change.settled(new StoreError('the disk is gone'), [])),
  }
}

t.test('PUBACK leaves, and the message is delivered, only after it is stored', async (t) => {
  const broker = await start(t)
  const kept = await open(broker, { user: 'bob', id: 'kept', clean: false })
  await subscribe(kept, ['t/a', 2])
  await cut(broker, kept)
  const watcher = await open(broker, { user: 'watcher' })
  await subscribe(watcher, ['t/a', 0])
  const client = await open(broker)
  const { release } = hold(broker)
  client.send(packetOf('t/a', { qos: 1, messageId: 5, retain: true }))
  t.same(await untilPong(client), [], 'not acknowledged')
  t.same(await untilPong(watcher), [], 'not delivered')
  release()
  t.match(await take(client, 'puback'), { messageId: 5 })
  t.same((await takePublishes(watcher, 1)).map(told), ['t/a x'])
})

t.test('a QoS 2 message that could not be stored is taken when it is sent again', async (t) => {
  const broker = await start(t)
  const kept = await open(broker, { user: 'bob', id: 'kept', clean: false })
  await subscribe(kept, ['t/a', 2])
  await cut(broker, kept)
  const watcher = await open(broker, { user: 'watcher' })
  await subscribe(watcher, ['t/a', 0])
  const client = await open(broker, { id: 'c', clean: false })
  const { fail } = hold(broker)
  const message = packetOf('t/a', { qos: 2, messageId: 5, payload: 'precious' })
  client.send(message)
  t.same(await untilPong(client), [])
  fail()
  await client.whenClosed()
  t.same(client.pending, [], 'not acknowledged: the client keeps it')
  const again = await open(broker, { id: 'c', clean: false })
  again.send({ ...message, dup: true })
  await take(again, 'pubrec')
  await publish(again, 't/a', 'end')
  t.same((await takePublishes(watcher, 2)).map(told), ['t/a precious', 't/a end'])
})

t.test('a subscriber that stops reading delays nobody', async (t) => {
  const broker = await start(t)
  const frozen = new Duplex({ read() {}, write() {} })
  t.teardown(() => frozen.destroy())
  broker.running.aedes.handle(frozen as never)
  const subscribed = new Promise((resolve) => broker.running.aedes.once('subscribe', resolve))
  const filters = { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't/a', qos: 0 }] } as Packet
  frozen.push(mqttPacket.generate(await connectPacket(broker, { user: 'frozen' })))
  frozen.push(mqttPacket.generate(filters))
  await subscribed
  const healthy = await open(broker, { user: 'healthy' })
  await subscribe(healthy, ['t/a', 0])
  const client = await open(broker)
  for (const i of numbers(400)) client.send(packetOf('t/a', { payload: `${i} ${'x'.repeat(1000)}` }))
  t.same(
    (await takePublishes(healthy, 400)).map((packet) => Number.parseInt(text(packet), 10)),
    numbers(400),
  )
})

t.test('a message is not taken for a repetition because a later one was faster', async (t) => {
  const broker = await start(t)
  const watcher = await open(broker, { user: 'watcher' })
  await subscribe(watcher, ['t/#', 1])
  const client = await open(broker)
  client.send(...numbers(20).map((i) => packetOf(`t/${i}`, i % 2 === 0 ? { qos: 1, messageId: i + 1 } : {})))
  const got = await takePublishes(watcher, 20)
  t.same(
    got.map(({ topic }) => topic),
    numbers(20).map((i) => `t/${i}`),
  )
})

t.test('a hook that takes its time does not reorder what a client sends', async (t) => {
  const broker = await start(t)
  broker.running.aedes.authorizePublish = (_client, packet, done) => {
    if (Number(packet.payload.toString()) % 2 === 0) setTimeout(done, 2, null)
    else done(null)
  }
  const watcher = await open(broker, { user: 'watcher' })
  await subscribe(watcher, ['t/a', 0])
  const client = await open(broker)
  client.send(...numbers(40).map((i) => packetOf('t/a', { payload: `${i}` })))
  t.same(
    (await takePublishes(watcher, 40)).map((packet) => Number(text(packet))),
    numbers(40),
  )
})

t.test('what is live does not overtake what was missed', async (t) => {
  const broker = await start(t)
  const away = await open(broker, { user: 'bob', id: 'c', clean: false })
  await subscribe(away, ['t/a', 1])
  await cut(broker, away)
  const client = await open(broker)
  for (const i of numbers(30)) await publish(client, 't/a', `${i}`)
  const back = new RawClient(broker)
  back.send(await connectPacket(broker, { user: 'bob', id: 'c', clean: false }))
  await take(back, 'connack')
  for (const i of numbers(30)) client.send(packetOf('t/a', { payload: `${30 + i}`, qos: 1, messageId: i + 1 }))
  const got: number[] = []
  while (got.length < 60) {
    const packet = await take(back, 'publish')
    got.push(Number(text(packet)))
    back.send({ cmd: 'puback', messageId: packet.messageId! })
  }
  t.same(got, numbers(60))
})

t.test('a refused filter among others is not stored, and nothing is queued for it', async (t) => {
  const broker = await start(t)
  const { aedes } = broker.running
  aedes.authorizeSubscribe = (_client, sub, done) => done(null, sub.topic === 't/secret' ? null : sub)
  const client = await open(broker, { user: 'bob', id: 'c', clean: false })
  t.same(await subscribe(client, ['t/open', 1], ['t/secret', 1]), [1, 128])
  await cut(broker, client)
  // Whoever asks now would be allowed: only what was stored in spite of the refusal comes back.
  aedes.authorizeSubscribe = (_client, sub, done) => done(null, sub)
  const ann = await open(broker)
  await publish(ann, 't/secret')
  await publish(ann, 't/open')
  const back = await open(broker, { user: 'bob', id: 'c', clean: false })
  t.same(
    (await takePublishes(back, 1)).map(({ topic }) => topic),
    ['t/open'],
  )
  await publish(ann, 't/secret')
  await publish(ann, 't/open')
  t.same(
    (await takePublishes(back, 1)).map(({ topic }) => topic),
    ['t/open'],
  )
})

t.test('bytes that break a MUST close the connection', async (t) => {
  const broker = await start(t)
  const afterConnect: Record<string, string> = {
    'a topic that is not UTF-8': '30 06 00 04 74 2f c3 28',
    'a topic with U+0000': '30 05 00 03 74 2f 00',
    'packet id 0': '32 07 00 03 74 2f 61 00 00',
    'the filter a+': '82 07 00 01 00 02 61 2b 00',
    'PUBACK with a byte too many': '40 03 00 01 00',
  }
  for (const [name, bytes] of Object.entries(afterConnect)) {
    await t.test(name, async (t) => {
      const client = await open(broker)
      client.send(bytes, { cmd: 'pingreq' })
      t.equal(await client.next(), null)
    })
  }
  const connects: Record<string, string> = {
    'CONNECT with a password and no user name': '10 10 00 04 4d 51 54 54 04 42 00 00 00 01 63 00 01 70',
    'CONNECT with bytes behind its end': '10 0e 00 04 4d 51 54 54 04 02 00 00 00 01 63 78',
  }
  for (const [name, bytes] of Object.entries(connects)) {
    await t.test(name, async (t) => {
      const client = new RawClient(broker)
      client.send(bytes)
      t.equal(await client.next(), null)
    })
  }
})

t.test('what is sent again says so (DUP), under its packet id', async (t) => {
  const broker = await start(t)
  const client = await open(broker, { user: 'bob', id: 'c', clean: false })
  await subscribe(client, ['t/a', 1])
  await publish(await open(broker), 't/a')
  const [first] = await takePublishes(client, 1)
  await cut(broker, client)
  const back = await open(broker, { user: 'bob', id: 'c', clean: false })
  t.match(await take(back, 'publish'), { dup: true, messageId: first!.messageId })
})

t.test('session present is said of a kept session without subscriptions', async (t) => {
  const broker = await start(t)
  await cut(broker, await open(broker, { id: 'c', clean: false }))
  const [, connack] = await openWith(broker, { id: 'c', clean: false })
  t.equal(connack.sessionPresent, true)
})

t.test('+ takes an empty level of a retained topic', async (t) => {
  const broker = await start(t)
  const client = await open(broker)
  for (const topic of ['t//b', 't/x/b']) await publish(client, topic, 'x', { retain: true })
  const late = await open(broker, { user: 'late' })
  await subscribe(late, ['t/+/b', 0])
  t.same((await takePublishes(late, 1)).map(told), ['t//b x retain'])
  t.same((await takePublishes(late, 1)).map(told), ['t/x/b x retain'])
})

t.test('a filter given twice has two return codes', async (t) => {
  const broker = await start(t)
  t.same(await subscribe(await open(broker), ['t/a', 0], ['t/a', 1]), [0, 1])
})

t.test('the QoS granted caps what a wildcard delivers', async (t) => {
  const broker = await start(t)
  const client = await open(broker, { user: 'bob' })
  await subscribe(client, ['t/+', 1])
  const ann = await open(broker)
  ann.send(packetOf('t/a', { qos: 2, messageId: 1 }))
  t.equal((await takePublishes(client, 1))[0]!.qos, 1)
})

t.test('sixty packets may come right behind CONNECT', async (t) => {
  const broker = await start(t)
  const client = new RawClient(broker)
  client.send(await connectPacket(broker), ...numbers(60).map((i) => packetOf('t/a', { qos: 1, messageId: i + 1 })))
  await take(client, 'connack')
  for (const i of numbers(60)) t.match(await take(client, 'puback'), { messageId: i + 1 })
})

t.test('a takeover leaves the will of the new session alone', async (t) => {
  const broker = await start(t)
  const watcher = await open(broker, { user: 'watcher', id: 'watcher' })
  await subscribe(watcher, ['t/old', 0])
  await open(broker, { id: 'c', will: { topic: 't/old', payload: 'gone' } })
  const young = await open(broker, { id: 'c', will: { topic: 't/new', payload: 'gone' } })
  await takePublishes(watcher, 1)
  t.same(await untilPong(young), [])
  const id = Object.keys(broker.running.aedes.clients).find((one) => one.endsWith('c'))!
  // As long as the store has it, it is sent even if the broker dies.
  t.match(await broker.running.store.persistence.getWill({ id }), { topic: 't/new' })
})
