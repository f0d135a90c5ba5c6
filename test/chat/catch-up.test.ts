/**
 * Whoever was told that something is done on one node can rely on it on another that has not heard of it yet: a refusal is given only after
 * catching up.
 */
import t, { type Test } from 'tap'
import { commit } from '../../broker/store/commit.js'
import { Refusal } from '../../schemas/errors.js'
import { serveHttp } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { latePeople } from '../helpers/late-broker.js'
import { actorOf } from '../helpers/node-pair.js'

serveHttp()

const DRIVES = { allow: 'all' as const, who: 'role:driver', topics: ['trucks/#'] }
const EXPRESS = { allow: 'publish' as const, who: 'any' as const, topics: ['express/#'] }

/** Alice has the private rooms tea and den; bob is a member of den, and invited to tea. Her device is lamp. */
async function town(t: Test) {
  const hooks = {
    authorizePublish: ({ topic, roles }: { topic: string; roles: string[] }) =>
      !topic.startsWith('express/') || roles.includes('driver'),
  }
  const all = await latePeople(t, ['alice', 'bob'], { acl: { rules: [DRIVES, EXPRESS] } }, { hooks })
  const { alice, bob, broker } = all
  for (const room of ['tea', 'den']) {
    await alice.get('rooms.create', { room, access: 'private' })
    await alice.get('rooms.invite', { room, user: 'bob' })
  }
  await bob.get('rooms.join', { room: 'den' })
  await alice.get('devices.register', { device: 'lamp' })
  await alice.subscribe(['rooms/+/messages', 'users/alice/messages'])
  await alice.say('tea', 'first')
  const { counters, store } = broker.running
  const refusals = (): number =>
    [...Object.entries(counters.all())].reduce((sum, [name, n]) => sum + (name.startsWith('refused.') ? n : 0), 0)
  return { ...all, refusals, catchUps: () => store.counts.catchUps }
}

type Town = Awaited<ReturnType<typeof town>>
type Act = (town: Town) => Promise<unknown>

const joins: Act = ({ other }) => other.members.join(actorOf('bob'), 'tea')
const share =
  (may: 'read' | 'control'): Act =>
  ({ other: { store } }) =>
    commit(store, { ops: [store.directory.devices.shares.putOp({ device: 'lamp', user: 'bob', may, at: 1 })] })
const becomes =
  (role: string): Act =>
  ({ other }) =>
    other.accounts.setRoles('bob', [role])
const comes: Act = ({ other }) => other.accounts.add('carol', null)
const befriended: Act = ({ other: { store } }) =>
  commit(store, {
    ops: [store.directory.contactOp('alice', 'bob', 1), store.directory.contactOp('bob', 'alice', 1)],
  })

/** `before`: what makes it refused. */
const PUBLISHES: Record<string, { before?: Act; elsewhere: Act; topic: string; payload: string | object }> = {
  'a room that was joined': { elsewhere: joins, topic: 'rooms/tea/messages', payload: 'hi' },
  'a room that was made': {
    elsewhere: ({ other }) => other.rooms.create(actorOf('alice'), 'new', { access: 'public' }),
    topic: 'rooms/new/messages',
    payload: 'hi',
  },
  'who may write again': {
    before: ({ alice }) => alice.get('rooms.mute', { room: 'den', user: 'bob' }),
    elsewhere: ({ other }) => other.sanctions.unmute(actorOf('alice'), 'den', 'bob'),
    topic: 'rooms/den/messages',
    payload: 'hi',
  },
  'a room that is not archived any more': {
    before: ({ alice }) => alice.get('rooms.update', { room: 'den', archived: true }),
    elsewhere: ({ other }) => other.rooms.update(actorOf('alice'), 'den', { archived: false }),
    topic: 'rooms/den/text',
    payload: 'hi',
  },
  'a policy that was lifted': {
    before: ({ alice }) => alice.get('rooms.update', { room: 'den', policies: { links: 'deny' } }),
    elsewhere: ({ other }) => other.rooms.update(actorOf('alice'), 'den', { policies: {} }),
    topic: 'rooms/den/messages',
    payload: 'see https://example.com',
  },
  'a mention that takes a role': {
    elsewhere: ({ other }) => other.roles.set(actorOf('alice'), 'den', 'bob', 'moderator'),
    topic: 'rooms/den/messages',
    payload: { text: 'all', mentions: ['@room'] },
  },
  'a message with a cid that takes a role': {
    elsewhere: ({ other }) => other.roles.set(actorOf('alice'), 'den', 'bob', 'moderator'),
    topic: 'rooms/den/messages',
    payload: { cid: 'c1', text: 'all', mentions: ['@room'] },
  },
  'a forward from a room that was joined': {
    elsewhere: joins,
    topic: 'rooms/den/messages',
    payload: { forward: { room: 'tea', seq: 1 } },
  },
  typing: { elsewhere: joins, topic: 'rooms/tea/typing', payload: { typing: true } },
  'a receipt': { elsewhere: joins, topic: 'rooms/tea/receipts', payload: { read: 1 } },
  'a direct message to a new user': { elsewhere: comes, topic: 'users/carol/messages', payload: 'hi' },
  'a direct message to who writes with contacts only': {
    before: ({ alice }) => alice.get('privacy.update', { messages: 'contacts' }),
    elsewhere: befriended,
    topic: 'users/alice/messages',
    payload: 'hi',
  },
  'a signal to a new user': { elsewhere: comes, topic: 'users/carol/signals', payload: { ring: 1 } },
  'a plain topic by role': { elsewhere: becomes('driver'), topic: 'trucks/7', payload: 'x' },
  'a hook that goes by roles': { elsewhere: becomes('driver'), topic: 'express/7', payload: 'x' },
  'an announcement': { elsewhere: becomes('publisher'), topic: 'broadcast/news', payload: 'x' },
  'a notification': {
    elsewhere: becomes('notifier'),
    topic: 'users/alice/notifications',
    payload: { title: 't', body: 'b' },
  },
  'a command for a device': { elsewhere: share('control'), topic: 'devices/lamp/commands', payload: { name: 'on' } },
}

for (const [what, { before, elsewhere, topic, payload }] of Object.entries(PUBLISHES))
  t.test(`a publish: ${what} on another node`, async (t) => {
    const here = await town(t)
    const { bob, late, refusals, catchUps } = here
    await before?.(here)
    await bob.publish(topic, payload)
    t.equal(refusals(), 1, 'refused before')
    late.hold()
    await elsewhere(here)
    const asked = catchUps()
    await bob.publish(topic, payload)
    t.equal(refusals(), 1, 'and not any more')
    t.equal(catchUps() - asked, isPlain(topic) ? 2 : 1)
  })

/** What goes to subscribers alone is asked for twice: whether one may, and who they are. */
function isPlain(topic: string): boolean {
  return /^(trucks|express)\//.test(topic)
}

const SUBSCRIPTIONS: Record<string, { elsewhere: Act; filter: string }> = {
  'a room that was joined': { elsewhere: joins, filter: 'rooms/tea/messages' },
  'the presence of a new contact': { elsewhere: befriended, filter: 'users/alice/presence' },
  'a device that was shared': { elsewhere: share('read'), filter: 'devices/lamp/state' },
  'a plain topic by role': { elsewhere: becomes('driver'), filter: 'trucks/#' },
  'what is for admins': { elsewhere: becomes('admin'), filter: '$SYS/#' },
}

for (const [what, { elsewhere, filter }] of Object.entries(SUBSCRIPTIONS))
  t.test(`a subscription: ${what} on another node`, async (t) => {
    const here = await town(t)
    const { alice, bob, late, catchUps } = here
    if (filter.endsWith('presence')) {
      await alice.get('privacy.update', { presence: 'contacts' })
      await alice.get('rooms.remove', { room: 'den', user: 'bob' })
    }
    t.same(await bob.subscribe(filter), [0x80])
    late.hold()
    await elsewhere(here)
    const asked = catchUps()
    t.same(await bob.subscribe([filter, 'rooms/none/messages', 'rooms/nor/messages']), [1, 0x80, 0x80])
    t.equal(catchUps() - asked, 1, 'once for the packet')
  })

t.test('a request is answered as of when it came: also that there is nothing', async (t) => {
  const here = await town(t)
  const { bob, late, other } = here
  t.equal(await bob.fails('history', { room: 'tea' }), 'forbidden room')
  late.hold()
  await joins(here)
  t.match(await bob.get('history', { room: 'tea' }), { messages: [{ text: 'first' }] })
  await other.members.leave(actorOf('bob'), 'tea')
  t.match(await bob.get('rooms.list'), { rooms: [{ room: 'den' }] })
  await other.members.leave(actorOf('bob'), 'den')
  await other.rooms.create(actorOf('alice'), 'hall', { access: 'public' })
  await bob.get('rooms.join', { room: 'hall' })
  await other.members.leave(actorOf('bob'), 'hall')
  await bob.get('rooms.join', { room: 'hall' })
  t.ok(other.store.directory.member('hall', 'bob'), 'who left elsewhere joins anew, and is no member already')
  await becomes('admin')(here)
  await bob.get('auth.invite')
})

t.test('a login: with the roles and the standing that the account has by now', async (t) => {
  const here = await town(t)
  const { broker, connect, late, other } = here
  const invite = () => fetchFrom(broker, '/v1/auth/invites', { method: 'POST', as: 'bob', body: {} })
  t.equal((await invite()).status, 403)
  late.hold()
  await becomes('admin')(here)
  t.equal((await invite()).status, 201)
  await other.accounts.suspend('bob', 'alice', null)
  await t.rejects(connect('bob', { clientId: 'second' }))
  await other.accounts.resume('bob')
  await connect('bob', { clientId: 'second' })
})

t.test('what is still refused is refused once, as before', async (t) => {
  const { broker, bob, late, other, refusals, catchUps } = await town(t)
  const before = await bob.send('rooms/tea/messages', { text: 'x' })
  late.hold()
  await other.rooms.create(actorOf('alice'), 'elsewhere', { access: 'public' })
  const asked = catchUps()
  const after = await bob.send('rooms/tea/messages', { text: 'x' })
  t.same({ ...after, re: null }, { ...before, re: null })
  t.equal(after.error.code, 'forbidden')
  t.equal(refusals(), 2)
  t.equal(catchUps() - asked, 1)
  t.equal(bob.replies.length, 3, 'bob was answered once for each, and when he joined')
  t.equal(broker.running.counters.get('refused.forbidden'), 2)
})

t.test('a screen that has to be waited for is asked once about a message that it refuses', async (t) => {
  let asked = 0
  const screen = async (): Promise<undefined> => {
    asked++
    throw new Refusal('forbidden', 'not here')
  }
  const { alice, late, other } = await latePeople(t, ['alice'], {}, { screens: [{ screen }] })
  await alice.get('rooms.create', { room: 'tea' })
  late.hold()
  await other.rooms.create(actorOf('alice'), 'elsewhere', { access: 'public' })
  for (const message of [{ text: 'x' }, { text: 'x', cid: 'c' }])
    t.match(await alice.refused('rooms/tea/messages', message), { error: { message: 'not here' } })
  t.equal(asked, 2)
})

t.test('what a client publishes behind a refusal waits until it is decided', async (t) => {
  const { alice, bob, late, other } = await town(t)
  await bob.ask('rooms.list')
  late.hold()
  await other.members.join(actorOf('bob'), 'tea')
  const acked: string[] = []
  const say = async (room: string, text: string): Promise<void> => {
    await bob.say(room, text)
    acked.push(text)
  }
  await Promise.all([say('tea', '1'), say('den', '2'), say('nowhere', '3'), say('tea', '4'), say('den', '5')])
  t.same(acked, ['1', '2', '3', '4', '5'])
  await alice.hears('5')
  t.same(
    alice.lines.filter((line) => !line.endsWith('first')),
    ['rooms/tea/messages 1', 'rooms/den/messages 2', 'rooms/tea/messages 4', 'rooms/den/messages 5'],
  )
})

t.test('a flood of refused publishes asks once for each of a client, and at once for all clients', async (t) => {
  const { connect, refusals, catchUps } = await town(t)
  const crowd = await Promise.all(Array.from({ length: 20 }, (_, i) => connect('bob', { clientId: `bob${i}` })))
  const asked = catchUps()
  const flood = crowd.flatMap((bob) => Array.from({ length: 20 }, () => bob.publish('trucks/7', 'x')))
  await Promise.all(flood)
  t.equal(refusals(), 400)
  t.ok(catchUps() - asked < 200, `${catchUps() - asked} round trips for 400 refusals`)
})

t.test('a device that may write again on another node is bridged here', async (t) => {
  const { alice, broker, connect, late, other } = await town(t)
  await alice.get('devices.bridge', { device: 'lamp', room: 'tea', filter: '#' })
  await alice.get('rooms.mute', { room: 'tea', user: 'lamp' })
  const lamp = await connect('lamp')
  await lamp.publish('devices/lamp/state', 'on')
  t.equal(broker.running.counters.get('dropped.bridge_forbidden'), 1)
  late.hold()
  await other.sanctions.unmute(actorOf('alice'), 'tea', 'lamp')
  await lamp.publish('devices/lamp/state', 'off')
  await alice.hears('off')
  t.equal(broker.running.counters.get('dropped.bridge_forbidden'), 1)
})

t.test('a will is published with the rights that its owner has by then', async (t) => {
  const here = await town(t)
  const { alice, connect, late } = here
  const will = { topic: 'trucks/9', payload: Buffer.from('lost'), qos: 1 as const, retain: false }
  const truck = await connect('bob', { clientId: 'truck', will })
  const watcher = await connect('dora', { roles: ['driver'] })
  await watcher.subscribe('trucks/#')
  await alice.ask('rooms.list')
  late.hold()
  await becomes('driver')(here)
  await truck.vanish()
  await watcher.hears('lost')
})
