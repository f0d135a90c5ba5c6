/** Lists of the user, what happens once, and private data, as a client of the SDK has them, with a real broker. */
import t from 'tap'
import { Chat } from '../../client/chat.js'
import { createChat } from '../../client/index.js'
import { memoryStores } from '../../client/store/memory-store.js'
import { until } from '../helpers/patience.js'
import { countedRequests } from '../helpers/requests.js'
import { becomes, cutAndBack, startTeaRoom } from '../helpers/tea-room.js'
import { realEnv, webSocket } from '../helpers/web-socket.js'

t.test('invitations and contacts are known without a request, and follow what happens', async (t) => {
  const { chat, proxy, bob, person } = await startTeaRoom(t)
  const { counts, socket } = countedRequests(['rooms.invited', 'contacts.list'])
  const alice = await chat('alice', { socket })
  const me = await person('alice')
  for (const room of ['den', 'nook', 'attic', 'cellar']) await bob.rooms.create({ room, access: 'private' })
  await bob.rooms.invite({ room: 'den', user: 'alice' })
  await bob.contacts.request({ user: 'alice' })
  const rooms = () => alice.invitations.current.map(({ room }) => room).join()
  const contacts = () => alice.contacts.current.map(({ user, state }) => `${user} ${state}`).join()
  const shows = (what: string, of: () => string) => until(what, async () => of() === what)
  await alice.connect()
  t.equal(rooms(), 'den')
  t.equal(contacts(), 'bob asking')
  const seen = [alice.invitations.subscribe(() => {}), alice.contacts.subscribe(() => {})]
  t.same(counts, { 'rooms.invited': 0, 'contacts.list': 0 }, 'sync has told')
  await bob.rooms.invite({ room: 'nook', user: 'alice' })
  await shows('den,nook', rooms)
  await alice.ask.rooms.join({ room: 'den' })
  await shows('nook', rooms)
  await me.rooms.decline({ room: 'nook' })
  await shows('', rooms)
  await bob.rooms.invite({ room: 'attic', user: 'alice' })
  await shows('attic', rooms)
  await bob.rooms.delete({ room: 'attic' })
  await shows('', rooms)
  await alice.ask.contacts.accept({ user: 'bob' })
  await shows('bob contact', contacts)
  const carol = await person('carol')
  await carol.rooms.join({ room: 'tea' })
  await alice.ask.contacts.request({ user: 'carol' })
  await shows('bob contact,carol asked', contacts)
  await carol.contacts.accept({ user: 'alice' })
  await shows('bob contact,carol contact', contacts)
  const asked = { ...counts }
  await cutAndBack(alice, proxy, async () => {
    await bob.contacts.remove({ user: 'alice' })
    await bob.rooms.invite({ room: 'cellar', user: 'alice' })
  })
  t.equal(contacts(), 'carol contact', 'what nobody told live comes with the next connection')
  t.equal(rooms(), 'cellar')
  t.same(counts, asked)
  for (const stop of seen) stop()
  await bob.rooms.delete({ room: 'cellar' })
  const before = counts['rooms.invited']
  await bob.send({ room: 'tea', text: 'later' })
  await becomes(alice.rooms, 'later', ([first]) => (first?.last as { text?: string } | null)?.text === 'later')
  t.equal(counts['rooms.invited'], before, 'nobody looks')
  await becomes(alice.invitations, 'taken back', (all) => all.length === 0)
})

t.test('lists survive a reload, and are gone when another user logs in', async (t) => {
  const { broker, chat, bob } = await startTeaRoom(t)
  const store = memoryStores()
  let user = 'alice'
  const auth = { getToken: () => broker.token(user) }
  const first = await chat('alice', {}, { auth, store })
  await bob.contacts.request({ user: 'alice' })
  await first.connect()
  await first.close()
  const { counts, socket } = countedRequests(['contacts.list'])
  const again = await chat('alice', { socket }, { auth, store, user: 'alice' })
  again.send('tea', 'offline')
  await until('it is read from the store', async () => again.contacts.current[0]?.user === 'bob')
  const stop = again.contacts.subscribe(() => {})
  await again.connect()
  t.match(again.contacts.current, [{ user: 'bob', state: 'asking' }])
  t.equal(counts['contacts.list'], 0)
  await again.close()
  user = 'mallory'
  await again.connect()
  t.same(again.contacts.current, [])
  stop()
})

t.test('blocks are asked for when somebody looks, and after they were changed here', async (t) => {
  const { chat, proxy, bob, person } = await startTeaRoom(t)
  await bob.users.update({ name: 'Bob' })
  const alice = await chat('alice')
  await alice.connect()
  const blocked = (users: string) => becomes(alice.blocks, users, (all) => all.map(({ user }) => user).join() === users)
  const stop = alice.blocks.subscribe(() => {})
  await alice.ask.blocks.add({ user: 'bob' })
  await blocked('bob')
  await cutAndBack(alice, proxy, async () => (await person('alice')).blocks.remove({ user: 'bob' }))
  await blocked('')
  stop()
})

t.test('what happens is told once, to those who listen, and never from before', async (t) => {
  const { chat, proxy, bob, person } = await startTeaRoom(t)
  const alice = await chat('alice')
  await bob.send({ room: 'tea', text: 'before' })
  const told: string[] = []
  const stops = [
    alice.on('message', ({ room, text }) => told.push(`${room}: ${text}`)),
    alice.on('mention', ({ text }) => told.push(`mention ${text}`)),
    alice.on('invited', ({ room, by }) => told.push(`${by} invites to ${room}`)),
    alice.on('contact', ({ by }) => told.push(`contact ${by}`)),
    alice.on('removed', ({ room }) => told.push(`out of ${room}`)),
  ]
  await alice.connect()
  await bob.send({ room: 'tea', text: 'hello' })
  await bob.send({ room: 'tea', text: 'psst @alice', mentions: ['@alice'] })
  await bob.send({ room: 'tea', type: 'reaction', target: 1, data: { emoji: '👍' } })
  await bob.send({ room: '@alice', text: 'direct' })
  await bob.rooms.create({ room: 'den', access: 'private' })
  await bob.rooms.invite({ room: 'den', user: 'alice' })
  await bob.contacts.request({ user: 'alice' })
  await until('all of it', async () => told.length === 6)
  t.same(
    new Set(told),
    new Set([
      'tea: hello',
      'tea: psst @alice',
      'mention psst @alice',
      'dm:alice:bob: direct',
      'bob invites to den',
      'contact bob',
    ]),
  )
  told.length = 0
  await cutAndBack(alice, proxy, () => bob.send({ room: 'tea', text: 'meanwhile' }))
  await bob.rooms.remove({ room: 'tea', user: 'alice' })
  await until('removed', async () => told.length === 1)
  t.same(told, ['out of tea'])
  stops[4]!()
  stops[4]!()
  await (await person('alice')).rooms.join({ room: 'tea' })
  const nobody = await chat('alice', {}, { auth: { token: 'no token' } })
  nobody.on('signedOut', ({ why }) => told.push(why))
  await t.rejects(nobody.connect(), { code: 'unauthorized' })
  t.same(told, ['out of tea', 'refused'])
})

t.test('private data is told to all clients of the user who look at it', async (t) => {
  const { chat, proxy, person } = await startTeaRoom(t)
  const [phone, desk] = [await chat('alice'), await chat('alice')]
  await Promise.all([phone.connect(), desk.connect()])
  const theme = desk.account.data('theme')
  const shows = (value: unknown) =>
    becomes(theme, `${value}`, (now) => (value === null ? now === null : now?.value === value))
  const stop = theme.subscribe(() => {})
  t.equal(theme.current, null)
  await phone.account.set('theme', 'dark')
  await shows('dark')
  await t.rejects(phone.account.set('theme', 'light', { ifVersion: 0 }), { code: 'conflict' })
  await desk.account.set('theme', 'light', { ifVersion: theme.current!.version })
  await shows('light')
  await phone.ask.account.data.delete({ name: 'theme' })
  await shows(null)
  await cutAndBack(desk, proxy, async () => (await person('alice')).account.data.set({ name: 'theme', value: 'blue' }))
  await shows('blue')
  stop()
  await until('the phone is back', async () => phone.status.current.state === 'online')
  await phone.account.set('theme', 'red')
  await shows('red')
})

t.test('a client that was made without people() says so, and has typing and receipts all the same', async (t) => {
  const chat = createChat({ url: 'http://localhost', auth: { token: 'none' } })
  t.throws(() => chat.users, { code: 'not_implemented', message: /people: people\(\)/ })
  t.throws(() => chat.contacts, { code: 'not_implemented' })
  t.throws(() => chat.room('tea').members, { code: 'not_implemented' })
  t.same(chat.room('tea').typing.current, [])
  t.equal(chat.room('tea').receipts.current.read, 0)
})

t.test('lists are not taken for known that a client without people() was told of meanwhile', async (t) => {
  const { broker, proxy, chat, bob } = await startTeaRoom(t)
  const store = memoryStores()
  const first = await chat('alice', {}, { store })
  await bob.contacts.request({ user: 'alice' })
  await first.connect()
  await first.close()
  const without = new Chat(
    { url: `http://127.0.0.1:${proxy.port}`, auth: { getToken: () => broker.token('alice') }, store },
    { ...realEnv, socket: webSocket },
  )
  t.teardown(() => without.close())
  await bob.contacts.remove({ user: 'alice' })
  await without.connect()
  await without.close()
  const last = await chat('alice', {}, { store })
  const stop = last.contacts.subscribe(() => {})
  await last.connect()
  await becomes(last.contacts, 'none any more', (all) => all.length === 0)
  stop()
})
