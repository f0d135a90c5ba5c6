/** Names: which an account and a room may have, and that a name is one whatever its case. */
import t from 'tap'
import { commit } from '../../broker/store/commit.js'
import { startTestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

t.test('nobody becomes what mentions call everyone, by any way in; an account that is there works', async (t) => {
  const broker = await startTestBroker(t)
  const register = (user: string) =>
    fetchFrom(broker, '/v1/auth/register', { method: 'POST', body: { user, password: 'secret-123' } })
  for (const user of ['room', 'Room', 'ROOM']) {
    t.match(await register(user), { status: 400 }, user)
    t.match(await fetchFrom(broker, '/v1/rooms', { as: user }), { status: 401 }, `${user}, by a token`)
  }
  const { store } = broker.running
  const record = { id: 'room', roles: [], passwordHash: null, createdAt: Date.now() }
  await commit(store, { ops: store.directory.userOps(record) })
  t.match(await fetchFrom(broker, '/v1/rooms', { as: 'room' }), { status: 200 })
})

t.test('a room is not made beside one whose id differs by case alone', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'], { rooms: { autoCreate: true } })
  await alice.get('rooms.create', { room: 'Tea' })
  t.equal(await bob.fails('rooms.create', { room: 'tea' }), 'conflict room')
  t.match(await bob.refused('rooms/TEA/messages', 'hi'), { error: { code: 'conflict' } })
  const { store } = broker.running
  await commit(store, { ops: [store.directory.roomOp({ ...store.directory.room('Tea')!, id: 'tea' })] })
  await broker.restart()
  t.ok(broker.running.store.directory.room('tea'), 'one that is there stays')
  const { store: reopened } = broker.running
  t.same([...reopened.directory.roomsLike('TEA')].sort(), ['Tea', 'tea'])
  const again = await Person.connect(t, broker, 'alice', { clientId: 'again' })
  await again.get('rooms.delete', { room: 'Tea' })
  t.equal(await again.fails('rooms.create', { room: 'TEA' }), 'conflict room')
})

t.test('everyone in the room is meant whatever the case', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'den' })
  await bob.get('rooms.join', { room: 'den' })
  t.match(await bob.send('rooms/den/messages', { text: 'all', mentions: ['@Room'] }), { error: { code: 'forbidden' } })
  t.match(await alice.send('rooms/den/messages', { text: 'all', mentions: ['@ROOM'] }), { ok: true })
  t.match((await bob.get('unread', { room: 'den' })).rooms, [{ mentions: 1 }])
})
