/** Enhanced authentication [MQTT5-4.12] with the method JWT, at login and on a live connection; and the request that does the latter. */
import type { IAuthPacket, IConnackPacket, Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { loadTokenSecret, type MintOptions, mintToken } from '../../broker/auth/tokens.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { disconnected, frame, message, section, subscribe5 } from '../helpers/mqtt5.js'
import { Person } from '../helpers/people.js'
import { connectPacket, cut, OPEN_ACL, open, openWith, publish, take, untilPong } from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'

const CONTINUE = 0x18
const RENEW = 0x19

async function token(broker: TestBroker, user: string, options: MintOptions = {}): Promise<Buffer> {
  return Buffer.from(await mintToken(await loadTokenSecret(broker.config.auth.jwt, broker.dataDir), user, options))
}

/** AUTH; without `data` the packet carries none. */
function auth(reasonCode: number, data?: Buffer, method = 'JWT'): IAuthPacket {
  const given = data ? { authenticationData: data } : {}
  return { cmd: 'auth', reasonCode, properties: { authenticationMethod: method, ...given } }
}

interface ByMethod {
  id?: string
  username?: string
  data?: Buffer
  method?: string
  /** Topic. */
  will?: string
}

/** Sends a CONNECT by method, and nothing that logs in beside it. */
function begin(broker: TestBroker, { id = 'c', username, data, method = 'JWT', will }: ByMethod): RawClient {
  const client = new RawClient(broker, 5)
  const given = data ? { authenticationData: data } : {}
  client.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 5,
    clean: true,
    clientId: id,
    keepalive: 0,
    ...(username === undefined ? {} : { username }),
    ...(will === undefined ? {} : { will: { topic: will, payload: Buffer.from('gone'), qos: 0, retain: false } }),
    properties: { authenticationMethod: method, ...given },
  })
  return client
}

/** A client logged in by method; its session is `ann/c`. */
async function login(broker: TestBroker, options: MintOptions = {}): Promise<RawClient> {
  const client = begin(broker, { data: await token(broker, 'ann', options) })
  t.match(await take(client, 'connack'), { reasonCode: 0 })
  return client
}

function principalOf(broker: TestBroker, id = 'ann/c') {
  return broker.running.aedes.clients[id]!.client!.actor.principal
}

async function refused(t: Test, client: RawClient): Promise<number | undefined> {
  const { reasonCode } = await take(client, 'connack')
  await client.whenClosed()
  t.same(client.pending, [], 'and nothing else')
  return reasonCode
}

t.test('a token as authentication data logs in', async (t) => {
  const broker = await startTestBroker(t, { auth: { anonymous: true } })
  await broker.running.accounts.add('ann', 'ann-password')
  const good = await token(broker, 'ann', { roles: ['notifier'], ttl: 60 })
  for (const [name, username] of [
    ['without user name', undefined],
    ['with an empty one', ''],
    ["with the token's", 'ann'],
  ] as const) {
    await t.test(name, async (t) => {
      const client = begin(broker, { data: good, ...(username === undefined ? {} : { username }) })
      const { reasonCode, properties } = await take(client, 'connack')
      t.equal(reasonCode, 0)
      t.equal(properties?.authenticationMethod, 'JWT', 'CONNACK names the method [MQTT5-4.12.0-5]')
      const { user, roles, expiresAt } = principalOf(broker)
      t.match([user, [...roles], typeof expiresAt], ['ann', ['notifier'], 'number'])
    })
  }
  const expired = await token(broker, 'ann', { ttl: 60, now: () => Date.now() - 3_600_000 })
  const cases: [string, ByMethod, number][] = [
    ['an expired token', { data: expired }, 0x87],
    ['a token that is none', { data: Buffer.from('nonsense') }, 0x87],
    ["another user's token", { username: 'bob', data: good }, 0x87],
    ['a password, though it is the right one', { username: 'ann', data: Buffer.from('ann-password') }, 0x87],
    ['no bytes at all, where anonymous clients may come in', { data: Buffer.alloc(0) }, 0x87],
    ['a method there is not [MQTT5-4.12.0-1, MQTT5-4.12.0-4]', { data: good, method: 'SCRAM-SHA-256' }, 0x8c],
    ['the method in other letters', { data: good, method: 'jwt' }, 0x8c],
  ]
  for (const [name, given, reasonCode] of cases)
    await t.test(`${name}: 0x${reasonCode.toString(16)}`, async (t) => {
      t.equal(await refused(t, begin(broker, given)), reasonCode)
    })
  const plain = await openWith(broker, { version: 5 })
  t.notOk('authenticationMethod' in plain[1].properties!, 'nor a method for who named none [MQTT5-4.12.0-6]')
})

t.test('without authentication data the broker asks for it [MQTT5-4.12.0-2, MQTT5-4.12.0-3]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const asked = async (): Promise<RawClient> => {
    const client = begin(broker, {})
    t.match(await take(client, 'auth'), auth(CONTINUE))
    return client
  }
  await t.test('the token in an AUTH logs in', async (t) => {
    const client = await asked()
    client.send(auth(CONTINUE, await token(broker, 'ann')), { cmd: 'pingreq' })
    t.match(await take(client, 'connack'), { reasonCode: 0, properties: { authenticationMethod: 'JWT' } })
    await take(client, 'pingresp')
  })
  const good = await token(broker, 'ann')
  const answers: [string, Packet | Buffer, number][] = [
    ['a bad token', auth(CONTINUE, Buffer.from('x')), 0x87],
    ['no token', auth(CONTINUE), 0x87],
    ['another method [MQTT5-4.12.0-5]', auth(CONTINUE, good, 'PLAIN'), 0x82],
    ['the reason code for renewals', auth(RENEW, good), 0x82],
    ['success', frame(0xf0, 0, section(0x15, 'JWT', 0x16, good.toString())), 0x82],
    ['a reason code there is not [MQTT5-3.15.2-1]', frame(0xf0, 0x17, section(0x15, 'JWT')), 0x82],
    ['no method', frame(0xf0, 0x18, section(0x16, 'x')), 0x82],
    ['the method twice', frame(0xf0, 0x18, section(0x15, 'JWT', 0x15, 'JWT')), 0x82],
    ['nothing in it', frame(0xf0), 0x82],
    ['flags [MQTT5-3.15.1-1]', frame(0xf1, 0x18, section(0x15, 'JWT')), 0x81],
    ['a property of CONNECT', frame(0xf0, 0x18, section(0x15, 'JWT', 0x21, 0, 1)), 0x81],
    ['bytes behind its end', frame(0xf0, 0x18, section(0x15, 'JWT'), 0), 0x81],
    ['PUBLISH [MQTT5-3.1.2-30]', message('t/a', 'x'), 0x82],
    ['SUBSCRIBE', { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't/a', qos: 0 }] }, 0x82],
    ['PINGREQ', { cmd: 'pingreq' }, 0x82],
    ['a second CONNECT', await connectPacket(broker, { version: 5 }), 0x82],
  ]
  for (const [name, answer, reasonCode] of answers)
    await t.test(`an answer that is ${name}: 0x${reasonCode.toString(16)}`, async (t) => {
      const client = await asked()
      client.send(answer, { cmd: 'pingreq' })
      t.equal(await refused(t, client), reasonCode)
    })
  await t.test('DISCONNECT ends it quietly', async (t) => {
    const client = await asked()
    client.send({ cmd: 'disconnect', reasonCode: 0 })
    await client.whenClosed()
    t.same(client.pending, [])
  })
  await t.test('an answer that does not come is waited for as long as a CONNECT', async (t) => {
    const hasty = await startTestBroker(t, { listen: { connectTimeout: '0.3s' } })
    const client = begin(hasty, {})
    await take(client, 'auth')
    await client.whenClosed()
  })
})

t.test('AUTH renews a live login [MQTT5-4.12.1]', async (t) => {
  const time = movableClock(t)
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  await t.test('the new expiry counts, later', async (t) => {
    const shortly = await token(broker, 'ann', { ttl: 60 })
    const client = await login(broker, { ttl: 60 })
    client.send(auth(RENEW, await token(broker, 'ann')))
    t.match(await take(client, 'auth'), auth(0))
    t.equal(principalOf(broker).expiresAt, null)
    // Another login that ends when ours would have ended is the clock.
    const clock = begin(broker, { id: 'clock', data: shortly })
    await take(clock, 'connack')
    time.forward(60)
    t.equal(await disconnected(clock), 0x87)
    t.same(await untilPong(client), [])
  })
  await t.test('or earlier', async (t) => {
    const client = await login(broker)
    client.send(auth(RENEW, await token(broker, 'ann', { ttl: 60 })))
    await take(client, 'auth')
    time.forward(60)
    t.match(await take(client, 'disconnect'), { reasonCode: 0x87, properties: { reasonString: 'the token expired' } })
  })
  await t.test('the broker asks for a token that is not there; everything else goes on meanwhile', async (t) => {
    const client = await login(broker, { ttl: 60 })
    client.send(auth(RENEW))
    t.match(await take(client, 'auth'), auth(CONTINUE))
    await publish(client, 't/a')
    t.same(await subscribe5(client, 't/a'), [1])
    client.send(auth(CONTINUE, await token(broker, 'ann')))
    t.match(await take(client, 'auth'), auth(0))
    t.equal(principalOf(broker).expiresAt, null)
  })
  await t.test('packets around it are answered in their order', async (t) => {
    const client = await login(broker)
    client.send(message('t/a', 'x'), auth(RENEW, await token(broker, 'ann')), { cmd: 'pingreq' })
    const answers = [await client.next(), await client.next(), await client.next()]
    t.same(answers.map((packet) => packet?.cmd).sort(), ['auth', 'pingresp', 'puback'])
    t.ok(answers.findIndex((p) => p?.cmd === 'auth') < answers.findIndex((p) => p?.cmd === 'pingresp'))
  })
  const fresh = await token(broker, 'ann')
  const cases: [string, Packet | Buffer, number][] = [
    ['a bad token [MQTT5-4.12.1-2]', auth(RENEW, Buffer.from('x')), 0x87],
    ["another user's token", auth(RENEW, await token(broker, 'bob')), 0x87],
    ['another method [MQTT5-4.12.1-1]', auth(RENEW, fresh, 'PLAIN'), 0x82],
    ['an answer that nobody asked for', auth(CONTINUE, fresh), 0x82],
    ['success', frame(0xf0, 0, section(0x15, 'JWT')), 0x82],
  ]
  for (const [name, packet, reasonCode] of cases)
    await t.test(`${name}: 0x${reasonCode.toString(16)}, and the connection closes`, async (t) => {
      const client = await login(broker)
      client.send(packet)
      t.equal(await disconnected(client), reasonCode)
    })
  await t.test('a plugin that refuses logins refuses renewals', async (t) => {
    const { aedes } = broker.running
    const client = await login(broker)
    const stock = aedes.authenticate
    aedes.authenticate = (_client, _username, _password, done) => done(null, false)
    client.send(auth(RENEW, await token(broker, 'ann')))
    t.equal(await disconnected(client), 0x87)
    aedes.authenticate = stock
  })
  await t.test('not after a CONNECT without a method, token or not [MQTT5-4.12.0-7]', async (t) => {
    const client = await open(broker, { version: 5 })
    client.send(auth(RENEW, fresh))
    t.equal(await disconnected(client), 0x82)
    const older = await open(broker, { version: 4 })
    older.send(frame(0xf0, RENEW, section(0x15, 'JWT')))
    await older.whenClosed()
  })
})

t.test('new roles take effect at once', async (t) => {
  const rules = [
    { allow: 'all', who: 'role:staff', topics: ['staff/#'] },
    { allow: 'all', who: 'any', topics: ['t/#'] },
  ]
  const broker = await startTestBroker(t, { acl: { rules } })
  const other = await open(broker, { user: 'bob', roles: ['staff'] })
  const KEPT = ['t/#', 'broadcast/#', '+/a']
  const staff = { roles: ['staff', 'admin'] }
  await t.test('what is no longer allowed ends, the rest stays', async (t) => {
    const client = await login(broker, staff)
    t.same(await subscribe5(client, ['staff/#', '$SYS/some/#', ...KEPT, '$share/g/staff/#']), [1, 1, 1, 1, 1, 1])
    client.send(auth(RENEW, await token(broker, 'ann', { roles: [] })))
    t.match(await take(client, 'auth'), auth(0))
    const left = [...broker.running.aedes.clients['ann/c']!.client!.session.subscriptions.keys()]
    t.same(left, KEPT)
    await publish(other, 'staff/a', 'secret')
    await publish(other, 't/a', 'open')
    const got = await untilPong(client)
    t.match(
      got.filter(({ cmd }) => cmd === 'publish').map((packet) => 'topic' in packet && packet.topic),
      ['t/a'],
      'the wildcard that covers both is checked message by message',
    )
    client.send(message('staff/b', 'x', { messageId: 7 }))
    t.match(await take(client, 'puback'), { messageId: 7, reasonCode: 0x87 })
  })
  await t.test('a will goes out with the rights of now, or not at all', async (t) => {
    await subscribe5(other, 'staff/will')
    for (const [roles, sent] of [
      [[], 0],
      [['staff'], 1],
    ] as const) {
      const client = begin(broker, { data: await token(broker, 'ann', staff), will: 'staff/will' })
      await take(client, 'connack')
      client.send(auth(RENEW, await token(broker, 'ann', { roles })))
      await take(client, 'auth')
      const stored = await broker.running.store.persistence.getWill({ id: 'ann/c' })
      t.same(stored?.roles, [...roles], 'were the broker to die now')
      await cut(broker, client)
      t.equal((await untilPong(other)).length, sent, `as ${roles}`)
    }
  })
  await t.test('what is allowed now can be used', async (t) => {
    const client = await login(broker, { roles: [] })
    t.same(await subscribe5(client, 'staff/#'), [0x87])
    client.send(auth(RENEW, await token(broker, 'ann', staff)))
    await take(client, 'auth')
    t.same(await subscribe5(client, 'staff/#'), [1])
  })
})

t.test('the request auth.refresh', async (t) => {
  const broker = await startTestBroker(t, { auth: { throttle: { attempts: 3 } } })
  const phone = await Person.connect(t, broker, 'ann', { clientId: 'phone' })
  const laptop = await Person.connect(t, broker, 'ann', { clientId: 'laptop' })
  const renewal = async (options: MintOptions) => ({ token: (await token(broker, 'ann', options)).toString() })
  await t.test('renews the login it comes by, and no other', async (t) => {
    const result = await phone.ask('auth.refresh', await renewal({ ttl: 60, roles: ['notifier'] }))
    t.match(result, { ok: true, result: { roles: ['notifier'] } })
    t.equal(principalOf(broker, 'ann/phone').expiresAt, result.result.expiresAt)
    t.equal(principalOf(broker, 'ann/laptop').expiresAt, null)
    t.match(await phone.ask('auth.refresh', await renewal({})), { ok: true, result: { expiresAt: null } })
  })
  await t.test('a login by password too', async (t) => {
    await broker.running.accounts.add('cleo', 'cleo-password')
    const cleo = await Person.connect(t, broker, 'cleo', { password: 'cleo-password' })
    const given = (await token(broker, 'cleo', { ttl: 60 })).toString()
    t.match(await cleo.ask('auth.refresh', { token: given }), { ok: true })
    t.ok(principalOf(broker, 'cleo/cleo').expiresAt)
  })
  await t.test('a token that is refused changes nothing; too many are not even looked at', async (t) => {
    const before = principalOf(broker, 'ann/laptop')
    const foreign = (await token(broker, 'bob')).toString()
    for (const bad of ['nonsense', foreign, 'nonsense'])
      t.equal(await laptop.fails('auth.refresh', { token: bad }), 'unauthorized token')
    t.match(await laptop.ask('auth.refresh', await renewal({})), { ok: false, error: { code: 'rate_limited' } })
    t.equal(principalOf(broker, 'ann/laptop'), before)
    t.equal(await laptop.fails('auth.refresh', {}), 'bad_request token')
  })
})

t.test('MQTT.js logs in by method and renews', async (t) => {
  const broker = await startTestBroker(t)
  const given = await token(broker, 'ann', { ttl: 60 })
  const next = await token(broker, 'ann')
  for (const withData of [true, false]) {
    await t.test(withData ? 'with the token in CONNECT' : 'asked for it', async (t) => {
      const { client, connack } = await mqttJs(t, broker, given, withData)
      t.match(connack, { reasonCode: 0, properties: { authenticationMethod: 'JWT' } })
      t.type(principalOf(broker, 'ann/js').expiresAt, 'number')
      const done = new Promise<Packet>((resolve) => client.on('packetreceive', resolve))
      ;(client as unknown as { _sendPacket(packet: Packet): void })._sendPacket(auth(RENEW, next))
      t.match(await done, { cmd: 'auth', reasonCode: 0 })
      t.equal(principalOf(broker, 'ann/js').expiresAt, null)
      t.ok(client.connected)
      await client.endAsync()
    })
  }
})

async function mqttJs(t: Test, broker: TestBroker, given: Buffer, withData: boolean) {
  const { default: mqtt } = await import('mqtt')
  const client = mqtt.connect(broker.mqttUrl, {
    protocolVersion: 5,
    clientId: 'js',
    reconnectPeriod: 0,
    properties: { authenticationMethod: 'JWT', ...(withData ? { authenticationData: given } : {}) },
  })
  client.handleAuth = ({ reasonCode }, done) => {
    if (reasonCode === CONTINUE) done(undefined, auth(CONTINUE, given))
    else done()
  }
  t.teardown(() => client.endAsync(true))
  const connack = await new Promise<IConnackPacket>((resolve, reject) => {
    client.once('connect', resolve)
    client.once('error', reject)
  })
  return { client, connack }
}

t.test('roles that are taken while a login is renewed are gone', async (t) => {
  const broker = await startTestBroker(t)
  const { accounts, aedes } = broker.running
  await accounts.add('ann', 'ann-password', ['publisher'])
  const client = await login(broker)
  t.same([...principalOf(broker).roles], ['publisher'])
  const stock = aedes.authenticate
  aedes.authenticate = (_client, _username, _password, done) =>
    void accounts.setRoles('ann', []).then(() => done(null, true))
  client.send(auth(RENEW, await token(broker, 'ann', { ttl: 60 })))
  t.match(await take(client, 'auth'), { reasonCode: 0 })
  t.same([...principalOf(broker).roles], [])
  aedes.authenticate = stock
  await accounts.setRoles('ann', ['notifier'])
  client.send(auth(RENEW, await token(broker, 'ann', { ttl: 600 })))
  t.match(await take(client, 'auth'), { reasonCode: 0 })
  t.same([...principalOf(broker).roles], ['notifier'])
  t.ok(principalOf(broker).expiresAt! > Date.now() + 300_000, 'it ends with its last token')
})
