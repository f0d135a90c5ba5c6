/** Clauses of MQTT 5.0 that 3.1.1 does not have, or has otherwise. */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import t from 'tap'
import { ERRORS } from '../../schemas/errors.js'
import { startTestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import {
  acknowledge,
  connect5,
  disconnected,
  frame,
  message,
  open5,
  section,
  subscribe5,
  unsubscribe5,
} from '../helpers/mqtt5.js'
import { cut, leave, OPEN_ACL, open, publish, take, takePublishes, text, told, untilPong } from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'

const ROOM = 'rooms/lobby/messages'
const BACK = { clean: false, expiry: 60 }
const X = Buffer.from('x')
/** A text of these bytes, its length in front. */
const raw = (...bytes: number[]): Buffer => Buffer.from([0, bytes.length, ...bytes])
const SURROGATE = raw(0xed, 0xa0, 0x80)
const NUL = raw(0x61, 0, 0x62)

t.test('CONNECT: another protocol name closes the connection [MQTT5-3.1.2-1]', async (t) => {
  const broker = await startTestBroker(t, { auth: { anonymous: true } })
  for (const name of ['HTTP', 'mqtt', 'MQTT5', '']) {
    const client = new RawClient(broker, 5)
    client.send(frame(0x10, name, 5, 2, 0, 0, section(), 'c'))
    await client.whenClosed()
    t.ok(
      client.packets.every((packet) => packet.cmd === 'connack' && packet.reasonCode! >= 0x80),
      JSON.stringify(name),
    )
  }
  t.equal(broker.running.aedes.connectedClients, 0)
})

t.test('CONNECT: texts that are none are told by a CONNACK [MQTT5-3.1.4-1]', async (t) => {
  const broker = await startTestBroker(t, { auth: { anonymous: true } })
  const cases: [string, Buffer][] = [
    ['client id: a surrogate [MQTT5-1.5.4-1, MQTT5-3.1.3-4]', frame(0x10, 'MQTT', 5, 2, 0, 0, section(), SURROGATE)],
    ['client id: U+0000 [MQTT5-1.5.4-2]', frame(0x10, 'MQTT', 5, 2, 0, 0, section(), NUL)],
    ['no client id [MQTT5-3.1.3-3]', frame(0x10, 'MQTT', 5, 2, 0, 0, section())],
    ['user name: a surrogate [MQTT5-3.1.3-12]', frame(0x10, 'MQTT', 5, 0x82, 0, 0, section(), 'c', SURROGATE)],
    [
      'will topic: a surrogate [MQTT5-3.1.3-11]',
      frame(0x10, 'MQTT', 5, 6, 0, 0, section(), 'c', section(), SURROGATE, 'x'),
    ],
    ['a will flag without a will [MQTT5-3.1.2-9]', frame(0x10, 'MQTT', 5, 6, 0, 0, section(), 'c')],
    ['will QoS without a will [MQTT5-3.1.2-11]', frame(0x10, 'MQTT', 5, 0x0a, 0, 0, section(), 'c')],
    ['will retain without a will [MQTT5-3.1.2-13]', frame(0x10, 'MQTT', 5, 0x22, 0, 0, section(), 'c')],
    ['a user name no flag announces [MQTT5-3.1.2-16]', frame(0x10, 'MQTT', 5, 2, 0, 0, section(), 'c', 'ann')],
    ['a user name flag without one [MQTT5-3.1.2-17]', frame(0x10, 'MQTT', 5, 0x82, 0, 0, section(), 'c')],
    ['a password no flag announces [MQTT5-3.1.2-18]', frame(0x10, 'MQTT', 5, 0x82, 0, 0, section(), 'c', 'ann', 'pw')],
    ['a password flag without one [MQTT5-3.1.2-19]', frame(0x10, 'MQTT', 5, 0xc2, 0, 0, section(), 'c', 'ann')],
    [
      'user property: a name with U+0000 [MQTT5-1.5.7-1]',
      frame(0x10, 'MQTT', 5, 2, 0, 0, section(0x26, NUL, 'v'), 'c'),
    ],
  ]
  for (const [name, bytes] of cases) {
    await t.test(name, async (t) => {
      const client = new RawClient(broker, 5)
      client.send(bytes)
      t.match(await take(client, 'connack'), { reasonCode: 0x81, sessionPresent: false })
      await client.whenClosed()
      t.same(client.pending, [])
    })
  }
})

t.test('packets that are malformed end in DISCONNECT 0x81, and nothing of them happens', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const watcher = await open(broker, { user: 'watcher' })
  await subscribe5(watcher, '#', { qos: 0 })
  const publishWith = (...properties: (number | string | Buffer)[]): Buffer =>
    frame(0x30, 't/a', section(...properties), X)
  const cases: [string, Buffer][] = [
    ['PUBLISH of QoS 0 with DUP [MQTT5-3.3.1-2]', frame(0x38, 't/a', section(), X)],
    ['PUBLISH with a topic that is not UTF-8 [MQTT5-3.3.2-1]', frame(0x30, raw(0xc3, 0x28), section(), X)],
    ['PUBLISH with a surrogate in the topic [MQTT5-1.5.4-1]', frame(0x30, SURROGATE, section(), X)],
    ['PUBLISH with a response topic that is not UTF-8 [MQTT5-3.3.2-13]', publishWith(0x08, raw(0xc3, 0x28))],
    ['PUBLISH with a content type that is not UTF-8 [MQTT5-3.3.2-19]', publishWith(0x03, raw(0xc3, 0x28))],
    ['PUBLISH with U+0000 in its content type [MQTT5-1.5.4-2]', publishWith(0x03, NUL)],
    ['PUBLISH with a surrogate in a user property’s name [MQTT5-1.5.7-1]', publishWith(0x26, SURROGATE, 'v')],
    ['PUBLISH with U+0000 in a user property’s value [MQTT5-1.5.7-1]', publishWith(0x26, 'k', NUL)],
    ['PUBLISH of QoS 1 with packet id 0 [MQTT5-2.2.1-3]', frame(0x32, 't/a', 0, 0, section(), X)],
    ['PUBLISH with no length of properties [MQTT5-2.2.2-1]', frame(0x30, 't/a')],
    ['PUBACK with flags [MQTT5-2.1.3-1]', frame(0x42, 0, 1)],
    ['PUBREC with flags [MQTT5-2.1.3-1]', frame(0x52, 0, 1)],
    ['PUBCOMP with flags [MQTT5-2.1.3-1]', frame(0x71, 0, 1)],
    ['SUBSCRIBE without its flags [MQTT5-3.8.1-1]', frame(0x80, 0, 1, section(), 't/a', 0)],
    ['SUBSCRIBE with other flags [MQTT5-3.8.1-1]', frame(0x8a, 0, 1, section(), 't/a', 0)],
    ['SUBSCRIBE with a filter that is not UTF-8 [MQTT5-3.8.3-1]', frame(0x82, 0, 1, section(), SURROGATE, 0)],
    ['UNSUBSCRIBE without its flags [MQTT5-3.10.1-1]', frame(0xa0, 0, 1, section(), 't/a')],
    ['UNSUBSCRIBE with a filter that is not UTF-8 [MQTT5-3.10.3-1]', frame(0xa2, 0, 1, section(), SURROGATE)],
    ['PINGREQ with flags [MQTT5-2.1.3-1]', frame(0xc1)],
    ['DISCONNECT with flags [MQTT5-3.14.1-1]', frame(0xe1, 0)],
  ]
  for (const [name, bytes] of cases) {
    await t.test(name, async (t) => {
      const client = await open5(broker)
      client.send(bytes)
      t.equal(await disconnected(client), 0x81)
    })
  }
  t.same(await untilPong(watcher), [])
})

t.test('topics and filters that are none close the connection', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const topics = ['+', '#', 't/+', 't/#', 't/a+', 't#/a', 'a\0b']
  for (const topic of topics) {
    await t.test(`topic ${JSON.stringify(topic)} [MQTT5-3.3.2-2, MQTT5-4.7.0-1, MQTT5-4.7.3-2]`, async (t) => {
      const client = await open5(broker)
      client.send(frame(0x30, topic, section(), X))
      t.ok([0x81, 0x90].includes((await disconnected(client))!))
    })
  }
  const filters = ['', 'a#', '#/a', 'a/#/b', 'a/b#', '##', 'a+', '+a', 'a/+b/c', '++', 'a\0b']
  for (const filter of filters) {
    await t.test(
      `filter ${JSON.stringify(filter)} [MQTT5-4.7.1-1, MQTT5-4.7.1-2, MQTT5-4.7.3-1, MQTT5-4.7.3-2]`,
      async (t) => {
        for (const bytes of [frame(0x82, 0, 1, section(), filter, 0), frame(0xa2, 0, 1, section(), filter)]) {
          const client = await open5(broker)
          client.send(bytes)
          t.ok([0x81, 0x8f].includes((await disconnected(client))!))
        }
      },
    )
  }
})

t.test('response information only where it is asked for [MQTT5-3.1.2-28]', async (t) => {
  const broker = await startTestBroker(t)
  for (const [asked, told] of [
    [true, true],
    [false, false],
    [undefined, false],
  ] as const) {
    const [, connack] = await connect5(
      broker,
      asked === undefined ? {} : { properties: { requestResponseInformation: asked } },
    )
    t.equal('responseInformation' in connack.properties!, told, `${asked}`)
  }
})

t.test('retained messages', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const speaker = await open5(broker)
  const hearer = await open5(broker)
  await subscribe5(hearer, 'r/#', { qos: 0 })
  await publish(speaker, 'the/end', 'x', { retain: true })
  const retainedOn = async (filter: string): Promise<string[]> => {
    const late = await open5(broker)
    // Retained messages come filter by filter.
    await subscribe5(late, [filter, 'the/end'], { qos: 2 })
    const found: string[] = []
    for (let one = await take(late, 'publish'); one.topic !== 'the/end'; one = await take(late, 'publish'))
      found.push(told(one))
    return found
  }
  const steps: [string, string, object, string[]][] = [
    ['one is kept [MQTT5-3.3.1-5]', 'one', { retain: true }, ['r/a one q1 retain']],
    ['the next takes its place [MQTT5-3.3.1-5]', 'two', { retain: true, qos: 2 }, ['r/a two q2 retain']],
    ['also at QoS 0 [MQTT5-3.3.1-5]', 'three', { retain: true, qos: 0 }, ['r/a three retain']],
    ['without RETAIN nothing changes [MQTT5-3.3.1-8]', 'four', {}, ['r/a three retain']],
    ['nor by an empty one without it [MQTT5-3.3.1-8]', '', {}, ['r/a three retain']],
    ['an empty one clears [MQTT5-3.3.1-6]', '', { retain: true }, []],
    ['and is not kept itself [MQTT5-3.3.1-7]', '', { retain: true }, []],
  ]
  for (const [name, payload, more, expected] of steps) {
    await t.test(name, async (t) => {
      await publish(speaker, 'r/a', payload, more)
      t.same((await takePublishes(hearer, 1)).map(text), [payload], 'it is delivered')
      t.same(await retainedOn('r/+'), expected)
    })
  }
})

t.test('what a publisher adds, byte for byte', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const pairs = [
    ['a', '1'],
    ['b', 'ü'],
    ['a', '3'],
    ['', ''],
    ['b', '1'],
  ].flatMap(([name, value]) => [0x26, name!, value!] as const)
  const properties = section(0x01, 1, 0x08, 'answers/here', 0x09, raw(0, 255, 7), 0x03, 'text/x', ...pairs)
  const own: [string, Buffer][] = [
    ['the payload format [MQTT5-3.3.2-4]', Buffer.from([0x01, 1])],
    ['the response topic [MQTT5-3.3.2-15]', section(0x08, 'answers/here').subarray(1)],
    ['correlation data [MQTT5-3.3.2-16]', section(0x09, raw(0, 255, 7)).subarray(1)],
    ['the content type [MQTT5-3.3.2-20]', section(0x03, 'text/x').subarray(1)],
    ['user properties, in their order [MQTT5-3.3.2-17, MQTT5-3.3.2-18, MQTT5-3.1.3-10]', section(...pairs).subarray(1)],
  ]
  const login = ['ann', await broker.token('ann')]
  const ways: Record<string, (client: RawClient) => Promise<void>> = {
    'a publish': async (client) => client.send(frame(0x30, 't/a', properties, X)),
    'a will': async (client) => {
      const dying = new RawClient(broker, 5)
      dying.send(frame(0x10, 'MQTT', 5, 0xc6, 0, 0, section(), 'w', properties, 't/a', 'x', ...login))
      await take(dying, 'connack')
      await cut(broker, dying)
      t.notOk(client.closed)
    },
    'a retained message': async (client) => {
      const speaker = await open5(broker)
      speaker.send(frame(0x33, 't/kept', 0, 1, properties, X))
      await take(speaker, 'puback')
      await subscribe5(client, 't/kept', { qos: 0 })
    },
  }
  for (const [way, send] of Object.entries(ways)) {
    await t.test(way, async (t) => {
      const client = await open5(broker)
      await subscribe5(client, 't/a', { qos: 0 })
      const chunks: Buffer[] = []
      client.stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      await send(client)
      await takePublishes(client, 1)
      const bytes = Buffer.concat(chunks)
      for (const [name, part] of own) t.ok(bytes.includes(part), name)
    })
  }
})

t.test('receive maximum of a client that does not acknowledge', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const speaker = await open(broker)
  const client = await open5(broker, { properties: { receiveMaximum: 1 } })
  await subscribe5(client, 'm/a', { qos: 2 })
  await publish(speaker, 'm/a', 'first', { qos: 2 })
  const [first] = await takePublishes(client, 1)
  await publish(speaker, 'm/a', 'second', { qos: 2 })
  t.same(await untilPong(client), [], 'nothing above QoS 0 is sent, PINGREQ is answered [MQTT5-4.9.0-1, MQTT5-4.9.0-2]')
  await t.test('all else is handled and sent [MQTT5-3.3.4-10, MQTT5-4.9.0-3]', async (t) => {
    t.same(await subscribe5(client, 'm/b', { qos: 2 }), [2], 'SUBACK')
    client.send(message('m/c', 'x', { messageId: 5 }))
    t.match(await take(client, 'puback'), { messageId: 5 })
    client.send(message('m/c', 'x', { qos: 2, messageId: 6 }))
    t.match(await take(client, 'pubrec'), { messageId: 6 })
    client.send({ cmd: 'pubrel', messageId: 6 })
    t.match(await take(client, 'pubcomp'), { messageId: 6 })
    t.same(await unsubscribe5(client, 'm/b'), [0], 'UNSUBACK')
    acknowledge(client, first!)
    t.match(await take(client, 'pubrel'), { messageId: first!.messageId })
    t.same(await untilPong(client), [], 'a QoS 2 message counts until PUBCOMP [MQTT5-3.3.4-9]')
    client.send({ cmd: 'pubcomp', messageId: first!.messageId! })
    t.same((await takePublishes(client, 1)).map(text), ['second'])
  })
})

t.test('message expiry and acknowledgement', async (t) => {
  const clock = movableClock(t)
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  for (const topic of ['e/a', ROOM]) {
    await t.test(`${topic}: one that expired is acknowledged to the end [MQTT5-4.3.3-13]`, async (t) => {
      const client = await open5(broker)
      client.send(message(topic, 'x', { qos: 2, messageId: 3, properties: { messageExpiryInterval: 0 } }))
      t.match(await take(client, 'pubrec'), { messageId: 3, reasonCode: 0 })
      client.send({ cmd: 'pubrel', messageId: 3 })
      t.match(await take(client, 'pubcomp'), { messageId: 3, reasonCode: 0 })
    })
    for (const qos of [1, 2] as const) {
      await t.test(
        `${topic}, QoS ${qos}: one that was sent expires no more [MQTT5-4.3.3-7, MQTT5-4.4.0-1]`,
        async (t) => {
          const id = `e${topic}${qos}`
          const client = await open5(broker, { id, expiry: 60 })
          await subscribe5(client, topic, { qos })
          const speaker = await open5(broker)
          await publish(speaker, topic, 'x', { qos: 2, properties: { messageExpiryInterval: 30 } })
          const [sent] = await takePublishes(client, 1)
          await cut(broker, client)
          clock.forward(30)
          const again = await open5(broker, { id, ...BACK })
          t.match(await untilPong(again), [{ cmd: 'publish', messageId: sent!.messageId, dup: true, topic }])
          await unsubscribe5(again, topic)
          await leave(broker, again)
        },
      )
    }
  }
})

t.test('acknowledgements that explain, to a client of small packets', async (t) => {
  const broker = await startTestBroker(t)
  const client = await open5(broker, { id: 'c', properties: { maximumPacketSize: 30 } })
  await t.test('no reason string [MQTT5-3.4.2-2, MQTT5-3.5.2-2]', async (t) => {
    for (const [qos, cmd] of [
      [1, 'puback'],
      [2, 'pubrec'],
    ] as const) {
      client.send(message('denied/a', 'x', { qos, messageId: 4 }))
      const refused = await take(client, cmd)
      t.match(refused, { messageId: 4, reasonCode: 0x87 })
      t.notOk(refused.properties?.reasonString, cmd)
    }
  })
  await t.test('no user properties [MQTT5-3.4.2-3, MQTT5-3.5.2-3]', async (t) => {
    for (const [qos, cmd] of [
      [1, 'puback'],
      [2, 'pubrec'],
    ] as const) {
      client.send(message(ROOM, 'x', { qos, messageId: 5 }))
      const taken = await take(client, cmd)
      t.match(taken, { messageId: 5, reasonCode: 0 })
      t.notOk(taken.properties?.userProperties, cmd)
    }
  })
})

t.test('what a refused publish is answered with is for PUBACK and PUBREC [MQTT5-3.4.2-1, MQTT5-3.5.2-1]', async (t) => {
  const listed = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]
  t.same(
    Object.entries(ERRORS).filter(([, { reason }]) => !listed.includes(reason)),
    [],
  )
})

t.test('a DISCONNECT of the broker', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  await t.test('has no session expiry [MQTT5-3.14.2-2]', async (t) => {
    const client = await open5(broker, { id: 'c', expiry: 60 })
    await open5(broker, { id: 'c', expiry: 120 })
    const { reasonCode, properties } = await take(client, 'disconnect')
    t.equal(reasonCode, 0x8e)
    t.equal(properties?.sessionExpiryInterval, undefined)
  })
  await t.test('comes last, however much waits [MQTT5-3.14.4-1, MQTT5-3.14.4-2, MQTT5-4.13.2-1]', async (t) => {
    const client = await open5(broker)
    await subscribe5(client, 'd/#', { qos: 0 })
    const behind: Packet[] = Array.from({ length: 50 }, (_, i) => message(`d/${i}`, 'x', { messageId: i + 1 }))
    client.send(...behind, frame(0x30, 'd/#', section(), X), ...behind)
    await client.whenClosed()
    const cmds = client.packets.map(({ cmd }) => cmd)
    t.equal(cmds.indexOf('disconnect'), cmds.length - 1)
    t.match(client.packets.at(-1), { reasonCode: 0x90 })
  })
  await t.test('when messages cannot be read has a code of its list [MQTT5-3.14.2-1]', async (t) => {
    const { log } = broker.running.store
    const client = await open5(broker, { id: 'r', expiry: 60 })
    await subscribe5(client, ROOM)
    await cut(broker, client)
    await publish(await open(broker), ROOM, 'x')
    const { read } = log
    log.read = () => Promise.reject(new Error('the disk is gone'))
    const again = await open5(broker, { id: 'r', ...BACK })
    t.equal(await disconnected(again), 0x80)
    log.read = read
    const last = await open5(broker, { id: 'r', ...BACK })
    t.match((await takePublishes(last, 1)) as IPublishPacket[], [{ topic: ROOM }])
  })
})
