/** A user is online while any node has a device of theirs; everybody hears of it once. */
import t, { type Test } from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { stillClock, ticked } from '../helpers/clock.js'
import { type SharedBroker, startNodes } from '../helpers/nodes.js'
import { Person } from '../helpers/people.js'
import { privateRoom } from '../helpers/rooms.js'

const SETTINGS = {
  presence: { offlineDelay: 10, restartGrace: 60 },
  listen: { connectTimeout: '1d' },
  node: { drain: { delay: 0, spread: 0 } },
}
const TOPIC = 'users/bob/presence'

/** Two nodes, each with somebody who watches bob. */
async function watched(t: Test) {
  const clock = stillClock(t)
  const nodes = await startNodes(t, SETTINGS)
  const [ann, cy] = [await Person.connect(t, nodes.one.broker, 'ann'), await Person.connect(t, nodes.two.broker, 'cy')]
  const bob = await Person.connect(t, nodes.one.broker, 'bob', { clientId: 'first' })
  await privateRoom('den', ann, bob, cy)
  for (const watcher of [ann, cy]) {
    await watcher.subscribe(TOPIC)
    await watcher.on(TOPIC, 1)
  }
  /** Time passes, and what is due then is done. */
  const pass = async (seconds: number, on: readonly SharedBroker[] = [nodes.one, nodes.two]): Promise<void> => {
    clock.forward(seconds)
    for (const { broker } of on) await ticked(broker)
  }
  return { ...nodes, pass, ann, cy, bob }
}

function device(t: Test, { broker }: SharedBroker, clientId: string): Promise<Person> {
  return Person.connect(t, broker, 'bob', { clientId })
}

/** What a watcher was told, as `state devices`. */
function heard(person: Person): string[] {
  return person.inbox.json(TOPIC).map(({ state, devices }) => `${state} ${devices}`)
}

/** Both watchers have heard this, and nothing else. */
async function told(t: Test, watchers: readonly Person[], expected: readonly string[], why: string): Promise<void> {
  for (const watcher of watchers) {
    await watcher.on(TOPIC, expected.length)
    t.same(heard(watcher), expected, `${watcher.user}: ${why}`)
  }
}

/** Resolves once a node has stored that bob has so many devices there. */
async function stored({ store }: SharedBroker, node: SharedBroker, count: number | undefined): Promise<void> {
  while (store.directory.presence.devices('bob').get(node.node.self)?.devices !== count)
    await new Promise((resolve) => setImmediate(resolve))
}

/** Resolves once nothing is stored of devices of a node. */
async function forgotten({ store }: SharedBroker, node: SharedBroker): Promise<void> {
  while ([...store.directory.presence.nodes()].includes(node.node.self))
    await new Promise((resolve) => setImmediate(resolve))
}

t.test(
  'devices count on all nodes; the last one that goes takes the user offline, after the delay, once',
  async (t) => {
    const { one, two, pass, ann, cy, bob } = await watched(t)
    const second = await device(t, two, 'second')
    await told(t, [ann, cy], ['online 1', 'online 2'], 'a device on the other node')
    await bob.leave()
    await told(t, [ann, cy], ['online 1', 'online 2', 'online 1'], 'one of them is gone')
    await stored(two, one, 0)
    await pass(11)
    await stored(two, one, undefined)
    await told(t, [ann, cy], ['online 1', 'online 2', 'online 1'], 'the other one is still there')
    await second.leave()
    await stored(one, two, 0)
    await pass(9)
    t.equal(heard(ann).length, 3, 'not before the delay is over')
    await pass(3)
    await told(t, [ann, cy], ['online 1', 'online 2', 'online 1', 'offline 0'], 'the last one')
    await device(t, one, 'third')
    await told(t, [ann, cy], ['online 1', 'online 2', 'online 1', 'offline 0', 'online 1'], 'and back')
  },
)

t.test('who moves to another node is not told of at all', async (t) => {
  const { one, two, pass, ann, cy, bob } = await watched(t)
  await bob.leave()
  await stored(two, one, 0)
  const there = await device(t, two, 'second')
  await stored(two, one, undefined)
  await pass(11)
  await there.publish(TOPIC, { status: 'moved' })
  await told(t, [ann, cy], ['online 1', 'online 1'], 'only of the status')
  t.match(ann.inbox.json(TOPIC)[1], { status: 'moved' })
})

t.test('connecting to both nodes at once, and leaving both at once, is told once', async (t) => {
  const { one, two, pass, ann, cy, bob } = await watched(t)
  await bob.leave()
  await stored(two, one, 0)
  await pass(11)
  await told(t, [ann, cy], ['online 1', 'offline 0'], 'before')
  const both = await Promise.all([device(t, one, 'x'), device(t, two, 'y')])
  await told(t, [ann, cy], ['online 1', 'offline 0', 'online 1', 'online 2'], 'one of them is the first')
  await Promise.all(both.map((person) => person.leave()))
  await stored(two, one, 0)
  await stored(one, two, 0)
  await pass(11)
  await ann.on(TOPIC, 6)
  t.equal(heard(ann).filter((one) => one === 'offline 0').length, 2)
  await device(t, one, 'z')
  await told(t, [ann, cy], [...heard(ann).slice(0, 6), 'online 1'], 'offline was told once')
})

t.test('a node that is gone: its users are offline after the grace, unless they are elsewhere', async (t) => {
  const { one, two, another, pass, cy } = await watched(t)
  const three = await another()
  const dan = await Person.connect(t, one.broker, 'dan', { clientId: 'dan' })
  await dan.get('contacts.request', { user: 'cy' })
  await cy.get('contacts.accept', { user: 'dan' })
  await cy.subscribe('users/dan/presence')
  await cy.on('users/dan/presence', 1)
  one.kill()
  one.node.leave()
  await device(t, three, 'second')
  await pass(59, [two, three])
  t.same(heard(cy), ['online 1'], 'nobody is told of before')
  t.equal(cy.inbox.json('users/dan/presence').length, 1)
  await pass(3, [two, three])
  await cy.on('users/dan/presence', 2)
  t.match(cy.inbox.json('users/dan/presence')[1], { state: 'offline', devices: 0 })
  await pass(60, [two, three])
  t.same(heard(cy), ['online 1'], 'who came back elsewhere was never away')
  await forgotten(two, one)
})

t.test('a node that starts, or leaves in order, makes nobody flap', async (t) => {
  const { one, two, another, pass, cy } = await watched(t)
  await another()
  await pass(61)
  await one.broker.running.drain()
  await stored(two, one, 0)
  const back = await device(t, two, 'first')
  await stored(two, one, undefined)
  await pass(61, [two])
  t.same(heard(cy), ['online 1'])
  await back.leave()
  await pass(11, [two])
  await cy.on(TOPIC, 2)
  t.same(heard(cy), ['online 1', 'offline 0'], 'who leaves is not waited for where they were before')
  one.node.leave()
  await pass(61, [two])
  await forgotten(two, one)
})

t.test('what was said of oneself stays, whichever node it was said to', async (t) => {
  const { one, two, pass, ann, cy, bob } = await watched(t)
  await bob.publish(TOPIC, { status: 'busy' })
  await ann.on(TOPIC, 2)
  const second = await device(t, two, 'second')
  for (const session of [bob, second]) await session.publish(TOPIC, { away: true })
  await cy.inbox.wait(1, ({ payload }) => payload.includes('"away"'))
  t.match(cy.inbox.json(TOPIC).at(-1), { state: 'away', status: 'busy', devices: 2 })
  await bob.leave()
  await second.leave()
  await stored(two, one, 0)
  await stored(one, two, 0)
  await pass(11)
  await ann.inbox.wait(1, ({ payload }) => payload.includes('offline'))
  const later = await Person.connect(t, one.broker, 'ann', { clientId: 'later' })
  await later.subscribe('users/+/presence')
  await later.on(TOPIC, 1)
  t.match(later.inbox.json(TOPIC)[0], { state: 'offline', status: 'busy', lastSeen: Number })
})

t.test('a single node stores no devices', async (t) => {
  const broker = await startTestBroker(t)
  const watcher = await Person.connect(t, broker, 'bob', { clientId: 'x' })
  await watcher.subscribe(TOPIC)
  await Person.connect(t, broker, 'bob', { clientId: 'y' })
  await watcher.inbox.wait(1, ({ payload }) => payload.includes('"devices":2'))
  t.same(await broker.running.store.tables.list('userDevices', {}), [])
})
