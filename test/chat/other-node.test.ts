/**
 * What another node of the store does reaches those who are connected here, although no signal of it arrives: a second memory of the store acts,
 * and has nothing else in common with the broker.
 */
import t, { type Test } from 'tap'
import { Accounts } from '../../broker/auth/accounts.js'
import { Keys } from '../../broker/auth/keys.js'
import { commit } from '../../broker/store/commit.js'
import { queuesSettled } from '../../broker/store/settled.js'
import { serveHttp, type TestBroker } from '../helpers/broker.js'
import { EventReader } from '../helpers/event-reader.js'
import { actorOf } from '../helpers/node-pair.js'
import { roomsOn } from '../helpers/other-node.js'
import { people } from '../helpers/rooms.js'
import { onRedis } from '../helpers/test-store.js'
import { secondMemory } from '../helpers/two-memories.js'

serveHttp()

/** Rooms and accounts as the other node serves them. */
async function beside({ running }: TestBroker) {
  const { store } = await secondMemory(running.store)
  const keys = new Keys({ store, perUser: 9, ended: () => {} })
  return { ...roomsOn(store), accounts: new Accounts(store, null as never), keys }
}

type Other = Awaited<ReturnType<typeof beside>>

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
} as Record<string, (other: Other) => Promise<unknown>>))
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

for (const [act, end] of Object.entries({
  suspended: ({ accounts }) => accounts.suspend('bob', 'alice', null),
  removed: ({ accounts }) => accounts.remove('bob'),
  'logged out everywhere': ({ accounts }) => accounts.voidTokens('bob'),
} as Record<string, (other: Other) => Promise<unknown>>))
  t.test(`who is ${act} on another node is disconnected here, and no will is published`, async (t) => {
    const { other, alice, bob, connect, stream } = await tea(t)
    const will = { topic: 'rooms/tea/messages', payload: Buffer.from('will'), qos: 1 as const, retain: false }
    const phone = await connect('bob', { clientId: 'phone', clean: false, will })
    await alice.subscribe('rooms/tea/messages')
    const gone = [bob, phone].map((person) => person.gone())
    await end(other)
    await Promise.all([...gone, stream.end()])
    await alice.say('tea', 'end')
    await alice.hears('end')
    t.same(alice.lines, ['rooms/tea/messages end'])
  })

t.test('a key that is revoked on another node ends what logged in with it, and nothing else', async (t) => {
  const { other, alice, bob, connect } = await tea(t)
  const { record, key } = await other.keys.create('bob', { name: 'k', roles: null, expiresIn: null })
  const robot = await connect('bob', { clientId: 'robot', password: key })
  await other.keys.revoke('bob', record.id)
  await robot.gone()
  await alice.say('tea', 'end')
  await bob.hears('end')
  t.ok(bob.client.connected)
})

t.test('bots of a person who is suspended on another node are disconnected too', async (t) => {
  const { other, bob, connect } = await tea(t)
  const { key } = await bob.get('bots.create', { bot: 'helper' })
  const helper = await connect('helper', { password: key.key })
  const gone = [bob, helper].map((person) => person.gone())
  await other.accounts.suspend('bob', 'alice', null)
  await Promise.all(gone)
})

t.test('roles that another node gives and takes count here at once', async (t) => {
  const { other, bob } = await tea(t)
  t.equal(await bob.fails('auth.invite'), 'forbidden')
  await other.accounts.setRoles('bob', ['admin'])
  await bob.get('auth.invite')
  await other.accounts.setRoles('bob', [])
  t.equal(await bob.fails('auth.invite'), 'forbidden')
})

t.test('a session that is removed on another node is disconnected here, and nothing more of it is saved', async (t) => {
  const { other, alice, bob, connect } = await tea(t)
  const will = { topic: 'rooms/tea/messages', payload: Buffer.from('will'), qos: 1 as const, retain: false }
  const phone = await connect('bob', { clientId: 'phone', clean: false, will })
  await phone.subscribe(['rooms/+/messages', '$share/desk/rooms/+/messages'])
  await alice.say('tea', 'before')
  await phone.hears('before')
  const { sessions, persistence } = other.store
  await persistence.delWill({ id: 'bob/phone' })
  const gone = phone.gone()
  await commit(other.store, { ops: sessions.discardOps('bob/phone') })
  await gone
  t.equal(await sessions.load('bob/phone'), null)
  await alice.say('tea', 'end')
  await bob.hears('end')
  t.notOk(
    bob.lines.some((line) => line.endsWith('will')),
    'its will is not published',
  )
  t.ok(bob.client.connected)
  const back = await connect('bob', { clientId: 'phone', clean: false })
  t.match(await back.get('sessions.list'), { sessions: [{}, {}, { session: 'phone', connected: true }] })
  t.same(back.lines, [], 'it begins anew')
})

t.test('a session that another node makes anew is not touched by the end of the former one', async (t) => {
  const { other, connect } = await tea(t)
  const phone = await connect('bob', { clientId: 'phone', clean: false })
  await phone.subscribe('rooms/+/messages')
  const { sessions } = other.store
  const { record } = (await sessions.load('bob/phone'))!
  const gone = phone.gone()
  await commit(other.store, { ops: sessions.discardOps('bob/phone') })
  const subscription = { topic: 'plain/#', qos: 1 as const }
  const anew = { ...record, createdAt: 7 }
  await commit(other.store, { ops: [sessions.recordOp(anew), ...sessions.subscribeOps(record.id, [subscription])] })
  await gone
  t.match(await sessions.load('bob/phone'), { record: anew, subscriptions: [subscription] })
})

t.test(
  'a share group ends with its last session, which another node removes',
  { skip: onRedis && 'there the node that removes a session ends its groups: this memory is no such node' },
  async (t) => {
    const rules = [{ allow: 'all' as const, who: 'any' as const, topics: ['#'] }]
    const { broker, connect, alice } = await people(t, ['alice'], { acl: { rules } })
    const { store } = await beside(broker)
    const phone = await connect('bob', { clientId: 'phone', clean: false })
    await phone.subscribe('$share/workers/jobs/#')
    await phone.leave()
    await alice.publish('jobs/a', 'x')
    t.equal([...store.queue.nonEmptyQueues()].length, 1)
    await commit(store, { ops: store.sessions.discardOps('bob/phone') })
    await queuesSettled(store)
    t.same([...store.queue.nonEmptyQueues()], [])
  },
)

t.test(
  'what a node missed ends when it reads anew what is stored',
  { skip: onRedis && 'it makes the embedded store read anew' },
  async (t) => {
    const { broker, bob, group, connect } = await tea(t)
    const phone = await connect('alice', { clientId: 'phone', clean: false })
    const client = (id: string) => broker.running.aedes.clients[id]!.client!
    // As it is if the node never heard that what bob logged in with was revoked, and that the stored session of the group's client was removed.
    const { actor } = client('bob/bob')
    actor.principal = { ...actor.principal, account: { id: 'former', revocations: 0 } }
    client('bob/group').stored = 'yes'
    const gone = [bob, group].map((person) => person.gone())
    await (broker.running.store as unknown as { load(): Promise<void> }).load()
    await Promise.all(gone)
    await phone.get('rooms.list')
    t.equal(client('alice/phone').stored, 'yes')
  },
)

t.test('who changes the password stays, also when another node then changes the account', async (t) => {
  const { other, bob, connect } = await tea(t)
  const { token } = await bob.get('auth.register', { user: 'carol', password: 'first of hers' })
  const carol = await connect('carol', { password: token })
  const phone = await connect('carol', { clientId: 'phone', password: 'first of hers' })
  const gone = phone.gone()
  await carol.get('auth.password', { old: 'first of hers', new: 'second of hers' })
  await gone
  await other.accounts.setRoles('carol', ['admin'])
  await carol.get('auth.invite')
  const end = carol.gone()
  await other.accounts.voidTokens('carol')
  await end
})
