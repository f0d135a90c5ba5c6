/** MQTT 5.0, packet by packet: properties, reason codes, flow control, aliases. What outlives a connection is in mqtt5-session.test.ts. */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import {
  connect5,
  disconnected,
  frame,
  ids,
  message,
  open5,
  section,
  subscribe5,
  unsubscribe5,
} from '../helpers/mqtt5.js'
import { cut, OPEN_ACL, open, publish, take, takePublishes, text, told, untilPong } from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'

const ROOM = 'rooms/lobby/messages'
/** The next PUBLISHes; acks between them are passed over. */
async function takeAmong(client: RawClient, count: number): Promise<IPublishPacket[]> {
  const found: IPublishPacket[] = []
  while (found.length < count) {
    const packet = await client.next()
    if (packet?.cmd === 'publish') found.push(packet)
    else if (packet?.cmd !== 'pubrec') throw new Error(`unexpected: ${JSON.stringify(packet)}`)
  }
  return found
}

const PROBLEMS = { requestProblemInformation: true }

t.test('CONNECT: what is wrong is told by a CONNACK [MQTT5-3.1.4-1, MQTT5-2.2.2.2, MQTT5-4.13.1-1]', async (t) => {
  const broker = await startTestBroker(t)
  const bytes = (properties: Buffer, flags = 2, ...rest: (number | string | Buffer)[]): Buffer =>
    frame(0x10, 'MQTT', 5, flags, 0, 0, properties, '', ...rest)
  const cases: [string, Buffer, number][] = [
    ['a property there is none of', bytes(section(0x7f, 1)), 0x81],
    ['a property of PUBLISH', bytes(section(0x01, 1)), 0x81],
    ['a property of CONNACK', bytes(section(0x12, 'me')), 0x81],
    ['properties longer than the packet', frame(0x10, 'MQTT', 5, 2, 0, 0, 99, ''), 0x81],
    ['a property across the end of the properties', bytes(section(0x11, 0, 0)), 0x81],
    ['the session expiry twice', bytes(section(0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1)), 0x82],
    ['the receive maximum twice', bytes(section(0x21, 0, 9, 0x21, 0, 9)), 0x82],
    ['receive maximum 0', bytes(section(0x21, 0, 0)), 0x82],
    ['maximum packet size 0', bytes(section(0x27, 0, 0, 0, 0)), 0x82],
    ['request problem information 2', bytes(section(0x17, 2)), 0x82],
    ['request response information 2', bytes(section(0x19, 2)), 0x82],
    ['authentication data without a method', bytes(section(0x16, 'x')), 0x82],
    ['an authentication method', bytes(section(0x15, 'SCRAM-SHA-1')), 0x8c],
    ['a reserved flag [MQTT5-3.1.2-3]', bytes(section(), 3), 0x81],
    ['will QoS 3', bytes(section(), 0x1e, section(), 'w', 'x'), 0x81],
    ['a will delay among the properties of CONNECT', bytes(section(0x18, 0, 0, 0, 1)), 0x81],
    ['a session expiry among those of the will', bytes(section(), 6, section(0x11, 0, 0, 0, 1), 'w', 'x'), 0x81],
    ['a will delay twice', bytes(section(), 6, section(0x18, 0, 0, 0, 1, 0x18, 0, 0, 0, 1), 'w', 'x'), 0x82],
    ['a will topic with a wildcard', bytes(section(), 6, section(), 'w/#', 'x'), 0x90],
    ['a response topic of the will with a wildcard', bytes(section(), 6, section(0x08, 'a/+'), 'w', 'x'), 0x82],
    [
      'a will that is not the UTF-8 it says it is',
      bytes(section(), 6, section(0x01, 1), 'w', Buffer.from([0, 1, 0xff])),
      0x99,
    ],
    ['bytes behind the end', bytes(section(), 2, 0), 0x81],
    ['bad credentials', bytes(section(), 0xc2, 'ann', 'nonsense'), 0x86],
    ['a client id with a control character', frame(0x10, 'MQTT', 5, 2, 0, 0, section(), 'a\u0001'), 0x85],
    ['a protocol level that is newer [MQTT5-3.1.2-2]', frame(0x10, 'MQTT', 6, 2, 0, 0, section(), ''), 0x84],
  ]
  for (const [name, connect, reasonCode] of cases) {
    await t.test(name, async (t) => {
      const client = new RawClient(broker, 5)
      client.send(connect)
      t.match(await take(client, 'connack'), { reasonCode, sessionPresent: false })
      await client.whenClosed()
      t.same(client.pending, [], 'and nothing else, no DISCONNECT either [MQTT5-3.14.0-1]')
    })
  }
  t.equal(broker.running.aedes.connectedClients, 0)
})

t.test('CONNACK tells the bounds [MQTT5-3.2.2.3]', async (t) => {
  const broker = await startTestBroker(t, {
    limits: { receiveMaximum: 7, packetBytes: 70000, topicAliases: 9, sessionExpiry: '1h' },
  })
  const [, plain] = await connect5(broker, { id: 'c' })
  t.match(plain.properties, {
    receiveMaximum: 7,
    maximumPacketSize: 70000,
    topicAliasMaximum: 9,
  })
  for (const absent of ['sessionExpiryInterval', 'assignedClientIdentifier', 'responseInformation', 'serverKeepAlive'])
    t.notOk(absent in plain.properties!, absent)
  const [, asking] = await connect5(broker, { properties: { requestResponseInformation: true }, expiry: 0xffffffff })
  t.match(asking.properties, {
    assignedClientIdentifier: /^auto-/,
    sessionExpiryInterval: 3600,
    responseInformation: 'users/ann/replies',
  })
  const [, modest] = await connect5(broker, { id: 'd', expiry: 60 })
  t.notOk('sessionExpiryInterval' in modest.properties!, 'granted as asked: not repeated [MQTT5-3.2.2.3.2]')
  const without = await startTestBroker(t, { limits: { topicAliases: 0 } })
  const [, none] = await connect5(without, {})
  t.notOk('topicAliasMaximum' in none.properties!, 'no aliases')
})

t.test('an assigned client id is a name to come back by [MQTT5-3.2.2-16]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const client = new RawClient(broker, 5)
  // By hand: mqtt-packet allows no empty client id here.
  const login = ['ann', await broker.token('ann')]
  client.send(frame(0x10, 'MQTT', 5, 0xc0, 0, 0, section(0x11, 0, 0, 0, 60), '', ...login))
  const id = (await take(client, 'connack')).properties!.assignedClientIdentifier!
  await subscribe5(client, 't/a')
  await cut(broker, client)
  const [, { sessionPresent }] = await connect5(broker, { id, clean: false, expiry: 60 })
  t.equal(sessionPresent, true)
})

t.test('a password without a user name is allowed [MQTT5-3.1.2.9]', async (t) => {
  const broker = await startTestBroker(t)
  const client = new RawClient(broker, 5)
  client.send(frame(0x10, 'MQTT', 5, 0x42, 0, 0, section(), 'c', await broker.token('ann')))
  t.match(await take(client, 'connack'), { reasonCode: 0 })
})

t.test('what breaks the protocol ends in a DISCONNECT that says why [MQTT5-4.13.1]', async (t) => {
  const broker = await startTestBroker(t, {
    acl: OPEN_ACL,
    limits: { topicAliases: 4, packetBytes: 2048, payloadBytes: 1024 },
  })
  const publishWith = (...properties: (number | string | Buffer)[]): Buffer =>
    frame(0x30, 't/a', section(...properties), Buffer.from('x'))
  const subscribeWith = (properties: Buffer, filter: string, options: number): Buffer =>
    frame(0x82, 0, 1, properties, filter, options)
  const cases: [string, Buffer, number][] = [
    ['PUBLISH: a property there is none of', publishWith(0x7f, 0), 0x81],
    ['PUBLISH: a property of CONNECT', publishWith(0x11, 0, 0, 0, 1), 0x81],
    ['PUBLISH: a property in two bytes that fits one [MQTT5-1.5.5-1]', publishWith(Buffer.from([0x81, 0]), 1), 0x81],
    ['PUBLISH: a text that is not UTF-8 [MQTT5-1.5.4-1]', publishWith(0x03, 0, 1, 0xff), 0x81],
    ['PUBLISH: message expiry twice', publishWith(0x02, 0, 0, 0, 1, 0x02, 0, 0, 0, 1), 0x82],
    ['PUBLISH: payload format 2', publishWith(0x01, 2), 0x82],
    ['PUBLISH: a subscription identifier [MQTT5-3.3.4-6]', publishWith(0x0b, 1), 0x82],
    ['PUBLISH: a response topic with a wildcard [MQTT5-3.3.2-14]', publishWith(0x08, 'a/+'), 0x82],
    ['PUBLISH: topic alias 0 [MQTT5-3.3.2-8]', publishWith(0x23, 0, 0), 0x94],
    ['PUBLISH: a topic alias above the maximum [MQTT5-3.3.2-9]', publishWith(0x23, 0, 5), 0x94],
    ['PUBLISH: a topic alias that was never set', frame(0x30, '', section(0x23, 0, 1), Buffer.from('x')), 0x82],
    ['PUBLISH: neither topic nor alias', frame(0x30, '', section(), Buffer.from('x')), 0x82],
    ['PUBLISH: a wildcard in the topic [MQTT5-3.3.2-2]', frame(0x30, 't/#', section(), Buffer.from('x')), 0x90],
    ['PUBLISH: both QoS bits [MQTT5-3.3.1-4]', frame(0x36, 't/a', 0, 1, section()), 0x81],
    ['PUBLISH: larger than the maximum packet size', frame(0x30, 't/a', section(), Buffer.alloc(3000)), 0x95],
    ['SUBSCRIBE: identifier 0 [MQTT5-3.8.2.1.2]', subscribeWith(section(0x0b, 0), 't/a', 0), 0x82],
    ['SUBSCRIBE: two identifiers', subscribeWith(section(0x0b, 1, 0x0b, 2), 't/a', 0), 0x82],
    ['SUBSCRIBE: a reason string', subscribeWith(section(0x1f, 'x'), 't/a', 0), 0x81],
    ['SUBSCRIBE: retain handling 3', subscribeWith(section(), 't/a', 0x30), 0x82],
    ['SUBSCRIBE: maximum QoS 3', subscribeWith(section(), 't/a', 3), 0x82],
    ['SUBSCRIBE: reserved bits [MQTT5-3.8.3-5]', subscribeWith(section(), 't/a', 0x40), 0x81],
    ['SUBSCRIBE: no local on a shared subscription [MQTT5-3.8.3-4]', subscribeWith(section(), '$share/g/t', 4), 0x82],
    ['SUBSCRIBE: a filter that is none', subscribeWith(section(), 'a+', 0), 0x8f],
    ['SUBSCRIBE: no filter [MQTT5-3.8.3-2]', frame(0x82, 0, 1, section()), 0x82],
    ['SUBSCRIBE: packet id 0', frame(0x82, 0, 0, section(), 't/a', 0), 0x81],
    ['UNSUBSCRIBE: an identifier', frame(0xa2, 0, 1, section(0x0b, 1), 't/a'), 0x81],
    ['UNSUBSCRIBE: no filter [MQTT5-3.10.3-2]', frame(0xa2, 0, 1, section()), 0x82],
    ['PUBACK: a topic alias', frame(0x40, 0, 1, 0, section(0x23, 0, 1)), 0x81],
    ['PUBACK: two reason strings', frame(0x40, 0, 1, 0, section(0x1f, 'a', 0x1f, 'b')), 0x82],
    ['PUBREL: the wrong flags [MQTT5-3.6.1-1]', frame(0x60, 0, 1), 0x81],
    ['DISCONNECT: a session expiry after 0 on CONNECT', frame(0xe0, 0, section(0x11, 0, 0, 0, 9)), 0x82],
    ['DISCONNECT: a receive maximum', frame(0xe0, 0, section(0x21, 0, 9)), 0x81],
    ['AUTH without an authentication method [MQTT5-4.12.0-7]', frame(0xf0, 0x18, section(0x15, 'x')), 0x82],
    ['a second CONNECT [MQTT5-3.1.0-2]', frame(0x10, 'MQTT', 5, 2, 0, 0, section(), ''), 0x82],
    ['a packet only servers send', frame(0xd0), 0x82],
  ]
  for (const [name, bytes, reason] of cases) {
    await t.test(name, async (t) => {
      const client = await open5(broker)
      client.send(bytes)
      t.equal(await disconnected(client), reason)
    })
  }
})

t.test('DISCONNECT by the broker', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  await t.test('session taken over: 0x8E [MQTT5-3.1.4-3]', async (t) => {
    const first = await open5(broker, { id: 'c' })
    await open5(broker, { id: 'c' })
    t.equal(await disconnected(first), 0x8e)
  })
  await t.test('taken over by 3.1.1', async (t) => {
    const first = await open5(broker, { id: 'c' })
    await open(broker, { id: 'c' })
    t.equal(await disconnected(first), 0x8e)
  })
  await t.test('keep alive timeout: 0x8D [MQTT5-3.1.2-22, MQTT5-3.2.2-22]', async (t) => {
    const client = await open5(broker, { keepalive: 1 })
    t.equal(await disconnected(client), 0x8d)
  })
  await t.test('logged out: 0x98', async (t) => {
    const client = await open5(broker, { user: 'eve' })
    broker.running.aedes.once('clientDisconnect', () => {})
    const ended = disconnected(client)
    await logout(broker, 'eve')
    t.equal(await ended, 0x98)
  })
  await t.test('a client that says goodbye hears none [MQTT5-3.14.4]', async (t) => {
    const client = await open5(broker)
    client.send({ cmd: 'disconnect', reasonCode: 0 })
    await client.whenClosed()
    t.same(client.pending, [])
  })
  await t.test('shutting down: 0x8B', async (t) => {
    const stopping = await startTestBroker(t)
    const client = await open5(stopping)
    await Promise.all([disconnected(client).then((reason) => t.equal(reason, 0x8b)), stopping.running.close()])
  })
})

async function logout(broker: Awaited<ReturnType<typeof startTestBroker>>, user: string): Promise<void> {
  const connection = Object.values(broker.running.aedes.clients).find(({ id }) => id.startsWith(`${user}/`))!
  await connection.services.registry.logout({ user, deleteState: false })
}

t.test('PUBACK and PUBREC: a refused publish is told, and the connection stays [MQTT5-4.13.2]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { payloadBytes: 100 } })
  const client = await open5(broker, { user: 'ann', properties: PROBLEMS })
  const cases: [string, string, string, object, number][] = [
    ['a topic no rule allows', 'denied/a', 'x', {}, 0x87],
    ['the events of a room', 'rooms/lobby/events', '{}', {}, 0x87],
    ['a request of another', 'users/bob/requests/history', '{}', {}, 0x87],
    ['a room there is not', 'rooms/nowhere/messages', 'x', {}, 0x90],
    ['a user there is not', 'users/nobody/messages', 'x', {}, 0x90],
    ['a message with an unknown key', ROOM, '{"text":"x","colour":1}', {}, 0x99],
    ['no message at all', ROOM, '', {}, 0x99],
    ['too large', 't/a', 'x'.repeat(101), {}, 0x97],
    ['not the UTF-8 it says it is', 't/a', '\u00ff', { latin: true }, 0x99],
    ['data that is not of its type', ROOM, '{"type":"location","data":{}}', {}, 0x99],
  ]
  for (const [name, topic, payload, { latin }, reason] of cases as [
    string,
    string,
    string,
    { latin?: boolean },
    number,
  ][]) {
    await t.test(name, async (t) => {
      const bytes = Buffer.from(payload, latin ? 'latin1' : 'utf8')
      const more = latin ? { properties: { payloadFormatIndicator: true } } : {}
      for (const qos of [1, 2] as const) {
        client.send({ ...message(topic, '', { qos, messageId: 7, ...more }), payload: bytes })
        const answer = await take(client, qos === 1 ? 'puback' : 'pubrec')
        t.match(answer, { messageId: 7, reasonCode: reason, properties: { reasonString: /./ } }, `QoS ${qos}`)
      }
      client.send(message('t/ok', 'x', { qos: 2, messageId: 7 }))
      t.match(
        await take(client, 'pubrec'),
        { messageId: 7, reasonCode: 0 },
        'the packet id is free: it is taken anew [MQTT5-4.3.3-9]',
      )
      client.send({ cmd: 'pubrel', messageId: 7, reasonCode: 0 })
      t.match(await take(client, 'pubcomp'), { messageId: 7, reasonCode: 0 })
    })
  }
  await t.test('with onRefused: close the DISCONNECT says why', async (t) => {
    const strict = await startTestBroker(t, { auth: { onRefused: 'close' }, acl: OPEN_ACL })
    const refused = await open5(strict)
    refused.send(message('denied/a', 'x'))
    t.equal(await disconnected(refused), 0x87)
  })
})

t.test('PUBACK carries id, seq and ts of the message', async (t) => {
  const broker = await startTestBroker(t)
  const client = await open5(broker)
  await subscribe5(client, ROOM, { qos: 0 })
  for (const qos of [1, 2] as const) {
    client.send(message(ROOM, 'hello', { qos }))
    const received: Packet[] = [(await client.next())!, (await client.next())!]
    const ack = received.find(({ cmd }) => cmd !== 'publish')!
    const { id, seq, ts } = JSON.parse(
      (received.find(({ cmd }) => cmd === 'publish') as { payload: Buffer }).payload.toString(),
    )
    t.match(ack, {
      cmd: qos === 1 ? 'puback' : 'pubrec',
      reasonCode: 0,
      properties: { userProperties: { id, seq: String(seq), ts: String(ts) } },
    })
  }
  await t.test('not where it would be larger than the client takes [MQTT5-3.4.2-3]', async (t) => {
    const small = await open5(broker, { id: 'small', properties: { maximumPacketSize: 30 } })
    small.send(message(ROOM, 'hello'))
    t.same((await take(small, 'puback')).properties?.userProperties, undefined)
    small.send(message('denied/a', 'x'))
    const refused = await take(small, 'puback')
    t.equal(refused.reasonCode, 0x87)
    t.notOk(refused.properties?.reasonString)
  })
  await t.test('nor where the client asked for no problem information [MQTT5-3.1.2-29]', async (t) => {
    const quiet = await open5(broker, { properties: { requestProblemInformation: false } })
    quiet.send(message(ROOM, 'hello'))
    const taken = await take(quiet, 'puback')
    t.notOk(taken.properties?.userProperties)
    quiet.send(message('denied/a', 'x'))
    const refused = await take(quiet, 'puback')
    t.equal(refused.reasonCode, 0x87)
    t.notOk(refused.properties?.reasonString)
  })
})

t.test('packet ids', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const announcer = await open(broker)
  await t.test('unknown ones: 0x92 on PUBREL and PUBCOMP [MQTT5-3.6.2-1, MQTT5-3.7.2-1]', async (t) => {
    const client = await open5(broker)
    client.send({ cmd: 'pubrec', messageId: 900, reasonCode: 0 })
    t.match(await take(client, 'pubrel'), { messageId: 900, reasonCode: 0x92 })
    client.send({ cmd: 'pubrel', messageId: 901, reasonCode: 0 })
    t.match(await take(client, 'pubcomp'), { messageId: 901, reasonCode: 0x92 })
    client.send({ cmd: 'puback', messageId: 902, reasonCode: 0 }, { cmd: 'pubcomp', messageId: 903, reasonCode: 0 })
    t.same(await untilPong(client), [], 'PUBACK and PUBCOMP need no answer')
  })
  await t.test('a PUBREC that refuses frees the id, without a PUBREL [MQTT5-4.3.3]', async (t) => {
    const client = await open5(broker, { properties: { receiveMaximum: 1 } })
    await subscribe5(client, 'q/a', { qos: 2 })
    for (const payload of ['1', '2', '3']) await publish(announcer, 'q/a', payload, { qos: 2 })
    const [first] = await takePublishes(client, 1)
    client.send({ cmd: 'pubrec', messageId: first!.messageId!, reasonCode: 0x97 })
    const [second] = await takePublishes(client, 1)
    t.same(
      [first, second].map((packet) => text(packet!)),
      ['1', '2'],
    )
    client.send({ cmd: 'pubrec', messageId: second!.messageId!, reasonCode: 0 })
    t.match(await take(client, 'pubrel'), { messageId: second!.messageId, reasonCode: 0 })
    client.send({ cmd: 'pubcomp', messageId: second!.messageId!, reasonCode: 0 })
    t.equal(text((await takePublishes(client, 1))[0]!), '3')
  })
  await t.test('a PUBACK that refuses ends the flow as well', async (t) => {
    const client = await open5(broker, { properties: { receiveMaximum: 1 } })
    await subscribe5(client, 'q/a', { qos: 1 })
    for (const payload of ['1', '2']) await publish(announcer, 'q/a', payload)
    const [first] = await takePublishes(client, 1)
    client.send({ cmd: 'puback', messageId: first!.messageId!, reasonCode: 0x80 })
    t.equal(text((await takePublishes(client, 1))[0]!), '2')
  })
})

t.test('receive maximum [MQTT5-3.3.4-7, MQTT5-3.3.4-9, MQTT5-4.9]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { receiveMaximum: 3 } })
  await t.test('of the client: no more under way; QoS 0 is not held', async (t) => {
    const client = await open5(broker, { properties: { receiveMaximum: 2 } })
    await subscribe5(client, 'm/+', { qos: 2 })
    const announcer = await open(broker)
    for (const qos of [1, 2, 1] as const) await publish(announcer, 'm/a', `q${qos}`, { qos })
    const got = await takePublishes(client, 2)
    t.same(got.map(text), ['q1', 'q2'])
    t.same(await untilPong(client), [], 'the third waits')
    client.send({ cmd: 'puback', messageId: got[0]!.messageId! })
    t.same((await takePublishes(client, 1)).map(text), ['q1'])
  })
  const flood = (count: number, qos: 0 | 1 | 2, from = 1): Packet[] =>
    Array.from({ length: count }, (_, i) => message(ROOM, 'x', qos === 0 ? { qos: 0 } : { qos, messageId: from + i }))
  await t.test('of the broker: as many as it says are no fault', async (t) => {
    const client = await open5(broker)
    client.send(...flood(3, 2))
    for (let i = 1; i <= 3; i++) t.match(await take(client, 'pubrec'), { messageId: i, reasonCode: 0 })
    client.send(...flood(3, 2).map((packet) => ({ ...packet, dup: true }) as Packet))
    for (let i = 1; i <= 3; i++) t.match(await take(client, 'pubrec'), { messageId: i }, 'sent again: not one more')
    t.same(await untilPong(client), [])
  })
  await t.test('nor are messages of QoS 0 counted', async (t) => {
    const client = await open5(broker)
    client.send(...flood(3, 0), ...flood(1, 1), ...flood(5, 0), ...flood(2, 1, 2))
    for (let i = 1; i <= 3; i++) t.match(await take(client, 'puback'), { messageId: i })
  })
  await t.test('one more of QoS 2 is: 0x93', async (t) => {
    const client = await open5(broker)
    client.send(...flood(3, 2))
    for (let i = 1; i <= 3; i++) await take(client, 'pubrec')
    client.send(...flood(1, 2, 4))
    t.equal(await disconnected(client), 0x93)
  })
  await t.test('one more of QoS 1 is: 0x93', async (t) => {
    const client = await open5(broker)
    client.send(...flood(4, 1))
    t.equal(await disconnected(client), 0x93)
  })
  await t.test('3.1.1 does not know it', async (t) => {
    const client = await open(broker)
    client.send(...flood(10, 1))
    for (let i = 1; i <= 10; i++) t.match(await take(client, 'puback'), { messageId: i })
  })
})

t.test(
  'maximum packet size of the client: a larger one is not sent, as if it had been [MQTT5-3.1.2-24, MQTT5-3.1.2-25]',
  async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const announcer = await open(broker)
    await publish(announcer, 'm/retained', 'x'.repeat(300), { retain: true })
    for (const expiry of [0, 60]) {
      for (const qos of [0, 1, 2] as const) {
        await t.test(`QoS ${qos}, session expiry ${expiry}`, async (t) => {
          const id = `c${expiry}${qos}`
          const client = await open5(broker, { id, expiry, properties: { maximumPacketSize: 250, receiveMaximum: 1 } })
          await subscribe5(client, ['m/#', ROOM], { qos })
          await publish(announcer, 'm/a', 'x'.repeat(250), { qos: 2 })
          await publish(announcer, ROOM, 'x'.repeat(250), { qos: 2 })
          await publish(announcer, ROOM, 'short', { qos: 2 })
          const [room] = await takePublishes(client, 1)
          t.equal(JSON.parse(text(room!)).text, 'short')
          if (qos === 1) client.send({ cmd: 'puback', messageId: room!.messageId! })
          if (qos === 2) {
            client.send({ cmd: 'pubrec', messageId: room!.messageId! })
            await take(client, 'pubrel')
            client.send({ cmd: 'pubcomp', messageId: room!.messageId! })
          }
          await publish(announcer, 'm/a', 'short', { qos: 2 })
          t.same((await takePublishes(client, 1)).map(text), ['short'], 'the window is free')
        })
      }
    }
  },
)

t.test('where only some filters say no local, one’s own message comes as the others ask [MQTT5-3.8.3-3]', async (t) => {
  for (const expiry of [0, 60]) {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const client = await open5(broker, { id: 'c', expiry })
    await subscribe5(client, ['t/#', 'rooms/+/messages'], { qos: 2, nl: true }, 1)
    await subscribe5(client, ['t/a', ROOM], { qos: 1 }, 2)
    const other = await open5(broker, { id: 'other' })
    for (const topic of ['t/a', ROOM]) {
      client.send(message(topic, 'mine', { qos: 0 }), message(topic, 'mine', { qos: 2, messageId: 9 }))
      const got = (await takeAmong(client, 2)).map((packet) => [packet.qos, ids(packet)])
      t.same(
        got,
        [
          [0, [2]],
          [1, [2]],
        ],
        topic,
      )
      await publish(other, topic, 'yours', { qos: 2 })
      const [packet] = await takeAmong(client, 1)
      t.same([packet!.qos, ids(packet!)], [2, [1, 2]], `${topic} of another`)
      client.send({ cmd: 'pubrel', messageId: 9 })
      await take(client, 'pubcomp')
    }
  }
})

t.test(
  'topic aliases of the broker, as many as the client allows [MQTT5-3.1.2-26, MQTT5-3.1.2-27, MQTT5-3.3.2-11]',
  async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { topicAliases: 2 } })
    const sender = await open(broker, { user: 'bob' })
    const heard = async (client: RawClient, topic: string, more: Partial<IPublishPacket> = {}) => {
      await publish(sender, topic, 'x', more)
      const packet = await take(client, 'publish')
      t.equal(packet.payload.toString(), 'x')
      return [packet.topic, packet.properties?.topicAlias]
    }
    const client = await open5(broker, { id: 'c', expiry: 60, properties: { topicAliasMaximum: 8 } })
    await subscribe5(client, ['t/#', 'retained/#'], { qos: 2 })
    t.same(await heard(client, 't/first'), ['t/first', 1], 'the first message of a topic sets an alias')
    for (const qos of [0, 1, 2] as const) t.same(await heard(client, 't/first', { qos }), ['', 1], `QoS ${qos}`)
    t.same(await heard(client, 't/second', { properties: { contentType: 'a' } } as never), ['t/second', 2])
    t.same(await heard(client, 't/third'), ['t/third', undefined], 'no more than limits.topicAliases')
    t.same(await heard(client, 't/a'), ['t/a', undefined], 'a short topic is not worth one')
    await t.test('end with the connection', async (t) => {
      await cut(broker, client)
      const again = await open5(broker, { id: 'c', expiry: 60, clean: false, properties: { topicAliasMaximum: 1 } })
      const packets = await takePublishes(again, 6)
      const seen = packets.map(({ topic, properties }) => [topic, properties?.topicAlias])
      t.same(seen[0], ['t/first', 1], 'sent again, and set anew')
      t.same(seen[1], ['', 1])
      t.same(seen[3], ['t/second', undefined], 'the client allows one now')
      await cut(broker, again)
      const plain = await open5(broker, { id: 'c', expiry: 60, clean: false })
      t.ok((await takePublishes(plain, 6)).every(({ topic, properties }) => topic !== '' && !properties?.topicAlias))
    })
    await t.test('never make a packet larger than the client takes [MQTT5-3.1.2-24]', async (t) => {
      const small = await open5(broker, { id: 's', properties: { topicAliasMaximum: 2, maximumPacketSize: 21 } })
      await subscribe5(small, ['size/#'])
      const fits = 21 - (2 + 2 + 6 + 2 + 1)
      await publish(sender, 'size/1', 'y'.repeat(fits))
      const packet = await take(small, 'publish')
      t.same([packet.topic, packet.properties?.topicAlias], ['size/1', undefined])
      await publish(sender, 'size/1', 'y')
      t.equal((await take(small, 'publish')).properties?.topicAlias, 1, 'where it fits it is set')
      await publish(sender, 'size/1', 'y'.repeat(fits))
      t.equal((await take(small, 'publish')).topic, '')
    })
    await t.test('in a room', async (t) => {
      const member = await open5(broker, { properties: { topicAliasMaximum: 2 } })
      await subscribe5(member, ROOM)
      for (let i = 0; i < 3; i++) await publish(sender, ROOM, 'hello')
      const topics = (await takePublishes(member, 3)).map(({ topic, properties }) => [topic, properties?.topicAlias])
      t.same(topics, [
        [ROOM, 1],
        ['', 1],
        ['', 1],
      ])
    })
  },
)

t.test('topic aliases of the client [MQTT5-3.3.2-7, MQTT5-3.3.2-12]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { topicAliases: 2 } })
  const client = await open5(broker, { id: 'c', expiry: 60 })
  const hearer = await open(broker)
  await subscribe5(hearer, 'a/#', { qos: 2 })
  const alias = (topic: string, topicAlias: number, payload: string) =>
    publish(client, topic, payload, { properties: { topicAlias } })
  await alias('a/1', 1, 'one')
  await alias('', 1, 'one again')
  await alias('a/2', 2, 'two')
  await alias('a/3', 1, 'set anew')
  await alias('', 1, 'three')
  await alias('', 2, 'still two')
  t.same(
    (await takePublishes(hearer, 6)).map(({ topic, payload }) => `${topic} ${payload}`),
    ['a/1 one', 'a/1 one again', 'a/2 two', 'a/3 set anew', 'a/3 three', 'a/2 still two'],
  )
  await t.test('also on a refused publish', async (t) => {
    client.send(
      message('denied/a', 'x', { properties: { topicAlias: 2 } }),
      message('', 'x', { properties: { topicAlias: 2 } }),
    )
    for (let i = 0; i < 2; i++) t.match(await take(client, 'puback'), { reasonCode: 0x87 })
  })
  await t.test('end with the connection [MQTT5-3.3.2-7]', async (t) => {
    await cut(broker, client)
    const again = await open5(broker, { id: 'c', expiry: 60, clean: false })
    again.send(message('', 'x', { properties: { topicAlias: 1 } }))
    t.equal(await disconnected(again), 0x82)
  })
  await t.test('the receiver sees none [MQTT5-3.1.2-27]', async (t) => {
    const five = await open5(broker)
    await subscribe5(five, 'a/1')
    await publish(await open5(broker), 'a/1', 'x', { properties: { topicAlias: 1 } })
    const [packet] = await takePublishes(five, 1)
    t.equal(packet!.topic, 'a/1')
    t.notOk(packet!.properties?.topicAlias)
  })
})

t.test('SUBACK and UNSUBACK [MQTT5-3.9.3-1, MQTT5-3.9.3-2, MQTT5-3.11.3-1, MQTT5-3.11.3-2]', async (t) => {
  const broker = await startTestBroker(t, {
    acl: OPEN_ACL,
    limits: { subscriptions: 6, filterBytes: 64, topicLevels: 8 },
  })
  const client = await open5(broker)
  t.same(
    await subscribe5(
      client,
      [
        't/a',
        'denied/#',
        '$SYS/#',
        '$share/g/rooms/nowhere/messages',
        'rooms/nowhere/messages',
        'users/bob/messages',
        ROOM,
      ],
      { qos: 2 },
    ),
    [2, 0x87, 0x87, 0x87, 0x87, 0x87, 2],
  )
  t.same(await subscribe5(client, 't/a', { qos: 1 }), [1])
  t.same(await subscribe5(client, 't/a', { qos: 0 }), [0])
  t.same(await unsubscribe5(client, 't/a', 't/never', 'denied/#', 't/a', ROOM), [0, 0x11, 0x11, 0x11, 0], 't/a twice')
  t.same(
    await subscribe5(client, ['l/1', 'l/2', 'l/3', 'l/4', 'l/5', 'l/6', 'l/7']),
    [1, 1, 1, 1, 1, 1, 0x97],
    'limits.subscriptions',
  )
  t.same(await unsubscribe5(client, 'l/1'), [0])
  t.same(await subscribe5(client, [`l/${'x'.repeat(63)}`, 'l/a/b/c/d/e/f/g/h']), [0x97, 0x8f], 'too long, and too deep')
})

t.test('what a publisher adds reaches receivers unchanged [MQTT5-3.3.2-17…20]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const properties = {
    userProperties: { a: ['1', '2'], b: 'ü' },
    responseTopic: 'answers/here',
    correlationData: Buffer.from([0, 1, 2]),
    contentType: 'image/png',
    payloadFormatIndicator: true,
  }
  const { contentType: _, ...onChat } = properties
  const publisher = await open5(broker)
  await publish(publisher, 't/r', 'kept', { properties, retain: true })
  for (const expiry of [0, 60]) {
    await t.test(`session expiry ${expiry}`, async (t) => {
      const client = await open5(broker, { id: `c${expiry}`, expiry })
      await subscribe5(client, ['t/#', ROOM])
      const [retained] = await takePublishes(client, 1)
      t.match(retained, { retain: true, properties }, 'retained')
      await publish(publisher, 't/a', 'live', { properties })
      t.match((await takePublishes(client, 1))[0], { retain: false, properties }, 'live')
      await publish(publisher, ROOM, 'live', { properties })
      t.match(
        (await takePublishes(client, 1))[0],
        { properties: { ...onChat, contentType: 'application/json' } },
        'in a room: what is JSON says so',
      )
      if (expiry === 0) return
      await cut(broker, client)
      await publish(publisher, 't/a', 'queued', { properties })
      await publish(publisher, ROOM, 'logged', { properties })
      await broker.restart()
      const again = await open5(broker, { id: `c${expiry}`, expiry, clean: false })
      const got = await takePublishes(again, 5)
      t.equal(got.filter(({ dup }) => dup).length, 3)
      for (const packet of got)
        t.match(
          packet.properties,
          packet.topic === ROOM ? { ...onChat, contentType: 'application/json' } : properties,
          told(packet),
        )
    })
  }
})

t.test('3.1.1 and 5 in one room: the same bytes', async (t) => {
  const broker = await startTestBroker(t)
  const old = await open(broker, { user: 'ann' })
  const five = await open5(broker, { user: 'bob' })
  await subscribe5(old, ROOM)
  await subscribe5(five, ROOM, {}, 5)
  await publish(await open5(broker, { user: 'eve' }), ROOM, 'hi', { properties: { userProperties: { k: 'v' } } })
  await publish(await open(broker, { user: 'eve', id: 'old' }), ROOM, 'ho')
  const [a, b] = [await takePublishes(old, 2), await takePublishes(five, 2)]
  t.same(a.map(text), b.map(text))
  t.same(b.map(ids), [[5], [5]])
  t.match(b[0]!.properties, { userProperties: { k: 'v' } })
  t.notOk(b[1]!.properties?.userProperties)
  t.same(
    a.map(({ properties }) => properties),
    [undefined, undefined],
  )
})
