/** Who has got and read what: receipts that only move on, live and asked for, and what acks say by themselves. */
import t, { type Test } from 'tap'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { openDen } from '../helpers/den.js'
import { Person, type PersonOptions } from '../helpers/people.js'

const code = ({ ok, error }: { ok: boolean; error?: { code: string; field?: string } }): string =>
  ok ? 'ok' : [error!.code, error!.field].filter(Boolean).join(' ')

async function people<N extends string>(t: Test, names: N[], overrides: Overrides = {}) {
  const broker = await startTestBroker(t, overrides)
  const connect = (user: string, options: PersonOptions = {}) => Person.connect(t, broker, user, options)
  const entries = await Promise.all(names.map(async (name) => [name, await connect(name)] as const))
  return { broker, connect, ...(Object.fromEntries(entries) as Record<N, Person>) }
}

const RECEIPTS = 'rooms/den/receipts'
const read = (person: Person, seq: number, more = {}) => person.publish(RECEIPTS, { read: seq, ...more })

/** Resolves with the receipts of a user as `person` heard them, once one passes. */
async function heard(person: Person, pass: (receipt: Record<string, unknown>) => boolean, topic = RECEIPTS) {
  await person.inbox.wait(1, (message) => message.topic === topic && pass(JSON.parse(message.payload.toString())))
  return person.inbox.json(topic)
}

t.test('a read receipt reaches the members who listen, once it is stored', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await openDen(alice, bob)
  await bob.subscribe('rooms/+/receipts')
  await carol.subscribe('rooms/+/receipts')
  for (const text of ['one', 'two', 'three']) await alice.say('den', text)
  await read(bob, 2)
  await heard(bob, ({ user }) => user === 'bob')
  await read(alice, 3)
  const all = await heard(bob, ({ user, read }) => user === 'alice' && read === 3)
  t.match(all, [
    { user: 'bob', read: 2, delivered: 2, ts: Number },
    { user: 'alice', read: 3, delivered: 3, ts: Number },
  ])
  t.ok(bob.heard.every(({ qos, retain }) => qos === 0 && !retain))
  t.match(await alice.get('receipts', { room: 'den' }), {
    receipts: [
      { user: 'alice', read: 3 },
      { user: 'bob', read: 2 },
    ],
    more: false,
  })
  t.same(carol.heard, [], 'who is no member hears nothing')
})

t.test('a receipt never goes back, nor beyond the head', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  for (const text of ['one', 'two', 'three']) await alice.say('den', text)
  await alice.subscribe(RECEIPTS)
  await read(bob, 2)
  await read(bob, 1)
  await bob.publish(RECEIPTS, { delivered: 1 })
  t.same(await bob.get('read', { room: 'den', seq: 1 }), { read: 2, delivered: 2 })
  t.equal(code(await bob.refused(RECEIPTS, { read: 4 })), 'bad_request read')
  t.equal(code(await bob.refused(RECEIPTS, { delivered: 4 })), 'bad_request delivered')
  t.equal(await bob.fails('read', { room: 'den', seq: 4 }), 'bad_request seq')
  t.same(await bob.get('read', { room: 'den', seq: 3 }), { read: 3, delivered: 3 })
  const told = await heard(alice, ({ read }) => read === 3)
  t.same(
    told.map(({ read }) => read),
    [2, 3],
  )
  await broker.restart()
  const again = await Person.connect(t, broker, 'bob')
  t.same(await again.get('read', { room: 'den', seq: 1 }), { read: 3, delivered: 3 }, 'nor after a restart')
  t.equal(code(await again.refused(RECEIPTS, { read: 4 })), 'bad_request read')
})

t.test('what is no receipt, or not of a member, is refused', async (t) => {
  const { alice, eve } = await people(t, ['alice', 'eve'])
  await alice.get('rooms.create', { room: 'den' })
  await alice.get('rooms.create', { room: 'private', access: 'private' })
  await alice.say('den', 'hi')
  for (const [payload, fault] of [
    ['yes', 'bad_request'],
    ['{}', 'bad_request read'],
    ['{"read":0}', 'bad_request read'],
    ['{"read":"1"}', 'bad_request read'],
    ['{"read":1,"user":"eve"}', 'bad_request user'],
    ['{"private":true}', 'bad_request read'],
  ] as const)
    t.equal(code(await alice.refused(RECEIPTS, payload)), fault, payload)
  t.equal(code(await eve.refused(RECEIPTS, { read: 1 })), 'forbidden room')
  t.equal(code(await eve.refused('rooms/private/receipts', { read: 1 })), 'not_found room')
  t.equal(code(await eve.refused('rooms/dm:alice:bob/receipts', { read: 1 })), 'not_found room')
  for (const method of ['read', 'receipts']) {
    t.equal(await eve.fails(method, { room: 'den', seq: 1 }), 'forbidden room')
    t.equal(await eve.fails(method, { room: 'private', seq: 1 }), 'not_found room')
    t.equal(await eve.fails(method, { room: '@alice', seq: 1 }), 'not_found room')
    t.equal(await alice.fails(method, { room: 'den', seq: -1 }), 'bad_request seq')
  }
})

t.test('an ack is a delivered receipt', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  await bob.subscribe(RECEIPTS)
  const phone = await connect('bob', { clientId: 'phone' })
  await phone.subscribe('rooms/+/messages')
  await alice.subscribe('rooms/+/messages', 0)
  for (let i = 1; i <= 20; i++) await alice.say('den', `message ${i}`)
  const told = await heard(bob, ({ delivered }) => delivered === 20)
  t.ok(told.length <= 3, `${told.length} receipts of 20 acks`)
  t.ok(told.every(({ user, read }) => user === 'bob' && read === 0))
  t.same(
    (await alice.get('receipts', { room: 'den' })).receipts.map(({ user }: { user: string }) => user),
    ['bob'],
    'QoS 0 has no acks',
  )
})

t.test('many receipts are told once a second', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  for (let i = 0; i < 50; i++) await alice.say('den', `message ${i}`)
  await alice.subscribe(RECEIPTS)
  for (let seq = 1; seq <= 50; seq++) await read(bob, seq)
  const told = await heard(alice, ({ read }) => read === 50)
  t.ok(told.length <= 4, `${told.length} of 50`)
  t.same(
    told.map(({ read }) => read).sort((a, b) => a - b),
    told.map(({ read }) => read),
    'ascending',
  )
})

t.test('private reading is known to oneself alone', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'], { receipts: { delivered: false } })
  await openDen(alice, bob)
  for (const text of ['one', 'two', 'three']) await alice.say('den', text)
  const phone = await connect('bob', { clientId: 'phone' })
  for (const person of [alice, phone]) await person.subscribe(RECEIPTS)
  await read(bob, 1)
  await heard(alice, ({ read }) => read === 1)
  await read(bob, 3, { private: true })
  t.match(await heard(phone, ({ read }) => read === 3), [{ read: 1 }, { user: 'bob', read: 3, private: true }])
  const shown = { receipts: [{ user: 'bob', read: 1 }] }
  t.match(await alice.get('receipts', { room: 'den' }), shown)
  t.match(await alice.get('receipts', { room: 'den', seq: 2 }), { receipts: [], read: 0, delivered: 0 })
  await read(bob, 2)
  await heard(alice, ({ read }) => read === 2)
  t.same(
    alice.inbox.json(RECEIPTS).map(({ read }) => read),
    [1, 2],
  )
  await broker.restart()
  const again = await Person.connect(t, broker, 'bob')
  t.same(await again.get('read', { room: 'den', seq: 1 }), { read: 3, delivered: 2 })
})

t.test('who has got and read a message, in pages', async (t) => {
  const names = ['alice', 'bob', 'carol', 'dave'] as const
  const all = await people(t, [...names])
  const { alice, bob, carol, dave } = all
  await openDen(alice, bob, carol, dave)
  for (const text of ['one', 'two']) await alice.say('den', text)
  await read(bob, 2)
  await carol.publish(RECEIPTS, { delivered: 2 })
  await read(dave, 1)
  const of2 = await alice.get('receipts', { room: 'den', seq: 2 })
  t.match(of2, {
    receipts: [
      { user: 'bob', read: 2 },
      { user: 'carol', read: 0, delivered: 2 },
    ],
    read: 1,
    delivered: 2,
  })
  t.match(await alice.get('receipts', { room: 'den', seq: 1, limit: 2 }), {
    receipts: [{ user: 'bob' }, { user: 'carol' }],
    read: 2,
    delivered: 3,
    more: true,
  })
  t.match(await alice.get('receipts', { room: 'den', seq: 1, limit: 2, after: 'carol' }), {
    receipts: [{ user: 'dave', read: 1 }],
    more: false,
  })
})

t.test('a direct conversation has receipts too', async (t) => {
  const { alice, bob, eve } = await people(t, ['alice', 'bob', 'eve'])
  const topic = 'rooms/dm:alice:bob/receipts'
  for (const person of [alice, eve]) await person.subscribe('rooms/+/receipts')
  await alice.tell('bob', 'hi')
  await bob.publish(topic, { read: 1 })
  t.match(await heard(alice, ({ read }) => read === 1, topic), [{ user: 'bob', read: 1, delivered: 1 }])
  t.match(await alice.get('receipts', { room: '@bob', seq: 1 }), { receipts: [{ user: 'bob' }], read: 1 })
  t.same(await alice.get('read', { room: '@bob', seq: 1 }), { read: 1, delivered: 1 })
  t.same(eve.heard, [])
})

t.test('whoever blocks the other neither tells nor hears how far they have come', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  const topic = 'rooms/dm:alice:bob/receipts'
  for (const person of [alice, bob]) await person.subscribe('rooms/+/receipts')
  await alice.tell('bob', 'hi')
  await alice.get('blocks.add', { user: 'bob' })
  await bob.publish(topic, { read: 1 })
  await heard(bob, ({ read }) => read === 1, topic)
  await alice.publish(topic, { read: 1 })
  await heard(alice, ({ user }) => user === 'alice', topic)
  for (const [person, name] of [
    [alice, 'alice'],
    [bob, 'bob'],
  ] as const) {
    const own = [{ user: name, read: 1 }]
    t.match(person.inbox.json(topic), own)
    t.equal(person.inbox.json(topic).length, 1)
    const room = 'dm:alice:bob'
    const { receipts } = await person.get('receipts', { room })
    t.match(receipts, own)
    t.equal(receipts.length, 1)
    const synced = (await person.get('sync')).rooms[0].receipts
    t.match(synced, own)
    t.equal(synced.length, 1)
  }
})

t.test('large rooms are told nothing live, and can be asked', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'], { receipts: { maxMembers: 1 } })
  await openDen(alice, bob)
  await bob.subscribe([RECEIPTS, 'rooms/den/messages'])
  await alice.subscribe([RECEIPTS, 'rooms/den/messages'])
  await alice.say('den', 'one')
  await bob.hears('one')
  await read(bob, 1)
  t.match(await heard(bob, ({ read }) => read === 1), [{ user: 'bob' }], 'only one’s own')
  t.match(await alice.get('receipts', { room: 'den' }), { receipts: [{ user: 'bob', read: 1, delivered: 1 }] })
  await alice.say('den', 'two')
  await alice.hears('two')
  t.same(alice.inbox.json(RECEIPTS), [])
})

t.test('receipts go with the membership', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  await alice.say('den', 'one')
  await read(bob, 1)
  await bob.get('rooms.leave', { room: 'den' })
  t.same((await alice.get('receipts', { room: 'den' })).receipts, [])
  await bob.get('rooms.join', { room: 'den' })
  t.same((await alice.get('receipts', { room: 'den' })).receipts, [])
  await read(alice, 1)
  await alice.get('rooms.delete', { room: 'den' })
  await alice.get('rooms.create', { room: 'den' })
  t.same(await shown(broker, alice), [])
  await broker.restart()
  t.same(await shown(broker, await Person.connect(t, broker, 'alice')), [])
})

async function shown(_broker: TestBroker, person: Person) {
  return (await person.get('receipts', { room: 'den' })).receipts
}
