/** Receipts, members, profiles and presence, as a client of the SDK shows them, with a real broker. */
import t from 'tap'
import { WebSocket } from 'ws'
import { type Members, receiptOf } from '../../client/index.js'
import { memoryStores } from '../../client/store/memory-store.js'
import { until } from '../helpers/patience.js'
import { Person } from '../helpers/people.js'
import { countedRequests } from '../helpers/requests.js'
import { becomes, cutAndBack, HeldTimers, startTeaRoom } from '../helpers/tea-room.js'
import { webSocket } from '../helpers/web-socket.js'

const namesOf = ({ list }: Members) => list.map(({ user }) => user)

t.test('an own message is sent, delivered, and read by all others', async (t) => {
  const { broker, chat, proxy, bob } = await startTeaRoom(t)
  const { counts, socket } = countedRequests(['receipts'])
  const alice = await chat('alice', { socket })
  const carol = await Person.connect(t, broker, 'carol')
  await carol.get('rooms.join', { room: 'tea' })
  await alice.connect()
  const { receipts } = alice.room('tea')
  const { seq } = await alice.send('tea', 'hello').sent
  const shows = (state: string, of = seq) => becomes(receipts, state, (now) => receiptOf(now, of) === state)
  const stop = receipts.subscribe(() => {})
  await shows('sent')
  await bob.read({ room: 'tea', seq })
  await becomes(receipts, 'bob', ({ members }) => members.get('bob')?.read === seq)
  t.equal(receiptOf(receipts.current, seq), 'sent', 'carol has not got it')
  await carol.publish('rooms/tea/receipts', { delivered: seq })
  await shows('delivered')
  await carol.publish('rooms/tea/receipts', { read: seq })
  await shows('read')
  t.notOk(receipts.current.members.has('alice'))
  const next = await alice.send('tea', 'and?').sent
  t.equal(receiptOf(receipts.current, next.seq), 'sent')
  await cutAndBack(alice, proxy, async () => {
    await bob.read({ room: 'tea', seq: next.seq })
    await carol.get('rooms.leave', { room: 'tea' })
  })
  await shows('read', next.seq)
  t.same([...receipts.current.members.keys()], ['bob'])
  t.equal(counts['receipts'], 2, 'once for each connection')
  const dan = await Person.connect(t, broker, 'dan')
  await dan.get('rooms.join', { room: 'tea' })
  await shows('sent', next.seq)
  stop()
})

/** Sockets that keep what comes with `text` in it back, from `hold` until `release`; what comes after it does not wait. */
function overtaken(text: string) {
  const held: (() => void)[] = []
  let holds = false
  const { set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage')!
  const socket = (url: string) => {
    const made = webSocket(url)
    const takeBy = (take: (event: { data: ArrayBuffer }) => void) => (event: { data: ArrayBuffer }) => {
      if (holds && Buffer.from(event.data).includes(text)) held.push(() => take(event))
      else take(event)
    }
    return Object.defineProperty(made, 'onmessage', { set: (take) => set!.call(made, take && takeBy(take)) })
  }
  const hold = () => (holds = true)
  const release = () => {
    holds = false
    for (const take of held.splice(0)) take()
  }
  return { held, socket, hold, release }
}

t.test('a receipt that overtakes an older answer stays', async (t) => {
  const { chat, bob } = await startTeaRoom(t)
  const { held, socket, hold, release } = overtaken('"receipts":[')
  const alice = await chat('alice', { socket })
  await alice.connect()
  const { receipts } = alice.room('tea')
  const { seq } = await alice.send('tea', 'hello').sent
  hold()
  const stop = receipts.subscribe(() => {})
  await until('it is answered', async () => held.length === 1)
  await bob.read({ room: 'tea', seq })
  await becomes(receipts, 'bob', ({ members }) => members.get('bob')?.read === seq)
  release()
  await alice.ask.rooms.list()
  t.equal(receipts.current.members.get('bob')?.read, seq)
  stop()
})

t.test('in a conversation the other one types, gets messages and reads them', async (t) => {
  const { chat, proxy } = await startTeaRoom(t)
  const timers = new HeldTimers([])
  const [alice, carol] = [await chat('alice', timers.platform), await chat('carol')]
  await Promise.all([alice.connect(), carol.connect()])
  const stops = [carol.direct('alice').typing.subscribe(() => {}), carol.direct('alice').receipts.subscribe(() => {})]
  const { seq } = await alice.send('@carol', 'hello').sent
  const { typing, receipts } = alice.direct('carol')
  stops.push(
    typing.subscribe(() => {}),
    receipts.subscribe(() => {}),
  )
  await becomes(receipts, 'delivered', (now) => receiptOf(now, seq) === 'delivered')
  const before = receipts.current
  carol.direct('alice').read(seq)
  await becomes(receipts, 'read', (now) => receiptOf(now, seq) === 'read')
  t.not(receipts.current, before)
  const keys = setInterval(() => carol.direct('alice').setTyping(), 4100)
  carol.direct('alice').setTyping()
  await becomes(typing, 'carol', ([user]) => user === 'carol').finally(() => clearInterval(keys))
  t.same(carol.direct('alice').typing.current, [])
  await cutAndBack(alice, proxy)
  alice.direct('carol').setTyping()
  await alice.close()
  t.equal(timers.running, 0, 'no timer is left')
  t.same(typing.current, [])
  for (const stop of stops) stop()
})

t.test('members are asked for when somebody looks, page by page, and followed', async (t) => {
  const { chat, proxy, bob, person } = await startTeaRoom(t)
  const { counts, socket } = countedRequests(['rooms.members', 'users.profiles'])
  const alice = await chat('alice', { socket })
  const users = Array.from({ length: 130 }, (_, i) => `u${100 + i}`)
  const people = await Promise.all(users.map(person))
  await Promise.all(people.map((one) => one.rooms.join({ room: 'tea' })))
  await people[0]!.users.update({ name: 'The first' })
  await alice.connect()
  const room = alice.room('tea')
  t.same(room.members.current, { list: [], count: null, more: true })
  t.equal(counts['rooms.members'], 0)
  const stop = room.members.subscribe(() => {})
  const all = ['alice', 'bob', ...users]
  const shows = (names: readonly string[], count: number) =>
    becomes(room.members, `${count}`, (now) => namesOf(now).join() === names.join() && now.count === count)
  await shows(all.slice(0, 100), 132)
  t.equal(room.members.current.more, true)
  t.match(room.members.current.list[1], { user: 'bob', role: 'owner' })
  const stopProfile = alice.users.profile('u100').subscribe(() => {})
  t.equal(alice.users.profile('u100').current?.name, 'The first', 'it came with the members')
  t.equal(counts['users.profiles'], 0)
  stopProfile()
  const before = room.members.current.list[5]
  await (await person('u150x')).rooms.join({ room: 'tea' })
  await (await person('u999')).rooms.join({ room: 'tea' })
  const joined = [...all, 'u150x'].sort()
  await shows(joined.slice(0, 101), 134)
  t.equal(room.members.current.list[5], before, 'what has not changed is the same object')
  await bob.rooms.remove({ room: 'tea', user: 'u100' })
  await bob.rooms.ban({ room: 'tea', user: 'u101' })
  await people[2]!.rooms.leave({ room: 'tea' })
  await bob.rooms.setRole({ room: 'tea', user: 'alice', role: 'admin' })
  const left = joined.filter((name) => !['u100', 'u101', 'u102'].includes(name))
  await shows(left.slice(0, 98), 131)
  await becomes(room.members, 'admin', ({ list }) => list[0]?.role === 'admin')
  t.equal(counts['rooms.members'], 1, 'events are enough')
  await Promise.all([room.moreMembers(), room.moreMembers()])
  t.same(namesOf(room.members.current), [...left, 'u999'])
  t.equal(room.members.current.more, false)
  await (await person('zoe')).rooms.join({ room: 'tea' })
  await shows([...left, 'u999', 'zoe'], 132)
  const asked = counts['rooms.members']!
  const same = room.members.current.list[5]
  await cutAndBack(alice, proxy, async () => {
    await bob.rooms.remove({ room: 'tea', user: 'zoe' })
    await t.rejects(room.moreMembers(), { code: 'offline' })
  })
  await shows([...left, 'u999'], 131)
  t.equal(counts['rooms.members'], asked + 1)
  t.equal(room.members.current.list[5], same)
  stop()
  await (await person('alice')).rooms.leave({ room: 'tea' })
  await becomes(room.info, 'outside', (info) => info === null)
  const again = room.members.subscribe(() => {})
  await (await person('alice')).rooms.join({ room: 'tea' })
  await shows([...left, 'u999'], 131)
  again()
})

t.test('a profile that nobody has is asked for once on a connection, whatever rooms are entered', async (t) => {
  const { chat, proxy, person } = await startTeaRoom(t)
  const { counts, socket } = countedRequests(['users.profiles'])
  const alice = await chat('alice', { socket })
  const stop = alice.users.profile('nobody').subscribe(() => {})
  t.teardown(stop)
  await alice.connect()
  await until('it is asked for', async () => counts['users.profiles'] === 1)
  await (await person('alice')).rooms.create({ room: 'den' })
  await becomes(alice.rooms, 'the den', (rooms) => rooms.some(({ room }) => room === 'den'))
  await alice.ask.server.info({})
  t.equal(counts['users.profiles'], 1)
  await cutAndBack(alice, proxy)
  await until('it is asked for again', async () => counts['users.profiles'] === 2)
})

t.test('profiles are asked for together, kept, and asked for again when they are told to have changed', async (t) => {
  const { chat, proxy, bob, person } = await startTeaRoom(t)
  const { counts, socket } = countedRequests(['users.profiles'])
  const timers = new HeldTimers([])
  const alice = await chat('alice', { socket, ...timers.platform })
  const users = Array.from({ length: 120 }, (_, i) => `u${100 + i}`)
  await Promise.all(users.map(async (user) => (await person(user)).users.update({ name: user.toUpperCase() })))
  await bob.users.update({ name: 'Bob' })
  const stops = users.map((user) => alice.users.profile(user).subscribe(() => {}))
  const nobody = alice.users.profile('nobody').subscribe(() => {})
  await alice.connect()
  const profile = alice.users.profile('bob')
  t.equal(alice.users.profile('bob'), profile)
  await becomes(profile, 'Bob', (now) => now?.name === 'Bob')
  const last = alice.users.profile('u219')
  await becomes(last, 'the last', (now) => now?.name === 'U219')
  t.ok(counts['users.profiles']! <= 3, `${counts['users.profiles']} requests`)
  t.equal(alice.users.profile('nobody').current, null)
  for (const stop of [...stops, nobody]) stop()
  const asked = counts['users.profiles']!
  profile.subscribe(() => {})()
  await cutAndBack(alice, proxy)
  t.equal(counts['users.profiles'], asked, 'nobody looks at it')
  await bob.users.update({ name: 'Rob' })
  const stop = profile.subscribe(() => {})
  await becomes(profile, 'Rob', (now) => now?.name === 'Rob')
  const stopOther = profile.subscribe(() => {})
  t.equal(counts['users.profiles'], asked + 1, 'once on a connection')
  await cutAndBack(alice, proxy, () => bob.users.update({ name: 'Robert' }))
  await becomes(profile, 'Robert', (now) => now?.name === 'Robert')
  t.equal(counts['users.profiles'], asked + 2)
  stop()
  stopOther()
  await bob.users.update({ name: 'Old Rob' })
  timers.ahead = 301_000
  const stopAgain = profile.subscribe(() => {})
  await becomes(profile, 'Old Rob', (now) => now?.name === 'Old Rob')
  // Contacts see each other's presence, which tells that the profile has changed.
  const stopPresence = alice.users.presence('bob').subscribe(() => {})
  t.equal(alice.users.presence('bob').current, null)
  await alice.ask.contacts.request({ user: 'bob' })
  await bob.contacts.accept({ user: 'alice' })
  await becomes(alice.users.presence('bob'), 'visible', (now) => now?.state === 'offline')
  await bob.users.update({ name: 'Bobby' })
  await becomes(profile, 'Bobby', (now) => now?.name === 'Bobby')
  stopAgain()
  stopPresence()
})

t.test('known profiles are asked for again on the next connection, not when a room is entered', async (t) => {
  const { chat, proxy, bob, person } = await startTeaRoom(t)
  const { counts, socket } = countedRequests(['users.profiles'])
  const alice = await chat('alice', { socket })
  const users = Array.from({ length: 150 }, (_, i) => `u${100 + i}`)
  await Promise.all(users.map(async (user) => (await person(user)).users.update({ name: user })))
  await alice.connect()
  const profiles = users.map((user) => alice.users.profile(user))
  for (const profile of profiles) t.teardown(profile.subscribe(() => {}))
  await until('all are known', async () => profiles.every(({ current }) => current !== null))
  const asked = counts['users.profiles']!
  for (const room of ['den', 'attic']) {
    await bob.rooms.create({ room })
    await (await person('alice')).rooms.join({ room })
    await becomes(alice.rooms, room, (rooms) => rooms.some((one) => one.room === room))
  }
  // What was wanted before it has left before it.
  const late = alice.users.profile('bob')
  t.teardown(late.subscribe(() => {}))
  await becomes(late, 'bob', (now) => now !== null)
  t.equal(counts['users.profiles'], asked + 1, 'only for who was not known')
  await cutAndBack(alice, proxy, () => person('u100').then((one) => one.users.update({ name: 'Another' })))
  await becomes(profiles[0]!, 'another name', (now) => now?.name === 'Another')
})

t.test('presence is told while somebody looks, and the user stays away over a lost connection', async (t) => {
  const { chat, proxy, bob, person } = await startTeaRoom(t)
  const [alice, carol] = [await chat('alice'), await chat('carol')]
  await bob.rooms.create({ room: 'den', access: 'private' })
  for (const user of ['alice', 'carol']) {
    await bob.rooms.invite({ room: 'den', user })
    await (await person(user)).rooms.join({ room: 'den' })
  }
  await Promise.all([alice.connect(), carol.connect()])
  const presence = alice.users.presence('carol')
  const stop = presence.subscribe(() => {})
  const shows = (state: string) => becomes(presence, state, (now) => now?.state === state)
  await shows('online')
  await carol.users.setPresence({ away: true, status: 'tea' })
  await shows('away')
  t.equal(presence.current?.status, 'tea')
  await cutAndBack(carol, proxy)
  await until('alice is back', async () => alice.status.current.state === 'online')
  await shows('away')
  await carol.users.setPresence({ away: false })
  await shows('online')
  await person('carol').then((one) => one.privacy.update({ presence: 'nobody' }))
  await cutAndBack(alice, proxy)
  await becomes(presence, 'hidden', (now) => now === null || now.state === 'offline')
  stop()
})

t.test('whoever logs in next sees nothing of the one before; profiles survive a reload', async (t) => {
  const { broker, chat, bob } = await startTeaRoom(t)
  const store = memoryStores()
  let user = 'alice'
  const auth = { getToken: () => broker.token(user) }
  const shared = await chat('alice', {}, { auth, store })
  await shared.connect()
  await bob.users.update({ name: 'Bob' })
  const { members, receipts } = shared.room('tea')
  const stop = members.subscribe(() => {})
  receipts.subscribe(() => {})
  const profile = shared.users.profile('bob')
  profile.subscribe(() => {})()
  await becomes(profile, 'Bob', (now) => now?.name === 'Bob')
  await becomes(members, 'members', ({ list }) => list.length > 0)
  await shared.close()
  const reloaded = await chat('alice', {}, { auth, store, user: 'alice' })
  reloaded.send('tea', 'to be sent')
  const kept = reloaded.users.profile('bob')
  await becomes(kept, 'kept', (now) => now?.name === 'Bob')
  await bob.users.update({ name: 'Robert' })
  const stopKept = kept.subscribe(() => {})
  await reloaded.connect()
  await becomes(kept, 'as it is now', (now) => now?.name === 'Robert')
  stopKept()
  await reloaded.close()
  user = 'mallory'
  await shared.connect()
  await becomes(members, 'nothing', ({ list }) => list.length === 0)
  t.equal(profile.current, null)
  t.equal(receipts.current.members.size, 0)
  stop()
})
