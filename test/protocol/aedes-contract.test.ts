/** What Aedes documents (docs/Aedes.md, docs/Client.md) and its plugins use: events, handlers, methods, `$SYS`, and what aedes.js does to clients. */
import { createRequire } from 'node:module'
import type { Aedes, Client } from 'aedes'
import type { IPublishPacket } from 'mqtt-packet'
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
import { RawClient } from '../helpers/raw-client.js'

const require = createRequire(import.meta.url)

/** The broker, as a plugin sees it. */
function plugged(broker: TestBroker): Aedes {
  return broker.running.aedes as unknown as Aedes
}

function clientOf(broker: TestBroker, id: string): Client {
  return broker.running.aedes.clients[id] as unknown as Client
}

const start = (t: Test): Promise<TestBroker> => startTestBroker(t, { acl: OPEN_ACL })

/** Resolves with the arguments of the next `event`. */
function next<T extends unknown[]>(aedes: Aedes, event: string): Promise<T> {
  return new Promise((resolve) =>
    (aedes as unknown as NodeJS.EventEmitter).once(event, (...args) => resolve(args as T)),
  )
}

function done(run: (callback: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => run((error) => (error ? reject(error) : resolve())))
}

function packetOf(topic: string, more: Partial<IPublishPacket> = {}): IPublishPacket {
  return { cmd: 'publish', topic, payload: 'x', qos: 0, retain: false, dup: false, ...more }
}

t.test('events of a client that comes, works and goes, in this order', async (t) => {
  const broker = await start(t)
  const aedes = plugged(broker)
  const heard: string[] = []
  const note = (event: string, text: (...args: never[]) => unknown): void => {
    ;(aedes as unknown as NodeJS.EventEmitter).on(event, (...args) =>
      heard.push(`${event} ${text(...(args as never[]))}`),
    )
  }
  note('client', (client: Client) => `${client.id} connecting=${client.connecting} connected=${client.connected}`)
  note('connackSent', (packet: { returnCode: number }, client: Client) => `${packet.returnCode} ${client.id}`)
  note('clientReady', (client: Client) => `${client.id} connecting=${client.connecting} connected=${client.connected}`)
  note('subscribe', (subs: unknown, client: Client) => `${JSON.stringify(subs)} ${client.id}`)
  note('publish', (packet: IPublishPacket, client: Client | null) => {
    return packet.topic.startsWith('$SYS') ? 'sys' : `${packet.cmd} ${packet.topic} ${packet.payload} ${client?.id}`
  })
  note('ping', (packet: { cmd: string }, client: Client) => `${packet.cmd} ${client.id}`)
  note('ack', (packet: { qos: number; messageId: number }, client: Client) => `${packet.messageId} ${client.id}`)
  note('unsubscribe', (filters: string[], client: Client) => `${filters} ${client.id}`)
  note('clientDisconnect', (client: Client) => `${client.id} closed=${client.closed}`)
  const client = await open(broker, { id: 'c' })
  await subscribe(client, ['t/a', 1], ['t/a', 2], ['denied/#', 0])
  client.send(packetOf('t/a', { qos: 1, messageId: 3 }))
  const packets = [await client.next(), await client.next()]
  const { messageId } = packets.find((packet) => packet?.cmd === 'publish')!
  client.send({ cmd: 'puback', messageId: messageId! })
  await untilPong(client)
  client.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['t/a', 't/b'] })
  await take(client, 'unsuback')
  await leave(broker, client)
  t.same(
    heard.filter((one) => one !== 'publish sys'),
    [
      'client ann/c connecting=true connected=false',
      'connackSent 0 ann/c',
      'clientReady ann/c connecting=false connected=true',
      'subscribe [{"topic":"t/a","qos":2},{"topic":"denied/#","qos":128}] ann/c',
      'publish publish t/a x ann/c',
      `ack ${messageId} ann/c`,
      'ping pingreq ann/c',
      'unsubscribe t/a,t/b ann/c',
      'clientDisconnect ann/c closed=true',
    ],
  )
})

t.test('acks', async (t) => {
  const broker = await start(t)
  const client = await open(broker, { id: 'c' })
  await subscribe(client, ['t/#', 2])
  const aedes = plugged(broker)
  for (const qos of [1, 2] as const) {
    await done((callback) => aedes.publish({ ...packetOf('t/a', { qos }) } as never, callback))
    const { messageId } = await take(client, 'publish')
    const acked = next<[{ messageId: number }, Client]>(aedes, 'ack')
    if (qos === 1) client.send({ cmd: 'puback', messageId: messageId! })
    else {
      client.send({ cmd: 'pubrec', messageId: messageId! })
      await take(client, 'pubrel')
      client.send({ cmd: 'pubcomp', messageId: messageId! })
    }
    const [packet, from] = await acked
    t.match(packet, { messageId, cmd: qos === 1 ? 'publish' : 'pubrel' })
    t.equal(from.id, 'ann/c')
  }
})

t.test('errors', async (t) => {
  const broker = await start(t)
  const aedes = plugged(broker)
  await t.test('clientError: a client that is in breaks the rules, or its network does', async (t) => {
    const client = await open(broker, { id: 'c' })
    const error = next<[Client, Error]>(aedes, 'clientError')
    client.send('f0 00')
    const [from, what] = await error
    t.equal(from.id, 'ann/c')
    t.match(what, /packet type 15/)
    await client.whenClosed()
    const other = await open(broker, { id: 'd' })
    const emitted: Error[] = []
    clientOf(broker, 'ann/d').on('error', (one) => emitted.push(one))
    const network = next<[Client, Error]>(aedes, 'clientError')
    ;(clientOf(broker, 'ann/d').conn as NodeJS.EventEmitter).emit('error', new Error('ECONNRESET'))
    t.match((await network)[1], /ECONNRESET/)
    t.equal(emitted.length, 1, 'and the client says it too')
    await other.whenClosed()
  })
  await t.test('connectionError: one that never got in; connackSent has the return code', async (t) => {
    const client = new RawClient(broker)
    const error = next<[Client, Error]>(aedes, 'connectionError')
    const sent = next<[{ returnCode: number }]>(aedes, 'connackSent')
    client.send({ ...(await connectPacket(broker)), password: Buffer.from('wrong') })
    t.notOk((await error)[0].id)
    t.equal((await sent)[0].returnCode, 4)
    await client.whenClosed()
    const rude = new RawClient(broker)
    const second = next<[Client, Error]>(aedes, 'connectionError')
    rude.send('c0 00')
    t.match((await second)[1], /first packet/)
  })
  await t.test('an error event that no plugin hears does not end the process', async () => {
    ;(aedes as unknown as NodeJS.EventEmitter).emit('error', new Error('of a plugin'))
  })
})

t.test('handlers', async (t) => {
  const broker = await start(t)
  const aedes = plugged(broker)
  const stock = { ...aedes } as unknown as Aedes
  t.afterEach(() => {
    const { preConnect, authenticate, authorizePublish, authorizeSubscribe, authorizeForward, published } = stock
    Object.assign(aedes, {
      preConnect,
      authenticate,
      authorizePublish,
      authorizeSubscribe,
      authorizeForward,
      published,
    })
  })
  const answer = async (more: object = {}): Promise<RawClient> => {
    const client = new RawClient(broker)
    client.send({ ...(await connectPacket(broker, { id: 'c' })), ...more } as never)
    return client
  }

  await t.test('preConnect sees the CONNECT before anyone else, may refuse it, and may change it', async (t) => {
    aedes.preConnect = (client, packet, callback) => {
      t.match(packet, { cmd: 'connect', clientId: 'c', username: 'ann', protocolVersion: 4, clean: true })
      t.notOk(client.id)
      callback(null, false)
    }
    await (await answer()).whenClosed()
    aedes.preConnect = (_client, _packet, callback) => callback(new Error('not today'), true)
    const error = next<[Client, Error]>(aedes, 'connectionError')
    await (await answer()).whenClosed()
    t.match((await error)[1], /not today/)
    aedes.preConnect = (_client, packet, callback) => {
      packet.clientId = 'changed'
      callback(null, true)
    }
    await take(await answer(), 'connack')
    t.ok(clientOf(broker, 'ann/changed'))
  })
  await t.test('authenticate comes on top of our own check', async (t) => {
    const asked: unknown[] = []
    aedes.authenticate = (client, username, password, callback) => {
      asked.push([client.id, username, Buffer.isBuffer(password)])
      callback(null, false)
    }
    t.match(await (await answer()).next(), { cmd: 'connack', returnCode: 5 })
    t.match(await (await answer({ password: Buffer.from('wrong') })).next(), { cmd: 'connack', returnCode: 4 })
    t.same(asked, [['ann/c', 'ann', true]], 'whom we refuse it is not asked')
    aedes.authenticate = (_client, _username, _password, callback) =>
      callback(Object.assign(new Error('no'), { returnCode: 3 as never }), null as never)
    t.match(await (await answer()).next(), { cmd: 'connack', returnCode: 3 })
    aedes.authenticate = (_client, _username, _password, callback) =>
      callback(Object.assign(new Error('no'), { returnCode: 77 as never }), null as never)
    t.match(await (await answer()).next(), { cmd: 'connack', returnCode: 5 })
    aedes.authenticate = (_client, _username, _password, callback) => callback(null, true)
    t.match(await (await answer()).next(), { cmd: 'connack', returnCode: 0 })
  })
  await t.test('authorizePublish may refuse and rewrite; it narrows, never widens', async (t) => {
    aedes.authorizePublish = (_client, packet, callback) => {
      if (packet.topic === 't/no') return callback(new Error('wrong topic'))
      if (packet.topic === 't/text') packet.payload = Buffer.from('rewritten')
      if (packet.topic === 't/elsewhere') packet.topic = 't/there'
      if (packet.topic === 't/sly') packet.topic = 'denied/x'
      callback(null)
    }
    const watcher = await open(broker)
    await subscribe(watcher, ['#', 1])
    const client = await open(broker)
    for (const topic of ['t/no', 't/text', 't/elsewhere', 't/sly', 't/end']) await publish(client, topic, 'x')
    t.same((await takePublishes(watcher, 3)).map(told), ['t/text rewritten q1', 't/there x q1', 't/end x q1'])
  })
  await t.test('authorizePublish is asked for wills, with their client', async (t) => {
    const asked: string[] = []
    aedes.authorizePublish = (client, packet, callback) => {
      asked.push(`${client?.id} ${packet.topic}`)
      callback(packet.topic === 't/refused' ? new Error('no') : null)
    }
    const watcher = await open(broker)
    await subscribe(watcher, ['t/#', 0])
    for (const topic of ['t/refused', 't/passed'])
      await cut(broker, await open(broker, { id: 'dying', will: { topic, payload: 'gone' } }))
    t.same((await takePublishes(watcher, 1)).map(told), ['t/passed gone'])
    t.same(asked, ['ann/dying t/refused', 'ann/dying t/passed'])
  })
  await t.test('authorizeSubscribe may refuse, negate and rewrite; it narrows, never widens', async (t) => {
    aedes.authorizeSubscribe = (_client, sub, callback) => {
      if (sub.topic === 't/error') return callback(new Error('wrong topic'))
      if (sub.topic === 't/null') return callback(null, null)
      if (sub.topic === 't/rewrite') {
        sub.topic = 't/other'
        sub.qos = 1
      }
      if (sub.topic === 't/sly') sub.topic = '$SYS/#'
      callback(null, sub)
    }
    const client = await open(broker)
    const filters = ['t/error', 't/null', 't/rewrite', 't/sly', 't/plain'].map((topic): [string, 2] => [topic, 2])
    t.same(await subscribe(client, ...filters), [128, 128, 1, 128, 2])
    const other = await open(broker)
    for (const topic of ['t/error', 't/null', 't/rewrite', 't/other', 't/plain'])
      await publish(other, topic, 'x', { qos: 2 })
    t.same((await takePublishes(client, 2)).map(told), ['t/other x q1', 't/plain x q2'])
  })
  await t.test('authorizeSubscribe is asked again when a session comes back', async (t) => {
    const client = await open(broker, { id: 'back', clean: false })
    await subscribe(client, ['t/a', 1], ['t/b', 1])
    await leave(broker, client)
    aedes.authorizeSubscribe = (_client, sub, callback) => callback(null, sub.topic === 't/a' ? null : sub)
    const other = await open(broker)
    const publishBoth = async (payload: string): Promise<void> => {
      for (const topic of ['t/a', 't/b']) await publish(other, topic, payload)
    }
    await publishBoth('queued')
    const again = await open(broker, { id: 'back', clean: false })
    t.same((await takePublishes(again, 1)).map(told), ['t/b queued q1'])
    await publishBoth('live')
    t.same((await takePublishes(again, 1)).map(told), ['t/b live q1'])
  })
  for (const [name, topic, opening] of [
    ['a clean session', 't/f', {}],
    ['a kept session', 't/f', { clean: false, id: 'kept' }],
    ['a room', 'rooms/lobby/messages', {}],
    ['a room, at QoS 0', 'rooms/lobby/messages', { qos: 0 }],
    ['retained messages', 't/f', { retain: true }],
  ] as const) {
    await t.test(`authorizeForward may withhold and change what is delivered: ${name}`, async (t) => {
      aedes.authorizeForward = (client, packet) => {
        if (!client.id.startsWith('bob/')) return packet
        const payload = packet.payload.toString()
        if (payload.includes('secret')) return undefined as never
        if (payload.includes('change')) packet.payload = Buffer.from('changed')
        return packet
      }
      const client = await open(broker, { ...opening, user: 'bob' })
      const other = await open(broker)
      const qos = 'qos' in opening ? opening.qos : 1
      if ('retain' in opening) {
        for (const word of ['secret', 'change', 'plain']) await publish(other, `t/r/${word}`, word, { retain: true })
        await subscribe(client, ['t/r/+', qos])
      } else {
        await subscribe(client, [topic, qos])
        for (const word of ['secret', 'change', 'plain']) await publish(other, topic, word)
      }
      const got = (await takePublishes(client, 2)).map(text)
      t.equal(got[0], 'changed')
      t.match(got[1], /plain/)
      t.same(await untilPong(client), [])
      if ('clean' in opening) {
        for (const messageId of [1, 2]) client.send({ cmd: 'puback', messageId })
        await leave(broker, client)
        t.equal(broker.running.store.queue.size('bob/kept').messages, 0, 'what was withheld waits for nobody')
      }
    })
  }
  await t.test('published hears of every message, with its client', async (t) => {
    const heard: string[] = []
    aedes.published = (packet, client, callback) => {
      if (!packet.topic.startsWith('$SYS')) heard.push(`${packet.topic} ${packet.payload} ${client?.id}`)
      callback(null)
    }
    const client = await open(broker, { id: 'c', will: { topic: 't/will', payload: 'gone' } })
    await publish(client, 't/a', 'x')
    await publish(client, 'rooms/lobby/messages', 'hello')
    await publish(client, 'denied/a', 'x')
    await done((callback) => aedes.publish(packetOf('t/server') as never, callback))
    await cut(broker, client)
    t.same(heard, ['t/a x ann/c', 'rooms/lobby/messages hello ann/c', 't/server x undefined', 't/will gone undefined'])
  })
})

t.test('methods of the broker', async (t) => {
  const broker = await start(t)
  const aedes = plugged(broker)
  await t.test('publish: on behalf of the server, to clients, to rooms, and back', async (t) => {
    const client = await open(broker, { id: 'c' })
    await subscribe(client, ['t/#', 2], ['rooms/lobby/messages', 1], ['users/ann/replies', 1])
    await done((callback) =>
      aedes.publish(packetOf('t/a', { payload: Buffer.from('bytes'), qos: 2 }) as never, callback),
    )
    await done((callback) => aedes.publish({ topic: 't/b', payload: 'text', retain: true } as never, callback))
    await done((callback) =>
      aedes.publish(packetOf('rooms/lobby/messages', { payload: 'welcome', qos: 1 }) as never, callback),
    )
    const [a, b, room] = await takePublishes(client, 3)
    t.same([told(a!), told(b!)], ['t/a bytes q2', 't/b text'])
    t.match(JSON.parse(text(room!)), { from: 'system', text: 'welcome', seq: 1 })
    await t.rejects(done((callback) => aedes.publish(packetOf('rooms/nowhere/messages') as never, callback)))
    aedes.publish({ topic: 't/c', payload: 'no callback' } as never, undefined as never)
    t.same((await takePublishes(client, 1)).map(told), ['t/c no callback'])
  })
  await t.test('subscribe and unsubscribe: every message, also those of rooms and of the server', async (t) => {
    const heard: string[] = []
    const listener = (packet: { topic: string; payload: Buffer | string }, callback: () => void): void => {
      heard.push(`${packet.topic} ${packet.payload}`)
      callback()
    }
    await done((callback) => aedes.subscribe('t/+', listener as never, callback as never))
    await done((callback) => aedes.subscribe('rooms/#', listener as never, callback as never))
    const client = await open(broker)
    await publish(client, 't/a', '1')
    await publish(client, 'rooms/lobby/messages', '2')
    await publish(client, 'denied/a', '3')
    await done((callback) => aedes.publish(packetOf('t/b', { payload: '4' }) as never, callback))
    await done((callback) => aedes.unsubscribe('t/+', listener as never, callback as never))
    await publish(client, 't/a', '5')
    t.same(heard, ['t/a 1', 'rooms/lobby/messages 2', 't/b 4'])
  })
  await t.test('a listener that never calls back delays nobody', async (t) => {
    await done((callback) => aedes.subscribe('t/#', (() => {}) as never, callback as never))
    const client = await open(broker)
    await subscribe(client, ['t/x', 0])
    for (let i = 0; i < 200; i++) client.send(packetOf('t/x'))
    t.equal((await takePublishes(client, 200)).length, 200)
  })
  await t.test('id, connectedClients, closed, version', async (t) => {
    const before = aedes.connectedClients
    const client = await open(broker, { id: 'count' })
    t.equal(aedes.connectedClients, before + 1)
    await leave(broker, client)
    t.equal(aedes.connectedClients, before)
    t.equal(aedes.closed, false)
    t.match(aedes.id, /^[0-9a-f-]{36}$/)
    const { id } = aedes
    await broker.restart()
    t.not(plugged(broker).id, id, 'fresh per boot')
  })
})

t.test('methods of a client', async (t) => {
  const broker = await start(t)
  await t.test('publish: to this client alone', async (t) => {
    const client = await open(broker, { id: 'c' })
    const other = await open(broker, { id: 'd' })
    const handle = clientOf(broker, 'ann/c')
    for (const qos of [0, 1, 2] as const)
      await done((callback) => handle.publish(packetOf('any/topic', { qos }) as never, callback))
    t.same((await takePublishes(client, 3)).map(told), ['any/topic x', 'any/topic x q1', 'any/topic x q2'])
    t.same(await untilPong(other), [])
    await leave(broker, client)
    handle.publish(packetOf('any/topic') as never, () => {})
  })
  await t.test('subscribe and unsubscribe: on its behalf, with its rights', async (t) => {
    const client = await open(broker, { id: 'c' })
    const handle = clientOf(broker, 'ann/c')
    await done((callback) => handle.subscribe({ topic: 's/1', qos: 0 } as never, callback))
    await done((callback) =>
      handle.subscribe(
        [
          { topic: 's/2', qos: 1 },
          { topic: 'denied/#', qos: 1 },
        ] as never,
        callback,
      ),
    )
    t.same(await untilPong(client), [], 'without SUBACK')
    await done((callback) =>
      handle.subscribe({ subscriptions: [{ topic: 's/3', qos: 2 }], messageId: 42 } as never, callback),
    )
    t.match(await take(client, 'suback'), { messageId: 42, granted: [2] }, 'unless a messageId asks for it')
    const other = await open(broker)
    for (const topic of ['s/1', 's/2', 's/3', 'denied/x']) await publish(other, topic, 'x', { qos: 2 })
    t.same((await takePublishes(client, 3)).map(told), ['s/1 x', 's/2 x q1', 's/3 x q2'])
    await done((callback) => handle.unsubscribe(['s/1', 's/2'] as never, callback))
    for (const topic of ['s/1', 's/2', 's/3']) await publish(other, topic, 'x')
    t.same((await takePublishes(client, 1)).map(told), ['s/3 x q1'])
  })
  await t.test('close: always calls back, how often it is asked', async (t) => {
    const client = await open(broker, { id: 'c' })
    const handle = clientOf(broker, 'ann/c')
    await Promise.all([1, 2, 3].map(() => done((callback) => handle.close(callback as never))))
    t.equal(handle.closed, true)
    t.equal(handle.connected, false)
    t.notOk(clientOf(broker, 'ann/c'))
    await done((callback) => handle.close(callback as never))
    handle.close()
    await client.whenClosed()
    const never = new RawClient(broker)
    const [connection] = [...broker.running.aedes.connections].slice(-1)
    await new Promise<void>((resolve) => connection!.close(resolve))
    await never.whenClosed()
  })
  await t.test('emptyOutgoingQueue: what waits is forgotten', async (t) => {
    const client = await open(broker, { id: 'q', clean: false })
    await subscribe(client, ['q/a', 1])
    const other = await open(broker)
    for (let i = 0; i < 70; i++) await publish(other, 'q/a', `${i}`)
    await done((callback) => clientOf(broker, 'ann/q').emptyOutgoingQueue(callback))
    t.equal(broker.running.store.queue.size('ann/q').messages, 0)
    await publish(other, 'q/a', 'new')
    t.equal(broker.running.store.queue.size('ann/q').messages, 1)
  })
  await t.test('id, clean, version, conn, req, duplicates, subscriptions', async (t) => {
    const client = await open(broker, { id: 'old', version: 3 })
    await subscribe(client, ['t/a', 1])
    t.match(clientOf(broker, 'ann/old'), { id: 'ann/old', clean: true, version: 3, connected: true, closed: false })
    const handle = broker.running.aedes.clients['ann/old']!
    t.ok(handle.conn)
    t.same(Object.keys(handle.subscriptions), ['t/a'])
    handle.duplicates['other-broker'] = 7
    await done((callback) =>
      broker.running.aedes.publish({ topic: '$SYS/other-broker/birth', payload: 'other-broker' }, callback),
    )
    t.same(handle.duplicates, {}, 'aedes.js forgets what a broker born anew sent')
  })
  await t.test('a client that registers with another broker is closed here', async (t) => {
    const client = await open(broker, { id: 'moved' })
    broker.running.aedes.publish({ topic: '$SYS/other-broker/new/clients', payload: 'ann/moved' })
    await client.whenClosed()
    const stays = await open(broker, { id: 'stays' })
    broker.running.aedes.publish({ topic: `$SYS/${broker.running.aedes.id}/new/clients`, payload: 'ann/stays' })
    t.same(await untilPong(stays), [])
  })
})

t.test('$SYS reaches admins, and nobody else', async (t) => {
  const broker = await start(t)
  const { id } = broker.running.aedes
  const admin = await open(broker, { user: 'root', roles: ['admin'] })
  t.same(await subscribe(admin, ['$SYS/#', 0], ['$SYS/+/new/clients', 0]), [0, 0])
  const ann = await open(broker)
  t.same(await subscribe(ann, ['$SYS/#', 0], ['$SYS/+/heartbeat', 0]), [128, 128])
  const client = await open(broker, { id: 'c' })
  await subscribe(client, ['t/a', 1])
  client.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['t/a'] })
  await take(client, 'unsuback')
  await leave(broker, client)
  const got: string[] = []
  while (!got.some((one) => one.includes('disconnect'))) {
    const packet = await take(admin, 'publish')
    if (packet.payload.toString().includes('ann/c')) got.push(told(packet))
  }
  t.same(got, [
    `$SYS/${id}/new/clients ann/c`,
    `$SYS/${id}/new/subscribes {"clientId":"ann/c","subs":[{"topic":"t/a","qos":1}]}`,
    `$SYS/${id}/new/unsubscribes {"clientId":"ann/c","subs":["t/a"]}`,
    `$SYS/${id}/disconnect/clients ann/c`,
  ])
})

t.test('aedes-stats works as it is', async (t) => {
  const broker = await start(t)
  const stats = require('aedes-stats') as (aedes: object, options: { interval: number }) => void
  stats(broker.running.aedes, { interval: 20 })
  const ann = await open(broker, { id: 'c' })
  await publish(ann, 't/a')
  const admin = await open(broker, { user: 'root', roles: ['admin'] })
  await subscribe(admin, ['$SYS/+/clients/total', 0], ['$SYS/+/messages/publish/sent', 0])
  const seen = new Map<string, string>()
  while (seen.get('total') !== '2' || seen.get('sent') !== '1') {
    const packet = await take(admin, 'publish')
    seen.set(packet.topic.split('/').at(-1)!, text(packet))
  }
  t.match((broker.running.aedes as unknown as { stats: object }).stats, { connectedClients: 2, publishedMessages: 1 })
})

t.test('closed: every connection ends, wills are sent, the event comes, close calls back', async (t) => {
  const broker = await start(t)
  const aedes = plugged(broker)
  const closed = next(aedes, 'closed')
  const will = { topic: 't/will', payload: 'gone', retain: true }
  const clients = [
    await open(broker, { id: 'a', will }),
    await open(broker, { id: 'b', clean: false }),
    new RawClient(broker),
  ]
  await broker.restart()
  await closed
  const late = await open(broker)
  await subscribe(late, ['t/will', 0])
  t.same((await takePublishes(late, 1)).map(told), ['t/will gone retain'])
  for (const client of clients) await client.whenClosed()
  t.equal(aedes.closed, true)
  t.equal(aedes.connectedClients, 0)
  await done((callback) => aedes.close(callback as never))
})
