/** What is of the moment (typing, signals, presence), and what is said to one or to all (notifications, broadcast, devices). */
import t, { type Test } from 'tap'
import { TYPING_LASTS } from '../../schemas/message.js'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { movableClock, stillClock, ticked } from '../helpers/clock.js'
import { Person, type PersonOptions, textOf } from '../helpers/people.js'

const LASTING = { clean: false } as const

async function people<N extends string>(t: Test, names: N[], overrides: Overrides = {}) {
  const broker = await startTestBroker(t, overrides)
  const connect = (user: string, options: PersonOptions = {}) => Person.connect(t, broker, user, options)
  const entries = await Promise.all(names.map(async (name) => [name, await connect(name)] as const))
  return { broker, connect, ...(Object.fromEntries(entries) as Record<N, Person>) }
}

async function privateRoom(room: string, owner: Person, ...members: Person[]): Promise<void> {
  await owner.get('rooms.create', { room, access: 'private' })
  for (const member of members) {
    await owner.get('rooms.invite', { room, user: member.user })
    await member.get('rooms.join', { room })
  }
}

const code = ({ ok, error }: { ok: boolean; error?: { code: string; field?: string } }): string =>
  ok ? 'ok' : [error!.code, error!.field].filter(Boolean).join(' ')

t.test('typing is seen by those in the room who are there, and only so often', async (t) => {
  stillClock(t)
  const { connect, alice, bob, eve } = await people(t, ['alice', 'bob', 'eve'], { limits: { typingPerSecond: 3 } })
  await privateRoom('den', alice, bob)
  await alice.subscribe(['rooms/den/typing', 'rooms/+/messages'])
  const away = await connect('alice', { clientId: 'away', ...LASTING })
  await away.subscribe('rooms/+/typing')
  await away.leave()
  await bob.publish('rooms/den/typing', '')
  await bob.publish('rooms/den/typing', { typing: false })
  const [first, second] = await alice.on('rooms/den/typing', 2)
  t.match(
    [first, second],
    [
      { user: 'bob', typing: true, ts: Number },
      { user: 'bob', typing: false },
    ],
  )
  t.ok(alice.heard.every(({ qos, retain }) => qos === 0 && !retain))
  await Promise.all(Array.from({ length: 20 }, () => bob.publish('rooms/den/typing', '', { qos: 0 })))
  await bob.say('den', 'marker')
  await alice.hears('marker')
  const heard = alice.inbox.json('rooms/den/typing').length
  t.ok(heard <= 5, `${heard} of 22: those above the rate are dropped, without an answer`)
  t.same(
    bob.replies.filter(({ ok }) => !ok),
    [],
  )

  t.equal(code(await bob.refused('rooms/den/typing', 'yes')), 'bad_request typing')
  t.equal(code(await bob.refused('rooms/den/typing', { typing: 'yes' })), 'bad_request typing')
  t.equal(code(await bob.refused('rooms/den/typing', { typing: true, user: 'alice' })), 'bad_request user')
  t.equal(code(await eve.refused('rooms/den/typing', '')), 'not_found room')
  t.equal(code(await eve.refused('rooms/lobby/typing', '')), 'forbidden room')
  const back = await connect('alice', { clientId: 'away', ...LASTING })
  await back.subscribe('users/alice/messages')
  await bob.tell('alice', 'marker')
  await back.hears('marker')
  t.same(back.lines, ['users/alice/messages marker'], 'what was of the moment is gone')
})

t.test('typing in a direct conversation is for the two of it', async (t) => {
  const { alice, bob, eve } = await people(t, ['alice', 'bob', 'eve'])
  t.same(await alice.subscribe(['rooms/dm:alice:bob/typing', 'rooms/dm:alice:bob/receipts']), [1, 1])
  t.same(await bob.subscribe('rooms/+/typing'), [1])
  t.same(await eve.subscribe(['rooms/dm:alice:bob/typing', 'rooms/+/typing', 'rooms/+/messages']), [0x80, 1, 1])
  await alice.tell('bob', 'hi')
  await alice.publish('rooms/dm:alice:bob/typing', '')
  await bob.publish('rooms/dm:alice:bob/typing', { typing: false })
  for (const person of [alice, bob])
    t.match(await person.on('rooms/dm:alice:bob/typing', 2), [
      { user: 'alice', typing: true },
      { user: 'bob', typing: false },
    ])
  t.equal(code(await eve.refused('rooms/dm:alice:bob/typing', '')), 'not_found room')
  await eve.say('lobby', 'marker')
  await eve.hears('marker')
  t.same(eve.lines, ['rooms/lobby/messages marker'])
})

t.test('signals reach the sessions of one user that are there', async (t) => {
  const { connect, alice, bob, eve } = await people(t, ['alice', 'bob', 'eve'])
  const phone = await connect('bob', { clientId: 'phone', ...LASTING })
  const away = await connect('bob', { clientId: 'away', ...LASTING })
  for (const session of [bob, phone, away]) await session.subscribe(['users/bob/signals', 'users/bob/messages'])
  await eve.subscribe(['users/+/signals', 'users/eve/messages'])
  await away.leave()
  await alice.publish('users/bob/signals', { offer: 'v=0', from: 'eve' })
  await alice.publish('users/bob/signals', 'ring')
  for (const session of [bob, phone])
    t.match(await session.on('users/bob/signals', 2), [
      { from: 'alice', ts: Number, data: { offer: 'v=0', from: 'eve' } },
      { from: 'alice', text: 'ring' },
    ])
  t.equal(bob.heard[0]!.qos, 0)
  t.equal(code(await alice.refused('users/bob/signals', '')), 'bad_request')
  await alice.tell('bob', 'marker')
  await alice.tell('eve', 'marker')
  const back = await connect('bob', { clientId: 'away', ...LASTING })
  for (const person of [back, eve]) {
    await person.hears('marker')
    t.same(person.lines, [`users/${person.user}/messages marker`])
  }
})

t.test('typing ends by itself, also for who is cut off', async (t) => {
  const clock = movableClock(t)
  const { alice, bob } = await people(t, ['alice', 'bob'], { listen: { connectTimeout: '1d' } })
  await privateRoom('den', alice, bob)
  await alice.subscribe('rooms/den/typing')
  await bob.publish('rooms/den/typing', '')
  await alice.on('rooms/den/typing', 1)
  await bob.vanish()
  clock.forward(TYPING_LASTS)
  t.match((await alice.on('rooms/den/typing', 2))[1], { user: 'bob', typing: false, ts: Number })
})

t.test('many sessions are one person, who is offline only after a while', async (t) => {
  const clock = movableClock(t)
  const overrides = { presence: { offlineDelay: 60 }, listen: { connectTimeout: '1d' } }
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'], overrides)
  await privateRoom('den', alice, bob)
  t.same(await alice.subscribe('users/bob/presence'), [1])
  t.match(await alice.on('users/bob/presence', 1), [
    { user: 'bob', state: 'online', status: null, devices: 1, lastSeen: Number },
  ])
  t.ok(alice.heard[0]!.retain, 'retained')
  const phone = await connect('bob', { clientId: 'phone' })
  t.match((await alice.on('users/bob/presence', 2))[1], { state: 'online', devices: 2 }, 'who watches hears of it')
  await bob.publish('users/bob/presence', { away: true })
  await phone.publish('users/bob/presence', { status: 'in a meeting', away: true })
  const [, , away] = await alice.on('users/bob/presence', 3)
  t.match(away, { state: 'away', status: 'in a meeting', devices: 2 })
  t.notOk(alice.heard[1]!.retain, 'live')
  await bob.publish('users/bob/presence', { away: false })
  t.match((await alice.on('users/bob/presence', 4))[3], { state: 'online', status: 'in a meeting' })
  await phone.publish('users/bob/presence', { status: null })
  t.match((await alice.on('users/bob/presence', 5))[4], { status: null })
  t.equal(code(await phone.refused('users/bob/presence', 'away')), 'bad_request')
  t.equal(code(await phone.refused('users/bob/presence', { state: 'offline' })), 'bad_request state')
  t.equal(code(await phone.refused('users/bob/presence', { status: 'x'.repeat(257) })), 'bad_request status')

  await phone.vanish()
  t.match((await alice.on('users/bob/presence', 6))[5], { state: 'online', devices: 1 })
  await bob.leave()
  const flicker = await connect('bob', { clientId: 'flicker' })
  await flicker.publish('users/bob/presence', { status: 'back before anyone knew' })
  t.match((await alice.on('users/bob/presence', 7))[6], { state: 'online', devices: 1, status: /^back/ })
  const before = Date.now()
  await flicker.leave()
  clock.forward(30)
  await ticked(broker)
  await alice.get('rooms.list')
  t.equal((await alice.on('users/bob/presence', 7)).length, 7, 'not before the delay is over')
  clock.forward(30)
  const offline = (await alice.on('users/bob/presence', 8))[7]
  t.match(offline, { state: 'offline', devices: 0 })
  t.ok(offline.lastSeen >= before && offline.lastSeen <= Date.now() - 60_000, 'last seen when he left')
  const again = await connect('bob')
  t.match((await alice.on('users/bob/presence', 9))[8], { state: 'online', devices: 1 })
  await again.leave()
  clock.forward(60)
  await alice.on('users/bob/presence', 10)
  await broker.restart()
  const later = await connect('alice')
  await later.subscribe('users/+/presence')
  await later.inbox.wait(2)
  const states = Object.fromEntries(later.inbox.json().map(({ user, state, status }) => [user, [state, status]]))
  t.same(states, { alice: ['online', null], bob: ['offline', 'back before anyone knew'] }, 'known after a restart')
})

t.test('who changes their status all the time is told of so often, and the last of it gets through', async (t) => {
  const clock = stillClock(t)
  const { broker, alice, bob } = await people(t, ['alice', 'bob'], { limits: { presencePerSecond: 3 } })
  await privateRoom('den', alice, bob)
  await alice.subscribe('users/bob/presence')
  await alice.on('users/bob/presence', 1)
  for (let i = 0; i < 200; i++) void bob.publish('users/bob/presence', { status: `${i}` }, { qos: 0 })
  await bob.publish('users/bob/presence', { status: 'the last' })
  clock.goOn()
  await alice.inbox.wait(1, ({ payload }) => payload.includes('the last'))
  const told = alice.inbox.json('users/bob/presence').length
  const dropped = broker.running.counters.get('dropped.presence_rate')
  t.ok(dropped > 150, `${dropped} of 201 are left out, and counted`)
  t.equal(told - 1 + dropped, 201, 'the others are told')
  t.same(
    bob.replies.filter(({ ok }) => !ok),
    [],
    'none of them is refused',
  )
})

t.test('only people of the same private room see each other', async (t) => {
  const { alice, bob, eve, mallory } = await people(t, ['alice', 'bob', 'eve', 'mallory'])
  for (const person of [alice, bob, eve]) await person.get('rooms.join', { room: 'lobby' })
  await privateRoom('den', alice, bob, mallory)
  t.same(
    await eve.subscribe(['users/bob/presence', 'users/nobody/presence']),
    [0x80, 0x80],
    'a public room is no reason',
  )
  for (const person of [alice, eve, mallory]) await person.subscribe('users/+/presence')
  await mallory.subscribe('users/bob/presence')
  await alice.inbox.wait(3, ({ topic, retain }) => topic.endsWith('/presence') && retain)
  await eve.on('users/eve/presence', 1)
  await alice.get('rooms.remove', { room: 'den', user: 'mallory' })
  const before = mallory.lines.length
  await bob.publish('users/bob/presence', { status: 'secret' })
  await alice.inbox.wait(1, ({ payload }) => payload.includes('secret'))
  for (const person of [eve, mallory]) {
    await person.publish(`users/${person.user}/presence`, { status: 'marker' })
    await person.inbox.wait(1, ({ payload }) => payload.includes('marker'))
  }
  t.notOk(eve.lines.some((line) => line.includes('/bob/')))
  t.equal(mallory.lines.length, before + 1, 'no longer, also under a filter that stayed')
  t.same(alice.heard.filter(({ payload }) => payload.includes('secret')).length, 1, 'once')
})

t.test('a restart of the broker makes nobody flap; who does not come back is offline in the end', async (t) => {
  const clock = movableClock(t)
  const options = { presence: { offlineDelay: 60, restartGrace: 60 }, listen: { connectTimeout: '1d' } }
  const { broker, connect, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'], options)
  await privateRoom('den', alice, bob, carol)
  await bob.publish('users/bob/presence', { status: 'here' })
  await broker.restart()
  const watcher = await connect('alice')
  await watcher.subscribe('users/+/presence')
  await watcher.inbox.wait(3)
  const states = Object.fromEntries(watcher.inbox.json().map(({ user, state }) => [user, state]))
  t.same(states, { alice: 'online', bob: 'online', carol: 'online' }, 'nobody is missed yet')
  await connect('bob')
  clock.forward(60)
  await watcher.inbox.wait(4)
  t.match(watcher.inbox.json()[3], { user: 'carol', state: 'offline' })
  t.equal(watcher.inbox.messages.length, 4, 'bob came back unnoticed')
})

t.test('notifications come from those who may, and wait for who is away', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  const robot = await connect('robot', { roles: ['notifier'] })
  const root = await connect('root', { roles: ['admin'] })
  const phone = await connect('bob', { clientId: 'phone', ...LASTING })
  t.same(await phone.subscribe('users/bob/notifications'), [1])
  await phone.leave()
  const topic = 'users/bob/notifications'
  const full = { title: 'Build', body: 'failed', data: { run: 7 }, ttl: 60, priority: 'high', collapseKey: 'build' }
  t.match(await robot.send(topic, full), { ok: true, method: 'send', result: { seq: 1 } })
  await root.publish(topic, { title: 'Hi', body: '' }, { qos: 0 })
  await root.get('rooms.list')
  t.match(await robot.send(topic, { cid: 'c', title: 'once', body: '' }), { result: { seq: 3 } })
  t.match(await robot.send(topic, { cid: 'c', title: 'once', body: '' }), { result: { seq: 3 } })
  t.match(await robot.send(topic, { cid: 'c', title: 'twice', body: '' }), { error: { code: 'conflict' } })
  t.equal(code(await alice.refused(topic, { title: 'x', body: 'y' })), 'forbidden')
  t.equal(code(await bob.refused(topic, { title: 'x', body: 'y' })), 'forbidden', 'not even to oneself')
  t.equal(code(await robot.refused('users/nobody/notifications', { title: 'x', body: 'y' })), 'not_found')
  for (const [payload, expected] of [
    ['hello', 'bad_request'],
    [{ body: 'x' }, 'bad_request title'],
    [{ title: 'x' }, 'bad_request body'],
    [{ title: '', body: 'x' }, 'bad_request title'],
    [{ title: 'x', body: 'y', priority: 'urgent' }, 'bad_request priority'],
    [{ title: 'x', body: 'y', text: 'z' }, 'bad_request text'],
    [{ title: 'x', body: 'y', from: 'alice' }, 'bad_request from'],
    [{ title: 'x', body: 'y', ttl: 0 }, 'bad_request ttl'],
  ] as const)
    t.equal(code(await robot.refused(topic, payload)), expected, JSON.stringify(payload))
  await broker.restart()
  const back = await connect('bob', { clientId: 'phone', ...LASTING })
  const got = await back.on(topic, 3)
  t.match(got, [
    { seq: 1, from: 'robot', id: /^[0-9a-f-]{36}$/, ts: Number, ...full },
    { seq: 2, from: 'root', title: 'Hi', body: '' },
    { seq: 3, from: 'robot', title: 'once' },
  ])
  t.same(
    back.heard.map(({ qos }) => qos),
    [1, 0, 1],
  )
})

t.test('a broadcast reaches every user, once, also those who were away', async (t) => {
  const { broker, connect, alice } = await people(t, ['alice'])
  const herald = await connect('herald', { roles: ['publisher'] })
  const phone = await connect('bob', { clientId: 'phone', ...LASTING })
  t.same(await phone.subscribe(['broadcast/+', 'users/bob/messages']), [1, 1])
  await alice.subscribe(['broadcast/news', 'broadcast/#'])
  t.match(await herald.send('broadcast/news', { text: 'one' }), { ok: true, result: { seq: 1 } })
  await phone.hears('one')
  await phone.leave()
  await herald.publish('broadcast/news', 'two')
  await herald.publish('broadcast/weather', { text: 'rain' }, { retain: true })
  await herald.publish('broadcast/weather', { temp: 3 })
  t.equal(code(await alice.refused('broadcast/news', 'fake')), 'forbidden')
  t.equal(code(await herald.refused('broadcast/news', { text: 'x', channel: 'y' })), 'bad_request channel')
  await alice.hears('{"temp":3}')
  t.same(alice.lines, [
    'broadcast/news one',
    'broadcast/news two',
    'broadcast/weather rain',
    'broadcast/weather {"temp":3}',
  ])
  t.match(alice.inbox.json('broadcast/weather')[0], { channel: 'weather', seq: 1, from: 'herald', type: 'text' })
  t.notOk('room' in alice.inbox.json('broadcast/weather')[0])

  await broker.restart()
  const back = await connect('bob', { clientId: 'phone', ...LASTING })
  await back.inbox.wait(3)
  const again = await connect('herald', { roles: ['publisher'] })
  await again.publish('broadcast/later', 'a new channel')
  await back.hears('a new channel')
  t.same([...back.lines].sort(), [
    'broadcast/later a new channel',
    'broadcast/news two',
    'broadcast/weather rain',
    'broadcast/weather {"temp":3}',
  ])
  const late = await connect('late')
  await late.subscribe(['broadcast/weather', 'broadcast/news'])
  await late.hears('rain')
  t.ok(late.heard[0]!.retain)
  await again.publish('broadcast/weather', '', { retain: true })
  await again.publish('broadcast/news', 'marker')
  await late.hears('marker')
  t.same(late.lines, ['broadcast/weather rain', 'broadcast/news marker'])
  const later = await connect('later')
  await later.subscribe('broadcast/#')
  await again.publish('broadcast/news', 'marker')
  await later.hears('marker')
  t.same(later.lines, ['broadcast/news marker'], 'an empty payload ended what was retained')
})

t.test('a device: telemetry that stays, commands that wait', async (t) => {
  const rules: Overrides = {
    acl: { rules: [{ allow: 'all', who: 'role:operator', topics: ['devices/#'] }] },
  }
  const { broker, connect } = await people(t, [], rules)
  const op = await connect('op', { roles: ['operator'] })
  const sensor = await connect('sensor', { ...LASTING, roles: ['device'] })
  t.same(await sensor.subscribe(['devices/sensor/commands/#', 'rooms/lobby/text']), [1, 1])
  await sensor.publish('devices/sensor/temperature', '21.5', { retain: true })
  await op.subscribe('devices/+/temperature')
  await op.hears('21.5')
  t.ok(op.heard[0]!.retain)
  await sensor.publish('devices/sensor/temperature', '22', { retain: true })
  await op.hears('22')
  t.notOk(op.heard[1]!.retain)
  await sensor.leave()
  await op.publish('devices/sensor/commands/reboot', 'now')
  await op.publish('devices/sensor/commands/volume', '3', { qos: 2 })
  await op.publish('devices/sensor/commands/blink', 'lost', { qos: 0 })
  await op.say('lobby', 'hello sensor')
  await broker.restart()
  const back = await connect('sensor', { ...LASTING, roles: ['device'] })
  await back.inbox.wait(3)
  t.same([...back.lines].sort(), [
    'devices/sensor/commands/reboot now',
    'devices/sensor/commands/volume 3',
    'rooms/lobby/text hello sensor',
  ])
  t.same(
    back.heard.filter(({ topic }) => topic.startsWith('devices')).map(({ payload }) => textOf(payload)),
    ['now', '3'],
    'in order',
  )
  const other = await connect('other', { roles: ['device'] })
  t.same(await other.subscribe('devices/sensor/#'), [0x80])
  t.equal(code(await other.refused('devices/sensor/commands/reboot', 'now')), 'forbidden')
  await back.publish('devices/sensor/temperature', '', { retain: true })
  const watcher = await connect('op2', { roles: ['operator'] })
  await watcher.subscribe('devices/#')
  await back.publish('devices/sensor/marker', 'marker')
  await watcher.hears('marker')
  t.same(watcher.lines, ['devices/sensor/marker marker'])
})
