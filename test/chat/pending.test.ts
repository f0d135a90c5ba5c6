/** What is pending between a user and rooms: invitations and requests to join, as the user sees and ends them. */
import t, { type Test } from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

async function cast(t: Test) {
  const broker = await startTestBroker(t)
  const connect = (user: string) => Person.connect(t, broker, user)
  const [alice, bob, carol] = await Promise.all([connect('alice'), connect('bob'), connect('carol')])
  return { broker, alice: alice!, bob: bob!, carol: carol! }
}

const roomsOf = (list: Json[]) => list.map(({ room }) => room)

t.test('an invited user lists invitations with their rooms, page by page', async (t) => {
  const { alice, bob, carol } = await cast(t)
  for (const room of ['c', 'a', 'b']) {
    await alice.get('rooms.create', { room, access: 'private', name: `Room ${room}` })
    await alice.get('rooms.invite', { room, user: 'bob' })
  }
  const first = await bob.get('rooms.invited', { limit: 2 })
  t.match(first, {
    invitations: [
      { room: 'a', by: 'alice', info: { name: 'Room a', members: 1, role: null, head: null } },
      { room: 'b', by: 'alice' },
    ],
    more: true,
  })
  const second = await bob.get('rooms.invited', { limit: 2, after: 'b' })
  t.same([roomsOf(second.invitations), second.more], [['c'], false])
  t.same(await carol.get('rooms.invited'), { invitations: [], more: false }, 'only one’s own')
  await bob.get('rooms.join', { room: 'a' })
  await alice.get('rooms.remove', { room: 'b', user: 'bob' })
  await alice.get('rooms.delete', { room: 'c' })
  t.same(await bob.get('rooms.invited'), { invitations: [], more: false }, 'accepted, withdrawn, or without a room')
})

t.test('a long list of invitations is cut by bytes, and goes on', async (t) => {
  const broker = await startTestBroker(t, { limits: { replyBytes: 16_384, rates: 'off' } })
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((user) => Person.connect(t, broker, user)))
  const rooms = Array.from({ length: 30 }, (_, i) => `r${String(i).padStart(2, '0')}`)
  for (const room of rooms) {
    await alice!.get('rooms.create', { room, access: 'private', topic: 'x'.repeat(1000) })
    await alice!.get('rooms.invite', { room, user: 'bob' })
  }
  const seen: string[] = []
  for (let more = true; more; ) {
    const page: Json = await bob!.get('rooms.invited', seen.length > 0 ? { after: seen.at(-1) } : {})
    t.ok(Buffer.byteLength(JSON.stringify(page)) <= 16_384)
    seen.push(...roomsOf(page.invitations))
    more = page.more
  }
  t.same(seen, rooms)
})

t.test(
  'a declined invitation is over: the room and other devices are told, and the room is hidden again',
  async (t) => {
    const { broker, alice, bob } = await cast(t)
    await alice.get('rooms.create', { room: 'den', access: 'private' })
    await alice.get('rooms.invite', { room: 'den', user: 'bob' })
    await alice.subscribe('rooms/den/events')
    await bob.subscribe('users/bob/events')
    await bob.get('rooms.decline', { room: 'den' })
    t.match(await alice.on('rooms/den/events', 1), [{ type: 'declined', user: 'bob' }])
    t.match(await bob.on('users/bob/events', 1), [{ type: 'declined', room: 'den', by: 'bob' }])
    t.equal(await bob.fails('rooms.get', { room: 'den' }), 'not_found room')
    t.equal(await bob.fails('rooms.decline', { room: 'den' }), 'not_found room')
    await alice.get('rooms.invite', { room: 'den', user: 'bob' })
    const { status } = await fetchFrom(broker, '/v1/invitations/den', { method: 'DELETE', as: 'bob' })
    t.equal(status, 200, 'over HTTP too, and after another invitation')
    t.equal(await bob.fails('rooms.join', { room: 'den' }), 'not_found room')
  },
)

t.test('who asked to join lists that, and takes it back', async (t) => {
  const { alice, bob, carol } = await cast(t)
  for (const room of ['one', 'two']) await alice.get('rooms.create', { room, access: 'request' })
  await alice.subscribe('rooms/one/events')
  await bob.subscribe('users/bob/events')
  await bob.get('rooms.request', { room: 'one', message: 'please' })
  await bob.get('rooms.request', { room: 'two' })
  const { requests, more } = await bob.get('rooms.requested')
  t.match(requests, [
    { room: 'one', message: 'please', info: { access: 'request' } },
    { room: 'two', message: null },
  ])
  t.equal(more, false)
  t.same((await carol.get('rooms.requested')).requests, [])
  await bob.get('rooms.withdraw', { room: 'one' })
  t.match(await alice.on('rooms/one/events', 2), [{ type: 'requested' }, { type: 'withdrawn', user: 'bob' }])
  t.match(await bob.on('users/bob/events', 1), [{ type: 'withdrawn', room: 'one' }])
  t.same((await alice.get('rooms.requests', { room: 'one' })).requests, [])
  t.equal(await bob.fails('rooms.withdraw', { room: 'one' }), 'not_found room')
  t.equal(await alice.fails('rooms.approve', { room: 'one', user: 'bob' }), 'not_found user', 'it cannot be approved')
})

t.test('of a room that became private a request shows nothing, and can still be taken back', async (t) => {
  const { alice, bob } = await cast(t)
  await alice.get('rooms.create', { room: 'den', access: 'request' })
  await bob.get('rooms.request', { room: 'den' })
  await alice.get('rooms.update', { room: 'den', access: 'private', name: 'Secret' })
  t.match(await bob.get('rooms.requested'), { requests: [{ room: 'den', info: null }] })
  await bob.get('rooms.withdraw', { room: 'den' })
  t.equal(await bob.fails('rooms.withdraw', { room: 'den' }), 'not_found room')
  t.same((await bob.get('rooms.requested')).requests, [])
})
