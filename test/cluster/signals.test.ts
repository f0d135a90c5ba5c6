/** Two nodes on one store: what is of the moment reaches who is connected to the other one, and nothing is answered twice. */
import t from 'tap'
import { TYPING_LASTS } from '../../schemas/message.js'
import { movableClock } from '../helpers/clock.js'
import { startNodes } from '../helpers/nodes.js'
import { Person } from '../helpers/people.js'

t.test('messages, typing and plain messages reach members on another node, once', async (t) => {
  const acl = { rules: [{ allow: 'all', who: 'any', topics: ['plain/#'] }] }
  const { one, two } = await startNodes(t, { acl })
  const ann = await Person.connect(t, one.broker, 'ann')
  const bob = await Person.connect(t, two.broker, 'bob')
  await ann.get('rooms.create', { room: 'den', access: 'public' })
  await bob.subscribe(['rooms/den/messages', 'rooms/den/typing', 'plain/x'])
  await ann.publish('rooms/den/typing', { typing: true })
  await ann.publish('plain/x', 'over there')
  await ann.say('den', 'hello')
  await bob.hears('hello')
  await bob.hears('over there')
  t.match(await bob.on('rooms/den/typing', 1), [{ user: 'ann', typing: true }])
  await ann.say('den', 'marker')
  await bob.hears('marker')
  t.same(
    bob.inbox.messages.map(({ topic }) => topic).sort(),
    ['plain/x', 'rooms/den/messages', 'rooms/den/messages', 'rooms/den/typing'],
    'each once',
  )
})

t.test('a reply is for the asking session, or else for the user’s sessions on all nodes', async (t) => {
  const { one, two } = await startNodes(t)
  const asking = await Person.connect(t, one.broker, 'ann', { clientId: 'asking' })
  const other = await Person.connect(t, two.broker, 'ann', { clientId: 'other' })
  await other.subscribe(['users/ann/replies', 'users/ann/signals'])
  await asking.client.publishAsync('users/ann/requests/rooms.list', '{"id":"deaf"}', { qos: 1 })
  await other.on('users/ann/replies', 1)
  await asking.get('rooms.list', {})
  await asking.publish('users/ann/signals', { behind: 'the replies' })
  await other.on('users/ann/signals', 1)
  const heardBy = (person: Person): unknown[] => person.replies.map(({ re }) => re)
  t.same(heardBy(other), ['deaf'], 'where the asking session does not listen, and nothing else')
  t.notOk(heardBy(asking).includes('deaf'), 'and once')
})

t.test('typing is counted over all nodes, and ends though the node it came from has ended', async (t) => {
  const clock = movableClock(t)
  const { one, two } = await startNodes(t, { rooms: { thinAbove: 3 }, listen: { connectTimeout: '1d' } })
  const ann = await Person.connect(t, one.broker, 'ann')
  const others = ['bob', 'cy', 'dan'].map((user) => Person.connect(t, two.broker, user))
  const [bob, cy, dan] = (await Promise.all(others)) as [Person, Person, Person]
  for (const room of ['nook', 'hall']) await ann.get('rooms.create', { room, access: 'public' })
  await bob.get('rooms.join', { room: 'nook' })
  for (const person of [bob, cy, dan]) await person.get('rooms.join', { room: 'hall' })
  for (const person of [ann, cy]) await person.subscribe('rooms/+/typing')
  for (const person of [ann, bob]) await person.publish('rooms/hall/typing', '')
  await bob.publish('rooms/nook/typing', '')
  for (const person of [ann, cy])
    await person.inbox.wait(1, ({ topic, payload }) => topic === 'rooms/hall/typing' && payload.includes('"typing":2'))
  two.kill()
  two.node.leave()
  clock.forward(TYPING_LASTS)
  await ann.inbox.wait(1, ({ payload }) => payload.includes('"typing":0'))
  t.match(await ann.on('rooms/nook/typing', 2), [
    { user: 'bob', typing: true },
    { user: 'bob', typing: false },
  ])
})
