/** Acknowledgements that do not fit, goodbyes that say why, and bits that MQTT 3.1 does not look at. */
import mqttPacket, { type Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { disconnected, frame, message, open5 } from '../helpers/mqtt5.js'
import {
  connectPacket,
  cut,
  goneOf,
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
import { back, kept, VERSIONS } from '../helpers/versions.js'

type Ack = 'puback' | 'pubrec' | 'pubcomp'

/** What the broker sent, the answers that fit so far, and the one that does not. */
const UNFITTING: [name: string, qos: 1 | 2, before: Ack[], wrong: Ack][] = [
  ['PUBREC for QoS 1', 1, [], 'pubrec'],
  ['PUBCOMP for QoS 1', 1, [], 'pubcomp'],
  ['PUBACK for QoS 2', 2, [], 'puback'],
  ['PUBCOMP for QoS 2 before PUBREC', 2, [], 'pubcomp'],
  ['PUBACK for QoS 2 after PUBREC', 2, ['pubrec'], 'puback'],
]

async function ended(t: Test, client: RawClient): Promise<void> {
  if (client.version === 5) t.equal(await disconnected(client), 0x82, '[MQTT5-4.13.1-1]')
  else await client.whenClosed()
}

for (const version of VERSIONS) {
  t.test(`MQTT ${version}: an acknowledgement of the wrong kind is a protocol error`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const announcer = await open(broker, { user: 'announcer' })
    for (const [name, qos, before, wrong] of UNFITTING) {
      await t.test(`${name} [MQTT-4.3.2-2, MQTT-4.3.3-2, MQTT-4.8.0-1]`, async (t) => {
        const client = await open(broker, { version, id: 'c', ...kept(version) })
        await subscribe(client, ['t/a', qos])
        await publish(announcer, 't/a', 'x', { qos })
        const { messageId } = await take(client, 'publish')
        for (const cmd of before) {
          client.send({ cmd, messageId: messageId! } as Packet)
          await take(client, 'pubrel')
        }
        client.send({ cmd: wrong, messageId: messageId! } as Packet)
        await ended(t, client)
        const again = await open(broker, { version, id: 'c', ...back(version) })
        t.match(
          await again.next(),
          { cmd: before.length > 0 ? 'pubrel' : 'publish', messageId },
          'it is still under way',
        )
        if (qos === 2 && before.length === 0) {
          again.send({ cmd: 'pubrec', messageId: messageId! })
          await take(again, 'pubrel')
        }
        again.send({ cmd: qos === 1 ? 'puback' : 'pubcomp', messageId: messageId! })
        t.same(await untilPong(again), [], 'and the answer that fits ends it')
        await cut(broker, again)
      })
    }
    await t.test('PUBREC sent again is no fault, nor is an id that nobody knows', async (t) => {
      const client = await open(broker, { version, user: 'careful' })
      await subscribe(client, ['t/b', 2])
      await publish(announcer, 't/b', 'x', { qos: 2 })
      const { messageId } = await take(client, 'publish')
      for (let i = 0; i < 2; i++) {
        client.send({ cmd: 'pubrec', messageId: messageId! })
        t.match(await take(client, 'pubrel'), { messageId })
      }
      client.send({ cmd: 'pubcomp', messageId: messageId! })
      for (const cmd of ['puback', 'pubcomp'] as const) client.send({ cmd, messageId: 999 })
      t.same(await untilPong(client), [])
    })
  })
}

t.test('reason codes that an acknowledgement cannot have [MQTT5-3.4.2-1, MQTT5-3.5.2-1, MQTT5-3.6.2-1]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  for (const header of [0x40, 0x50, 0x62, 0x70]) {
    const received = header < 0x60
    const known = received ? [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99] : [0x00, 0x92]
    for (const reason of [received ? 0x92 : 0x10, 0x01, 0x20, 0x82, 0xff]) {
      const client = await open5(broker)
      client.send(frame(header, 0, 9, reason))
      t.equal(await disconnected(client), 0x82, `${header.toString(16)} ${reason.toString(16)} [MQTT5-3.7.2-1]`)
    }
    const client = await open5(broker)
    for (const reason of known) client.send(frame(header, 0, 9, reason, 0))
    const answers = await untilPong(client)
    t.ok(
      answers.every(({ cmd }) => cmd === (header === 0x50 ? 'pubrel' : 'pubcomp')),
      'those there are do no harm',
    )
  }
  const client = await open5(broker)
  client.send('e0 01 20')
  t.equal(await disconnected(client), 0x82, 'nor can DISCONNECT have any [MQTT5-3.14.2-1]')
})

t.test('PUBREL that is sent again in a session that goes on is no error [MQTT5-3.7.2.1]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const first = await open5(broker, { id: 'c', clean: true, expiry: 60 })
  first.send({ cmd: 'pubrel', messageId: 7 })
  t.match(await take(first, 'pubcomp'), { messageId: 7, reasonCode: 0x92 }, 'in a new session it is unknown')
  first.send({ cmd: 'pubrec', messageId: 7 })
  t.match(await take(first, 'pubrel'), { messageId: 7, reasonCode: 0x92 })
  first.send(message('t/a', 'x', { qos: 2, messageId: 8 }))
  await take(first, 'pubrec')
  first.send({ cmd: 'pubrel', messageId: 8 })
  await take(first, 'pubcomp')
  await cut(broker, first)
  const second = await open5(broker, { id: 'c', clean: false, expiry: 60 })
  second.send({ cmd: 'pubrel', messageId: 8 }, { cmd: 'pubrec', messageId: 7 })
  t.match(await take(second, 'pubcomp'), { messageId: 8, reasonCode: 0 })
  t.match(await take(second, 'pubrel'), { messageId: 7, reasonCode: 0 })
})

t.test('MQTT 5: who resumes a session may have its receive maximum under way anew [MQTT5-4.9]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { receiveMaximum: 3 } })
  const flood = (from: number): Packet[] => [0, 1, 2].map((i) => message('t/a', 'x', { qos: 2, messageId: from + i }))
  const first = await open5(broker, { id: 'c', clean: true, expiry: 60 })
  first.send(...flood(1))
  for (const messageId of [1, 2, 3]) t.match(await take(first, 'pubrec'), { messageId })
  await cut(broker, first)
  const second = await open5(broker, { id: 'c', clean: false, expiry: 60 })
  second.send(...flood(4))
  for (const messageId of [4, 5, 6]) t.match(await take(second, 'pubrec'), { messageId })
  for (const messageId of [1, 2, 3]) {
    second.send({ cmd: 'pubrel', messageId })
    t.match(await take(second, 'pubcomp'), { messageId })
  }
  second.send(message('t/a', 'x', { qos: 2, messageId: 7 }))
  t.equal(await disconnected(second), 0x93, 'and no more than that')
})

async function willOf(t: Test, broker: TestBroker, goodbye: string): Promise<string[]> {
  const watcher = await open(broker, { user: 'watcher' })
  await subscribe(watcher, ['w/#', 0])
  const client = await open5(broker, { will: { topic: 'w/gone', payload: goodbye } })
  const gone = goneOf(broker, client)
  client.send(goodbye)
  await gone
  await publish(await open(broker, { user: 'announcer' }), 'w/end')
  const wills: string[] = []
  for (;;) {
    const packet = await take(watcher, 'publish')
    if (packet.topic === 'w/end') break
    wills.push(text(packet))
  }
  t.comment(goodbye)
  return wills
}

t.test('only DISCONNECT 0x00 discards the will [MQTT5-3.14.4-3, MQTT5-3.1.2-8, MQTT5-3.1.2-10]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  for (const goodbye of ['e0 00', 'e0 01 00']) t.same(await willOf(t, broker, goodbye), [], goodbye)
  for (const goodbye of ['e0 01 04', 'e0 01 80', 'e0 01 81', 'e0 01 82', 'e0 01 93', 'e0 01 99', 'e0 01 ff'])
    t.same(await willOf(t, broker, goodbye), [goodbye])
})

t.test('U+0000 in the topic of a PUBLISH is malformed [MQTT5-1.5.4-2, MQTT5-4.13.1-1]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  for (const topic of ['t/\0', '\0', 't/\0/ü', 'ü/\0']) {
    const client = await open5(broker)
    client.send(frame(0x30, topic, 0, Buffer.from('x')))
    t.equal(await disconnected(client), 0x81, JSON.stringify(topic))
  }
})

t.test('a topic that nothing can be published on: 0x90 [MQTT5-3.4.2.1]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const client = await open5(broker)
  const topics = [
    ...['$TopicA/B', '$share/g/t', 'rooms/x/nonsense', 'rooms/bad room/messages', 'devices/d', 'broadcast/a/b'],
    'rooms/dm:ann:bob/messages',
  ]
  for (const topic of topics)
    for (const qos of [1, 2] as const) {
      client.send(message(topic, 'x', { qos }))
      t.match(await take(client, qos === 1 ? 'puback' : 'pubrec'), { reasonCode: 0x90 }, `${topic}, QoS ${qos}`)
    }
  client.send(message('rooms/lobby/messages', ''))
  t.match(await take(client, 'puback'), { reasonCode: 0x99 }, 'a payload that is not taken is another matter')
})

t.test('bits that MQTT 3.1 does not use are not looked at', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const packet = await connectPacket(broker, { id: 'old', version: 3 })
  const login = async (change: (bytes: Buffer) => void): Promise<RawClient> => {
    const client = new RawClient(broker, 3)
    const bytes = Buffer.from(mqttPacket.generate(packet))
    change(bytes)
    client.send(bytes)
    t.match(await take(client, 'connack'), { returnCode: 0 })
    return client
  }
  /** Where the flags stand: the fixed header has two or three bytes, then come name and level. */
  const flagsAt = (bytes: Buffer): number => (bytes[1]! & 0x80 ? 3 : 2) + 9
  for (const flags of [0x1, 0x2, 0x4, 0x8, 0xf]) await login((bytes) => (bytes[0]! |= flags))
  for (const flags of [0x01, 0x08, 0x18, 0x20, 0x39]) await login((bytes) => (bytes[flagsAt(bytes)]! |= flags))
  const client = await login(() => {})
  client.send('8b 08 00 01 00 03 74 2f 61 01')
  await take(client, 'suback')
  await publish(await open(broker, { user: 'announcer' }), 't/a')
  const [packetOf] = await takePublishes(client, 1)
  t.equal(told(packetOf!), 't/a t/a q1')
  client.send(frame(0x4f, 0, packetOf!.messageId!), frame(0x6b, 0, 9), frame(0xab, 0, 2, 't/a'))
  t.match(await take(client, 'pubcomp'), { messageId: 9 })
  await take(client, 'unsuback')
  client.send('cf 00')
  await take(client, 'pingresp')
  const gone = goneOf(broker, client)
  client.send('ef 00')
  await gone
})
