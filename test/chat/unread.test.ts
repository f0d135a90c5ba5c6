/** What someone has not read, and where they are mentioned: by formula, whatever happened meanwhile. */
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { openDen } from '../helpers/den.js'
import { Person } from '../helpers/people.js'

async function people<N extends string>(t: Test, names: N[], overrides: Overrides = {}) {
  const broker = await startTestBroker(t, overrides)
  const entries = await Promise.all(names.map(async (name) => [name, await Person.connect(t, broker, name)] as const))
  return { broker, ...(Object.fromEntries(entries) as Record<N, Person>) }
}

/** `{read, unread, mentions}` of one room. */
async function counts(person: Person, room = 'den') {
  const { read, unread, mentions, atLeast } = (await person.get('unread', { room })).rooms[0]
  return { read, unread, mentions, ...(atLeast ? { atLeast } : {}) }
}

t.test('unread are the messages of others since the last one read', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'den' })
  await alice.say('den', 'before bob came')
  await bob.get('rooms.join', { room: 'den' })
  t.same(await counts(bob), { read: 1, unread: 0, mentions: 0 })
  const steps: [string, Person, object, number][] = [
    ['a message', alice, { text: '2' }, 1],
    ['another', alice, { text: '3', replyTo: 2 }, 2],
    ['one’s own', bob, { text: '4' }, 2],
    ['a reply in a thread', alice, { text: '5', thread: 2 }, 2],
    ['what looks like one', alice, { type: 'custom', data: { thread: 7, note: '"thread":' } }, 3],
    ['an edit', alice, { type: 'edit', target: 2, text: '2b' }, 3],
    ['a reaction', alice, { type: 'reaction', target: 4, data: { emoji: '👍' } }, 3],
    ['a pin', alice, { type: 'pin', target: 2 }, 3],
    ['the deletion of one', alice, { type: 'delete', target: 3 }, 2],
  ]
  for (const [name, who, message, unread] of steps) {
    const reply = await who.send('rooms/den/messages', message)
    t.ok(reply.ok, name)
    t.match(await counts(bob), { read: 1, unread }, name)
  }
  t.equal((await counts(alice)).unread, 1, 'for everyone by themselves')
  await bob.get('read', { room: 'den', seq: 5, private: true })
  t.same(await counts(bob), { read: 5, unread: 1, mentions: 0 }, 'read in private is read')
  await broker.restart()
  const again = await Person.connect(t, broker, 'bob')
  t.same(await counts(again), { read: 5, unread: 1, mentions: 0 })
  await again.get('read', { room: 'den', seq: 10 })
  t.same(await counts(again), { read: 10, unread: 0, mentions: 0 })
})

t.test('mentions are of the user, or of the room, as the messages are now', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await openDen(alice, bob, carol)
  const steps: [string, Person, object, number][] = [
    ['none', alice, { text: '1' }, 0],
    ['of someone else', alice, { text: '2', mentions: ['@carol'] }, 0],
    ['of the user', carol, { text: '3', mentions: ['@carol', '@bob'] }, 1],
    ['of the room', alice, { text: '4', mentions: ['@room'] }, 2],
    ['of oneself', bob, { text: '5', mentions: ['@bob'] }, 2],
    ['of both', alice, { text: '6', mentions: ['@room', '@bob'] }, 3],
    ['in a thread', alice, { text: '7', thread: 1, mentions: ['@bob'] }, 4],
    ['by an edit', alice, { type: 'edit', target: 1, text: '1b', mentions: ['@bob'] }, 5],
    ['taken back by an edit', alice, { type: 'edit', target: 6, text: '6b' }, 4],
    ['gone with the message', carol, { type: 'delete', target: 3 }, 3],
  ]
  for (const [name, who, message, mentions] of steps) {
    const reply = await who.send('rooms/den/messages', message)
    t.ok(reply.ok, name)
    t.equal((await counts(bob)).mentions, mentions, name)
  }
  await bob.get('read', { room: 'den', seq: 4 })
  t.match(await counts(bob), { read: 4, mentions: 1 })
  t.equal((await counts(alice)).mentions, 0)
})

t.test('what was read can be marked as unread, for oneself alone, until it is read again', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  const phone = await Person.connect(t, broker, 'bob', { clientId: 'phone' })
  await phone.subscribe('users/bob/events')
  await alice.subscribe('rooms/den/receipts')
  for (const text of ['1', '2', '3', '4', '5']) await alice.say('den', text)
  await bob.get('read', { room: 'den', seq: 4 })
  await alice.on('rooms/den/receipts', 1)
  const marked = { room: 'den', head: 5, read: 1, unread: 4, mentions: 0, notify: 4 }
  t.same(await bob.get('markUnread', { room: 'den', seq: 2 }), marked)
  t.match(await phone.on('users/bob/events', 1), [{ type: 'settings', room: 'den', unreadFrom: 2 }])
  t.match((await bob.get('sync')).rooms, [{ read: 1, unread: 4, info: { mine: { unreadFrom: 2 } } }])
  t.match((await alice.get('receipts', { room: 'den' })).receipts, [{ user: 'bob', read: 4 }], 'receipts stay')
  await bob.get('rooms.settings', { room: 'den', pinned: true })
  await broker.restart()
  const [again, other] = [await Person.connect(t, broker, 'bob'), await Person.connect(t, broker, 'alice')]
  await again.subscribe('users/bob/events')
  t.same((await again.get('unread')).rooms, [marked])
  await again.get('read', { room: 'den', seq: 1 })
  t.same(await counts(again), { read: 1, unread: 4, mentions: 0 }, 'what is before it changes nothing')
  await again.get('read', { room: 'den', seq: 3 })
  t.same(await counts(again), { read: 3, unread: 2, mentions: 0 }, 'step by step')
  await again.publish('rooms/den/receipts', { read: 4, private: true })
  t.match(await again.on('users/bob/events', 2), [{ unreadFrom: 4 }, { unreadFrom: null, pinned: true }])
  t.same(await counts(again), { read: 4, unread: 1, mentions: 0 })
  t.match((await other.get('receipts', { room: 'den' })).receipts, [{ user: 'bob', read: 4 }])
  t.equal(alice.inbox.json('rooms/den/receipts').length, 1, 'others heard of one reading')
  await again.get('markUnread', { room: 'den', seq: 5 })
  t.same(await counts(again), { read: 4, unread: 1, mentions: 0 }, 'what is unread stays so')
  t.equal(await again.fails('markUnread', { room: 'den', seq: 6 }), 'bad_request seq')
})

t.test('a thread has its own unread replies, and its own place', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  const phone = await Person.connect(t, broker, 'bob', { clientId: 'phone' })
  const topic = 'rooms/den/receipts'
  for (const person of [phone, alice]) await person.subscribe(topic)
  const inThread = async (person: Person, thread: number) => {
    const { read, unread, mentions } = (await person.get('unread', { room: 'den', thread })).rooms[0]
    return { read, unread, mentions }
  }
  for (const text of ['1', '2']) await alice.say('den', text)
  const reply = (who: Person, thread: number, more = {}) => who.say('den', { text: 'r', thread, ...more })
  await reply(alice, 1)
  await reply(alice, 1, { mentions: ['@bob'] })
  await reply(bob, 1)
  await reply(alice, 2)
  t.same(await inThread(bob, 1), { read: 0, unread: 2, mentions: 1 })
  t.same(await inThread(bob, 2), { read: 0, unread: 1, mentions: 0 })
  t.same(await inThread(alice, 1), { read: 0, unread: 1, mentions: 0 })
  t.same(await bob.get('read', { room: 'den', seq: 3, thread: 1 }), { read: 3, delivered: 0 })
  t.match(await phone.on(topic, 1), [{ user: 'bob', thread: 1, read: 3, private: true }])
  t.same(await inThread(bob, 1), { read: 3, unread: 1, mentions: 1 })
  t.same(await inThread(bob, 2), { read: 0, unread: 1, mentions: 0 }, 'each by itself')
  t.match(await counts(bob), { read: 0, unread: 2 }, 'the room is not read by it')
  await bob.get('read', { room: 'den', seq: 1, thread: 1 })
  await bob.get('read', { room: 'den', seq: 6 })
  await alice.on(topic, 1)
  t.same(await inThread(bob, 2), { read: 6, unread: 0, mentions: 0 }, 'where nothing is known it goes by the room')
  t.same(await inThread(bob, 1), { read: 3, unread: 1, mentions: 1 }, 'it never goes back')
  await alice.say('den', { type: 'delete', target: 4 })
  t.same(await inThread(bob, 1), { read: 3, unread: 0, mentions: 0 }, 'what is gone does not count')
  await bob.publish(topic, { read: 5, thread: 1 })
  await reply(alice, 1)
  await phone.inbox.wait(1, ({ payload }) => payload.includes('"read":5,"thread":1'))
  await broker.restart()
  const again = await Person.connect(t, broker, 'bob')
  t.same(await inThread(again, 1), { read: 5, unread: 1, mentions: 0 })
  t.same(
    alice.inbox.json(topic).filter(({ thread }) => thread !== undefined),
    [],
    'nobody else is told',
  )
  t.equal(await again.fails('read', { room: 'den', seq: 1, thread: 9 }), 'bad_request thread')
  t.equal(await again.fails('unread', { thread: 1 }), 'bad_request room')
  const { error } = await again.refused(topic, { delivered: 1, thread: 1 })
  t.equal(error.field, 'thread')
})

t.test('places in many threads are kept of those read furthest', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'], { limits: { rates: 'off' } })
  await openDen(alice, bob)
  await Promise.all(Array.from({ length: 101 }, (_, i) => alice.say('den', String(i))))
  for (let thread = 1; thread <= 101; thread++) await bob.get('read', { room: 'den', seq: thread, thread })
  const placeIn = async (thread: number) => (await bob.get('unread', { room: 'den', thread })).rooms[0].read
  t.same([await placeIn(1), await placeIn(2), await placeIn(101)], [0, 2, 101])
})

t.test('what was said to another of the same name is not counted', async (t) => {
  const { broker, alice } = await people(t, ['alice', 'bob'])
  for (const text of ['1', '2']) await alice.tell('bob', text)
  await callAdmin(broker.dataDir, 'user.remove', { name: 'bob' })
  const bob = await Person.connect(t, broker, 'bob', { clientId: 'anew' })
  await alice.tell('bob', '3')
  t.match(await bob.get('markUnread', { room: '@alice', seq: 1 }), { head: 3, read: 2, unread: 1 })
})

t.test('what expired is neither unread nor a mention', async (t) => {
  const clock = movableClock(t)
  const { alice, bob } = await people(t, ['alice', 'bob'], { listen: { connectTimeout: '1d' } })
  await openDen(alice, bob)
  await alice.say('den', { text: 'short', ttl: 10, mentions: ['@bob'] })
  await alice.say('den', { text: 'long', mentions: ['@bob'] })
  t.same(await counts(bob), { read: 0, unread: 2, mentions: 2 })
  clock.forward(11)
  t.same(await counts(bob), { read: 0, unread: 1, mentions: 1 })
})

t.test('a mention is of the user whatever the case of the name', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  await alice.say('den', { text: 'you', mentions: ['@Bob'] })
  t.match(await counts(bob), { mentions: 1 })
})

t.test(
  'what is unread is counted however much of one’s own came after it, in rooms, threads and among mentions',
  async (t) => {
    const { alice, bob } = await people(t, ['alice', 'bob'], { limits: { rates: 'off' } })
    await openDen(alice, bob)
    await alice.say('den', 'root')
    const inThread = async () => (await bob.get('unread', { room: 'den', thread: 1 })).rooms[0]
    const large = 'x'.repeat(60_000)
    const all = (count: number, say: (i: number) => Promise<void>) =>
      Promise.all(Array.from({ length: count }, (_, i) => say(i)))
    await alice.say('den', { text: 'you', thread: 1, mentions: ['@bob'] })
    await all(19, () => alice.say('den', { text: large, thread: 1 }))
    await all(210, () => bob.say('den', { text: 'mine', thread: 1 }))
    await all(20, () => bob.say('den', large))
    t.match(await inThread(), { unread: 20, mentions: 1, atLeast: undefined })
    t.match(await counts(bob), { unread: 1, mentions: 1, atLeast: undefined })
    await all(120, () => alice.say('den', { text: 'on', thread: 1 }))
    t.match(await inThread(), { unread: 100, mentions: 1 }, 'a mention is counted behind more than are counted')
    await all(1100, () => alice.say('den', { text: 'she', mentions: ['@carol'] }))
    t.match(await counts(bob), { unread: 100, mentions: 1, atLeast: undefined })
  },
)

t.test('where more may be there than is looked at, counts say so', async (t) => {
  const limits = { unreadEntries: 10, unreadMentions: 4, unreadBytes: 65536 }
  const { alice, bob } = await people(t, ['alice', 'bob'], { limits })
  const count = async (room: string, thread?: number) =>
    (await bob.get('unread', { room, ...(thread === undefined ? {} : { thread }) })).rooms[0]
  for (const room of ['entries', 'bytes', 'mentions', 'thread']) {
    await alice.get('rooms.create', { room })
    await bob.get('rooms.join', { room })
    await alice.say(room, { text: 'one', mentions: ['@bob'] })
  }
  for (let i = 0; i < 10; i++) await bob.say('entries', 'mine')
  t.match(await count('entries'), { unread: 0, mentions: 1, atLeast: true })
  t.match(
    (await bob.get('sync')).rooms.find(({ room }: { room: string }) => room === 'entries'),
    { atLeast: true },
  )
  for (let i = 0; i < 2; i++) await bob.say('bytes', 'x'.repeat(40_000))
  t.match(await count('bytes'), { unread: 0, atLeast: true })
  for (let i = 0; i < 4; i++) await alice.say('mentions', { text: 'she', mentions: ['@carol'] })
  t.match(await count('mentions'), { unread: 5, mentions: 0, atLeast: true })
  await alice.say('thread', { text: 'reply', thread: 1 })
  for (let i = 0; i < 10; i++) await bob.say('thread', { text: 'mine', thread: 1 })
  t.match(await count('thread', 1), { unread: 0, mentions: 0, atLeast: true })
})

t.test('counts end at a hundred', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  const message = { text: 'x', mentions: ['@bob'] }
  const say = (count: number) => Promise.all(Array.from({ length: count }, () => alice.say('den', message)))
  await say(99)
  t.same(await counts(bob), { read: 0, unread: 99, mentions: 99 })
  await say(101)
  t.same(await counts(bob), { read: 0, unread: 100, mentions: 100 })
  await bob.get('read', { room: 'den', seq: 150 })
  t.same(await counts(bob), { read: 150, unread: 50, mentions: 50 })
})

t.test('all rooms of the user, in pages, and none of others', async (t) => {
  const { alice, bob, eve } = await people(t, ['alice', 'bob', 'eve'])
  await openDen(alice, bob)
  await bob.get('rooms.join', { room: 'lobby' })
  await alice.tell('bob', 'hi')
  await alice.say('den', 'hi')
  const all = [
    { room: 'den', head: 1, read: 0, unread: 1, mentions: 0, notify: 1 },
    { room: 'dm:alice:bob', head: 1, read: 0, unread: 1, mentions: 0, notify: 1 },
    { room: 'lobby', head: 0, read: 0, unread: 0, mentions: 0, notify: 0 },
  ]
  t.same(await bob.get('unread'), { rooms: all, more: false })
  t.same(await bob.get('unread', { limit: 2 }), { rooms: all.slice(0, 2), more: true })
  t.same(await bob.get('unread', { limit: 2, after: 'dm:alice:bob' }), { rooms: all.slice(2), more: false })
  t.same(await bob.get('unread', { room: '@alice' }), { rooms: [all[1]], more: false })
  t.same(await eve.get('unread'), { rooms: [], more: false })
  t.equal(await eve.fails('unread', { room: 'den' }), 'forbidden room')
  t.equal(await eve.fails('unread', { room: 'dm:alice:bob' }), 'not_found room')
  t.equal(await eve.fails('unread', { limit: 0 }), 'bad_request limit')
})
