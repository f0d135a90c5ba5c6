/** CONNECT, CONNACK, PINGREQ, DISCONNECT, keep alive, will and takeover: MQTT 3.1 and 3.1.1. */
import type { IConnackPacket, IConnectPacket, Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { dueIn } from '../helpers/clock.js'
import { inTime } from '../helpers/patience.js'
import {
  connectPacket,
  cut,
  goneOf,
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
import { RawClient } from '../helpers/raw-client.js'

/** A CONNECT made by hand: every byte is the test's. */
interface Bytes {
  header?: number
  name?: string
  level?: number
  flags?: number
  /** The fields after the keep alive, each with its length before it. */
  fields?: (string | Buffer)[]
  /** Bytes behind the last field. */
  tail?: Buffer
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

function connectBytes({ header = 0x10, name = 'MQTT', level = 4, flags = 2, fields = ['c'], tail }: Bytes): Buffer {
  const body = Buffer.concat([
    field(name),
    Buffer.from([level, flags, 0, 0]),
    ...fields.map(field),
    tail ?? Buffer.alloc(0),
  ])
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7]
  return Buffer.concat([Buffer.from([header, ...length]), body])
}

async function answerTo(broker: TestBroker, bytes: Buffer | Packet, version: 3 | 4 | 5 = 4): Promise<Packet[]> {
  const client = new RawClient(broker, version)
  client.send(bytes)
  await client.whenClosed()
  return client.packets
}

t.test('CONNECT that is malformed closes the connection without CONNACK [MQTT-3.1.4-1, MQTT-3.2.2-6]', async (t) => {
  const broker = await startTestBroker(t, { auth: { anonymous: true } })
  const cases: Record<string, Buffer | string> = {
    'flags in the fixed header [MQTT-2.2.2-2]': connectBytes({ header: 0x12 }),
    'a protocol name of another protocol [MQTT-3.1.2-1]': connectBytes({ name: 'HTTP' }),
    'the protocol name in lower case': connectBytes({ name: 'mqtt' }),
    'the reserved connect flag [MQTT-3.1.2-3]': connectBytes({ flags: 0x03 }),
    'will QoS 3 [MQTT-3.1.2-14]': connectBytes({ flags: 0x1e, fields: ['c', 'w', 'x'] }),
    'will QoS without a will [MQTT-3.1.2-13]': connectBytes({ flags: 0x0a }),
    'will retain without a will [MQTT-3.1.2-15]': connectBytes({ flags: 0x22 }),
    'a password without a user name [MQTT-3.1.2-22]': connectBytes({ flags: 0x42, fields: ['c', 'p'] }),
    'a will flag without a will [MQTT-3.1.2-9]': connectBytes({ flags: 0x06 }),
    'a user name flag without a user name [MQTT-3.1.2-19]': connectBytes({ flags: 0x82 }),
    'a password flag without a password [MQTT-3.1.2-21]': connectBytes({ flags: 0xc2, fields: ['c', 'u'] }),
    'bytes behind the last field': connectBytes({ tail: Buffer.from('x') }),
    'a user name that no flag announces [MQTT-3.1.2-18]': connectBytes({ fields: ['c', 'u'] }),
    'no client id at all [MQTT-3.1.3-3]': connectBytes({ fields: [] }),
    'a client id that is not UTF-8 [MQTT-3.1.3-4]': connectBytes({ fields: [Buffer.from([0xc3, 0x28])] }),
    'a client id with a surrogate [MQTT-1.5.3-1]': connectBytes({ fields: [Buffer.from([0xed, 0xa0, 0x80])] }),
    'a client id with U+0000 [MQTT-1.5.3-2]': connectBytes({ fields: ['a\0b'] }),
    'a will topic with a wildcard': connectBytes({ flags: 0x06, fields: ['c', 'w/#', 'x'] }),
    'an empty will topic [MQTT-4.7.3-1]': connectBytes({ flags: 0x06, fields: ['c', '', 'x'] }),
    'a will topic with U+0000': connectBytes({ flags: 0x06, fields: ['c', 'w\0', 'x'] }),
    'a user name that is not UTF-8 [MQTT-3.1.3-11]': connectBytes({ flags: 0x82, fields: ['c', Buffer.from([0xff])] }),
    'an end within the variable header': '10 06 00 04 4d 51 54 54',
    'nothing in it': '10 00',
    'a length that only packets behind a login may have': '10 80 80 20',
  }
  for (const [name, bytes] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const client = new RawClient(broker)
      client.send(bytes)
      await client.whenClosed()
      t.same(client.packets, [], 'nothing was answered')
    })
  }
})

t.test('protocol levels', async (t) => {
  const broker = await startTestBroker(t, { auth: { anonymous: true } })
  const spoken: [string, number, number][] = [
    ['MQIsdp', 3, 0],
    ['MQTT', 4, 0],
    ['MQTT', 3, 1],
    ['MQTT', 0, 1],
    ['MQIsdp', 4, 1],
    ['MQTT', 0x84, 1],
    ['MQIsdp', 0x83, 1],
  ]
  for (const [name, level, returnCode] of spoken) {
    await t.test(`${name} ${level} is answered with return code ${returnCode} [MQTT-3.1.2-2]`, async (t) => {
      const client = new RawClient(broker)
      client.send(connectBytes({ name, level }))
      t.match(await client.next(), { cmd: 'connack', returnCode, sessionPresent: false })
      if (returnCode === 0) client.send({ cmd: 'disconnect' })
      await client.whenClosed()
    })
  }
  await t.test('a level after 5 is answered as MQTT 5 does', async (t) => {
    t.match(await answerTo(broker, connectBytes({ level: 6 }), 5), [{ cmd: 'connack', reasonCode: 0x84 }])
  })
})

t.test('client identifiers', async (t) => {
  const broker = await startTestBroker(t)
  const cases: [string, { id: string; clean?: boolean; version?: 3 | 4 }, number][] = [
    ['letters and digits up to 23 bytes [MQTT-3.1.3-5]', { id: 'abcdefghijklmnopqrstuvw' }, 0],
    ['longer ids on 3.1.1 [MQTT-3.1.3-6]', { id: 'x'.repeat(1024) }, 0],
    ['too long an id', { id: 'x'.repeat(1025) }, 2],
    ['bytes are counted', { id: 'ä'.repeat(513) }, 2],
    ['any UTF-8', { id: 'télé/фон #+' }, 0],
    ['a control character', { id: 'a\nb' }, 2],
    ['an empty id with clean session [MQTT-3.1.3-7]', { id: '' }, 0],
    ['an empty id without [MQTT-3.1.3-8]', { id: '', clean: false }, 2],
    ['MQTT 3.1: 23 characters', { id: 'abcdefghijklmnopqrstuvw', version: 3 }, 0],
    ['MQTT 3.1: more, as its clients have', { id: 'abcdefghijklmnopqrstuvwx', version: 3 }, 0],
    ['MQTT 3.1: too many', { id: 'x'.repeat(1025), version: 3 }, 2],
    ['MQTT 3.1: none', { id: '', version: 3 }, 2],
  ]
  for (const [name, opening, returnCode] of cases) {
    await t.test(`${name}: return code ${returnCode}`, async (t) => {
      // By hand: mqtt-packet makes no CONNECT that is wrong.
      const { id, clean = true, version = 4 } = opening
      const client = new RawClient(broker, version)
      const name = version === 3 ? 'MQIsdp' : 'MQTT'
      const fields = [id, 'ann', await broker.token('ann')]
      client.send(connectBytes({ name, level: version, flags: clean ? 0xc2 : 0xc0, fields }))
      t.match(await client.next(), { cmd: 'connack', returnCode, sessionPresent: false })
      if (returnCode !== 0) await client.whenClosed()
      else await untilPong(client)
    })
  }
  await t.test('limits.clientIdBytes', async (t) => {
    const narrow = await startTestBroker(t, { limits: { clientIdBytes: 23 } })
    t.same(await untilPong(await open(narrow, { id: 'x'.repeat(23) })), [])
    const refused = await answerTo(narrow, await connectPacket(narrow, { id: 'x'.repeat(24) }))
    t.match(refused, [{ cmd: 'connack', returnCode: 2 }])
  })
  await t.test('clients that ask for an id get different ones', async (t) => {
    const clients = await Promise.all([open(broker), open(broker), open(broker)])
    for (const client of clients) t.same(await untilPong(client), [], 'none took over another')
  })
})

t.test('what an SDK of AWS tells of itself behind the user name is not part of it', async (t) => {
  const broker = await startTestBroker(t)
  await broker.running.accounts.add('bob', 'secret-of-bob', [])
  const good = await connectPacket(broker)
  const logins: [user: string, Partial<typeof good>][] = [
    ['ann', { username: 'ann?SDK=JavaScript&Version=1.0' }],
    ['ann', { username: '?SDK=CPPv2&Version=1.0', clientId: 'nameless' }],
    ['bob', { username: 'bob?SDK=Python', password: Buffer.from('secret-of-bob') }],
  ]
  for (const [user, more] of logins) {
    const client = new RawClient(broker)
    client.send({ ...good, ...more })
    t.match(await take(client, 'connack'), { returnCode: 0 }, `${more.username}`)
    t.ok(Object.keys(broker.running.aedes.clients).some((id) => id.startsWith(`${user}/`)))
  }
})

t.test('who may come in [MQTT-3.1.4]', async (t) => {
  const broker = await startTestBroker(t)
  const good = await connectPacket(broker)
  const cases: [string, Partial<typeof good>, number][] = [
    ['a wrong password', { password: Buffer.from('wrong') }, 4],
    ['a token that was tampered with', { password: Buffer.concat([good.password!, Buffer.from('A')]) }, 4],
    ['a user name with another query than that of an SDK', { username: 'ann?x=1&SDK=1' }, 4],
    ['nobody, where anonymous clients are not allowed', { username: '', password: Buffer.alloc(0) }, 5],
  ]
  for (const [name, more, returnCode] of cases) {
    await t.test(`${name}: return code ${returnCode}`, async (t) => {
      const answers = await answerTo(broker, { ...good, ...more })
      t.match(answers, [{ cmd: 'connack', returnCode, sessionPresent: false }], 'then closed [MQTT-3.2.2-5]')
    })
  }
  await t.test('packets behind a refused CONNECT are not handled [MQTT-3.1.4-5]', async (t) => {
    const client = new RawClient(broker)
    let pinged = false
    broker.running.aedes.once('ping', () => (pinged = true))
    client.send({ ...good, password: Buffer.from('wrong') }, { cmd: 'pingreq' })
    await client.whenClosed()
    t.equal(client.packets.length, 1)
    t.notOk(pinged)
  })
})

t.test('order of packets', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  await t.test('the first packet must be a CONNECT [MQTT-3.1.0-1]', async (t) => {
    const packets: Packet[] = [
      { cmd: 'pingreq' },
      { cmd: 'disconnect' },
      { cmd: 'publish', topic: 't/a', payload: 'x', qos: 0, retain: false, dup: false },
      { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't/a', qos: 0 }] },
    ]
    for (const packet of packets) t.same(await answerTo(broker, packet), [], packet.cmd)
  })
  await t.test('a second CONNECT closes the connection [MQTT-3.1.0-2]', async (t) => {
    const client = await open(broker)
    client.send(await connectPacket(broker))
    await client.whenClosed()
    t.same(client.pending, [])
    const pipelined = new RawClient(broker)
    const connect = await connectPacket(broker)
    pipelined.send(connect, connect)
    await pipelined.whenClosed()
    t.match(pipelined.packets, [{ cmd: 'connack', returnCode: 0 }], 'one answer, then closed')
  })
  await t.test('what a client sends right behind CONNECT is handled in order [MQTT-3.1.4]', async (t) => {
    const client = new RawClient(broker)
    const behind: Packet[] = [{ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't/pipe', qos: 0 }] }]
    for (let i = 2; i <= 200; i++) {
      behind.push({ cmd: 'publish', topic: 't/pipe', payload: `${i}`, qos: 1, messageId: i, retain: false, dup: false })
    }
    client.send(await connectPacket(broker), ...behind)
    await take(client, 'connack')
    await take(client, 'suback')
    const acks: number[] = []
    const texts: number[] = []
    while (acks.length + texts.length < 398) {
      const packet = await client.next()
      if (packet?.cmd === 'puback') acks.push(packet.messageId!)
      else if (packet?.cmd === 'publish') texts.push(Number(packet.payload))
      else throw new Error(`unexpected ${packet?.cmd}`)
    }
    const expected = Array.from({ length: 199 }, (_, i) => i + 2)
    t.same(acks, expected, 'acknowledged in order')
    t.same(texts, expected, 'delivered in order')
  })
  await t.test('PINGREQ is answered [MQTT-3.12.4-1]', async (t) => {
    const client = await open(broker)
    client.send({ cmd: 'pingreq' }, { cmd: 'pingreq' })
    await take(client, 'pingresp')
    await take(client, 'pingresp')
    t.same(client.pending, [])
  })
})

t.test('a client that does not send CONNECT is cut off', async (t) => {
  const broker = await startTestBroker(t, { listen: { connectTimeout: '0.3s' } })
  const errors: string[] = []
  broker.running.aedes.on('connectionError', (_client, error) => errors.push(error.message))
  const silent = new RawClient(broker)
  const slow = new RawClient(broker)
  slow.send('10')
  const connected = await open(broker)
  await Promise.all([silent.whenClosed(), slow.whenClosed()])
  t.same([...silent.packets, ...slow.packets], [], 'nothing was answered')
  t.same(errors, ['connect did not arrive in time', 'connect did not arrive in time'])
  t.same(await untilPong(connected), [], 'who is in stays in')
})

t.test('many with passwords at once all get in, however long the line for hashes is', async (t) => {
  const auth = { maxConcurrentHashes: 1 }
  const broker = await startTestBroker(t, { auth, listen: { connectTimeout: '0.3s' } })
  const names = Array.from({ length: 40 }, (_, i) => `meter${i}`)
  for (const name of names) await broker.running.accounts.add(name, 'secret-of-meters', [])
  const connectOf = async (username: string): Promise<IConnectPacket> => ({
    ...(await connectPacket(broker, { id: 'm' })),
    username,
    password: Buffer.from('secret-of-meters'),
  })
  const packets = await Promise.all(names.map(connectOf))
  const clients = packets.map((packet) => {
    const client = new RawClient(broker)
    client.send(packet)
    return client
  })
  const connacks = await Promise.all(clients.map((client) => take(client, 'connack')))
  t.same(
    connacks.map(({ returnCode }) => returnCode),
    Array(40).fill(0),
  )

  await t.test('and who gives up and comes back does not lose its turn', async (t) => {
    const again = await startTestBroker(t, { auth })
    for (const name of names) await again.running.accounts.add(name, 'secret-of-meters', [])
    const order: string[] = []
    again.running.aedes.on('clientReady', ({ id }) => order.push(id))
    const logIn = (packet: IConnectPacket): RawClient => {
      const client = new RawClient(again)
      client.send(packet)
      return client
    }
    const clients = packets.map(logIn)
    await take(clients[0]!, 'connack')
    clients[20]!.stream.destroy()
    clients[20] = logIn(packets[20]!)
    await Promise.all(clients.slice(1).map((client) => take(client, 'connack')))
    t.ok(order.indexOf('meter20/m') < 30, order.join())
    t.equal(order.length, 40)
  })
})

t.test('keep alive', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const connectionOf = (id: string) => broker.running.aedes.clients[`ann/${id}`]!
  await t.test('silence of one and a half times the keep alive ends the connection [MQTT-3.1.2-24]', async (t) => {
    const watcher = await open(broker)
    await subscribe(watcher, ['t/will', 0])
    const client = await open(broker, { id: 'silent', keepalive: 10, will: { topic: 't/will', payload: 'gone' } })
    const timeouts: string[] = []
    broker.running.aedes.once('keepaliveTimeout', (gone) => timeouts.push(gone.id))
    const connection = connectionOf('silent')
    t.ok(dueIn(connection, 14_000) > Date.now(), 'not before')
    t.notOk(client.closed)
    t.equal(dueIn(connection, 15_300), 0, 'but then')
    await client.whenClosed()
    t.same(timeouts, ['ann/silent'])
    t.match((await takePublishes(watcher, 1)).map(told), ['t/will gone'], 'the will is sent')
  })
  await t.test('it really happens', async (t) => {
    const begun = Date.now()
    const client = await open(broker, { id: 'real', keepalive: 1 })
    // The exact time is above; ten seconds are what a keep alive of some more would take.
    await inTime(client.whenClosed(), 200, () => new Error('it is still open after ten seconds'))
    const took = Date.now() - begun
    t.ok(took > 1200, `after ${took} ms`)
  })
  await t.test('any packet counts', async (t) => {
    const client = await open(broker, { id: 'busy', keepalive: 10 })
    const connection = connectionOf('busy')
    const { wheel } = connection.services
    const real = wheel.steady
    for (const packet of [{ cmd: 'pingreq' }, { cmd: 'puback', messageId: 9 }] as Packet[]) {
      wheel.steady += 14_000
      client.send(packet)
      await untilPong(client)
      t.ok(dueIn(connection, 14_000) > 0, packet.cmd)
    }
    t.notOk(client.closed)
    wheel.steady = real
  })
  await t.test('keep alive 0 switches it off', async (t) => {
    const client = await open(broker, { id: 'off', keepalive: 0 })
    t.ok(dueIn(connectionOf('off'), 1e9) > 0)
    t.same(await untilPong(client), [])
  })
  await t.test('a clock that is set makes nobody silent', async (t) => {
    const client = await open(broker, { id: 'still', keepalive: 10 })
    const hour = 3_600_000
    const connection = connectionOf('still')
    const { wheel } = connection.services
    t.ok(connection.keepAlive.due(wheel.now + hour, wheel.steady) > wheel.now + hour)
    t.ok(connection.keepAlive.due(wheel.now - hour, wheel.steady) < wheel.now)
    t.same(await untilPong(client), [])
  })
})

t.test('will', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const watcher = await open(broker, { id: 'watcher' })
  await subscribe(watcher, ['will/#', 2])
  let count = 0

  async function wills(t: Test, topic: string, expected: string[]): Promise<void> {
    const got: string[] = []
    for (;;) {
      const packet = await watcher.next()
      if (packet?.cmd !== 'publish') continue
      if (packet.qos === 2) watcher.send({ cmd: 'pubrec', messageId: packet.messageId! })
      if (packet.qos === 1) watcher.send({ cmd: 'puback', messageId: packet.messageId! })
      if (packet.topic === 'will/marker') break
      got.push(told(packet))
    }
    t.same(
      got,
      expected.map((text) => `${topic} ${text}`),
    )
  }

  const marker = (): void =>
    watcher.send({ cmd: 'publish', topic: 'will/marker', payload: 'm', qos: 0, retain: false, dup: false })

  const ends: [string, (client: RawClient) => Promise<void> | void, boolean][] = [
    ['the network fails', (client) => cut(broker, client), true],
    ['the client closes its side without DISCONNECT', (client) => void client.stream.end(), true],
    ['the client breaks the protocol', (client) => client.send('f0 00'), true],
    ['DISCONNECT [MQTT-3.14.4-3]', (client) => leave(broker, client), false],
  ]
  for (const [name, end, sent] of ends) {
    await t.test(`${name}: the will is ${sent ? 'sent' : 'discarded'}`, async (t) => {
      const topic = `will/end-${++count}`
      const id = `ending-${count}`
      const client = await open(broker, { id, will: { topic, payload: 'gone' } })
      const gone = goneOf(broker, client)
      void end(client)
      await gone
      await client.whenClosed()
      marker()
      await wills(t, topic, sent ? ['gone'] : [])
      t.notOk(await broker.running.store.persistence.getWill({ id: `ann/${id}` }), 'nothing is left in the store')
    })
  }
  for (const qos of [0, 1, 2] as const) {
    await t.test(`will QoS ${qos}, retained [MQTT-3.1.2-16] [MQTT-3.1.2-17]`, async (t) => {
      const topic = `will/qos-${qos}`
      const client = await open(broker, { will: { topic, payload: 'gone', qos, retain: true } })
      t.notOk((await broker.running.store.persistence.createRetainedStream(topic).toArray()).length, 'not before')
      await cut(broker, client)
      marker()
      await wills(t, topic, [qos > 0 ? `gone q${qos}` : 'gone'])
      const late = await open(broker)
      await subscribe(late, [topic, 2])
      t.same((await takePublishes(late, 1)).map(told), [`${topic} gone${qos > 0 ? ` q${qos}` : ''} retain`])
      t.notOk(late.pending.length)
    })
  }
  await t.test('an empty will message is allowed [MQTT-3.1.3.3]', async (t) => {
    const other = await open(broker)
    await subscribe(other, ['will/empty', 0])
    await cut(broker, await open(broker, { will: { topic: 'will/empty', payload: '' } }))
    t.same((await takePublishes(other, 1)).map(told), ['will/empty'])
  })
  await t.test('a will its owner may not publish is dropped and counted', async (t) => {
    const client = await open(broker, { will: { topic: 'denied/will', payload: 'gone' } })
    await cut(broker, client)
    t.equal(broker.running.counters.all()['refused.will'], 1)
  })
})

t.test('wills of a broker that died are sent by the next', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const { persistence } = broker.running.store
  const will = (topic: string) => ({
    cmd: 'publish',
    topic,
    payload: Buffer.from('late'),
    qos: 1 as const,
    user: 'ann',
  })
  await open(broker, { id: 'mine', will: { topic: 'will/mine', payload: 'late' } })
  const watcher = await open(broker)
  await subscribe(watcher, ['will/#', 0])
  await broker.running.aedes.sweepWills()
  t.same(await untilPong(watcher), [], 'not those of a broker that lives')
  for (const [id, topic] of [
    ['ann/denied', 'denied/will'],
    ['ann/sys', '$SYS/will'],
    ['ann/room', 'rooms/nowhere/messages'],
    ['ann/z', 'will/z'],
  ] as const) {
    const { id: now } = broker.running.aedes
    await persistence.setup({ id: 'dead' })
    await persistence.putWill({ id }, { ...will(topic), roles: [] })
    await persistence.setup({ id: now })
  }
  await broker.running.aedes.sweepWills()
  t.same((await takePublishes(watcher, 1)).map(told), ['will/z late'], 'refused ones stop nothing')
  t.equal(broker.running.counters.all()['refused.will'], 3, 'they are counted')
  await broker.running.aedes.sweepWills()
  t.same(await untilPong(watcher), [], 'once')
  t.ok(await persistence.getWill({ id: 'ann/mine' }))
})

t.test('takeover [MQTT-3.1.4-2]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const watcher = await open(broker, { user: 'watcher' })
  await subscribe(watcher, ['will/#', 0])

  await t.test('the older connection is closed and its will is sent; the new will stays', async (t) => {
    const old = await open(broker, { id: 'same', will: { topic: 'will/old', payload: 'gone' } })
    const young = await open(broker, { id: 'same', will: { topic: 'will/young', payload: 'gone' } })
    await old.whenClosed()
    t.same((await takePublishes(watcher, 1)).map(told), ['will/old gone'])
    t.match(await broker.running.store.persistence.getWill({ id: 'ann/same' }), { topic: 'will/young' })
    t.same(await untilPong(young), [])
    await cut(broker, young)
    t.same((await takePublishes(watcher, 1)).map(told), ['will/young gone'])
  })
  await t.test('a client id belongs to its user: others do not take over', async (t) => {
    const ann = await open(broker, { user: 'ann', id: 'phone' })
    const bob = await open(broker, { user: 'bob', id: 'phone' })
    t.same(await untilPong(ann), [])
    t.same(await untilPong(bob), [])
  })
  await t.test('ten at once: one stays, and the books are right', async (t) => {
    const before = broker.running.aedes.connectedClients
    const connects = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        connectPacket(broker, { id: 'crowd', clean: false, will: { topic: `will/crowd${i}`, payload: 'gone' } }),
      ),
    )
    const clients = connects.map((packet) => {
      const client = new RawClient(broker)
      client.send(packet)
      return client
    })
    // Tokens are verified on several threads: which one is last is not for us to say.
    const left = () => clients.filter(({ closed }) => !closed)
    while (left().length > 1) await Promise.race(left().map((client) => client.whenClosed()))
    const last = left()[0]!
    await take(last, 'connack')
    t.same(await untilPong(last), [], 'the last one is in')
    t.equal(broker.running.aedes.connectedClients, before + 1)
    t.match(await broker.running.store.persistence.getWill({ id: 'ann/crowd' }), {
      topic: `will/crowd${clients.indexOf(last)}`,
    })
    for (const client of clients) t.ok(client === last || client.packets.length <= 1, 'a CONNACK at most')
    await leave(broker, last)
    t.notOk(await broker.running.store.persistence.getWill({ id: 'ann/crowd' }))
  })
  await t.test('one that has not done its CONNECT comes to its end first', async (t) => {
    const { persistence } = broker.running.store
    const { getWill } = persistence
    let release = (): void => {}
    const asked = new Promise<void>((resolve) => {
      persistence.getWill = async (client) => {
        persistence.getWill = getWill
        const found = await getWill.call(persistence, client)
        await new Promise<void>((go) => {
          release = go
          resolve()
        })
        return found
      }
    })
    const old = new RawClient(broker)
    old.send(await connectPacket(broker, { id: 'slow', will: { topic: 'will/old', payload: 'gone' } }))
    await asked
    const young = new RawClient(broker)
    young.send(await connectPacket(broker, { id: 'slow', will: { topic: 'will/young', payload: 'gone' } }))
    await old.whenClosed()
    for (let i = 0; i < 20; i++) await untilPong(watcher)
    release()
    await take(young, 'connack')
    t.same(old.packets, [])
    // Behind whatever was on its way to the store.
    await publish(young, 't/barrier', 'x', { retain: true })
    t.match(await persistence.getWill({ id: 'ann/slow' }), { topic: 'will/young' })
    t.same(await untilPong(watcher), [], 'who never got in leaves no will')
    t.same(await untilPong(young), [])
  })
  await t.test('the session goes with it', async (t) => {
    const old = await open(broker, { id: 'kept', clean: false })
    await subscribe(old, ['t/kept', 1])
    const [young, connack] = await openWith(broker, { id: 'kept', clean: false })
    t.ok(connack.sessionPresent)
    await publish(watcher, 't/kept')
    t.same((await takePublishes(young, 1)).map(told), ['t/kept t/kept q1'])
  })
})

t.test('session present [MQTT-3.2.2-1, MQTT-3.2.2-2, MQTT-3.2.2-3]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const connack = async (clean: boolean, version: 3 | 4 = 4): Promise<IConnackPacket> => {
    const [client, answer] = await openWith(broker, { id: 'c', clean, version })
    await leave(broker, client)
    return answer
  }
  t.notOk((await connack(false)).sessionPresent, 'there was none')
  t.ok((await connack(false)).sessionPresent, 'kept, though it has no subscription')
  t.notOk((await connack(false, 3)).sessionPresent, 'MQTT 3.1 does not know the flag')
  t.notOk((await connack(true)).sessionPresent, 'clean session [MQTT-3.1.2-6]')
  t.notOk((await connack(false)).sessionPresent, 'and it was discarded')
  await broker.restart()
  t.ok((await connack(false)).sessionPresent, 'kept across a restart')
})

t.test('DISCONNECT: the broker closes, and takes nothing more [MQTT-3.14.4]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const watcher = await open(broker)
  await subscribe(watcher, ['t/#', 0])
  const client = await open(broker, { user: 'bob' })
  const publishPacket: Packet = { cmd: 'publish', topic: 't/1', payload: '', qos: 0, retain: false, dup: false }
  client.send(publishPacket, { cmd: 'disconnect' }, { ...publishPacket, topic: 't/2' })
  await client.whenClosed()
  await publish(watcher, 't/marker', '', { qos: 0 })
  t.same((await takePublishes(watcher, 2)).map(told), ['t/1', 't/marker'])
})
