/** The persistence contract of Aedes, by its own suite, and what TopicTalk adds to it. */
import { createRequire } from 'node:module'
import type { Readable } from 'node:stream'
import t from 'tap'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import type { Persistence, WillPacket } from '../../broker/store/persistence.js'
import type { Store } from '../../broker/store/store.js'
import { type NodeTest, nodeTest } from '../helpers/node-test.js'
import { matching } from './store-queues-suite.js'

type AbstractSuite = (options: { test: NodeTest; testAsync: true; persistence: () => Promise<Persistence> }) => void

const abstractSuite: AbstractSuite = createRequire(import.meta.url)('aedes-persistence/abstract.js')
const limits = { queueMessages: 10_000, queueBytes: 10_000_000 }

function open(location: string | null, now = Date.now): Promise<Store> {
  return openLevelStore({ location, sync: false, limits, now })
}

/** The suite knows no store to close: its `destroy` does it here. */
async function standalone(location: string | null): Promise<Persistence> {
  const store = await open(location)
  const { persistence } = store
  const destroy = persistence.destroy.bind(persistence)
  persistence.destroy = async () => {
    await destroy()
    await store.close()
  }
  return persistence
}

t.test('the abstract suite, in memory', (t) => {
  abstractSuite({ test: nodeTest(t), testAsync: true, persistence: () => standalone(null) })
  t.end()
})

t.test('the abstract suite, on disk', (t) => {
  const directory = t.testdir()
  let opened = 0
  abstractSuite({ test: nodeTest(t), testAsync: true, persistence: () => standalone(`${directory}/${++opened}`) })
  t.end()
})

async function collect<T>(stream: Readable): Promise<T[]> {
  return (await stream.toArray()) as T[]
}

t.test('wills', async (t) => {
  const location = `${t.testdir()}/store`
  let now = 1000
  let store = await open(location, () => now)
  const will = (topic: string, due?: number): WillPacket => ({
    topic,
    payload: Buffer.from('gone'),
    qos: 1,
    retain: false,
    user: 'ann',
    roles: ['admin'],
    ...(due === undefined ? {} : { due }),
    properties: { correlationData: Buffer.from([0, 255]), userProperties: { a: 'b' } },
  })
  await store.persistence.setup({ id: 'dead' })
  await store.persistence.putWill({ id: 'ann/now' }, will('w/now'))
  await store.persistence.putWill({ id: 'ann/later' }, will('w/later', 5000))
  await store.persistence.putWill({ id: 'ann/later' }, will('w/replaced', 6000))
  await store.close()

  store = await open(location, () => now)
  t.teardown(() => store.close())
  const topics = async (brokers?: Record<string, number>): Promise<(string | undefined)[]> =>
    (await collect<WillPacket>(store.persistence.streamWill(brokers))).map(({ topic }) => topic)
  t.same(await topics(), ['w/now'], 'only what is due')
  t.same(await topics({ dead: 1 }), [], 'none of a broker that lives')
  now = 6000
  t.same(await topics({}), ['w/replaced', 'w/now'], 'one will per client id')
  t.same(
    await store.persistence.getWill({ id: 'ann/now' }),
    { ...will('w/now'), brokerId: 'dead', clientId: 'ann/now' },
    'all fields are kept, binary properties too',
  )
  await store.persistence.delWill({ id: 'ann/now' })
  t.same(await topics(), ['w/replaced'])
})

t.test('the contract and the store see the same data', async (t) => {
  const store = await open(null)
  t.teardown(() => store.close())
  const { persistence, queue, sessions } = store
  await persistence.setup({ id: 'b' })
  const client = { id: 'ann/phone' }
  await persistence.addSubscriptions(client, [
    { topic: 'plain/+', qos: 1 },
    { topic: 'rooms/+/messages', qos: 1 },
  ])
  t.same(await matching(store, 'plain/a'), { [client.id]: 1 })
  t.same(await matching(store, 'rooms/a/messages'), {}, 'rooms have cursors')
  t.same((await persistence.subscriptionsByClient(client)).length, 2)

  await persistence.storeRetained({ topic: 'plain/a', payload: Buffer.from('kept'), qos: 1, retain: true })
  t.same(await collectFrom(queue.retained(['plain/#'])), [
    { topic: 'plain/a', payload: Buffer.from('kept'), qos: 1, retain: true, clientId: null },
  ])

  await persistence.outgoingEnqueue({ clientId: client.id }, { topic: 'plain/a', payload: Buffer.from('x'), qos: 1 })
  t.same(queue.size(client.id), { messages: 1, bytes: 8 })
  const [queued] = await queue.read(client.id, 0, 10, 1000)
  t.match(queued, { message: { topic: 'plain/a', payload: Buffer.from('x') }, qos: 1 })

  await persistence.incomingStorePacket(client, { cmd: 'publish', topic: 'q2', payload: 'x', qos: 2, messageId: 7 })
  await sessions.writeLazily([
    sessions.recordOp({ id: client.id, user: 'ann', clientId: 'phone', createdAt: 1, disconnectedAt: 0, expiry: 60 }),
  ])
  t.same((await sessions.load(client.id))?.incoming, [7])
})

async function collectFrom<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
