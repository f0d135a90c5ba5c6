/** Sessions of a user on several nodes, as the user sees them on any. */
import { once } from 'node:events'
import t from 'tap'
import { stillClock } from '../helpers/clock.js'
import { EventReader } from '../helpers/event-reader.js'
import { startNodes } from '../helpers/nodes.js'
import { Person } from '../helpers/people.js'

const KEPT = { clean: false } as const

t.test('sessions are listed and ended on any node', async (t) => {
  stillClock(t)
  const { one, two, store } = await startNodes(t)
  const phone = await Person.connect(t, one.broker, 'ann', { clientId: 'phone', ...KEPT })
  const brief = await Person.connect(t, one.broker, 'ann', { clientId: 'brief' })
  const away = await Person.connect(t, one.broker, 'ann', { clientId: 'away', ...KEPT })
  await away.leave()
  const desk = await Person.connect(t, two.broker, 'ann', { clientId: 'desk' })
  const listed = async (): Promise<unknown[]> => {
    const { sessions } = await desk.get('sessions.list')
    return sessions.map(({ session, connected, via }: Record<string, unknown>) => [session, connected, via])
  }
  t.same(await listed(), [
    ['away', false, null],
    ['brief', true, null],
    ['desk', true, 'mqtt'],
    ['phone', true, null],
  ])
  const { sessions } = await desk.get('sessions.list')
  for (const { since, connected, lastSeen } of sessions)
    t.match([since, lastSeen], [Number, connected ? null : Number], 'since when')
  for (const [session, person] of [
    ['phone', phone],
    ['brief', brief],
  ] as const) {
    const gone = person.gone()
    await desk.get('sessions.end', { session })
    await gone
  }
  await desk.get('sessions.end', { session: 'away' })
  while ((await store.sessions.ofUser('ann')).length > 0) await new Promise((resolve) => setImmediate(resolve))
  t.same(await listed(), [['desk', true, 'mqtt']])
  t.equal(await desk.fails('sessions.end', { session: 'brief' }), 'not_found session')
})

t.test('all others are ended on any node', async (t) => {
  stillClock(t)
  const { one, two, store } = await startNodes(t)
  const phone = await Person.connect(t, one.broker, 'ann', { clientId: 'phone', ...KEPT })
  const brief = await Person.connect(t, one.broker, 'ann', { clientId: 'brief' })
  const desk = await Person.connect(t, two.broker, 'ann', { clientId: 'desk' })
  const stream = await EventReader.open(t, one.broker, '/v1/events', { as: 'ann' })
  const ends = Promise.all([phone.gone(), brief.gone(), once(stream.response, 'close')])
  await desk.get('sessions.endOthers')
  await ends
  while ((await store.sessions.ofUser('ann')).length > 0) await new Promise((resolve) => setImmediate(resolve))
  t.match(await desk.get('sessions.list'), { sessions: [{ session: 'desk' }] })
})

t.test('connected sessions of a user count on all nodes together', async (t) => {
  const { one, two } = await startNodes(t, { limits: { liveSessionsPerUser: 2 } })
  await Person.connect(t, one.broker, 'ann', { clientId: 'a' })
  const second = await Person.connect(t, two.broker, 'ann', { clientId: 'b' })
  for (const { broker } of [one, two])
    await t.rejects(Person.connect(t, broker, 'ann', { clientId: 'c' }), /Server unavailable/)
  await Person.connect(t, one.broker, 'bob')
  await second.leave()
  await Person.connect(t, one.broker, 'ann', { clientId: 'c' })
  await t.rejects(Person.connect(t, two.broker, 'ann', { clientId: 'd' }), /Server unavailable/)
})

t.test('who loses a membership loses its filters in all sessions, whichever node serves them', async (t) => {
  const { one, two, store } = await startNodes(t)
  const bob = await Person.connect(t, two.broker, 'bob')
  await bob.get('rooms.create', { room: 'den', access: 'public' })
  const phone = await Person.connect(t, one.broker, 'ann', { clientId: 'phone', ...KEPT })
  const desk = await Person.connect(t, two.broker, 'ann', { clientId: 'desk', ...KEPT })
  const away = await Person.connect(t, two.broker, 'ann', { clientId: 'away', ...KEPT })
  for (const person of [phone, desk, away]) await person.subscribe(['rooms/den/messages', 'rooms/+/messages'])
  await away.leave()
  await bob.get('rooms.remove', { room: 'den', user: 'ann' })
  for (const id of ['phone', 'desk', 'away'].map((client) => `ann/${client}`)) {
    const filters = async () => (await store.sessions.load(id))!.subscriptions.map(({ topic }) => topic)
    while ((await filters()).length > 1) await new Promise((resolve) => setImmediate(resolve))
    t.same(await filters(), ['rooms/+/messages'], id)
  }
})

t.test('what a node forgets late is not what the user subscribed to since on another one', async (t) => {
  const { one, two, store } = await startNodes(t)
  const bob = await Person.connect(t, two.broker, 'bob')
  await bob.get('rooms.create', { room: 'den', access: 'public' })
  const phone = await Person.connect(t, two.broker, 'ann', { clientId: 'phone', ...KEPT })
  await phone.subscribe('rooms/den/messages')
  await phone.leave()
  one.holdWrites()
  await bob.get('rooms.remove', { room: 'den', user: 'ann' })
  while ((await store.sessions.load('ann/phone'))!.subscriptions.length > 0)
    await new Promise((resolve) => setImmediate(resolve))
  await (await Person.connect(t, two.broker, 'ann', { clientId: 'mate' })).get('rooms.join', { room: 'den' })
  const again = await Person.connect(t, two.broker, 'ann', { clientId: 'phone', ...KEPT })
  await again.subscribe('rooms/den/messages')
  await again.leave()
  await one.write()
  await (await Person.connect(t, one.broker, 'bob', { clientId: 'desk' })).get('rooms.list')
  const { subscriptions } = (await store.sessions.load('ann/phone'))!
  t.same(
    subscriptions.map(({ topic }) => topic),
    ['rooms/den/messages'],
  )
})
