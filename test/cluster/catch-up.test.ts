/** Two brokers on one Redis: what is done at one of them can be relied on at the other at once. */
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { Person } from '../helpers/people.js'
import { startRedis } from '../helpers/redis-server.js'

const ROUNDS = 50

async function twoNodes(t: Test): Promise<[TestBroker, TestBroker]> {
  const { url } = await startRedis(t, { aof: 'off' })
  const redis = { url, assume: ['appendonly', 'appendfsync'] }
  const shared = {
    store: { driver: 'redis', redis },
    auth: { jwt: { secret: 'one secret for all nodes, of 32 characters' } },
    limits: { rates: 'off' },
  }
  return [await startTestBroker(t, shared), await startTestBroker(t, shared)]
}

t.test('who joins a room at one node publishes at the other, subscribes there and reads there', async (t) => {
  const [one, two] = await twoNodes(t)
  const ann = await Person.connect(t, one, 'ann')
  const bob = await Person.connect(t, two, 'bob')
  await bob.ask('rooms.list')
  const { catchUps } = two.running.store.counts
  const outcomes: unknown[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const room = `room${i}`
    await ann.get('rooms.create', { room, access: 'public' })
    outcomes.push((await bob.send(`rooms/${room}/messages`, { text: 'at once' })).ok)
    await ann.say(room, 'back')
    outcomes.push((await ann.get('history', { room })).messages.length)
    await ann.get('rooms.create', { room: `${room}b`, access: 'public' })
    outcomes.push((await bob.subscribe(`rooms/${room}b/messages`))[0])
    outcomes.push((await ann.get('rooms.members', { room: `${room}b` })).members.length)
  }
  t.same(outcomes, Array.from({ length: ROUNDS }, () => [true, 2, 1, 2]).flat())
  t.ok(two.running.store.counts.catchUps - catchUps <= 2 * ROUNDS, 'once for a refused publish and a subscription')
})
