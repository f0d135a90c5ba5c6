/** Slow mode over a restart, and on two nodes: the record of the last message is written with the message. */
import t, { type Test } from 'tap'
import { commit } from '../../broker/store/commit.js'
import { ROOM_DEFAULTS } from '../../broker/store/rooms.js'
import type { Store } from '../../broker/store/store.js'
import { startTestBroker } from '../helpers/broker.js'
import { stillClock } from '../helpers/clock.js'
import { write } from '../helpers/message-writer.js'
import { openStore, overtaken, raced } from '../helpers/node-pair.js'
import { Person } from '../helpers/people.js'

const ROOM = { id: 'tea', access: 'private' as const, direct: false, name: null, topic: null, avatar: null }
const SLOW = { ...ROOM, ...ROOM_DEFAULTS, slowMode: 60, createdBy: 'ann', createdAt: 1 }

const hi = { text: 'hi' }
const same = { text: 'hi', cid: 'c' }
const says = (user: string, message: object) => (store: Store) => write(store, user, message)

/** What bob's message comes to when something else happens on another node, and whose last messages are recorded then. */
const RACES: Record<string, [first: (store: Store) => Promise<unknown>, message: object, string, recorded: string[]]> =
  {
    'another message': [says('bob', hi), hi, 'rate_limited', ['bob']],
    'another message, with an id': [says('bob', hi), same, 'rate_limited', ['bob']],
    'the same message': [says('bob', same), same, 'entry 1', ['bob']],
    'another message of the same id': [says('bob', same), { ...same, text: 'ho' }, 'conflict', ['bob']],
    'a message of another': [says('cy', hi), hi, 'entry 2', ['bob', 'cy']],
    'a message of a moderator': [says('ann', hi), hi, 'entry 2', ['bob']],
    'a removal': [
      (store) => commit(store, { ops: store.directory.deleteMemberOps('tea', 'bob') }),
      hi,
      'not_found',
      [],
    ],
  }

async function open(t: Test): Promise<Store> {
  const store = await openStore(t, ['ann', 'bob', 'cy'])
  const { directory } = store
  const member = (user: string, role: 'owner' | 'member') =>
    directory.memberOp({ room: 'tea', user, role, since: 1, joined: { messages: 0, events: 0 } })
  const members = [member('ann', 'owner'), member('bob', 'member'), member('cy', 'member')]
  await commit(store, { ops: [directory.roomOp(SLOW), ...members] })
  return store
}

async function recorded(store: Store): Promise<string[]> {
  return (await store.tables.list('expiring', {})).map(([key]) => key.split('\0')[0]!)
}

for (const [what, [first, message, outcome, last]] of Object.entries(RACES))
  for (const [how, contend] of Object.entries({ 'heard of late': raced, overtaken }))
    t.test(`${what}: ${how}`, async (t) => {
      const store = await open(t)
      t.equal(await contend(store, first, says('bob', message)), outcome)
      t.same(await recorded(store), last)
    })

t.test('many at once are one; in a room without slow mode nothing is recorded', async (t) => {
  const store = await open(t)
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => write(store, 'bob', hi)))
  t.same(outcomes.sort(), ['entry 1', ...Array.from({ length: 7 }, () => 'rate_limited')])
  await commit(store, { ops: [store.directory.roomOp({ ...SLOW, slowMode: 0 })] })
  const before = store.counts.writes
  t.equal(await write(store, 'cy', hi), 'entry 2')
  t.same(await recorded(store), ['bob'])
  t.ok(store.counts.writes - before <= 2, 'the message, and the head of its log')
})

t.test('a restart does not forget who wrote a moment ago', async (t) => {
  const clock = stillClock(t)
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice', { keepalive: 0 })
  await alice.get('rooms.create', { room: 'plaza', slowMode: 3600 })
  const bob = await Person.connect(t, broker, 'bob', { keepalive: 0 })
  await bob.get('rooms.join', { room: 'plaza' })
  const first = await bob.send('rooms/plaza/messages', same)
  t.match(first, { ok: true })
  clock.forward(60)
  await broker.restart()
  const again = await Person.connect(t, broker, 'bob', { clientId: 'again', keepalive: 0 })
  t.match(await again.send('rooms/plaza/messages', hi), { error: { code: 'rate_limited', retryAfter: 3540 } })
  t.same(await again.send('rooms/plaza/messages', same), first, 'a retry is answered')
  clock.forward(3540)
  t.same(await again.send('rooms/plaza/messages', same), first, 'and does not count')
  t.match(await again.send('rooms/plaza/messages', hi), { ok: true })
  await broker.running.maintenance.sweep(Date.now() + 3_600_000)
  t.same(await broker.running.store.tables.list('expiring', {}), [])
})
