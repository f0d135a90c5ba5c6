/**
 * What another node of the store does reaches those who are connected here, although no signal of it arrives: a second memory of the store acts,
 * and has nothing else in common with the broker.
 */
import t, { type Test } from 'tap'
import { commit } from '../../broker/store/commit.js'
import { serveHttp, type TestBroker } from '../helpers/broker.js'
import { EventReader } from '../helpers/event-reader.js'
import { actorOf } from '../helpers/node-pair.js'
import { roomsOn } from '../helpers/other-node.js'
import { people } from '../helpers/rooms.js'
import { secondMemory } from '../helpers/two-memories.js'

serveHttp()

/** The rooms as the other node serves them. */
async function beside({ running }: TestBroker) {
  return roomsOn((await secondMemory(running.store)).store)
}

/** A room of alice with bob, who listens to all of it as a session, a share group and an event stream. */
async function tea(t: Test) {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  const other = await beside(broker)
  await alice.get('rooms.create', { room: 'tea' })
  await bob.get('rooms.join', { room: 'tea' })
  await bob.subscribe(['rooms/+/messages', 'rooms/+/events', 'users/bob/events'])
  const group = await connect('bob', { clientId: 'group' })
  await group.subscribe('$share/desk/rooms/+/messages')
  const stream = await EventReader.open(t, broker, '/v1/events?filter=rooms/%2B/messages', { as: 'bob' })
  return { broker, connect, other, alice, bob, group, stream }
}

for (const [act, out] of Object.entries({
  'leaves a room': ({ members }) => members.leave(actorOf('bob'), 'tea'),
  'is removed': ({ members }) => members.removeMember(actorOf('alice'), 'tea', 'bob'),
  'is banned': ({ sanctions }) => sanctions.ban(actorOf('alice'), 'tea', 'bob'),
} as Record<string, (other: Awaited<ReturnType<typeof beside>>) => Promise<unknown>>))
  t.test(`who ${act} on another node gets nothing more of it here`, async (t) => {
    const { other, alice, bob, group, stream } = await tea(t)
    await alice.say('tea', 'before')
    await Promise.all([bob.hears('before'), group.hears('before'), stream.texts(1)])
    await out(other)
    await alice.say('tea', 'after')
    await alice.get('rooms.create', { room: 'den' })
    await bob.get('rooms.join', { room: 'den' })
    await alice.say('den', 'end')
    await Promise.all([bob.hears('end'), group.hears('end')])
    t.same(await stream.texts(2), ['before', 'end'])
    for (const { lines } of [bob, group])
      t.same(
        lines.filter((line) => line.includes('/messages')),
        ['rooms/tea/messages before', 'rooms/den/messages end'],
      )
  })

t.test('who joins a room on another node follows it here, from the join on', async (t) => {
  const { other, alice, bob, group, stream } = await tea(t)
  await alice.get('rooms.create', { room: 'den' })
  await alice.say('den', 'before')
  await other.members.join(actorOf('bob'), 'den')
  await alice.say('den', 'after')
  await Promise.all([bob.hears('after'), group.hears('after')])
  t.same(await stream.texts(1), ['after'])
  t.same(
    bob.lines.filter((line) => line.includes('/messages')),
    ['rooms/den/messages after'],
  )
})

t.test('a room that is deleted on another node says so last', async (t) => {
  const { other, bob } = await tea(t)
  await other.rooms.remove(actorOf('alice'), 'tea')
  const told = await bob.on('rooms/tea/events', 1)
  t.match(told.at(-1), { type: 'deleted', by: 'alice' })
  await bob.on('users/bob/events', 1)
})

t.test('the info of a room follows what another node does', async (t) => {
  const { other, alice } = await tea(t)
  await alice.subscribe('rooms/tea/info')
  await alice.on('rooms/tea/info', 1)
  await other.rooms.update(actorOf('alice'), 'tea', { topic: 'leaves' })
  t.match((await alice.on('rooms/tea/info', 2))[1], { topic: 'leaves', members: 2 })
  await other.members.leave(actorOf('bob'), 'tea')
  t.match((await alice.on('rooms/tea/info', 3))[2], { members: 1 })
})

t.test('a channel that another node makes is followed from its first announcement', async (t) => {
  const { other, bob, connect } = await tea(t)
  const live = await connect('bob', { clientId: 'live' })
  await bob.subscribe('broadcast/#')
  await live.subscribe('broadcast/+', 0)
  const { store } = other
  await commit(store, { ops: [store.directory.channelOp('news')] })
  const herald = await connect('herald', { roles: ['publisher'] })
  await herald.publish('broadcast/news', 'first')
  await Promise.all([bob.hears('first'), live.hears('first')])
  t.match(await bob.get('broadcast.channels'), { channels: [{ channel: 'news' }] })
})
