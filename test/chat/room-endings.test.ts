/** What ends with a room, or with who owned it: that everyone hears of it, and that somebody looks after what goes on. */
import t from 'tap'
import { commit } from '../../broker/store/commit.js'
import type { TestBroker } from '../helpers/broker.js'
import { people, roomOf } from '../helpers/rooms.js'

const LASTING = { clean: false } as const

t.test(
  'members hear that their room is deleted, those who were away and those who had hoped to come in too',
  async (t) => {
    const { broker, connect, alice, bob } = await people(t, ['alice', 'bob', 'carol', 'dave'])
    await alice.get('rooms.create', { room: 'tea', access: 'request' })
    await alice.get('rooms.invite', { room: 'tea', user: 'bob' })
    await alice.get('rooms.invite', { room: 'tea', user: 'carol' })
    await bob.get('rooms.join', { room: 'tea' })
    const phone = await connect('bob', { clientId: 'phone', ...LASTING })
    await phone.subscribe(['rooms/+/events', 'users/bob/events'])
    await phone.leave()
    const [carol, dave] = [await connect('carol'), await connect('dave')]
    await dave.get('rooms.request', { room: 'tea' })
    for (const person of [alice, carol, dave]) await person.subscribe([`users/${person.user}/events`])
    await alice.get('rooms.delete', { room: 'tea' })
    for (const person of [alice, carol, dave])
      t.match((await person.on(`users/${person.user}/events`, 1)).at(-1), { type: 'deleted', room: 'tea', by: 'alice' })
    await broker.restart()
    const back = await connect('bob', { clientId: 'phone', ...LASTING })
    t.match(await back.on('users/bob/events', 1), [{ type: 'deleted', room: 'tea', by: 'alice' }])
  },
)

t.test('a member whose client has yet to take what happened before still hears that the room is deleted', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'], { limits: { inflight: 1 } })
  await alice.get('rooms.create', { room: 'tea' })
  await bob.get('rooms.join', { room: 'tea' })
  await bob.subscribe(['rooms/tea/events'])
  const take = new Promise<() => void>((resolve) => {
    bob.client.handleMessage = (_packet, taken) => resolve(() => taken())
  })
  for (const name of ['one', 'two', 'three']) await alice.get('rooms.update', { room: 'tea', name })
  const first = await take
  await alice.get('rooms.delete', { room: 'tea' })
  bob.client.handleMessage = (_packet, taken) => taken()
  first()
  const told = await bob.on('rooms/tea/events', 2)
  t.same(
    told.map(({ type }) => type),
    ['updated', 'deleted'],
  )
})

/** Members with their roles. */
function rolesIn({ running }: TestBroker, room: string): string[] {
  const members = [...running.store.directory.members(room).values()]
  return members.map(({ user, role }) => `${user} ${role}`).sort()
}

t.test('whoever owned a room alone hands it on when the account goes, and the room is told', async (t) => {
  const { broker, alice, bob, carol, dave } = await people(t, ['alice', 'bob', 'carol', 'dave'])
  await roomOf('den', alice, [
    [bob, 'member'],
    [carol, 'moderator'],
    [dave, 'admin'],
  ])
  await roomOf('two', alice, [
    [bob, 'owner'],
    [carol, 'admin'],
  ])
  await bob.get('rooms.create', { room: 'alone' })
  await dave.subscribe(['rooms/den/events', 'users/dave/events'])
  await carol.subscribe(['rooms/+/events'])
  await alice.get('account.delete', { user: 'alice' })
  t.match(await dave.on('rooms/den/events', 2), [
    { type: 'left', user: 'alice' },
    { type: 'role', user: 'dave', role: 'owner', by: 'system' },
  ])
  t.match(await dave.on('users/dave/events', 1), [{ type: 'role', room: 'den', role: 'owner', by: 'system' }])
  t.same(rolesIn(broker, 'den'), ['bob member', 'carol moderator', 'dave owner'])
  await carol.on('rooms/two/events', 1)
  t.same(rolesIn(broker, 'two'), ['bob owner', 'carol admin'], 'where another owns it nobody is raised')
  await dave.get('account.delete', { user: 'dave' })
  t.match((await carol.on('rooms/den/events', 4)).slice(2), [
    { type: 'left', user: 'dave' },
    { type: 'role', user: 'carol', role: 'owner', by: 'system' },
  ])
})

t.test('a bot that owns a room hands it on too, and is no heir while there are people', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  const { key } = await alice.get('bots.create', { bot: 'helper' })
  const helper = await connect('helper', { password: key.key })
  await helper.get('rooms.create', { room: 'den' })
  await bob.get('rooms.join', { room: 'den' })
  await bob.subscribe(['rooms/den/events'])
  await alice.get('bots.delete', { bot: 'helper' })
  await bob.on('rooms/den/events', 2)
  t.same(rolesIn(broker, 'den'), ['bob owner'])
  const made = await alice.get('bots.create', { bot: 'other' })
  const other = await connect('other', { password: made.key.key })
  await other.get('rooms.join', { room: 'den' })
  const carol = await connect('carol')
  await carol.get('rooms.join', { room: 'den' })
  await bob.get('rooms.setRole', { room: 'den', user: 'other', role: 'admin' })
  await carol.subscribe(['rooms/den/events'])
  await bob.get('account.delete', { user: 'bob' })
  await carol.on('rooms/den/events', 2)
  t.same(rolesIn(broker, 'den'), ['carol owner', 'other admin'])
})

t.test('an admin of the broker does not take the only owner out either', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  const root = await connect('root', { roles: ['admin'] })
  await roomOf('den', alice, [[bob, 'member']])
  t.equal(await root.fails('rooms.remove', { room: 'den', user: 'alice' }), 'conflict')
  await bob.get('rooms.leave', { room: 'den' })
  await root.get('rooms.remove', { room: 'den', user: 'alice' })
})

t.test(
  'a room that was left without an owner has one after the next start; those of the configuration have none',
  async (t) => {
    const { broker, alice, bob } = await people(t, ['alice', 'bob'])
    await roomOf('den', alice, [[bob, 'member']])
    await bob.get('rooms.join', { room: 'lobby' })
    const { store } = broker.running
    const { directory } = store
    await commit(store, { ops: [directory.memberOp({ ...directory.member('den', 'alice')!, role: 'reader' })] })
    await broker.restart()
    t.same(rolesIn(broker, 'den'), ['alice reader', 'bob owner'])
    t.same(rolesIn(broker, 'lobby'), ['bob member'])
  },
)

t.test('the first to come into a room that all had left owns it', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'tea' })
  await alice.get('rooms.leave', { room: 'tea' })
  t.match(await bob.get('rooms.join', { room: 'tea' }), { role: 'owner' })
})

t.test('the same by a link, and by an admin of the broker who lets someone in', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  const root = await connect('root', { roles: ['admin'] })
  await alice.get('rooms.create', { room: 'den', access: 'private' })
  const { link } = await alice.get('rooms.links.create', { room: 'den' })
  await alice.get('rooms.create', { room: 'club', access: 'request' })
  for (const room of ['den', 'club']) await alice.get('rooms.leave', { room })
  t.match(await bob.get('rooms.join', { room: 'den', link }), { role: 'owner' })
  await bob.get('rooms.request', { room: 'club' })
  t.match(await root.get('rooms.approve', { room: 'club', user: 'bob' }), { role: 'owner' })
})
