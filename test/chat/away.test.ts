/** Being away, which each session says of itself, and statuses that end. */
import t, { type Test } from 'tap'
import type { Overrides } from '../helpers/broker.js'
import { serveHttp } from '../helpers/broker.js'
import { movableClock, ticked } from '../helpers/clock.js'
import { EventReader } from '../helpers/event-reader.js'
import { startNodes } from '../helpers/nodes.js'
import { Person } from '../helpers/people.js'
import { people, privateRoom } from '../helpers/rooms.js'

serveHttp()

const TOPIC = 'users/bob/presence'
const LONG: Overrides = { presence: { offlineDelay: 60 }, listen: { connectTimeout: '1d' } }

async function watched(t: Test, overrides: Overrides = LONG) {
  const all = await people(t, ['alice', 'bob'], overrides)
  await privateRoom('den', all.alice, all.bob)
  await all.alice.subscribe(TOPIC)
  const told = async (...states: string[]): Promise<void> => {
    const heard = await all.alice.on(TOPIC, states.length)
    t.same(
      heard.map(({ state, devices }) => `${state} ${devices}`),
      states,
    )
  }
  await told('online 1')
  return { ...all, told }
}

t.test('a user is away if all of their sessions are', async (t) => {
  const { connect, alice, bob, told } = await watched(t)
  const phone = await connect('bob', { clientId: 'phone' })
  await told('online 1', 'online 2')
  await bob.publish(TOPIC, { away: true })
  t.match((await alice.get('users.presence', { users: ['bob'] })).presences, [{ state: 'online' }])
  await phone.publish(TOPIC, { away: true })
  await told('online 1', 'online 2', 'away 2')
  await bob.publish(TOPIC, { away: true })
  await bob.publish(TOPIC, { away: false })
  await told('online 1', 'online 2', 'away 2', 'online 2')
  await bob.leave()
  const heard = await alice.inbox.wait(
    1,
    ({ payload }) => payload.includes('"away"') && payload.includes('"devices":1'),
  )
  t.equal(heard.length, 1, 'the one that is left is away')
  await connect('bob', { clientId: 'tablet' })
  await alice.inbox.wait(3, ({ payload }) => payload.includes('"online"') && payload.includes('"devices":2'))
  t.match((await alice.get('users.presence', { users: ['bob'] })).presences, [{ state: 'online', devices: 2 }])
})

t.test('who was away as a whole is still so when the connection is back, also after a restart', async (t) => {
  const { broker, connect, alice, bob, told } = await watched(t)
  await bob.publish(TOPIC, { away: true, status: 'lunch' })
  await told('online 1', 'away 1')
  await bob.vanish()
  const again = await connect('bob')
  await again.publish(TOPIC, { status: 'still at lunch' })
  await told('online 1', 'away 1', 'away 1')
  t.match(alice.inbox.json(TOPIC).at(-1), { status: 'still at lunch' })
  await broker.restart()
  const watcher = await connect('alice')
  const back = await connect('bob')
  await watcher.subscribe(TOPIC)
  t.match(await watcher.on(TOPIC, 1), [{ state: 'away', status: 'still at lunch', devices: 1 }])
  await back.publish(TOPIC, { away: false })
  t.match((await watcher.on(TOPIC, 2))[1], { state: 'online' })
})

t.test('who was offline in between is not away', async (t) => {
  const clock = movableClock(t)
  const { connect, bob, told } = await watched(t)
  await bob.publish(TOPIC, { away: true })
  await told('online 1', 'away 1')
  await bob.leave()
  clock.forward(60)
  await told('online 1', 'away 1', 'offline 0')
  await connect('bob')
  await told('online 1', 'away 1', 'offline 0', 'online 1')
})

t.test('event streams are away together', async (t) => {
  const { broker, alice, bob } = await watched(t)
  await EventReader.open(t, broker, '/v1/events?filter=rooms/den/messages', { as: 'bob' })
  await alice.inbox.wait(1, ({ payload }) => payload.includes('"devices":2'))
  await bob.publish(TOPIC, { away: true })
  const state = async () => (await alice.get('users.presence', { users: ['bob'] })).presences[0].state
  t.equal(await state(), 'online')
})

t.test('a session that comes and goes beside one that is away is told of so often', async (t) => {
  const { broker, connect, alice, bob } = await watched(t, { limits: { presencePerSecond: 1 } })
  await bob.publish(TOPIC, { away: true })
  await alice.on(TOPIC, 2)
  for (let i = 0; i < 30; i++) await (await connect('bob', { clientId: 'flicker' })).leave()
  await bob.publish(TOPIC, { status: 'the last' })
  await alice.inbox.wait(1, ({ payload }) => payload.includes('the last'))
  t.match(alice.inbox.json(TOPIC).at(-1), { state: 'away' })
  const told = alice.inbox.json(TOPIC).length
  t.ok(told < 40, `${told} of more than 60 changes`)
  t.ok(broker.running.counters.get('dropped.presence_rate') > 0)
})

t.test('on several nodes, too', async (t) => {
  movableClock(t)
  const { one, two } = await startNodes(t, LONG)
  const [ann, cy] = [await Person.connect(t, one.broker, 'ann'), await Person.connect(t, two.broker, 'cy')]
  const bob = await Person.connect(t, one.broker, 'bob', { clientId: 'first' })
  await privateRoom('den', ann, bob, cy)
  for (const watcher of [ann, cy]) await watcher.subscribe(TOPIC)
  const second = await Person.connect(t, two.broker, 'bob', { clientId: 'second' })
  const heard = async (text: string, times: number) => {
    for (const watcher of [ann, cy]) await watcher.inbox.wait(times, ({ payload }) => payload.includes(text))
  }
  await heard('"devices":2', 1)
  await second.publish(TOPIC, { away: true })
  t.match((await ann.get('users.presence', { users: ['bob'] })).presences, [{ state: 'online' }])
  await bob.publish(TOPIC, { away: true })
  await heard('"away"', 1)
  await second.publish(TOPIC, { away: false })
  await heard('"online"', 3)
  await second.leave()
  await heard('"away"', 2)
  t.match(cy.inbox.json(TOPIC).at(-1), { state: 'away', devices: 1 })
})

t.test('a status ends by itself', async (t) => {
  const clock = movableClock(t)
  const { broker, connect, alice, bob } = await watched(t)
  const statusUntil = Date.now() + 60_000
  await bob.publish(TOPIC, { status: 'in a meeting', statusEmoji: '❤', statusUntil })
  t.match((await alice.on(TOPIC, 2))[1], { status: 'in a meeting', statusEmoji: '❤️', statusUntil })
  clock.forward(61)
  const none = { status: null, statusEmoji: null, statusUntil: null, state: 'online' }
  t.match((await alice.on(TOPIC, 3))[2], none)
  await bob.publish(TOPIC, { statusEmoji: ':party:', statusUntil: Date.now() + 60_000 })
  t.match((await alice.on(TOPIC, 4))[3], { status: null, statusEmoji: ':party:' })
  await bob.publish(TOPIC, { status: 'for good' })
  t.match((await alice.on(TOPIC, 5))[4], { status: 'for good', statusEmoji: null, statusUntil: null }, 'as a whole')
  clock.forward(61)
  await ticked(broker)
  await bob.publish(TOPIC, { status: 'short', statusUntil: Date.now() + 60_000 })
  t.equal((await alice.on(TOPIC, 6))[5].status, 'short', 'nothing was told in between')
  await broker.restart()
  const watcher = await connect('alice')
  await watcher.subscribe(TOPIC)
  t.match(await watcher.on(TOPIC, 1), [{ status: 'short' }])
  clock.forward(61)
  t.match((await watcher.on(TOPIC, 2))[1], { status: null, statusUntil: null }, 'after a restart, too')
  for (const [given, field] of [
    [{ statusEmoji: 'not an emoji' }, 'statusEmoji'],
    [{ statusEmoji: '' }, 'statusEmoji'],
    [{ statusUntil: -1 }, 'statusUntil'],
    [{ statusUntil: 'soon' }, 'statusUntil'],
  ] as const)
    t.match(await watcher.refused('users/alice/presence', given), { error: { code: 'bad_request', field } })
})
