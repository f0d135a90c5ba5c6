/** What large rooms are spared, and how they say so. Large is here: more than two. */
import t, { type Test } from 'tap'
import { EventReader } from '../helpers/event-reader.js'
import { fetchFrom } from '../helpers/http.js'
import type { Person } from '../helpers/people.js'
import { people, privateRoom } from '../helpers/rooms.js'

const SMALL = { rooms: { thinAbove: 2 }, receipts: { maxMembers: 2 } }
const ALL = ['presence', 'typing', 'receipts']

/** alice's private room `hall`, with bob and carol; and `nook`, with bob alone. */
async function hall(t: Test) {
  const found = await people(t, ['alice', 'bob', 'carol'], SMALL)
  const { alice, bob, carol } = found
  await privateRoom('hall', alice, bob, carol)
  await privateRoom('nook', alice, bob)
  return found
}

/** Resolves with the result of a request once it passes: what acks say is looked at within a second. */
// biome-ignore lint/suspicious/noExplicitAny: a result is any JSON
async function once(person: Person, method: string, params: object, pass: (result: any) => boolean): Promise<any> {
  for (;;) {
    const result = await person.get(method, params)
    if (pass(result)) return result
  }
}

t.test('a room says what is thinned in it, wherever it is shown', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'], SMALL)
  await privateRoom('hall', alice, bob)
  await alice.subscribe('rooms/hall/info')
  t.match(await alice.on('rooms/hall/info', 1), [{ members: 2, thinned: [] }])
  t.match(await alice.get('rooms.get', { room: 'hall' }), { members: 2, thinned: [] })
  await alice.get('rooms.invite', { room: 'hall', user: 'carol' })
  await carol.get('rooms.join', { room: 'hall' })
  const large = { members: 3, thinned: ALL }
  await alice.inbox.wait(1, ({ payload }) => payload.includes('"members":3'))
  t.match(alice.inbox.json('rooms/hall/info').at(-1), large, 'live')
  t.match(await alice.get('rooms.get', { room: 'hall' }), large)
  t.match((await alice.get('rooms.list')).rooms, [large])
  t.match((await alice.get('sync')).rooms, [{ info: large }])
  t.match(await alice.get('receipts', { room: 'hall' }), { receipts: [], thinned: ALL })
  const page = { members: [{ user: 'alice' }, { user: 'bob' }], count: 3, thinned: ALL, more: true }
  t.match(await alice.get('rooms.members', { room: 'hall', limit: 2 }), page)
  await carol.get('rooms.leave', { room: 'hall' })
  t.match(await alice.get('rooms.get', { room: 'hall' }), { members: 2, thinned: [] }, 'and smaller again')
})

t.test('presence is not told for the sake of a large room', async (t) => {
  const { broker, alice, bob, carol } = await hall(t)
  t.same(await carol.subscribe('users/alice/presence'), [0x80])
  for (const person of [bob, carol]) await person.subscribe('users/+/presence')
  const stream = await EventReader.open(t, broker, '/v1/events?filter=users/%2B/presence', { as: 'carol' })
  await alice.publish('users/alice/presence', { status: 'here' })
  await bob.inbox.wait(1, ({ payload }) => payload.includes('here'))
  await carol.publish('users/carol/presence', { status: 'marker' })
  await carol.inbox.wait(1, ({ payload }) => payload.includes('marker'))
  await stream.until(() => stream.events.some(({ data }) => data.message?.status === 'marker'))
  t.notOk(
    carol.heard.some(({ topic }) => topic === 'users/alice/presence'),
    'nor to a wildcard',
  )
  t.notOk(bob.heard.some(({ topic }) => topic === 'users/carol/presence'))
  t.notOk(stream.events.some(({ data }) => data.message?.user === 'alice'))
})

t.test('typing is a number in a large room, and names in a small one', async (t) => {
  const { alice, bob, carol } = await hall(t)
  await carol.subscribe('rooms/+/typing')
  await alice.subscribe('rooms/+/typing')
  for (const person of [alice, bob]) await person.publish('rooms/hall/typing', '')
  await bob.publish('rooms/nook/typing', { typing: true })
  const [named] = await alice.on('rooms/nook/typing', 1)
  t.match(named, { user: 'bob', typing: true, ts: Number })
  const told = (count: number) => carol.inbox.wait(1, ({ payload }) => payload.includes(`{"typing":${count},`))
  await told(2)
  for (const person of [alice, bob]) await person.publish('rooms/hall/typing', { typing: false })
  await told(0)
  const counts = carol.inbox.json('rooms/hall/typing')
  t.ok(counts.length <= 4, `at most one a second: ${JSON.stringify(counts)}`)
  t.ok(
    counts.every((count) => Object.keys(count).join() === 'typing,ts'),
    'nobody is named',
  )
  t.equal(counts.at(-1).typing, 0)
})

t.test('receipts of a large room are counts, asked for', async (t) => {
  const { alice, bob, carol } = await hall(t)
  for (const person of [alice, bob, carol]) await person.subscribe(['rooms/hall/messages', 'rooms/hall/receipts'])
  await alice.say('hall', 'hello')
  for (const person of [alice, bob, carol]) await person.hears('hello')
  await bob.publish('rooms/hall/receipts', { read: 1 })
  await bob.on('rooms/hall/receipts', 1)
  const { read, delivered } = await once(
    alice,
    'receipts',
    { room: 'hall', seq: 1 },
    (counts) => counts.delivered === 3,
  )
  t.same([read, delivered], [1, 3])
  await carol.get('rooms.leave', { room: 'hall' })
  t.match(await alice.get('receipts', { room: 'hall', seq: 1 }), { read: 1, delivered: 2 })
  t.same(alice.inbox.json('rooms/hall/receipts'), [], 'nobody was told live')
  await alice.get('privacy.update', { readReceipts: 'nobody' })
  t.match(await bob.get('receipts', { room: 'hall', seq: 1 }), { read: 1, delivered: 1 }, 'who hides is not counted')
})

t.test('a room can be asked for by whoever may know of it', async (t) => {
  const { broker, alice, bob, carol } = await hall(t)
  await alice.get('rooms.create', { room: 'square', name: 'Square', slowMode: 5 })
  await alice.tell('bob', 'hi')
  const square = { id: 'square', name: 'Square', slowMode: 5, members: 1, thinned: [], head: null }
  const own = { ...square, head: 0, role: 'owner', mine: { pinned: false } }
  t.match(await alice.get('rooms.get', { room: 'square' }), own, 'its members are told how many messages there are')
  t.match(await carol.get('rooms.get', { room: 'square' }), { ...square, role: null, mine: null })
  t.match(await bob.get('rooms.get', { room: '@alice' }), { id: 'dm:alice:bob', direct: true, members: 2, head: 1 })
  t.equal(
    await carol.fails('rooms.get', { room: 'nook' }),
    'not_found room',
    'a private room is not there for strangers',
  )
  t.equal(await carol.fails('rooms.get', { room: 'dm:alice:bob' }), 'not_found room')
  t.equal(await carol.fails('rooms.get', { room: '@bob' }), 'not_found room', 'nor a conversation that has not begun')
  await alice.get('rooms.invite', { room: 'nook', user: 'carol' })
  t.match(await carol.get('rooms.get', { room: 'nook' }), { id: 'nook', role: null }, 'and is for who is invited')

  const first = await fetchFrom(broker, '/v1/rooms/square', { as: 'carol' })
  t.match(first.body, square)
  const headers = { 'if-none-match': first.headers.get('etag')! }
  t.equal((await fetchFrom(broker, '/v1/rooms/square', { as: 'carol', headers })).status, 304)
  await alice.get('rooms.update', { room: 'square', topic: 'new' })
  t.equal((await fetchFrom(broker, '/v1/rooms/square', { as: 'carol', headers })).status, 200)
})
