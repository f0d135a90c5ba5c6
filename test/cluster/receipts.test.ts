/** Receipts of one user from several nodes: none is taken back, and each step is told once. */
import t, { type Test } from 'tap'
import { movableClock, ticked } from '../helpers/clock.js'
import { type SharedBroker, startNodes } from '../helpers/nodes.js'
import { Person } from '../helpers/people.js'

const TOPIC = 'rooms/den/receipts'

/** Ten messages that bob, connected to both nodes, has yet to read. */
async function unread(t: Test) {
  const clock = movableClock(t)
  const nodes = await startNodes(t, {
    rooms: { list: [{ id: 'den', access: 'public' }] },
    listen: { connectTimeout: '1d' },
  })
  const ann = await Person.connect(t, nodes.one.broker, 'ann')
  const first = await Person.connect(t, nodes.one.broker, 'bob', { clientId: 'first' })
  const second = await Person.connect(t, nodes.two.broker, 'bob', { clientId: 'second' })
  for (const person of [ann, first]) await person.get('rooms.join', { room: 'den' })
  await ann.subscribe(TOPIC)
  for (let i = 1; i <= 10; i++) await ann.say('den', `${i}`)
  await second.get('receipts', { room: 'den' })
  return { ...nodes, clock, ann, first, second }
}

function stored({ store }: Pick<SharedBroker, 'store'>) {
  const { read, delivered, threads } = store.receipts.get('den', 'bob') ?? {}
  return { read, delivered, threads }
}

async function reached(node: SharedBroker, what: object): Promise<void> {
  while (!Object.entries(what).every(([field, place]) => stored(node)[field as 'read'] === place))
    await new Promise((resolve) => setImmediate(resolve))
}

t.test('a place that another node has passed is not gone back to', async (t) => {
  const { one, two, clock, ann, first, second } = await unread(t)
  one.deafen()
  await second.publish(TOPIC, { read: 7 })
  await reached(two, { read: 7 })
  await first.publish(TOPIC, { read: 3 })
  await first.publish(TOPIC, { delivered: 9 })
  clock.forward(2)
  await ticked(one.broker)
  await reached(two, { delivered: 9 })
  t.match(stored(two), { read: 7, delivered: 9 })
  one.hear()
  t.match(stored(one), { read: 7, delivered: 9 })
  await first.publish(TOPIC, { read: 10 })
  clock.forward(2)
  await ann.inbox.wait(1, ({ payload }) => payload.includes('"read":10'))
  const told = ann.inbox.json(TOPIC).map(({ read, delivered }) => [read, delivered])
  const steps = [7, 10].map((read) => [read, Math.max(read, 9)])
  t.same(told, steps, 'each step once, and what comes late is not told any more')
})

t.test('the places of threads are kept, whichever node they were read on', async (t) => {
  const { one, two, first, second } = await unread(t)
  one.deafen()
  await second.get('read', { room: 'den', thread: 1, seq: 5 })
  while (!stored(two).threads) await new Promise((resolve) => setImmediate(resolve))
  await first.get('read', { room: 'den', thread: 2, seq: 6 })
  while (Object.keys(stored(two).threads ?? {}).length < 2) await new Promise((resolve) => setImmediate(resolve))
  t.same(stored(two).threads, { 1: 5, 2: 6 })
  one.hear()
})

t.test('what is stored of an ended membership does not come back', async (t) => {
  const { one, two, first, second } = await unread(t)
  one.deafen()
  await second.get('rooms.leave', { room: 'den' })
  await first.publish(TOPIC, { read: 5 })
  await first.publish('users/bob/requests/rooms.list', '{}')
  one.hear()
  await first.get('rooms.list', {})
  t.equal(two.store.receipts.get('den', 'bob'), undefined)
})
