/** What MQTT 5 clients are told around the login: why not, where else, how often to speak, how much to send. */
import type { Packet } from 'mqtt-packet'
import t from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { dueIn } from '../helpers/clock.js'
import { connect5, disconnected, frame, message, open5, section } from '../helpers/mqtt5.js'
import { connectPacket, goneOf, OPEN_ACL, open, take, untilPong } from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'

/** Sends a packet in place of a login and resolves with what the refusal says. */
async function told(broker: TestBroker, packet: Packet | Buffer, version: 3 | 4 | 5 = 5) {
  const client = new RawClient(broker, version)
  client.send(packet)
  const { reasonCode, returnCode, properties } = await take(client, 'connack')
  await client.whenClosed()
  const { reasonString, serverReference } = properties ?? {}
  return { code: reasonCode ?? returnCode, why: reasonString, to: serverReference }
}

t.test('a refused CONNECT says why [MQTT5-3.2.2.3.9]', async (t) => {
  const broker = await startTestBroker(t, { limits: { topicLevels: 8 } })
  await broker.running.accounts.add('ann', 'ann-password')
  const base = await connectPacket(broker, { version: 5, id: 'c' })
  const wrong = Buffer.from('guess')
  const cases: [string, Packet | Buffer, number, RegExp][] = [
    ['a wrong password', { ...base, password: wrong }, 0x86, /^bad user name or password$/],
    ['a user there is not', { ...base, username: 'nobody', password: wrong }, 0x86, /^bad user name or password$/],
    ['a client id that is too long', { ...base, clientId: 'x'.repeat(1025) }, 0x85, /at most 1024 bytes/],
    ['a method there is not', { ...base, properties: { authenticationMethod: 'X' } }, 0x8c, /JWT/],
    [
      'a will on a wildcard',
      { ...base, will: { topic: 'a/#', payload: Buffer.alloc(0), qos: 0, retain: false } },
      0x90,
      /will topic/,
    ],
    ['receive maximum 0', frame(0x10, 'MQTT', 5, 2, 0, 0, section(0x21, 0, 0), ''), 0x82, /receive maximum 0/],
    ['bytes that are too many', frame(0x10, 'MQTT', 5, 2, 0, 0, section(), 'c', 0), 0x81, /1 bytes too many/],
  ]
  for (const [name, packet, code, why] of cases)
    await t.test(name, async (t) => {
      t.match(await told(broker, packet), { code, why })
    })
  await t.test('not where it is more than the client takes [MQTT5-3.2.2-19]', async (t) => {
    const properties = { maximumPacketSize: 32 }
    t.strictSame(await told(broker, { ...base, password: wrong, properties }), {
      code: 0x86,
      why: undefined,
      to: undefined,
    })
    const roomy = await told(broker, { ...base, password: wrong, properties: { maximumPacketSize: 33 } })
    t.equal(roomy.why, 'bad user name or password', 'a byte more and it fits')
  })
  await t.test('also to who wants no problem information: it is for other packets [MQTT5-3.1.2-29]', async (t) => {
    const properties = { requestProblemInformation: false }
    t.match(await told(broker, { ...base, password: wrong, properties }), { why: /password/ })
  })
})

t.test('what a plugin says stays with the broker', async (t) => {
  const broker = await startTestBroker(t)
  const { aedes } = broker.running
  aedes.preConnect = (_client, _packet, done) => done(new Error('db password is hunter2'), false)
  t.match(await told(broker, await connectPacket(broker, { version: 5 })), { code: 0x87, why: 'not authorized' })
})

t.test('DISCONNECT says why [MQTT5-3.14.2.2.3]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const aliased = message('', 'x', { properties: { topicAlias: 9 } })
  const why = async (properties: object) => {
    const client = await open5(broker, { id: 'small', properties })
    client.send(aliased)
    const packet = await take(client, 'disconnect')
    return [packet.reasonCode, packet.properties?.reasonString]
  }
  t.match(await why({}), [0x82, /topic alias 9 was not set/])
  t.match(await why({ requestProblemInformation: false }), [0x82, /topic alias 9/], 'as CONNACK does [MQTT5-3.1.2-29]')
  t.same(await why({ maximumPacketSize: 30 }), [0x82, undefined], 'not beyond the maximum [MQTT5-3.14.2-3]')
  const older = await open5(broker, { id: 'c' })
  await open5(broker, { id: 'c' })
  t.match(await take(older, 'disconnect'), { reasonCode: 0x8e, properties: { reasonString: /took over/ } })
})

t.test('SUBACK says why a filter was refused, to who wants to know [MQTT5-3.1.2-29]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const why = async (properties: object, ...filters: string[]) => {
    const client = await open5(broker, { id: 'small', properties })
    const subscriptions = filters.map((topic) => ({ topic, qos: 0 }))
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions } as never)
    return (await take(client, 'suback')).properties?.reasonString
  }
  t.match(await why({}, 't/a', 'denied/#'), 'no rule allows you to subscribe to denied/#')
  t.match(await why({}, 'denied/#', '$SYS/#'), /denied.*; \$SYS is for admins/)
  t.equal(await why({}, 't/a'), undefined, 'all granted')
  t.equal(await why({ requestProblemInformation: false }, 'denied/#'), undefined)
  t.equal(await why({ maximumPacketSize: 40 }, 'denied/#'), undefined, 'too long [MQTT5-3.9.2-1]')
})

t.test('a CONNACK is not larger than the client takes either [MQTT5-3.1.2-24]', async (t) => {
  const broker = await startTestBroker(t)
  const hint = { requestResponseInformation: true }
  const [client, { properties, length }] = await connect5(broker, { id: 'c', properties: hint })
  t.equal(properties?.responseInformation, 'users/ann/replies')
  client.stream.destroy()
  const whole = length! + 2
  for (const [maximumPacketSize, responseInformation] of [
    [whole, 'users/ann/replies'],
    [whole - 1, undefined],
  ] as const) {
    const [small, connack] = await connect5(broker, { id: 'c', properties: { ...hint, maximumPacketSize } })
    t.equal(connack.properties?.responseInformation, responseInformation)
    small.stream.destroy()
  }
  const tiny = await connectPacket(broker, { version: 5, id: 'c', properties: { maximumPacketSize: 10 } })
  t.match(await told(broker, tiny), { code: 0x95, why: undefined })
})

t.test('server keep alive [MQTT5-3.1.2-21, MQTT5-3.2.2-21, MQTT5-3.2.2-22]', async (t) => {
  const broker = await startTestBroker(t, { limits: { keepAlive: '1m' } })
  const cases: [number, number | undefined, number][] = [
    [0, 60, 60],
    [600, 60, 60],
    [60, undefined, 60],
    [20, undefined, 20],
  ]
  const connectionOf = () => broker.running.aedes.clients['ann/c']!
  for (const [asked, answered, held] of cases)
    await t.test(`${asked} asked: ${answered ?? 'nothing'} answered, held to ${held}`, async (t) => {
      const [client, { properties }] = await connect5(broker, { id: 'c', keepalive: asked })
      t.equal(properties?.serverKeepAlive, answered)
      t.ok(dueIn(connectionOf(), held * 1500 - 1000) > Date.now(), 'not before')
      t.equal(dueIn(connectionOf(), held * 1500 + 1000), 0, 'but then')
      t.match(await take(client, 'disconnect'), { reasonCode: 0x8d })
    })
  await t.test('MQTT 3.1.1 cannot be told: what it asked for counts', async (t) => {
    const client = await open(broker, { id: 'c', keepalive: 600 })
    t.ok(dueIn(connectionOf(), 800_000) > 0)
    client.stream.destroy()
  })
})

t.test(
  'a client that goes beyond the receive maximum it was told is cut off, whatever the QoS [MQTT5-3.3.4-9]',
  async (t) => {
    const unreleased = (id: number) => message('t/a', 'x', { qos: 2, messageId: id })
    for (const qos of [1, 2] as const) {
      const broker = await startTestBroker(t, { limits: { receiveMaximum: 5 }, acl: OPEN_ACL })
      const [client, { properties }] = await connect5(broker, {})
      t.equal(properties?.receiveMaximum, 5)
      client.send(...[1, 2, 3, 4, 5].map(unreleased))
      for (let i = 0; i < 5; i++) await take(client, 'pubrec')
      t.same(await untilPong(client), [], 'as many are taken')
      client.send(message('t/a', 'x', { qos, messageId: 6 }))
      t.equal(await disconnected(client), 0x93, 'one more is not')
    }
  },
)

t.test('more QoS 2 messages than may await their PUBREL are taken; their PUBRECs wait for room', async (t) => {
  const broker = await startTestBroker(t, { limits: { inboundQos2: 5 }, acl: OPEN_ACL })
  const [client, { properties }] = await connect5(broker, {})
  t.equal(properties?.receiveMaximum, 65535, 'all packet ids there are')
  const ids = Array.from({ length: 3000 }, (_, i) => i + 1)
  client.send(...ids.map((id) => message('t/a', 'x', { qos: 2, messageId: id })))
  const answered = async (): Promise<unknown[]> => [(await take(client, 'pubrec')).messageId, await untilPong(client)]
  for (const id of [1, 2, 3, 4]) t.equal((await take(client, 'pubrec')).messageId, id)
  t.same(await answered(), [5, []])
  client.send({ cmd: 'pubrel', messageId: 1 })
  t.equal((await take(client, 'pubcomp')).messageId, 1)
  t.same(await answered(), [6, []], 'one for one')
})

t.test('clients are sent to another server [MQTT5-4.11]', async (t) => {
  const to = 'mqtt.example.com:1883'
  for (const [permanent, code] of [
    [false, 0x9c],
    [true, 0x9d],
  ] as const) {
    const broker = await startTestBroker(t, { listen: { redirect: { to, permanent } } })
    t.match(await told(broker, await connectPacket(broker, { version: 5 })), { code, to })
    const small = await connectPacket(broker, { version: 5, properties: { maximumPacketSize: 40 } })
    t.match(await told(broker, small), { code, to, why: undefined }, 'the place matters more than the words')
    for (const version of [3, 4] as const) {
      const older = await connectPacket(broker, { version, id: 'c' })
      t.match(await told(broker, older, version), { code: 3 }, `version ${version}`)
    }
    t.equal(broker.running.aedes.connectedClients, 0)
  }
})

t.test('connections beyond the limit', async (t) => {
  const connect = (broker: TestBroker, version: 4 | 5) => connectPacket(broker, { version, id: 'more' })
  await t.test('are told so, or where else', async (t) => {
    const redirect = { to: 'b.example.com', when: 'full' }
    for (const [listen, answer] of [
      [{}, { code: 0x89, why: 'too many connections', to: undefined }],
      [{ redirect }, { code: 0x9c, to: 'b.example.com' }],
    ] as const) {
      const broker = await startTestBroker(t, { limits: { connections: 1 }, listen })
      const inside = await open(broker)
      t.match(await told(broker, await connect(broker, 5)), answer)
      t.match(await told(broker, await connect(broker, 4), 4), { code: 3 })
      t.equal(broker.running.counters.get('refused.connections'), 2)
      t.same(await untilPong(inside), [], 'who is in stays in')
    }
  })
  await t.test('may be a few that wait; a flood is closed at once, and takes no place of others', async (t) => {
    const broker = await startTestBroker(t, { limits: { connections: 1 } })
    const inside = await open(broker)
    const silent = Array.from({ length: 64 }, () => new RawClient(broker))
    const extra = new RawClient(broker, 5)
    await extra.whenClosed()
    t.same(extra.packets, [])
    t.notOk(silent.some(({ closed }) => closed))
    const gone = goneOf(broker, inside)
    inside.send({ cmd: 'disconnect' })
    await gone
    await open(broker, { id: 'next' })
    for (const { stream } of silent) stream.destroy()
  })
  await t.test('cost little: a CONNECT that is long is not gathered', async (t) => {
    const broker = await startTestBroker(t, { limits: { connections: 1 } })
    await open(broker)
    const client = new RawClient(broker, 5)
    client.send(Buffer.from([0x10, 0x80, 0x80, 0x02]))
    await client.whenClosed()
    t.same(client.packets, [])
  })
})
