/** Those who try: forged identities, other people's topics, rules, hooks, tokens, and payloads nobody should send. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import mqtt, { type IClientOptions } from 'mqtt'
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { loadTokenSecret, mintToken } from '../../broker/auth/tokens.js'
import { USER_LEAVES } from '../../schemas/topics.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { knock } from '../helpers/knock.js'
import { Person, type PersonOptions, textOf } from '../helpers/people.js'
import { RawClient } from '../helpers/raw-client.js'

const LASTING = { clean: false } as const

async function people<N extends string>(t: Test, names: N[], overrides: Overrides = {}) {
  const broker = await startTestBroker(t, overrides)
  const connect = (user: string, options: PersonOptions = {}) => Person.connect(t, broker, user, options)
  const entries = await Promise.all(names.map(async (name) => [name, await connect(name)] as const))
  return { broker, connect, ...(Object.fromEntries(entries) as Record<N, Person>) }
}

/** The return code of a CONNECT. */
function refusal(broker: TestBroker, { username, password, ...options }: IClientOptions): Promise<number> {
  return knock(broker, username, password as string | undefined, options)
}

const code = ({ ok, error }: { ok: boolean; error?: { code: string; field?: string } }): string =>
  ok ? 'ok' : [error!.code, error!.field].filter(Boolean).join(' ')

t.test('nobody speaks as someone else', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await bob.subscribe('rooms/lobby/messages')
  for (const key of ['from', 'id', 'seq', 'ts', 'room', 'to', 'user', '__proto__']) {
    const reply = await alice.refused('rooms/lobby/messages', `{"text":"hi","${key}":"bob"}`)
    t.equal(code(reply), `bad_request ${key}`)
    t.match(reply.error.message, key)
    t.equal(code(await alice.refused('users/bob/messages', `{"${key}":"bob","text":"hi"}`)), `bad_request ${key}`)
  }
  t.equal(code(await alice.refused('rooms/lobby/messages', { type: 'system', text: 'down' })), 'forbidden type')
  await alice.say('lobby', { from: 'bob', seq: 99, id: 'x', ts: 1, room: 'den' })
  const [message] = await bob.on('rooms/lobby/messages', 1)
  t.match(message, { from: 'alice', seq: 1, room: 'lobby', type: 'custom' })
  t.match(message.data, { from: 'bob', seq: 99 }, 'without a known key it is data, and data is only data')
})

t.test('the topics of others cannot be listened to, by no spelling', async (t) => {
  const rules = [{ allow: 'all', who: 'any', topics: ['#', '+/+/+', 'devices/#'] }] as const
  const { connect, alice, bob } = await people(t, ['alice', 'bob'], { acl: { rules: [...rules] } })
  const root = await connect('root', { roles: ['admin', 'notifier', 'publisher'] })
  const eve = await connect('eve')
  const leaves = [...USER_LEAVES, 'requests/history', '#', '+']
  for (const leaf of leaves) t.same(await eve.subscribe(`users/bob/${leaf}`), [0x80], leaf)
  t.same(await eve.subscribe(['$share/g/users/bob/messages', '$share/g/rooms/#', '$share/g/#']), [0x80, 1, 1])
  t.same(await eve.subscribe(['$SYS/#', '$SYS/+/facts', '$other/#', '$queue/x']), Array(4).fill(0x80))
  t.same(
    await eve.subscribe(['rooms/dm:alice:bob/typing', 'rooms/dm:alice:bob/#', 'rooms/dm:bob:alice/+']),
    [0x80, 0x80, 0x80],
  )
  t.same(await eve.subscribe(['users/+/messages', 'users/#', 'users/+/+', '#', '+/+/+', '+/bob/#']), Array(6).fill(1))
  await eve.inbox.wait(1, ({ topic }) => topic === 'users/eve/presence')

  await alice.get('rooms.create', { room: 'den', access: 'private' })
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.join', { room: 'den' })
  await alice.tell('bob', 'secret')
  await alice.say('den', 'secret')
  await alice.publish('rooms/den/typing', '')
  await alice.publish('users/bob/signals', 'secret')
  await alice.publish('users/alice/presence', { status: 'secret' })
  await root.publish('users/bob/notifications', { title: 'secret', body: '' })
  await root.publish('broadcast/news', 'not asked for', { retain: true })
  await bob.get('rooms.list')
  await alice.publish('devices/alice/door', 'secret', { retain: true })
  await alice.publish('plain/topic/marker', 'marker')
  await eve.hears('marker')
  t.same([...new Set(eve.heard.map(({ topic }) => topic))], ['users/eve/presence', 'plain/topic/marker'])
  t.same(eve.replies, [])
})

t.test('$SYS is for those with the role admin', async (t) => {
  const { connect, alice } = await people(t, ['alice'])
  const root = await connect('root', { roles: ['admin'] })
  t.same(await alice.subscribe(['$SYS/#', '$SYS/+/new/subscribes']), [0x80, 0x80])
  t.same(await root.subscribe(['$SYS/#', '#']), [1, 0x80], 'and plain topics are for the rules alone')
  await alice.subscribe('rooms/lobby/messages')
  const [told] = await root.inbox.wait(1, ({ payload }) => payload.includes('rooms/lobby/messages'))
  t.match(told!.topic, /^\$SYS\/[^/]+\/new\/subscribes$/)
})

t.test('topics that are the broker’s, or another’s, are not published to', async (t) => {
  const rules = [{ allow: 'all', who: 'any', topics: ['#'] }] as const
  const { connect, alice, bob } = await people(t, ['alice', 'bob'], { acl: { rules: [...rules] } })
  await alice.get('rooms.join', { room: 'lobby' })
  await bob.subscribe(['users/bob/#', 'rooms/lobby/messages'])
  const table: [string, string, string][] = [
    ['rooms/lobby/events', '{}', 'forbidden'],
    ['rooms/lobby/info', '{}', 'forbidden'],
    ['rooms/lobby/receipts', '{"read":99}', 'bad_request read'],
    ['users/bob/events', '{}', 'forbidden'],
    ['users/bob/replies', '{"re":"r1","ok":true}', 'forbidden'],
    ['users/alice/replies', '{}', 'forbidden'],
    ['users/bob/presence', '{"away":true}', 'forbidden'],
    ['users/bob/requests/rooms.list', '{"id":1}', 'forbidden'],
    ['users/bob/notifications', '{"title":"x","body":"y"}', 'forbidden'],
    ['users/nobody/messages', 'hi', 'not_found'],
    ['users/nobody/signals', 'hi', 'not_found'],
    ['rooms/dm:alice:bob/messages', 'hi', 'bad_request'],
    ['broadcast/news', 'hi', 'forbidden'],
    ['$SYS/x', 'hi', 'forbidden'],
    ['$other', 'hi', 'bad_request'],
    ['$share/g/plain', 'hi', 'bad_request'],
    ['rooms/lobby', 'hi', 'bad_request'],
    ['rooms/lobby/messages/more', 'hi', 'bad_request'],
    ['rooms//messages', 'hi', 'bad_request'],
    ['rooms/.x/messages', 'hi', 'bad_request'],
    [`rooms/${'x'.repeat(65)}/messages`, 'hi', 'bad_request'],
    ['users/bob', 'hi', 'bad_request'],
    ['users/bob/inbox', 'hi', 'bad_request'],
    ['users/bob/requests', 'hi', 'bad_request'],
    ['users/ /messages', 'hi', 'bad_request'],
    ['broadcast/a/b', 'hi', 'bad_request'],
    ['devices/alice', 'hi', 'bad_request'],
    ['devices//x', 'hi', 'bad_request'],
  ]
  for (const [topic, payload, expected] of table) {
    const reply = await alice.refused(topic, payload)
    t.equal(code(reply), expected, topic)
    t.match(reply, { re: null, method: 'send', topic })
  }
  await connect('eve', { clientId: 'bob' }).then((eve) => eve.say('lobby', 'marker'))
  await bob.hears('marker')
  t.same(
    bob.lines.filter((line) => !line.startsWith('users/bob/presence')),
    ['rooms/lobby/messages marker'],
  )
  t.ok(bob.client.connected, 'a client id is private to its user: nobody was taken over')
})

t.test('topics no client may name close the connection', async (t) => {
  const { broker } = await people(t, [])
  const connectPacket = {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: 'raw',
    username: 'alice',
    password: Buffer.from(await broker.token('alice')),
    keepalive: 0,
  } as const
  for (const topic of ['rooms/+/messages', 'rooms/lobby/#', 'users/bob\0/messages', '']) {
    const raw = new RawClient(broker)
    raw.send(connectPacket)
    await raw.next()
    const name = Buffer.from(topic)
    const body = Buffer.concat([Buffer.from([name.length >> 8, name.length & 255]), name, Buffer.from('hi')])
    raw.send(Buffer.concat([Buffer.from([0x30, body.length]), body]))
    await raw.whenClosed()
    t.ok(raw.closed, JSON.stringify(topic.slice(0, 20)))
  }
})

t.test('sessions belong to a user: the same client id is another session', async (t) => {
  const { broker, connect, alice } = await people(t, ['alice'])
  const phone = await connect('bob', { clientId: 'phone', ...LASTING })
  await phone.subscribe(['users/bob/messages', 'rooms/lobby/messages'])
  await phone.leave()
  await alice.tell('bob', 'for bob')
  const eve = await connect('eve', { clientId: 'phone', ...LASTING })
  await eve.subscribe('users/eve/messages')
  await alice.tell('eve', 'marker')
  await eve.hears('marker')
  t.same(eve.lines, ['users/eve/messages marker'])
  const real = await connect('bob', { clientId: 'phone', ...LASTING })
  await real.hears('for bob')
  const twin = await connect('bob', { clientId: 'phone', ...LASTING })
  t.notOk(real.client.connected, 'one’s own is taken over')
  t.ok(twin.client.connected && eve.client.connected)
  t.equal(await refusal(broker, { username: 'bob', password: await broker.token('eve') }), 4, 'a token of another')
  t.equal(await refusal(broker, { username: 'eve', password: 'no' }), 4)
  t.equal(await refusal(broker, {}), 5, 'no credentials')
  t.equal(await refusal(broker, { username: 'x', password: await broker.token('system') }), 4)
  t.equal(await refusal(broker, { username: 'anonymous', password: await broker.token('anonymous') }), 4)
  t.equal(await refusal(broker, { username: 'BOB', password: await broker.token('BOB') }), 5, 'differs only by case')
})

t.test('acl.rules decide about devices and plain topics, in both directions', async (t) => {
  const rules: Overrides['acl'] = {
    rules: [
      { deny: 'all', who: 'any', topics: ['factory/secret/#'] },
      { allow: 'all', who: 'role:operator', topics: ['factory/#', 'devices/#'] },
      { allow: 'publish', who: 'any', topics: ['factory/{user}/{client}/out'] },
      { allow: 'subscribe', who: 'user:dash', topics: ['factory/+/+/out', 'devices/+/state'] },
    ],
  }
  const { connect } = await people(t, [], { acl: rules })
  const op = await connect('op', { roles: ['operator'] })
  const dash = await connect('dash')
  const box = await connect('box', { clientId: 'c1', roles: ['device'] })
  t.same(await op.subscribe(['factory/#', 'factory/secret/x', '#']), [1, 0x80, 1])
  t.same(await dash.subscribe(['factory/+/+/out', 'devices/+/state', 'factory/box/c1/out']), [1, 1, 1])
  t.same(
    await dash.subscribe(['factory/box/c1/in', 'devices/box/cmd', 'factory/secret/#', 'other']),
    [0x80, 0x80, 0x80, 0x80],
  )
  t.same(await dash.subscribe(['#', 'factory/#']), [1, 1], 'some topic is allowed; each delivery is checked')
  t.same(await box.subscribe(['devices/box/#', 'devices/other/#', 'factory/box/c1/out']), [1, 0x80, 0x80])

  await box.publish('factory/box/c1/out', 'up')
  t.equal(code(await box.refused('factory/box/c2/out', 'x')), 'forbidden', 'another client id')
  t.equal(code(await box.refused('factory/op/c1/out', 'x')), 'forbidden', 'another user')
  t.equal(code(await box.refused('devices/other/state', 'x')), 'forbidden')
  t.equal(code(await op.refused('factory/secret/x', 'x')), 'forbidden')
  await box.publish('devices/box/state', 'on', { retain: true })
  await op.publish('devices/box/cmd', 'off')
  await op.publish('factory/box/c1/in', 'in')
  await op.publish('factory/last/c/out', 'marker')
  for (const person of [op, dash]) await person.hears('marker')
  await box.hears('off')
  t.same(dash.lines, ['factory/box/c1/out up', 'devices/box/state on', 'factory/last/c/out marker'])
  t.same(
    op.lines,
    ['factory/box/c1/out up', 'factory/box/c1/in in', 'factory/last/c/out marker'],
    '# reaches no devices',
  )
  t.same(box.lines, ['devices/box/state on', 'devices/box/cmd off'])
  const slash = await connect('a', { clientId: 'x/y' })
  t.equal(code(await slash.refused('factory/a/x/y/out', 'x')), 'forbidden', 'a placeholder never spans levels')
  const plus = await connect('b', { clientId: '+' })
  t.equal(code(await plus.refused('factory/b/c/out', 'x')), 'forbidden')
})

t.test('a rule or role that changes reaches retained messages, offline queues and wills', async (t) => {
  const allow = (who: string): Overrides => ({ acl: { rules: [{ allow: 'all', who, topics: ['plain/#', 'x/#'] }] } })
  const { broker, connect } = await people(t, [], allow('any'))
  const sender = await connect('sender', LASTING)
  const phone = await connect('bob', { ...LASTING, roles: ['staff'] })
  t.same(await phone.subscribe(['plain/#', 'x/y', 'users/bob/messages']), [1, 1, 1])
  await phone.leave()
  await sender.publish('plain/a', 'queued')
  await sender.publish('x/y', 'queued')
  await sender.publish('plain/r', 'retained', { retain: true })
  await broker.restart(allow('role:staff'))
  const guest = await connect('bob', { ...LASTING, roles: [] })
  const again = await connect('sender', {
    roles: ['staff'],
    will: { topic: 'plain/will', payload: Buffer.from('x'), qos: 1, retain: true },
  })
  await again.publish('plain/live', 'live')
  await again.tell('bob', 'marker')
  await guest.hears('marker')
  t.same(guest.lines, ['users/bob/messages marker'], 'neither the queue nor what is live')
  t.same(await guest.subscribe(['plain/#', 'x/y']), [0x80, 0x80], 'nor retained')
  await guest.leave()
  const staff = await connect('staff', { roles: ['staff'] })
  await staff.subscribe('plain/#')
  await staff.hears('retained')
  await again.vanish()
  await staff.inbox.wait(1, ({ topic }) => topic === 'plain/will')

  await broker.restart(allow('user:nobody'))
  const willing = await connect('w', {
    will: { topic: 'plain/will2', payload: Buffer.from('x'), qos: 1, retain: true },
  })
  await willing.vanish()
  t.equal(broker.running.counters.all()['refused.will'], 1)
})

t.test('anonymous clients have what the rules give them, and nothing else', async (t) => {
  const rules: Overrides = {
    auth: { anonymous: true },
    acl: {
      rules: [
        { allow: 'all', who: 'anonymous', topics: ['public/#', 'own/{client}/#'] },
        { allow: 'subscribe', who: 'user:alice', topics: ['public/#'] },
      ],
    },
  }
  const { broker, alice } = await people(t, ['alice'], rules)
  await alice.subscribe(['public/#', 'users/alice/messages', 'rooms/lobby/messages'])
  const anon = mqtt.connect(broker.mqttUrl, { clientId: 'a', reconnectPeriod: 0, protocolVersion: 4 })
  t.teardown(() => anon.endAsync(true))
  await new Promise<void>((resolve) => anon.once('connect', () => resolve()))
  const refused = [
    'rooms/lobby/messages',
    'rooms/#',
    'users/anonymous/replies',
    'users/anonymous/#',
    'users/+/presence',
  ]
  refused.push('broadcast/news', 'broadcast/#', 'devices/anonymous/x', '$SYS/#', 'own/b/#', 'other')
  for (const filter of refused) await t.rejects(anon.subscribeAsync(filter), { message: /^Subscribe error/ }, filter)
  await anon.subscribeAsync(['public/#', 'own/a/#', '#'])
  for (const topic of [
    'rooms/lobby/messages',
    'users/alice/messages',
    'users/alice/signals',
    'broadcast/news',
    'other',
  ])
    await anon.publishAsync(topic, 'refused, and acked', { qos: 1 })
  await anon.publishAsync('users/anonymous/requests/rooms.list', '{"id":1}', { qos: 1 })
  await anon.publishAsync('devices/anonymous/x', 'x', { qos: 1 })
  await anon.publishAsync('public/x', 'hello', { qos: 1 })
  await alice.hears('hello')
  t.same(alice.lines, ['public/x hello'])
  t.same((await alice.get('rooms.members', { room: 'lobby' })).members.length, 1)
  t.equal(code(await alice.refused('users/anonymous/messages', 'hi')), 'not_found')
})

t.test('the hooks module of the documentation narrows, and nothing widens', async (t) => {
  const allowed = { acl: { rules: [{ allow: 'all', who: 'any', topics: ['factory/#'] }] } } as Overrides
  const { connect } = await people(t, [], { ...allowed, auth: { hooks: 'docs/examples/auth-hooks.mjs' } })
  const op = await connect('op', { roles: ['operator'] })
  const bob = await connect('bob')
  t.same(
    await bob.subscribe(['factory/+/state', 'factory/#', '#', 'factory/m1/#', 'rooms/lobby/messages']),
    [0x80, 0x80, 0x80, 1, 1],
  )
  t.equal(code(await bob.refused('factory/m1/command', 'stop')), 'forbidden')
  t.equal(code(await op.refused('factory/m1/command', 'x'.repeat(1025))), 'forbidden')
  await op.publish('factory/m1/command', 'stop')
  await bob.hears('stop')
  await bob.say('lobby', 'hi')
  await bob.hears('hi')
  t.equal(code(await bob.refused('other', 'x')), 'forbidden', 'what the rules deny no hook allows')
})

t.test('hooks decide about logins, wills and restored subscriptions; one that fails denies', async (t) => {
  const dir = t.testdir({})
  const file = join(dir, 'hooks.mjs')
  mkdirSync(dir, { recursive: true })
  writeFileSync(
    file,
    `export async function authenticate({ user, clientId, address }) {
       if (user === 'late') await new Promise(() => {})
       if (user === 'boom') throw new Error('boom')
       return user !== 'eve' && clientId !== 'evil' && typeof address === 'string'
     }
     export function authorizePublish({ topic, payload }) { return !topic.endsWith('/text') && !payload.includes('bad') }
     let restored = 0
     export function authorizeSubscribe({ user, filter }) { return filter !== 'rooms/lobby/text' || restored++ === 0 }`,
  )
  const { broker, connect, alice } = await people(t, ['alice'], { auth: { hooks: file, hooksTimeout: 0.2 } })
  await alice.subscribe('rooms/lobby/messages')
  for (const user of ['eve', 'boom', 'late'])
    t.equal(await refusal(broker, { username: user, password: await broker.token(user) }), 5, user)
  t.equal(await refusal(broker, { username: 'a', password: await broker.token('a'), clientId: 'evil' }), 5)
  t.equal(code(await alice.refused('users/eve/messages', 'hi')), 'not_found', 'whom the hook refused has no account')
  t.equal(code(await alice.refused('rooms/lobby/text', 'hi')), 'forbidden')
  t.match(await alice.send('rooms/lobby/messages', { text: 'a bad word' }), { error: { code: 'forbidden' } })
  const bob = await connect('bob', {
    ...LASTING,
    will: { topic: 'rooms/lobby/messages', payload: Buffer.from('bad will'), qos: 1, retain: false },
  })
  t.same(await bob.subscribe(['rooms/lobby/text', 'users/bob/messages']), [1, 1])
  await bob.vanish()
  await alice.say('lobby', 'good')
  await alice.tell('bob', 'marker')
  await alice.hears('good')
  t.same(alice.lines, ['rooms/lobby/messages good'], 'the will was refused')
  const back = await connect('bob', LASTING)
  await back.hears('marker')
  t.same(back.lines, ['users/bob/messages marker'], 'the hook is asked again when a session comes back')
})

t.test('a token ends with its time: the login is refused, and a live connection ends within a second', async (t) => {
  const { broker, connect } = await people(t, [])
  const secret = await loadTokenSecret(broker.config.auth.jwt, broker.dataDir)
  const password = await mintToken(secret, 'alice', { ttl: 2 })
  const alice = await connect('alice', { password })
  const [, claims] = password.split('.')
  const { exp } = JSON.parse(Buffer.from(claims!, 'base64url').toString())
  t.ok(alice.client.connected)
  await new Promise<void>((resolve) => alice.client.once('close', () => resolve()))
  const late = Date.now() - exp * 1000
  t.ok(late >= 0 && late <= 1000, `${late} ms after the end`)
  t.equal(await refusal(broker, { username: 'alice', password }), 4)
  t.equal(await refusal(broker, { username: 'alice', password: `${password.slice(0, -2)}xx` }), 4, 'forged')
})

t.test('guessing passwords is slowed down, for that user from that address', async (t) => {
  const throttle = { attempts: 3, window: 60 }
  const { broker } = await people(t, [], { auth: { throttle } })
  await broker.running.accounts.add('alice', 'alice-pw')
  await broker.running.accounts.add('bob', 'bob-pw')
  const guess = (username: string, password: string) => refusal(broker, { username, password })
  t.same([await guess('alice', 'a'), await guess('alice', 'b'), await guess('alice', 'c')], [4, 4, 4])
  t.equal(await guess('alice', 'd'), 3)
  t.equal(await guess('alice', 'alice-pw'), 3, 'even with the right one')
  const bob = await Person.connect(t, broker, 'bob', { password: 'bob-pw' })
  t.ok(bob.client.connected)
  const alice = await Person.connect(t, broker, 'alice')
  t.ok(alice.client.connected, 'a token is not guessed')
})

t.test('every payload has an answer: taken as what it is, or refused with the field that is wrong', async (t) => {
  const { alice } = await people(t, ['alice'], { limits: { payloadBytes: 20_000 } })
  await alice.subscribe('rooms/lobby/messages')
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  const table: [string, string | Buffer, string | object][] = [
    ['text', 'hi', { type: 'text', text: 'hi' }],
    ['white space', ' ', { type: 'text', text: ' ' }],
    ['a number', '42', { type: 'text', text: '42' }],
    ['null', 'null', { type: 'text', text: 'null' }],
    ['an array', '[{"text":"x"}]', { type: 'text', text: '[{"text":"x"}]' }],
    ['a JSON string', '"x"', { type: 'text', text: '"x"' }],
    ['half an object', '{"text":"x"', { type: 'text', text: '{"text":"x"' }],
    ['an object and more', '{"text":"x"} y', { type: 'text', text: '{"text":"x"} y' }],
    ['space around', ' \\n{"text":"x"}\\n', { type: 'text', text: 'x' }],
    ['emoji', '👋🏽', { type: 'text', text: '👋🏽' }],
    ['U+0000 in it', 'a\0b', { type: 'text', text: 'a\0b' }],
    ['an empty object', '{}', { type: 'custom', data: {} }],
    ['unknown keys', '{"a":1,"b":[2]}', { type: 'custom', data: { a: 1, b: [2] } }],
    ['custom null', '{"type":"custom","data":null}', { type: 'custom', data: null }],
    ['type custom', '{"type":"custom","data":[1]}', { type: 'custom', data: [1] }],
    ['doubled key', '{"text":"a","text":"b"}', { type: 'text', text: 'b' }],
    ['ttl', '{"text":"x","ttl":500}', { type: 'text', text: 'x', ttl: 500 }],
    ['deep', `{"data":${deep(90)},"text":"x"}`, { type: 'text', text: 'x' }],
    ['nothing', '', 'bad_request'],
    ['invalid UTF-8', Buffer.from([0x68, 0xff]), 'bad_request'],
    ['a surrogate in UTF-8', Buffer.from([0xed, 0xa0, 0x80]), 'bad_request'],
    ['too deep', `{"data":${deep(200)},"text":"x"}`, 'bad_request'],
    ['much too deep', `{"a":${deep(9000)}}`, 'bad_request'],
    ['known and unknown', '{"text":"x","colour":1}', 'bad_request colour'],
    ['unknown and known', '{"colour":1,"text":"x"}', 'bad_request colour'],
    ['only a cid', '{"cid":"c1"}', 'bad_request text'],
    ['empty text', '{"text":""}', 'bad_request text'],
    ['text that is none', '{"text":1}', 'bad_request text'],
    ['null text', '{"text":null}', 'bad_request text'],
    ['empty cid', '{"cid":"","text":"x"}', 'bad_request cid'],
    ['long cid', `{"cid":"${'c'.repeat(129)}","text":"x"}`, 'bad_request cid'],
    ['cid as number', '{"cid":1,"text":"x"}', 'bad_request cid'],
    ['type that is none', '{"type":"shout","text":"x"}', 'bad_request type'],
    ['type as number', '{"type":1,"text":"x"}', 'bad_request type'],
    ['system', '{"type":"system","text":"x"}', 'forbidden type'],
    ['custom without data', '{"type":"custom","text":"x"}', 'bad_request data'],
    ['target on text', '{"text":"x","target":1}', 'bad_request target'],
    ['replyTo 0', '{"text":"x","replyTo":0}', 'bad_request replyTo'],
    ['replyTo 1.5', '{"text":"x","replyTo":1.5}', 'bad_request replyTo'],
    ['thread as text', '{"text":"x","thread":"1"}', 'bad_request thread'],
    ['mentions', '{"text":"x","mentions":"bob"}', 'bad_request mentions'],
    ['a mention', '{"text":"x","mentions":["bob",1]}', 'bad_request mentions.1'],
    ['no attachments', '{"attachments":[]}', 'bad_request attachments'],
    ['an attachment without url or file', '{"attachments":[{"type":"image"}]}', 'bad_request attachments.0.url'],
    ['a size below 0', '{"attachments":[{"type":"a","url":"b","size":-1}]}', 'bad_request attachments.0.size'],
    ['no ttl', '{"text":"x","ttl":0}', 'bad_request ttl'],
    ['an edit to nothing', '{"type":"edit","target":1}', 'bad_request text'],
    ['a deletion of nothing', '{"type":"delete"}', 'bad_request target'],
    ['a reaction without emoji', '{"type":"reaction","target":1}', 'bad_request data'],
    ['a pin', '{"type":"pin","target":1}', 'forbidden target'],
    ['an unpin', '{"type":"unpin","target":1}', 'forbidden target'],
    ['location', '{"type":"location","data":{"lat":48.4,"lon":9.99}}', { data: { lat: 48.4, lon: 9.99 } }],
    [
      'a place with words',
      '{"type":"location","text":"here","data":{"lat":-90,"lon":180,"accuracy":0.5,"name":"Pole"}}',
      { text: 'here', data: { lat: -90, lon: 180, accuracy: 0.5, name: 'Pole' } },
    ],
    ['location without data', '{"type":"location","text":"here"}', 'bad_request data'],
    ['location without lon', '{"type":"location","data":{"lat":1}}', 'bad_request data'],
    ['lat above 90', '{"type":"location","data":{"lat":90.1,"lon":0}}', 'bad_request data'],
    ['lon as text', '{"type":"location","data":{"lat":0,"lon":"0"}}', 'bad_request data'],
    ['accuracy below 0', '{"type":"location","data":{"lat":0,"lon":0,"accuracy":-1}}', 'bad_request data'],
    ['more of a location', '{"type":"location","data":{"lat":0,"lon":0,"zoom":3}}', 'bad_request data'],
    ['encrypted', '{"type":"encrypted","data":"q83v/+=="}', { type: 'encrypted', data: 'q83v/+==' }],
    ['encrypted for URLs', '{"type":"encrypted","data":"q83v_-","ttl":60}', { data: 'q83v_-' }],
    ['encrypted without data', '{"type":"encrypted"}', 'bad_request data'],
    ['encrypted nothing', '{"type":"encrypted","data":""}', 'bad_request data'],
    ['encrypted, not base64', '{"type":"encrypted","data":"q8 3v"}', 'bad_request data'],
    ['an encrypted object', '{"type":"encrypted","data":{"a":1}}', 'bad_request data'],
    ['encrypted with text', '{"type":"encrypted","data":"q83v","text":"x"}', 'bad_request text'],
    ['encrypted with mentions', '{"type":"encrypted","data":"q83v","mentions":["@bob"]}', 'bad_request mentions'],
    ['too large', 'x'.repeat(20_001), 'too_large'],
  ]
  let taken = 0
  for (const [what, payload, expected] of table) {
    if (typeof expected === 'string') {
      t.equal(code(await alice.refused('rooms/lobby/messages', payload)), expected, what)
      continue
    }
    await alice.publish('rooms/lobby/messages', payload)
    const messages = await alice.on('rooms/lobby/messages', ++taken)
    t.match(messages.at(-1), { seq: taken, from: 'alice', ...expected }, what)
  }
  await alice.publish('rooms/lobby/messages', 'x'.repeat(20_000))
  t.equal((await alice.on('rooms/lobby/messages', taken + 1)).length, taken + 1, 'refused ones took no number')
  t.match(await alice.refused('rooms/lobby/messages', `{"cid":"c","text":"${'x'.repeat(20_000)}"}`), {
    re: 'c',
    error: { code: 'too_large' },
  })
})

t.test('auth.onRefused: close ends the connection in place of an ack', async (t) => {
  const { broker, connect } = await people(t, [], { auth: { onRefused: 'close' } })
  const alice = await connect('alice')
  await alice.subscribe('users/alice/replies')
  const closed = new Promise<void>((resolve) => alice.client.once('close', () => resolve()))
  void alice.publish('rooms/nowhere/messages', 'hi').catch(() => {})
  await closed
  t.match(alice.replies, [{ ok: false, error: { code: 'not_found' } }], 'with a last word')
  t.equal(broker.running.counters.all()['refused.not_found'], 1)
})

t.test('an account that ends takes all with it; who has the name next reads nothing of it', async (t) => {
  const { broker, connect, alice } = await people(t, ['alice'])
  await alice.get('rooms.create', { room: 'den', access: 'private' })
  await alice.get('rooms.create', { room: 'attic', access: 'private' })
  const bob = await connect('bob', { clientId: 'phone', ...LASTING })
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.join', { room: 'den' })
  await alice.get('rooms.invite', { room: 'attic', user: 'bob' })
  await bob.get('rooms.join', { room: 'lobby' })
  await bob.get('rooms.leave', { room: 'lobby' })
  await bob.subscribe(['rooms/den/messages', 'rooms/+/messages', 'users/bob/messages'])
  await alice.tell('bob', 'for the first bob')
  await bob.hears('for the first bob')
  const gone = bob.gone()
  await callAdmin(broker.dataDir, 'user.remove', { name: 'bob' })
  await gone
  t.equal(code(await alice.refused('users/bob/messages', 'are you there?')), 'not_found')
  t.same(
    (await alice.get('rooms.members', { room: 'den' })).members.map(({ user }: { user: string }) => user),
    ['alice'],
  )
  await alice.say('den', 'about bob')

  const second = await connect('bob', { clientId: 'phone', ...LASTING })
  await second.subscribe('users/bob/messages')
  t.equal(await second.fails('history', { room: 'den' }), 'not_found room')
  t.equal(await second.fails('rooms.join', { room: 'attic' }), 'not_found room', 'the invitation was the first one’s')
  t.same(await second.subscribe('rooms/lobby/messages'), [1], 'and so was the leaving')
  await alice.tell('bob', 'for the second bob')
  await second.hears('for the second bob')
  t.same(
    second.heard.map(({ payload }) => textOf(payload)),
    ['for the second bob'],
  )
  t.match((await second.get('history', { room: '@alice' })).messages, [
    { seq: 1, gone: 'blocked' },
    { seq: 2, text: 'for the second bob' },
  ])
  t.match((await alice.get('history', { room: '@bob' })).messages, [{ text: 'for the first bob' }, { seq: 2 }])
})

t.test('a message inside a request is a message', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')

  t.test('hooks are asked about it too', async (t) => {
    const asked: string[] = []
    broker.running.aedes.authorizePublish = (_client, { topic }, done) => {
      asked.push(topic)
      done(topic === 'rooms/lobby/messages' ? new Error('closed today') : null)
    }
    t.teardown(() => (broker.running.aedes.authorizePublish = (_client, _packet, done) => done(null)))
    t.equal(await alice.fails('send', { room: 'lobby', text: 'hi' }), 'forbidden')
    t.same(asked, ['users/alice/requests/send', 'rooms/lobby/messages'])
  })

  t.test('it needs something to say, and has a depth', async (t) => {
    t.equal(await alice.fails('send', { room: 'lobby' }), 'bad_request text')
    const deep = `{"id":"d","room":"lobby","data":${'['.repeat(5000)}${']'.repeat(5000)}}`
    t.match(await alice.refused('users/alice/requests/send', deep), { re: 'd', error: { code: 'bad_request' } })
  })
})
