/** PUBLISH and its acknowledgements, retained messages, QoS, order, and what bytes may look like: MQTT 3.1 and 3.1.1. */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import {
  connectPacket,
  cut,
  goneOf,
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

function packetOf(topic: string, more: Partial<IPublishPacket> = {}): IPublishPacket {
  return { cmd: 'publish', topic, payload: 'x', qos: 0, retain: false, dup: false, ...more }
}

/** A PUBLISH made by hand. */
function publishBytes(header: number, topic: Buffer | string, rest: Buffer | string = ''): Buffer {
  const name = Buffer.from(topic)
  const body = Buffer.concat([Buffer.from([name.length >> 8, name.length & 0xff]), name, Buffer.from(rest)])
  return Buffer.concat([Buffer.from([header, body.length]), body])
}

t.test('packets that break the protocol close the connection [MQTT-4.8.0-1]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { packetBytes: 70000, topicLevels: 8 } })
  const watcher = await open(broker, { user: 'watcher' })
  await subscribe(watcher, ['#', 0])
  const cases: Record<string, Buffer | string> = {
    'PUBLISH with QoS 3 [MQTT-3.3.1-4]': publishBytes(0x36, 't/a', '\0\x01x'),
    'PUBLISH of QoS 0 with DUP [MQTT-3.3.1-2]': publishBytes(0x38, 't/a', 'x'),
    'PUBLISH with an empty topic [MQTT-4.7.3-1]': publishBytes(0x30, ''),
    'PUBLISH with + [MQTT-3.3.2-2, MQTT-4.7.1-1]': publishBytes(0x30, 't/+'),
    'PUBLISH with #': publishBytes(0x30, 't/#'),
    'PUBLISH with a + within a level': publishBytes(0x30, 't/a+b'),
    'PUBLISH with U+0000 in the topic [MQTT-4.7.3-2]': publishBytes(0x30, 't/\0'),
    'PUBLISH with a topic that is not UTF-8 [MQTT-3.3.2-1]': publishBytes(0x30, Buffer.from([0x74, 0x2f, 0xc3, 0x28])),
    'PUBLISH with an overlong encoding': publishBytes(0x30, Buffer.from([0xc0, 0xaf])),
    'PUBLISH with a surrogate [MQTT-1.5.3-1]': publishBytes(0x30, Buffer.from([0xed, 0xa0, 0x80])),
    'PUBLISH of QoS 1 with packet id 0 [MQTT-2.3.1-1]': publishBytes(0x32, 't/a', '\0\0x'),
    'PUBLISH of QoS 2 with packet id 0': publishBytes(0x34, 't/a', '\0\0x'),
    'PUBLISH that ends within its topic': '30 03 00 05 61',
    'PUBLISH that ends within its packet id': '32 04 00 01 61 00',
    'PUBLISH with nothing in it': '30 00',
    'PUBACK with flags [MQTT-2.2.2-2]': '41 02 00 01',
    'PUBACK without a packet id': '40 00',
    'PUBACK with packet id 0': '40 02 00 00',
    'PUBACK that is too long': '40 03 00 01 00',
    'PUBREC with flags': '52 02 00 01',
    'PUBREL without its flags [MQTT-3.6.1-1]': '60 02 00 01',
    'PUBREL that is too long': '62 04 00 01 00 00',
    'PUBCOMP with flags': '71 02 00 01',
    'SUBSCRIBE without its flags [MQTT-3.8.1-1]': '80 08 00 01 00 03 74 2f 61 00',
    'SUBSCRIBE without a filter [MQTT-3.8.3-3]': '82 02 00 01',
    'SUBSCRIBE with packet id 0': '82 08 00 00 00 03 74 2f 61 00',
    'SUBSCRIBE with QoS 3 [MQTT-3.8.3-4]': '82 08 00 01 00 03 74 2f 61 03',
    'SUBSCRIBE with reserved bits': '82 08 00 01 00 03 74 2f 61 04',
    'SUBSCRIBE that ends before the QoS': '82 07 00 01 00 03 74 2f 61',
    'SUBSCRIBE that ends within a filter': '82 06 00 01 00 05 74 2f',
    'SUBSCRIBE with a filter that is not UTF-8 [MQTT-3.8.3-1]': '82 07 00 01 00 02 c3 28 00',
    'SUBSCRIBE with U+0000': '82 07 00 01 00 02 74 00 00',
    'UNSUBSCRIBE without its flags [MQTT-3.10.1-1]': 'a0 07 00 01 00 03 74 2f 61',
    'UNSUBSCRIBE without a filter [MQTT-3.10.3-2]': 'a2 02 00 01',
    'UNSUBSCRIBE with packet id 0': 'a2 07 00 00 00 03 74 2f 61',
    'UNSUBSCRIBE with a filter that is not UTF-8 [MQTT-3.10.3-1]': 'a2 06 00 01 00 02 c3 28',
    'PINGREQ with flags': 'c1 00',
    'PINGREQ with a body': 'c0 01 00',
    'DISCONNECT with flags [MQTT-3.14.1-1]': 'e1 00',
    'DISCONNECT with a body': 'e0 01 00',
    'packet type 0': '00 00',
    'packet type 15': 'f0 00',
    'CONNACK from a client': '20 02 00 00',
    'SUBACK from a client': '90 03 00 01 00',
    'UNSUBACK from a client': 'b0 02 00 01',
    'PINGRESP from a client': 'd0 00',
    'a remaining length of five bytes [MQTT-2.2.3]': '30 ff ff ff ff 01',
    'a remaining length that never ends': '30 80 80 80 80',
    'a SUBSCRIBE larger than limits.packetBytes': '82 ff ff 07',
  }
  for (const [name, bytes] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const client = await open(broker)
      const errors: Error[] = []
      broker.running.aedes.once('clientError', (_client, error) => errors.push(error))
      client.send(bytes)
      await client.whenClosed()
      t.same(client.pending, [], 'nothing was answered')
      t.equal(errors.length, 1, 'plugins hear of it')
    })
  }
  await publish(await open(broker), 't/marker')
  t.match(await take(watcher, 'publish'), { topic: 't/marker' }, 'nothing of all that was delivered')
  t.same(await untilPong(watcher), [])
  t.equal(broker.running.counters.all()['protocol_errors'], Object.keys(cases).length)
})

t.test('bytes may come in any pieces', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const long = 'x'.repeat(40_000)
  const session = [
    await connectPacket(broker),
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't/#', qos: 0 }] } as Packet,
    packetOf('t/1', { qos: 1, messageId: 2, payload: '' }),
    packetOf('t/2', { qos: 1, messageId: 3, payload: long.slice(0, 300) }),
    packetOf('t/3', { qos: 1, messageId: 4, payload: long }),
  ]
  const bytes = Buffer.concat(session.map((packet) => mqttPacket.generate(packet)))
  const answers = async (client: RawClient): Promise<string[]> => {
    const got: string[] = []
    while (got.length < expected.length) {
      const packet = await client.next()
      if (!packet) throw new Error('closed')
      got.push(packet.cmd === 'publish' ? `${packet.topic}:${packet.payload.length}` : packet.cmd)
    }
    return got.sort()
  }
  const expected = ['connack', 'puback', 'puback', 'puback', 'suback', 't/1:0', 't/2:300', 't/3:40000'].sort()
  await t.test('byte by byte', async (t) => {
    const client = new RawClient(broker)
    const short = bytes.subarray(0, bytes.length - 40_000 - 20)
    for (const byte of short) client.stream.write(Buffer.from([byte]))
    client.stream.write(bytes.subarray(short.length))
    t.same(await answers(client), expected)
  })
  for (const size of [2, 3, 7, 1000, bytes.length]) {
    await t.test(`${size} bytes at a time`, async (t) => {
      const client = new RawClient(broker)
      for (let at = size < 100 ? bytes.length - 40_000 : 0, first = true; ; first = false) {
        if (first && at > 0) client.stream.write(bytes.subarray(0, at))
        if (at >= bytes.length) break
        const step = size < 100 ? Math.max(size, (bytes.length - at) >> 3) : size
        client.stream.write(bytes.subarray(at, (at += step)))
      }
      t.same(await answers(client), expected)
    })
  }
  await t.test('a client that goes in the middle of a packet has published nothing', async (t) => {
    const watcher = await open(broker)
    await subscribe(watcher, ['t/half', 0])
    const client = await open(broker)
    const gone = goneOf(broker, client)
    client.stream.end(mqttPacket.generate(packetOf('t/half')).subarray(0, 9))
    await gone
    await publish(watcher, 't/half', 'whole', { qos: 0 })
    t.same((await takePublishes(watcher, 1)).map(text), ['whole'])
  })
})

t.test('QoS: delivery is at the lower of publish and subscription [MQTT-3.8.4-6]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const publisher = await open(broker)
  for (const clean of [true, false]) {
    for (const filter of ['t/+/qos', 't/fix/qos', 't/#'] as const) {
      for (const granted of [0, 1, 2] as const) {
        await t.test(`${filter} at ${granted}, ${clean ? 'clean' : 'kept'} session`, async (t) => {
          const client = await open(broker, { id: `${filter} ${granted}`, clean })
          t.same(await subscribe(client, [filter, granted]), [granted], 'granted as asked')
          for (const qos of [0, 1, 2] as const) {
            await publish(publisher, 't/fix/qos', `${qos}`, { qos })
            const got = await take(client, 'publish')
            t.same([text(got), got.qos], [`${qos}`, Math.min(qos, granted)])
            if (got.qos === 1) client.send({ cmd: 'puback', messageId: got.messageId! })
            if (got.qos !== 2) continue
            client.send({ cmd: 'pubrec', messageId: got.messageId! })
            t.match(await take(client, 'pubrel'), { messageId: got.messageId }, '[MQTT-4.3.3-1]')
            client.send({ cmd: 'pubcomp', messageId: got.messageId! })
          }
          t.same(await untilPong(client), [])
          await leave(broker, client)
        })
      }
    }
  }
})

t.test('QoS 1 and 2 from a client [MQTT-4.3]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { inboundQos2: 3 } })
  const watcher = await open(broker, { id: 'watcher' })
  await subscribe(watcher, ['t/#', 0])

  await t.test('PUBACK carries the packet id, each publish one [MQTT-3.3.4-1]', async (t) => {
    const client = await open(broker)
    for (const messageId of [1, 65535, 1]) {
      client.send(packetOf('t/1', { qos: 1, messageId }))
      t.match(await take(client, 'puback'), { messageId })
    }
    t.equal((await takePublishes(watcher, 3)).length, 3, 'DUP or not, QoS 1 is delivered each time')
  })
  await t.test('DUP of the publisher is not passed on [MQTT-3.3.1-3]', async (t) => {
    const client = await open(broker)
    client.send(packetOf('t/dup', { qos: 1, messageId: 1, dup: true }))
    await take(client, 'puback')
    t.same((await takePublishes(watcher, 1)).map(told), ['t/dup x'])
  })
  await t.test('QoS 2: once, however often it is sent before PUBREL [MQTT-4.3.3-2]', async (t) => {
    const client = await open(broker)
    const message = packetOf('t/2', { qos: 2, messageId: 7 })
    client.send(message)
    t.match(await take(client, 'pubrec'), { messageId: 7 })
    client.send({ ...message, dup: true }, { ...message, dup: true, payload: 'other' })
    t.match(await take(client, 'pubrec'), { messageId: 7 })
    t.match(await take(client, 'pubrec'), { messageId: 7 })
    client.send({ cmd: 'pubrel', messageId: 7 })
    t.match(await take(client, 'pubcomp'), { messageId: 7 })
    client.send({ cmd: 'pubrel', messageId: 7 })
    t.match(await take(client, 'pubcomp'), { messageId: 7 }, 'PUBREL is answered again [MQTT-4.3.3-2]')
    client.send({ ...message, payload: 'next' })
    await take(client, 'pubrec')
    t.same((await takePublishes(watcher, 2)).map(told), ['t/2 x', 't/2 next'], 'then the packet id is free')
  })
  await t.test('a QoS 1 and a QoS 2 publish of one packet id, pipelined, all in order', async (t) => {
    const client = await open(broker)
    client.send(
      packetOf('t/p', { qos: 2, messageId: 5, payload: '1' }),
      { cmd: 'pubrel', messageId: 5 },
      packetOf('t/p', { qos: 2, messageId: 5, payload: '2' }),
      { cmd: 'pubrel', messageId: 5 },
      packetOf('t/p', { qos: 1, messageId: 5, payload: '3' }),
      packetOf('t/p', { payload: '4' }),
    )
    for (const cmd of ['pubrec', 'pubcomp', 'pubrec', 'pubcomp', 'puback'] as const) await take(client, cmd)
    t.same((await takePublishes(watcher, 4)).map(text), ['1', '2', '3', '4'])
  })
  await t.test('more than limits.inboundQos2 without PUBREL: all are taken, PUBREC waits for room', async (t) => {
    const client = await open(broker)
    const ids = [1, 2, 3, 4, 5, 6, 7]
    const message = (messageId: number) => packetOf('t/many', { qos: 2, messageId, payload: `${messageId}` })
    client.send(...ids.map(message))
    t.same((await takePublishes(watcher, 7)).map(text), ids.map(String), 'each is delivered')
    for (const messageId of [1, 2, 3]) t.match(await take(client, 'pubrec'), { messageId })
    client.send({ ...message(3), dup: true }, { ...message(5), dup: true })
    t.match(await take(client, 'pubrec'), { messageId: 3 }, 'sent again, one with a PUBREC gets it again')
    t.same(await untilPong(client), [], 'one without does not')
    client.send({ cmd: 'pubrel', messageId: 2 })
    t.match(await take(client, 'pubcomp'), { messageId: 2 })
    t.match(await take(client, 'pubrec'), { messageId: 4 }, 'room for the next')
    client.send({ cmd: 'pubrel', messageId: 6 })
    t.match(await take(client, 'pubrec'), { messageId: 6 }, 'who does not wait for it has it at once')
    t.match(await take(client, 'pubcomp'), { messageId: 6 })
    for (const [done, next] of [
      [1, 5],
      [3, 7],
      [4, 0],
      [5, 0],
      [7, 0],
    ] as const) {
      client.send({ cmd: 'pubrel', messageId: done })
      t.match(await take(client, 'pubcomp'), { messageId: done })
      if (next > 0) t.match(await take(client, 'pubrec'), { messageId: next })
    }
    client.send(...ids.map(message))
    for (const messageId of [1, 2, 3]) t.match(await take(client, 'pubrec'), { messageId }, 'ids are free again')
    t.same((await takePublishes(watcher, 7)).map(text), ids.map(String))
  })
  await t.test(
    'PUBRECs that were withheld when the connection ended come when the PUBLISH is sent again',
    async (t) => {
      const opening = { id: 'withheld', clean: false }
      const first = await open(broker, opening)
      const message = (messageId: number) => packetOf('t/kept', { qos: 2, messageId, payload: `${messageId}` })
      first.send(...[1, 2, 3, 4, 5].map(message))
      t.equal((await takePublishes(watcher, 5)).length, 5)
      for (const messageId of [1, 2, 3]) t.match(await take(first, 'pubrec'), { messageId })
      await cut(broker, first)
      const second = await open(broker, opening)
      second.send(
        { cmd: 'pubrel', messageId: 1 },
        message(6),
        { ...message(4), dup: true },
        { ...message(5), dup: true },
      )
      t.match(await take(second, 'pubcomp'), { messageId: 1 })
      for (const messageId of [6, 4, 5]) t.match(await take(second, 'pubrec'), { messageId })
      t.same((await takePublishes(watcher, 1)).map(text), ['6'], 'none is delivered twice')
      for (const messageId of [2, 3, 4, 5, 6]) {
        second.send({ cmd: 'pubrel', messageId })
        t.match(await take(second, 'pubcomp'), { messageId })
      }
    },
  )
  await t.test('PUBREC, PUBREL and acks with ids nobody knows do no harm', async (t) => {
    const client = await open(broker)
    client.send({ cmd: 'puback', messageId: 9 }, { cmd: 'pubcomp', messageId: 9 }, { cmd: 'pubrec', messageId: 9 })
    t.match(await take(client, 'pubrel'), { messageId: 9 }, 'so that the client can finish')
    client.send({ cmd: 'pubrel', messageId: 9 })
    t.match(await take(client, 'pubcomp'), { messageId: 9 })
    t.same(await untilPong(client), [])
  })
  await t.test('MQTT 3.1: DUP on PUBREL, SUBSCRIBE and UNSUBSCRIBE is allowed', async (t) => {
    const client = await open(broker, { id: 'old', version: 3 })
    client.send('8a 08 00 01 00 03 74 2f 61 00')
    await take(client, 'suback')
    client.send('6a 02 00 01')
    await take(client, 'pubcomp')
    client.send('aa 07 00 02 00 03 74 2f 61')
    await take(client, 'unsuback')
    client.send(publishBytes(0x38, 't/old', 'x'))
    t.same((await takePublishes(watcher, 1)).map(told), ['t/old x'], 'and on PUBLISH of QoS 0')
  })
  await t.test('what may not be published is acknowledged and not delivered [MQTT-3.3.5-2]', async (t) => {
    const client = await open(broker)
    const all = await open(broker, { user: 'admin', roles: ['admin'] })
    await subscribe(all, ['$SYS/x', 0], ['#', 0])
    await publish(client, 'denied/a')
    await publish(client, '$SYS/x')
    await publish(client, '$other/x')
    await publish(client, 'rooms/nowhere')
    await publish(client, 'denied/2', 'x', { qos: 2 })
    await publish(client, 't/ok')
    t.same(
      (await takePublishes(all, 1)).map((packet) => packet.topic),
      ['t/ok'],
    )
    t.match(broker.running.counters.all(), { 'refused.forbidden': 3, 'refused.bad_request': 2 })
  })
})

t.test('auth.onRefused: close', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, auth: { onRefused: 'close' } })
  const client = await open(broker)
  client.send(packetOf('denied/a', { qos: 1, messageId: 1 }))
  await client.whenClosed()
  t.same(client.pending, [])
})

t.test('payloads', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { payloadBytes: 2048 } })
  const client = await open(broker)
  await subscribe(client, ['t/#', 1])
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
  for (const payload of [Buffer.alloc(0), every, Buffer.alloc(2048, 1)]) {
    client.send(packetOf('t/p', { payload, qos: 1, messageId: 1 }))
    const packets = [await client.next(), await client.next()]
    const got = packets.find((packet) => packet?.cmd === 'publish') as IPublishPacket
    t.same(got.payload, payload, `${payload.length} bytes, as they are`)
  }
  client.send(packetOf('t/p', { payload: Buffer.alloc(2049), qos: 1, messageId: 1 }))
  await take(client, 'puback')
  t.same(await untilPong(client), [], 'longer than limits.payloadBytes: acknowledged, not delivered')
  t.equal(broker.running.counters.all()['refused.too_large'], 1)
})

t.test('retained messages [MQTT-3.3.1]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const client = await open(broker)
  // Retained messages come filter by filter: this one is behind those a test asks for.
  await publish(client, 'the/end', 'x', { retain: true, qos: 2 })
  let count = 0
  const retainedOn = async (filter: string, qos: 0 | 1 | 2 = 2, clean = true): Promise<string[]> => {
    const late = await open(broker, { id: `late${++count}`, clean })
    await subscribe(late, [filter, qos], ['the/end', qos])
    const got: string[] = []
    for (let packet = await take(late, 'publish'); packet.topic !== 'the/end'; packet = await take(late, 'publish'))
      got.push(told(packet))
    await leave(broker, late)
    return got
  }
  await t.test(
    'the last one is kept, with its QoS [MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-7, MQTT-3.3.1-8]',
    async (t) => {
      await publish(client, 'r/a', 'one', { retain: true })
      await publish(client, 'r/a', 'two', { retain: true, qos: 0 })
      await publish(client, 'r/b', 'two', { retain: true, qos: 2 })
      t.same(await retainedOn('r/+'), ['r/a two retain', 'r/b two q2 retain'])
      t.same(await retainedOn('r/b', 1), ['r/b two q1 retain'])
      t.same(await retainedOn('r/b', 0), ['r/b two retain'])
      t.same(await retainedOn('r/b', 2, false), ['r/b two q2 retain'], 'to a kept session too')
    },
  )
  await t.test('others do not replace it [MQTT-3.3.1-12]', async (t) => {
    await publish(client, 'r/a', 'three')
    t.same(await retainedOn('r/a'), ['r/a two retain'])
  })
  await t.test('a live delivery goes without the flag [MQTT-3.3.1-9]', async (t) => {
    const live = await open(broker)
    await subscribe(live, ['live/#', 1])
    await publish(client, 'live/a', 'x', { retain: true })
    t.same((await takePublishes(live, 1)).map(told), ['live/a x q1'])
  })
  await t.test('an empty one clears, and is delivered [MQTT-3.3.1-10, MQTT-3.3.1-11]', async (t) => {
    const live = await open(broker)
    await publish(client, 'live/a', '', { retain: true })
    t.same(await retainedOn('live/#'), [])
    await subscribe(live, ['live/#', 1])
    await publish(client, 'live/b', '', { retain: true })
    t.same((await takePublishes(live, 1)).map(told), ['live/b q1'])
    t.same(await retainedOn('live/#'), [])
  })
  await t.test('filters', async (t) => {
    for (const topic of ['f', 'f/', 'f//b', '/f', 'f/b', 'f/b/c', 'f2'])
      await publish(client, topic, '', { retain: false })
    for (const topic of ['f', 'f/', 'f//b', '/f', 'f/b', 'f/b/c', 'f2'])
      await publish(client, topic, '1', { retain: true })
    const topicsOn = async (filter: string) => (await retainedOn(filter, 0)).map((one) => one.split(' ')[0]).sort()
    t.same(await topicsOn('f/#'), ['f', 'f/', 'f//b', 'f/b', 'f/b/c'], 'the parent level is included')
    t.same(await topicsOn('f/+'), ['f/', 'f/b'], '+ takes an empty level')
    t.same(await topicsOn('f/+/b'), ['f//b'])
    t.same(await topicsOn('f/+/+'), ['f//b', 'f/b/c'])
    t.same(await topicsOn('/+'), ['/f'])
    t.same(await topicsOn('+/f'), ['/f'])
    t.same(await topicsOn('+'), ['f', 'f2'])
    t.same(await topicsOn('f//b'), ['f//b'])
  })
  await t.test('a hundred arrive, at any QoS, to clean and kept sessions', async (t) => {
    for (let i = 0; i < 100; i++) {
      client.send(packetOf(`many/${i}`, { payload: `${i}`, retain: true, qos: 1, messageId: i + 1 }))
    }
    for (let i = 0; i < 100; i++) await take(client, 'puback')
    for (const clean of [true, false]) {
      for (const qos of [0, 1, 2] as const) {
        const late = await open(broker, { id: 'hundred', clean })
        await subscribe(late, ['many/+', qos])
        const got = new Set<string>()
        while (got.size < 100) {
          const packet = await take(late, 'publish')
          got.add(packet.topic)
          if (packet.qos > 0) late.send({ cmd: 'puback', messageId: packet.messageId! })
        }
        t.same(await untilPong(late), [], `clean ${clean}, QoS ${qos}: each once`)
        late.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['many/+'] })
        await take(late, 'unsuback')
        await leave(broker, late)
      }
    }
  })
  await t.test('a value that changes while retained ones are read does not come back', async (t) => {
    const late = await open(broker)
    const { queue } = broker.running.store
    const retained = queue.retained
    queue.retained = async function* (filters) {
      for await (const message of retained.call(queue, filters)) {
        // Read; before it is sent, the topic gets another one.
        if (message.topic === 'many/7') await publish(client, 'many/7', 'new', { retain: true })
        yield message
      }
    }
    late.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'many/7', qos: 0 }] } as Packet)
    await take(late, 'suback')
    await take(late, 'publish').then((packet) => t.equal(told(packet), 'many/7 new'))
    queue.retained = retained
    await publish(client, 'many/7', 'last')
    t.same((await takePublishes(late, 1)).map(told), ['many/7 last'])
  })
  await t.test('UNSUBSCRIBE stops them [MQTT-3.10.4-2]', async (t) => {
    const late = await open(broker)
    late.send(
      { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'many/+', qos: 0 }] } as Packet,
      { cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['many/+'] } as Packet,
    )
    const before: string[] = []
    for (;;) {
      const packet = await late.next()
      if (packet?.cmd === 'unsuback') break
      before.push(packet?.cmd ?? 'closed')
    }
    await subscribe(late, ['r/a', 0])
    t.same((await takePublishes(late, 1)).map(told), ['r/a two retain'], 'nothing after the UNSUBACK')
  })
  await t.test('they survive a restart', async (t) => {
    await broker.restart()
    const late = await open(broker)
    await subscribe(late, ['r/a', 0])
    t.same((await takePublishes(late, 1)).map(told), ['r/a two retain'])
  })
})

t.test('order', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  await t.test('messages of one connection are delivered in the order sent, whatever their QoS', async (t) => {
    const watcher = await open(broker)
    await subscribe(watcher, ['t/o', 0])
    const client = await open(broker)
    for (let i = 0; i < 300; i++) {
      const qos = (i % 3) as 0 | 1 | 2
      client.send(packetOf('t/o', { payload: `${i}`, qos, ...(qos > 0 ? { messageId: i + 1 } : {}) }))
    }
    t.same(
      (await takePublishes(watcher, 300)).map((packet) => Number(text(packet))),
      Array.from({ length: 300 }, (_, i) => i),
    )
    const acks: number[] = []
    while (acks.length < 200) acks.push(((await client.next()) as { messageId: number }).messageId - 1)
    t.same(
      acks,
      Array.from({ length: 300 }, (_, i) => i).filter((i) => i % 3 > 0),
      'acknowledged in order [MQTT-4.6.0-2, MQTT-4.6.0-3]',
    )
  })
  await t.test('an asynchronous hook does not reorder', async (t) => {
    const { aedes } = broker.running
    const before = aedes.authorizePublish
    aedes.authorizePublish = (_client, packet, done) => {
      const wait = Number(packet.payload.toString()) % 3
      if (wait === 0) done(null)
      else if (wait === 1) setImmediate(done, null)
      else setTimeout(done, 2, null)
    }
    const client = await open(broker)
    await subscribe(client, ['t/h', 0])
    for (let i = 0; i < 60; i++) client.send(packetOf('t/h', { payload: `${i}` }))
    client.send({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['t/h'] })
    const got = (await takePublishes(client, 60)).map((packet) => Number(text(packet)))
    t.same(
      got,
      Array.from({ length: 60 }, (_, i) => i),
    )
    await take(client, 'unsuback')
    aedes.authorizePublish = before
  })
})

t.test('a topic that is too deep is refused like any other, and cuts nobody', async (t) => {
  const DEEP = 'a/b/c/d/e/f/g/h/i'
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { topicLevels: 8 } })
  const publishOf = (qos: 0 | 1 | 2) =>
    ({ cmd: 'publish', topic: DEEP, payload: 'x', qos, messageId: 9, dup: false, retain: false }) as const
  const client = await open(broker)
  client.send(publishOf(0), publishOf(1), publishOf(2))
  await take(client, 'puback')
  await take(client, 'pubrec')
  const five = await open(broker, { version: 5 })
  five.send(publishOf(1))
  t.equal((await take(five, 'puback')).reasonCode, 0x90)
  five.send(publishOf(2))
  t.equal((await take(five, 'pubrec')).reasonCode, 0x90)
  t.same(await untilPong(five), [])
  const strict = await startTestBroker(t, { acl: OPEN_ACL, limits: { topicLevels: 8 }, auth: { onRefused: 'close' } })
  const refused = await open(strict)
  refused.send(publishOf(1))
  await refused.whenClosed()
})
