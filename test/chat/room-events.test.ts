/** What happened in a room, as a client reads it later. */
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

t.test('members read what happened in pages, as it was told', async (t) => {
  const broker = await startTestBroker(t)
  const connect = (user: string) => Person.connect(t, broker, user)
  const [alice, bob, carol] = await Promise.all([connect('alice'), connect('bob'), connect('carol')])
  await alice.get('rooms.create', { room: 'den' })
  await alice.subscribe('rooms/den/events')
  await bob.get('rooms.join', { room: 'den' })
  await alice.get('rooms.setRole', { room: 'den', user: 'bob', role: 'moderator' })
  await bob.get('rooms.leave', { room: 'den' })
  await bob.get('rooms.join', { room: 'den' })
  const live = await alice.on('rooms/den/events', 4)
  const { events, more } = await bob.get('rooms.events', { room: 'den' })
  t.same(
    events.map(({ type }: Json) => type),
    ['created', 'joined', 'role', 'left', 'joined'],
  )
  t.same(events.slice(1), live, 'the same bytes')
  t.equal(more, false)
  const page = await bob.get('rooms.events', { room: 'den', limit: 2 })
  t.same([page.events.map(({ seq }: Json) => seq), page.more, page.before], [[4, 5], true, 4])
  t.match(await bob.get('rooms.events', { room: 'den', limit: 2, before: 4 }), { events: [{ seq: 2 }, { seq: 3 }] })
  t.match(await bob.get('rooms.events', { room: 'den', limit: 2, after: 0 }), {
    events: [{ seq: 1 }, { seq: 2 }],
    after: 2,
  })
  const first = await fetchFrom(broker, '/v1/rooms/den/events?limit=3', { as: 'alice' })
  const next = /<(.*)>/.exec(first.headers.get('link')!)![1]!
  t.match(JSON.parse((await fetchFrom(broker, next, { as: 'alice' })).text), { events: [{ seq: 1 }, { seq: 2 }] })
  t.equal(await carol.fails('rooms.events', { room: 'den' }), 'forbidden room')
})

t.test('an update says what changed', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  await alice.get('rooms.create', { room: 'den', name: 'Den' })
  await alice.subscribe('rooms/den/events')
  await alice.get('rooms.update', { room: 'den', name: 'Den', topic: 'tea', slowMode: 5 })
  await alice.get('rooms.update', { room: 'den', policies: { links: 'deny' } })
  await alice.get('rooms.update', { room: 'den', policies: { links: 'deny' } })
  const events = await alice.on('rooms/den/events', 3)
  t.same(
    events.map(({ changed }: Json) => changed.sort()),
    [['slowMode', 'topic'], ['policies'], []],
  )
})

t.test('of a removed account the events are withheld', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((user) => Person.connect(t, broker, user)))
  await alice!.get('rooms.create', { room: 'den' })
  await bob!.get('rooms.join', { room: 'den' })
  await alice!.subscribe('rooms/den/events')
  await bob!.get('account.delete', { user: 'bob' })
  await alice!.inbox.wait(1, ({ payload }) => payload.includes('"left"'))
  while (JSON.stringify(await alice!.get('rooms.events', { room: 'den', before: 3 })).includes('bob'))
    await new Promise((resolve) => setImmediate(resolve))
  t.match(await alice!.get('rooms.events', { room: 'den' }), {
    events: [{ type: 'created' }, { seq: 2, gone: 'deleted' }],
  })
})
