/** Those who try: forged identities, other people's topics, rules, tokens, guessed passwords, and names of accounts that have ended. */
import mqtt from 'mqtt'
import t from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { loadTokenSecret, mintToken } from '../../broker/auth/tokens.js'
import { USER_LEAVES } from '../../schemas/topics.js'
import type { Overrides } from '../helpers/broker.js'
import { stillClock } from '../helpers/clock.js'
import { knock } from '../helpers/knock.js'
import { inTime } from '../helpers/patience.js'
import { codeOf, Person, textOf } from '../helpers/people.js'
import { RawClient } from '../helpers/raw-client.js'
import { people } from '../helpers/rooms.js'

const LASTING = { clean: false } as const

t.test('nobody speaks as someone else', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await bob.subscribe('rooms/lobby/messages')
  for (const key of ['from', 'id', 'seq', 'ts', 'room', 'to', 'user', '__proto__']) {
    const reply = await alice.refused('rooms/lobby/messages', `{"text":"hi","${key}":"bob"}`)
    t.equal(codeOf(reply), `bad_request ${key}`)
    t.match(reply.error.message, key)
    t.equal(codeOf(await alice.refused('users/bob/messages', `{"${key}":"bob","text":"hi"}`)), `bad_request ${key}`)
  }
  t.equal(codeOf(await alice.refused('rooms/lobby/messages', { type: 'system', text: 'down' })), 'forbidden type')
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
    t.equal(codeOf(reply), expected, topic)
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
  t.equal(await knock(broker, 'bob', await broker.token('eve')), 4, 'a token of another')
  t.equal(await knock(broker, 'eve', 'no'), 4)
  t.equal(await knock(broker), 5, 'no credentials')
  t.equal(await knock(broker, 'x', await broker.token('system')), 4)
  t.equal(await knock(broker, 'anonymous', await broker.token('anonymous')), 4)
  t.equal(await knock(broker, 'BOB', await broker.token('BOB')), 5, 'differs only by case')
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
  t.equal(codeOf(await box.refused('factory/box/c2/out', 'x')), 'forbidden', 'another client id')
  t.equal(codeOf(await box.refused('factory/op/c1/out', 'x')), 'forbidden', 'another user')
  t.equal(codeOf(await box.refused('devices/other/state', 'x')), 'forbidden')
  t.equal(codeOf(await op.refused('factory/secret/x', 'x')), 'forbidden')
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
  t.equal(codeOf(await slash.refused('factory/a/x/y/out', 'x')), 'forbidden', 'a placeholder never spans levels')
  const plus = await connect('b', { clientId: '+' })
  t.equal(codeOf(await plus.refused('factory/b/c/out', 'x')), 'forbidden')
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
  t.equal(codeOf(await alice.refused('users/anonymous/messages', 'hi')), 'not_found')
})

t.test('a token ends with its time: the login is refused, and a live connection ends within a second', async (t) => {
  // Until she is in.
  const clock = stillClock(t)
  const { broker, connect } = await people(t, [])
  const secret = await loadTokenSecret(broker.config.auth.jwt, broker.dataDir)
  const password = await mintToken(secret, 'alice', { ttl: 2 })
  const alice = await connect('alice', { password })
  const [, claims] = password.split('.')
  const { exp } = JSON.parse(Buffer.from(claims!, 'base64url').toString())
  t.ok(alice.client.connected)
  const closed = new Promise<void>((resolve) => alice.client.once('close', () => resolve()))
  const left = exp * 1000 - Date.now()
  clock.goOn()
  await inTime(closed, 20, () => new Error('it goes on a second after the end'), left)
  t.ok(Date.now() >= exp * 1000, 'not before')
  t.equal(await knock(broker, 'alice', password), 4)
  t.equal(await knock(broker, 'alice', `${password.slice(0, -2)}xx`), 4, 'forged')
})

t.test('guessing passwords is slowed down, for that user from that address', async (t) => {
  const throttle = { attempts: 3, window: 60 }
  const { broker } = await people(t, [], { auth: { throttle } })
  await broker.running.accounts.add('alice', 'alice-pw')
  await broker.running.accounts.add('bob', 'bob-pw')
  const guess = (username: string, password: string) => knock(broker, username, password)
  t.same([await guess('alice', 'a'), await guess('alice', 'b'), await guess('alice', 'c')], [4, 4, 4])
  t.equal(await guess('alice', 'd'), 3)
  t.equal(await guess('alice', 'alice-pw'), 3, 'even with the right one')
  const bob = await Person.connect(t, broker, 'bob', { password: 'bob-pw' })
  t.ok(bob.client.connected)
  const alice = await Person.connect(t, broker, 'alice')
  t.ok(alice.client.connected, 'a token is not guessed')
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
  t.equal(codeOf(await alice.refused('users/bob/messages', 'are you there?')), 'not_found')
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
