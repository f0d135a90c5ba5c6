/** SUBSCRIBE, UNSUBSCRIBE and how filters match: MQTT 3.1 and 3.1.1, and the rules of DESIGN §2. */
import { once } from 'node:events'
import type { Packet } from 'mqtt-packet'
import t from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import {
  cut,
  leave,
  OPEN_ACL,
  open,
  openWith,
  publish,
  subscribe,
  take,
  takePublishes,
  told,
  untilPong,
} from '../helpers/protocol.js'
import type { RawClient } from '../helpers/raw-client.js'

function requested(...filters: [string, number][]): Packet {
  return { cmd: 'subscribe', messageId: 77, subscriptions: filters.map(([topic, qos]) => ({ topic, qos })) } as never
}

async function unsubscribe(client: RawClient, ...filters: string[]): Promise<void> {
  client.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: filters })
  if ((await take(client, 'unsuback')).messageId !== 9) throw new Error('another packet id')
}

/** As the broker itself, whom no rule binds. Resolves when it is stored and delivered. */
function announce(broker: TestBroker, topic: string, payload = topic, qos: 0 | 1 | 2 = 1, retain = false) {
  return new Promise<void>((resolve, reject) =>
    broker.running.aedes.publish({ topic, payload, qos, retain }, (error?: Error | null) =>
      error ? reject(error) : resolve(),
    ),
  )
}

t.test('filters that are none close the connection [MQTT-4.7.1, MQTT-4.7.3]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const bad = [
    '',
    'a+',
    '+a',
    'a/b+',
    'a/+b/c',
    'a#',
    '#a',
    '#/a',
    'a/#/b',
    'a/b#',
    '++',
    '##',
    '$share/g',
    '$share//a',
    '$share/+/a',
  ]
  for (const filter of bad) {
    await t.test(JSON.stringify(filter), async (t) => {
      for (const cmd of ['subscribe', 'unsubscribe'] as const) {
        const client = await open(broker)
        // By hand: mqtt-packet checks some of these itself.
        const bytes = Buffer.from(filter)
        const rest = cmd === 'subscribe' ? [0] : []
        const body = Buffer.from([0, 1, 0, 1, 0x74, ...rest, 0, bytes.length, ...bytes, ...rest])
        client.send(Buffer.from([cmd === 'subscribe' ? 0x82 : 0xa2, body.length]), body)
        await client.whenClosed()
        t.same(client.pending, [], `${cmd}: nothing was answered`)
      }
    })
  }
  const { aedes } = broker.running
  while (aedes.connectedClients > 0) await once(aedes, 'clientDisconnect')
})

t.test('SUBACK', async (t) => {
  const broker = await startTestBroker(t, {
    acl: OPEN_ACL,
    limits: { subscriptions: 5, filterBytes: 64, topicLevels: 8 },
  })
  await t.test('one code for each filter, in order, with the packet id [MQTT-3.8.4-2, MQTT-3.8.4-5]', async (t) => {
    const client = await open(broker)
    client.send(requested(['t/a', 1], ['denied/a', 2], ['t/b', 0], ['t/c', 2]))
    t.match(await take(client, 'suback'), { messageId: 77, granted: [1, 128, 0, 2] })
  })
  await t.test('a filter given twice has two codes; the last counts', async (t) => {
    const client = await open(broker)
    t.same(await subscribe(client, ['t/a', 1], ['t/a', 0], ['denied/a', 0], ['denied/a', 0]), [1, 0, 128, 128])
    await announce(broker, 't/a')
    t.same((await takePublishes(client, 1)).map(told), ['t/a t/a'])
    t.same(await untilPong(client), [], 'and it is delivered once')
  })
  const refused: [string, string][] = [
    ['a plain topic no rule allows', 'denied/#'],
    ['$SYS, for who is no admin', '$SYS/#'],
    ['other $ topics', '$other/#'],
    ['a shared subscription shared again', '$share/g/$share/h/t'],
    ['a room that does not exist', 'rooms/nowhere/messages'],
    ['no topic of a room', 'rooms/lobby/nothing'],
    ['messages of another user', 'users/bob/messages'],
    ['devices of another user, which no rule allows', 'devices/bob/denied'],
  ]
  for (const [name, filter] of refused) {
    await t.test(`refused with 0x80: ${name}`, async (t) => {
      const client = await open(broker)
      t.same(await subscribe(client, [filter, 1], ['t/a', 0]), [128, 0])
    })
  }
  await t.test('limits: 0x80 for what is too many', async (t) => {
    const client = await open(broker)
    const [first, ...others] = ['l/1', 'l/2', 'l/3', 'l/4', 'l/5', 'l/6'].map((filter): [string, 0] => [filter, 0])
    t.same(await subscribe(client, first!, ...others), [0, 0, 0, 0, 0, 128])
    t.same(await subscribe(client, ['l/6', 0], ['l/5', 1]), [128, 1], 'what is there may be changed')
    await unsubscribe(client, 'l/1')
    t.same(await subscribe(client, ['l/6', 0]), [0])
    await unsubscribe(client, 'l/6')
    const long = `l/${'x'.repeat(63)}`
    t.same(await subscribe(client, [long, 0], ['l/a/b/c/d/e/f/g/h', 0], ['$share/g/a/b/c/d/e/f/g', 0]), [128, 128, 128])
    t.same(await subscribe(client, ['l/6', 0]), [0], 'the connection goes on')
  })
})

t.test('a refused filter leaves no trace', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const filters: [string, 0 | 1 | 2][] = [
    ['t/ok', 1],
    ['denied/#', 1],
    ['$SYS/#', 1],
    ['users/bob/messages', 1],
  ]
  const { queue, sessions } = broker.running.store
  const client = await open(broker, { id: 'c', clean: false })
  t.same(await subscribe(client, ...filters), [1, 128, 128, 128])
  await announce(broker, 'denied/a')
  await announce(broker, '$SYS/a')
  await announce(broker, 't/ok', 'live')
  t.same((await takePublishes(client, 1)).map(told), ['t/ok live q1'], 'live')
  await leave(broker, client)
  t.same(
    (await sessions.load('ann/c'))?.subscriptions.map(({ topic }) => topic),
    ['t/ok'],
    'in the store',
  )
  await announce(broker, 'denied/a')
  await announce(broker, 't/ok', 'offline')
  t.equal(queue.size('ann/c').messages, 2, 'in the queue')
  const [again] = await openWith(broker, { id: 'c', clean: false })
  t.same((await takePublishes(again, 2)).map(told), ['t/ok live q1 dup', 't/ok offline q1'], 'after a reconnect')
  t.same(await untilPong(again), [])
})

t.test('a filter that is allowed in part', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { queueMessages: 5 } })
  const client = await open(broker, { id: 'c', clean: false })
  t.same(await subscribe(client, ['#', 1]), [1])
  for (let i = 0; i < 20; i++) await announce(broker, `denied/${i}`)
  for (let i = 0; i < 3; i++) await announce(broker, `t/${i}`)
  const got = await takePublishes(client, 3)
  t.same(got.map(told), ['t/0 t/0 q1', 't/1 t/1 q1', 't/2 t/2 q1'], 'what is denied does not fill the queue')
  for (const { messageId } of got) client.send({ cmd: 'puback', messageId: messageId! })
  await leave(broker, client)
  t.equal(broker.running.store.queue.size('ann/c').messages, 0)
  await announce(broker, 'denied/offline')
  await announce(broker, 't/offline')
  const again = await open(broker, { id: 'c', clean: false })
  t.same((await takePublishes(again, 1)).map(told), ['t/offline t/offline q1'])
  t.same(await untilPong(again), [])
  await announce(broker, 'denied/r', 'x', 1, true)
  await announce(broker, 't/r', 'x', 1, true)
  const clean = await open(broker)
  await subscribe(clean, ['#', 0])
  t.same((await takePublishes(clean, 1)).map(told), ['t/r x retain'])
  t.same(await untilPong(clean), [], 'retained messages neither')
})

t.test('a subscription given again', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  await announce(broker, 't/r', 'kept', 1, true)
  const client = await open(broker, { id: 'c', clean: false })
  await subscribe(client, ['t/+', 1])
  t.same((await takePublishes(client, 1)).map(told), ['t/r kept q1 retain'])
  await subscribe(client, ['t/+', 0])
  t.same((await takePublishes(client, 1)).map(told), ['t/r kept retain'], 'retained messages come again [MQTT-3.8.4-3]')
  await announce(broker, 't/a')
  t.same((await takePublishes(client, 1)).map(told), ['t/a t/a'], 'at the new QoS, once')
  await leave(broker, client)
  await announce(broker, 't/a', 'offline')
  t.equal(broker.running.store.queue.size('ann/c').messages, 1, 'and offline: only the one under way waits')
  const again = await open(broker, { id: 'c', clean: false })
  t.same((await takePublishes(again, 1)).map(told), ['t/r kept q1 retain dup'])
  await announce(broker, 't/a', 'live')
  t.same((await takePublishes(again, 1)).map(told), ['t/a live'])
})

t.test('overlapping filters: once, at the highest QoS [MQTT-3.3.5-1]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const cases: [string, [string, 0 | 1 | 2][], 0 | 1 | 2][] = [
    [
      'a low wildcard and a high exact one',
      [
        ['o/#', 0],
        ['o/a', 2],
      ],
      2,
    ],
    [
      'a high wildcard and a low exact one',
      [
        ['o/a', 0],
        ['o/#', 1],
      ],
      1,
    ],
    [
      'three',
      [
        ['o/+', 1],
        ['+/a', 2],
        ['o/a', 0],
      ],
      2,
    ],
    [
      'none above 0',
      [
        ['o/+', 0],
        ['#', 0],
      ],
      0,
    ],
  ]
  for (const clean of [true, false]) {
    for (const [name, filters, qos] of cases) {
      await t.test(`${name}, ${clean ? 'clean' : 'kept'} session`, async (t) => {
        const client = await open(broker, { id: name, clean })
        await subscribe(client, ...filters)
        await announce(broker, 'o/a', 'x', 2)
        await announce(broker, 'o/a', 'end', 2)
        t.same(
          (await takePublishes(client, 2)).map(told),
          ['x', 'end'].map((text) => `o/a ${text}${qos > 0 ? ` q${qos}` : ''}`),
        )
        await unsubscribe(client, filters[0]![0])
        await announce(broker, 'o/a', 'other', 2)
        t.equal((await takePublishes(client, 1)).length, 1, 'without one of them still once')
        await leave(broker, client)
        if (clean) return
        await announce(broker, 'o/a', 'offline', 2)
        const { messages } = broker.running.store.queue.size(`ann/${name}`)
        t.equal(messages, filters.slice(1).some(([, granted]) => granted > 0) ? (qos > 0 ? 4 : 1) : qos > 0 ? 2 : 0)
      })
    }
  }
})

t.test('which topics a filter matches [MQTT-4.7]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const client = await open(broker)
  const topics = [
    'a',
    'a/',
    'a/b',
    'a/b/c',
    'a//b',
    '/',
    '//',
    '/a',
    'b',
    'A/b',
    'a b/ü',
    'a/$b',
    'roomsX/a',
    'x/rooms/a',
  ]
  const cases: Record<string, string[]> = {
    '#': topics,
    '+': ['a', 'b'],
    '+/+': ['a/', 'a/b', '/', '/a', 'A/b', 'a b/ü', 'a/$b', 'roomsX/a'],
    '/+': ['/', '/a'],
    '+/': ['a/', '/'],
    'a/#': ['a', 'a/', 'a/b', 'a/b/c', 'a//b', 'a/$b'],
    'a/+': ['a/', 'a/b', 'a/$b'],
    'a/+/b': ['a//b'],
    'a/+/+': ['a/b/c', 'a//b'],
    'a/+/#': ['a/', 'a/b', 'a/b/c', 'a//b', 'a/$b'],
    'a//b': ['a//b'],
    '+/+/+': ['a/b/c', 'a//b', '//', 'x/rooms/a'],
    '/#': ['/', '//', '/a'],
    '//#': ['/', '//'],
    '+//#': ['a/', 'a//b', '/', '//'],
    'a b/ü': ['a b/ü'],
    '+/b': ['a/b', 'A/b'],
    '+/rooms/a': ['x/rooms/a'],
    'x/#': ['x/rooms/a'],
  }
  for (const [filter, expected] of Object.entries(cases)) {
    await t.test(filter, async (t) => {
      await subscribe(client, [filter, 0])
      for (const topic of topics) await announce(broker, topic, '', 0)
      t.same(
        (await untilPong(client)).map((packet) => (packet as { topic: string }).topic),
        expected,
      )
      await unsubscribe(client, filter)
    })
  }
})

t.test(
  'wildcards in the first level reach neither $ topics nor rooms, users, devices, broadcast [MQTT-4.7.2-1]',
  async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const admin = await open(broker, { user: 'root', roles: ['admin'] })
    const kept = await open(broker, { user: 'root', id: 'kept', clean: false, roles: ['admin'] })
    for (const client of [admin, kept]) {
      t.same(await subscribe(client, ['#', 1], ['+/#', 1], ['+/+/#', 1], ['+/lobby/messages', 1]), [1, 1, 1, 1])
    }
    const ann = await open(broker)
    await publish(ann, 'rooms/lobby/messages', 'hello', { retain: true })
    await publish(ann, 'devices/ann/state', 'on', { retain: true })
    await publish(admin, 'broadcast/news', 'news', { retain: true })
    await publish(admin, 'users/ann/notifications', '{"title":"t","body":"b"}')
    await publish(ann, 'users/root/messages', 'psst')
    await announce(broker, '$SYS/x', 'x', 1, true)
    await publish(ann, 't/end')
    t.same((await takePublishes(admin, 1)).map(told), ['t/end t/end q1'], 'a clean session')
    t.same((await takePublishes(kept, 1)).map(told), ['t/end t/end q1'], 'a kept session')
    await leave(broker, kept)
    await publish(ann, 'devices/ann/state', 'off')
    await announce(broker, '$SYS/x')
    t.equal(broker.running.store.queue.size('root/kept').messages, 1, 'the queue of a kept session')
    const late = await open(broker, { user: 'root', roles: ['admin'] })
    await publish(ann, 't/retained', 'x', { retain: true })
    await subscribe(late, ['#', 0], ['+/x', 0], ['+/ann/state', 0])
    t.same((await takePublishes(late, 1)).map(told), ['t/retained x retain'], 'retained messages')
    t.same(await untilPong(late), [])
    await subscribe(late, ['$SYS/+', 0])
    t.same((await takePublishes(late, 1)).map(told), ['$SYS/x x retain'], 'named, they come')
  },
)

t.test('a SUBSCRIBE holds as many filters as the session', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const COUNT = 10_000
  const filters = Array.from({ length: COUNT }, (_, i) => `t/${i % 2 ? 'a' : 'b'}/${i}`)
  for (const clean of [true, false]) {
    const id = `many${clean}`
    const client = await open(broker, { clean, id })
    const granted = await subscribe(client, ...filters.map((filter): [string, 1] => [filter, 1]))
    t.equal(granted.filter((code) => code === 1).length, COUNT)
    t.same(await subscribe(client, ['t/one/more', 1]), [128])
    await announce(broker, filters.at(-1)!)
    t.same(
      (await takePublishes(client, 1)).map(({ topic }) => topic),
      [filters.at(-1)],
    )
    await unsubscribe(client, ...filters.slice(1))
    t.same(await subscribe(client, ['t/one/more', 1]), [1])
    t.same(
      [...broker.running.aedes.clients[`ann/${id}`]!.client!.session.subscriptions.keys()],
      [filters[0], 't/one/more'],
    )
    await cut(broker, client)
  }
})

t.test(
  'the filters of a session, and of all sessions of a user, are bounded in bytes; what is there goes on',
  async (t) => {
    const limits = { subscriptionBytes: 4096, subscriptionBytesPerUser: 6000 }
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const long = (name: string): string => `t/${name}/${'x'.repeat(935)}`
    const before = await open(broker, { clean: false, id: 'before' })
    const had = ['1', '2', '3', '4', '5'].map((name): [string, 1] => [long(name), 1])
    await subscribe(before, ...had)
    await cut(broker, before)
    await broker.restart({ limits })
    const again = await open(broker, { clean: false, id: 'before' })
    t.same(await subscribe(again, ...had, ['t/a', 1]), [1, 1, 1, 1, 1, 128], 'and grows no further')
    await announce(broker, long('5'))
    t.same(
      (await takePublishes(again, 1)).map(({ topic }) => topic),
      [long('5')],
    )
    const live = await open(broker, { id: 'live' })
    t.same(await subscribe(live, ['t/b', 1], [long('6'), 1]), [1, 128], 'of the user')
    const other = await open(broker, { user: 'bob' })
    const five = had.map(([filter]): [string, 0] => [filter, 0])
    t.same(await subscribe(other, ...five), [0, 0, 0, 0, 128], 'of the session')
    await unsubscribe(again, long('1'), long('2'))
    t.same(await subscribe(live, [long('6'), 1]), [1])
    await cut(broker, again)
    await broker.restart({ limits })
    const third = await open(broker, { id: 'third' })
    t.same(
      await subscribe(third, ...['6', '7', '8', '9'].map((name): [string, 0] => [long(name), 0])),
      [0, 0, 128, 128],
      'sessions that are away are counted',
    )
  },
)

t.test('UNSUBSCRIBE', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  await t.test('is answered, whether or not there was such a filter [MQTT-3.10.4-4, MQTT-3.10.4-5]', async (t) => {
    const client = await open(broker)
    await unsubscribe(client, 't/never', 'rooms/nowhere/messages', '$SYS/#', '#')
    t.same(await untilPong(client), [])
  })
  await t.test('removes exactly the filters named [MQTT-3.10.4-1, MQTT-3.10.4-2, MQTT-3.10.4-6]', async (t) => {
    const client = await open(broker)
    await subscribe(client, ['t/+', 0], ['t/#', 0], ['t/a', 0], ['T/a', 0])
    await unsubscribe(client, 't/+', 't/a', 't/b')
    await announce(broker, 't/a')
    t.same((await takePublishes(client, 1)).map(told), ['t/a t/a'], 't/# is still there')
    await unsubscribe(client, 't/#')
    await announce(broker, 't/a')
    await announce(broker, 'T/a')
    t.same((await takePublishes(client, 1)).map(told), ['T/a T/a'])
  })
  await t.test('for good: also after a reconnect and a restart', async (t) => {
    const client = await open(broker, { id: 'c', clean: false })
    await subscribe(client, ['t/a', 1], ['t/b', 1])
    await unsubscribe(client, 't/a')
    await cut(broker, client)
    await announce(broker, 't/a')
    await broker.restart()
    await announce(broker, 't/a')
    await announce(broker, 't/b')
    const again = await open(broker, { id: 'c', clean: false })
    t.same((await takePublishes(again, 1)).map(told), ['t/b t/b q1'])
    t.same(await untilPong(again), [])
  })
})

t.test('devices: plain MQTT of a user of its own', async (t) => {
  const broker = await startTestBroker(t)
  const device = await open(broker, { user: 'sensor', id: 'c', clean: false })
  t.same(await subscribe(device, ['devices/sensor/#', 2], ['devices/+/x', 1]), [2, 1])
  await publish(await open(broker, { user: 'sensor' }), 'devices/sensor/state', 'on', { retain: true })
  t.same((await takePublishes(device, 1)).map(told), ['devices/sensor/state on q1'])
  const other = await open(broker, { user: 'ann' })
  t.same(await subscribe(other, ['devices/sensor/#', 0], ['devices/+/state', 0], ['devices/#', 0]), [128, 0, 0])
  await publish(other, 'devices/sensor/state', 'off')
  t.same(await untilPong(device), [], 'no one else speaks or listens there, unless a rule says so')
})

t.test(
  'a filter given very often costs no more than given once, however many rooms and filters there are',
  async (t) => {
    const broker = await startTestBroker(t, { store: { level: { sync: false } } })
    const client = await open(broker)
    const rooms = Array.from({ length: 60 }, (_, i) => `x${i}`)
    for (const room of rooms) await publish(client, 'users/ann/requests/rooms.create', JSON.stringify({ room }))
    const exact = rooms.flatMap((room) =>
      ['messages', 'text', 'events', 'typing'].map((leaf) => `rooms/${room}/${leaf}`),
    )
    t.equal((await subscribe(client, ...exact.map((filter): [string, 1] => [filter, 1]))).length, exact.length)
    const { split } = String.prototype
    let splits = 0
    String.prototype.split = function (this: string, ...args: unknown[]) {
      splits++
      return Reflect.apply(split, this, args)
    } as typeof split
    t.teardown(() => (String.prototype.split = split))
    const granted = await subscribe(client, ...Array.from({ length: 200 }, (): [string, 0] => ['rooms/#', 0]))
    t.strictSame(granted, Array(200).fill(0))
    t.ok(splits < 20_000, `topics and filters were taken apart ${splits} times`)
  },
)
