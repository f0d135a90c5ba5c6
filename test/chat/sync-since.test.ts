/** `sync` with a token: as small for thousands of rooms as for one, and complete for a client that keeps nothing else. */
import t from 'tap'
import { commit } from '../../broker/store/commit.js'
import type { LogGrowth } from '../../broker/store/logs.js'
import type { Store } from '../../broker/store/store.js'
import { append, drop } from '../contract/store-suite.js'
import { openDen } from '../helpers/den.js'
import { Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'
import { drafter } from '../helpers/said-drafts.js'
import { SyncedClient } from '../helpers/synced-client.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

const HOUR = 3_600_000

const roomsOf = (page: Json): string[] => page.rooms.map(({ room }: Json) => room)

/** Makes rooms with these members, the first of them the owner, and messages of an hour ago: by the store itself, as commands would leave them. */
async function furnish(store: Store, users: readonly string[], count: number, messages: number): Promise<string[]> {
  const rooms = Array.from({ length: count }, (_, i) => `room-${String(i).padStart(5, '0')}`)
  const at = Date.now() - HOUR
  const { directory } = store
  for (let i = 0; i < rooms.length; i += 500) {
    const ops = rooms.slice(i, i + 500).flatMap((id) => [
      directory.roomOp({
        ...{
          id,
          access: 'public',
          direct: false,
          name: id,
          topic: null,
          avatar: null,
          createdBy: users[0]!,
          createdAt: at,
        },
        ...{ slowMode: 0, write: 'members', archived: false, maxMembers: null, policies: null },
      }),
      ...users.map((user) =>
        directory.memberOp({
          room: id,
          user,
          role: user === users[0] ? 'owner' : 'member',
          since: at,
          joined: { messages: 0, events: 0 },
        }),
      ),
    ])
    await commit(store, { ops })
  }
  for (let i = 0; i < rooms.length; i += 500)
    await append(
      store,
      ...rooms.slice(i, i + 500).flatMap((room) => {
        const said = drafter(room)
        return Array.from({ length: messages }, (_, n) => said(`${room} ${n}`, at + n))
      }),
    )
  return rooms
}

/** What is read of logs and notes from now on. */
function countReads({ log, notes }: Store): { reads: number; entries: number; opened: number; notes: number } {
  const counts = { reads: 0, entries: 0, opened: 0, notes: 0 }
  const { read, readBefore, open, openAll } = log
  log.read = (...args) => {
    counts.reads++
    const found = read.apply(log, args)
    if (Array.isArray(found)) counts.entries += found.length
    return found
  }
  log.readBefore = async (...args) => {
    counts.reads++
    const found = await readBefore.apply(log, args)
    counts.entries += found.length
    return found
  }
  log.open = (name) => {
    counts.opened++
    return open.call(log, name)
  }
  log.openAll = (names) => {
    counts.opened++
    return openAll.call(log, names)
  }
  const { getMany, list } = notes
  notes.getMany = (...args) => {
    counts.notes++
    return getMany.apply(notes, args)
  }
  notes.list = (...args) => {
    counts.notes++
    return list.apply(notes, args)
  }
  return counts
}

t.test('5,000 rooms: a small request, and an answer and reads by what has changed', async (t) => {
  // What search reads meanwhile is not counted.
  const alone = { limits: { rates: 'off' }, search: { enabled: false } }
  const { broker, bob } = await people(t, ['alice', 'bob'], alone)
  const { store } = broker.running
  const rooms = await furnish(store, ['alice', 'bob'], 5000, 3)
  const told: string[] = []
  let page: Json = {}
  do {
    const cursor = page.cursor === undefined ? {} : { cursor: page.cursor }
    page = await bob.get('sync', { limit: 1, maxBytes: 1_000_000, order: 'recent', ...cursor })
    told.push(...roomsOf(page))
  } while (page.more)
  t.equal(told.length, 5000)
  t.equal(new Set(told).size, told.length, 'each once')
  const { since } = page
  t.ok(since.length < 100, `a token of ${since.length} characters`)

  await broker.restart()
  const [again, other] = [await Person.connect(t, broker, 'bob'), await Person.connect(t, broker, 'alice')]
  const cold = countReads(broker.running.store)
  const nothing = await again.get('sync', { since })
  t.same(nothing.rooms, [])
  t.ok(JSON.stringify(nothing).length < 400, `${JSON.stringify(nothing).length} bytes of an answer without news`)
  t.same([cold.reads, cold.notes], [0, 0], 'no entry and no note is read')
  t.ok(cold.opened < 20, `${cold.opened} requests for heads of logs`)

  const written = rooms.filter((_, i) => i % 500 === 250)
  for (const room of written) await other.say(room, 'news')
  const counts = countReads(broker.running.store)
  const news = await again.get('sync', { since })
  t.same(roomsOf(news), written)
  t.ok(news.rooms.every(({ messages, unread, more }: Json) => messages.length === 1 && unread === 4 && !more))
  t.ok(JSON.stringify(news).length < 1000 * written.length, `${JSON.stringify(news).length} bytes for ten rooms`)
  t.ok(counts.reads <= 20 * written.length, `${counts.reads} reads of entries for ten rooms`)
  t.ok(counts.opened < 20 + 10 * written.length, `${counts.opened} requests for heads`)

  const recent = await again.get('sync', { order: 'recent', maxRooms: 30, limit: 1 })
  t.same(roomsOf(recent).slice(0, 10), written.toReversed(), 'the newest first')
  t.equal(recent.rooms.length, 30)
  t.ok(recent.more)
})

t.test('nothing but what has changed is told', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  const [one, two, three] = await furnish(broker.running.store, ['alice', 'bob'], 3, 2)
  const start = await bob.get('sync')
  t.match(start, { reset: false, more: false, me: { seq: 0, events: [], invitations: { invitations: [] } } })
  t.match(start.rooms[0], { room: one, since: 0, reset: false, messages: [{ seq: 1 }, { seq: 2 }] })
  const { since } = start
  const quiet = await bob.get('sync', { since })
  t.match(quiet, { rooms: [], left: [], reset: false, me: { events: [] } })
  t.notOk('invitations' in quiet.me || 'contacts' in quiet.me, 'lists that have not changed are left out')

  await alice.say(two!, 'news')
  const [only, ...others] = (await bob.get('sync', { since })).rooms
  t.match(only, { room: two, since: 2, reset: false, messages: [{ text: 'news' }], changed: [], unread: 3 })
  t.same(only.mine, { notifications: 'default', mutedUntil: null, pinned: false, hidden: false, unreadFrom: null })
  t.notOk('info' in only, 'the room itself is as it was')
  t.same(others, [])
  await alice.say(one!, { type: 'pin', target: 1 })
  await alice.get('rooms.update', { room: three, topic: 'tea' })
  t.match((await bob.get('sync', { since })).rooms, [
    { room: one, messages: [], changed: [{ seq: 1, pinned: { by: 'alice' } }] },
    { room: two, messages: [{ text: 'news' }] },
    { room: three, messages: [], changed: [], info: { topic: 'tea' } },
  ])
  const { since: next } = await bob.get('sync', { since })
  await broker.restart()
  const again = await Person.connect(t, broker, 'bob')
  t.match(await again.get('sync', { since: next }), { rooms: [], reset: false }, 'after a restart, too')
})

t.test('what the user does on one device is told to the others', async (t) => {
  const { broker, bob, connect } = await people(t, ['alice', 'bob'])
  const phone = await connect('bob', { clientId: 'phone' })
  const [one, two, three, four] = await furnish(broker.running.store, ['alice', 'bob'], 5, 2)
  const { since } = await phone.get('sync')
  await bob.get('read', { room: one, seq: 1 })
  await bob.get('rooms.settings', { room: two, pinned: true, notifications: 'none' })
  await bob.get('rooms.leave', { room: three })
  await bob.get('privacy.update', { readReceipts: 'nobody' })
  await bob.get('read', { room: four, seq: 2 })
  const page = await phone.get('sync', { since })
  t.match(page.rooms, [
    { room: one, read: 1, unread: 1 },
    { room: two, mine: { pinned: true, notifications: 'none' } },
    { room: four, read: 2, unread: 0 },
  ])
  t.same(roomsOf(page), [one, two, four], 'a receipt that is told to nobody else, too')
  t.same(page.left, [three])
  t.match(page.me.events, [
    { type: 'settings', room: two, pinned: true },
    { type: 'left', room: three, by: 'bob' },
    { type: 'privacy', readReceipts: 'nobody' },
  ])
  t.match(await phone.get('sync', { since: page.since }), { left: [], me: { events: [] } })
})

t.test('receipts of others are told, as far as they are for the user', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  const [one, two] = await furnish(broker.running.store, ['alice', 'bob'], 3, 2)
  const { since } = await bob.get('sync')
  await alice.get('read', { room: one, seq: 2 })
  await alice.get('privacy.update', { readReceipts: 'nobody' })
  await alice.get('read', { room: two, seq: 2 })
  await alice.get('privacy.update', { readReceipts: 'everyone' })
  t.match(await bob.get('sync', { since }), { rooms: [{ room: one, receipts: [{ user: 'alice', read: 2 }] }] })
  t.equal((await bob.get('sync', { since })).rooms.length, 1, 'that she has read more elsewhere is not to be seen')
})

t.test('invitations, contacts and events of the user reach a client that keeps no session', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  let { since } = await bob.get('sync')
  const news = async () => {
    const page = await bob.get('sync', { since })
    since = page.since
    return page
  }
  await alice.get('rooms.create', { room: 'den', access: 'private', name: 'The den' })
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await carol.get('contacts.request', { user: 'bob' })
  t.match((await news()).me, {
    events: [
      { type: 'invited', room: 'den', by: 'alice' },
      { type: 'contact', by: 'carol' },
    ],
    invitations: { invitations: [{ room: 'den', by: 'alice', info: { name: 'The den' } }], more: false },
    contacts: { contacts: [{ user: 'carol', state: 'asking' }], more: false },
  })
  const quiet = await news()
  t.same(quiet.me.events, [])
  t.notOk('invitations' in quiet.me || 'contacts' in quiet.me)
  await alice.get('rooms.remove', { room: 'den', user: 'bob' })
  await carol.get('contacts.remove', { user: 'bob' })
  t.match(
    (await news()).me,
    { events: [], invitations: { invitations: [] }, contacts: { contacts: [] } },
    'what no event tells',
  )
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.join', { room: 'den' })
  t.match(
    (await news()).rooms,
    [{ room: 'den', reset: true, info: { role: 'member' } }],
    'a room that is new to the client',
  )
  await alice.get('rooms.remove', { room: 'den', user: 'bob' })
  t.match(await news(), { left: ['den'], rooms: [], me: { events: [{ type: 'removed', room: 'den' }] } })
})

t.test('an invitation that is withdrawn while it is told says nothing of the room any more', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  const { log } = broker.running.store
  const open = log.open.bind(log)
  const asked = {
    sync: async () => (await bob.get('sync')).me.invitations.invitations,
    'rooms.invited': async () => (await bob.get('rooms.invited')).invitations,
  }
  for (const [method, invitations] of Object.entries(asked)) {
    for (const room of ['attic', 'cellar']) {
      await alice.get('rooms.create', { room, access: 'private' })
      await alice.get('rooms.invite', { room, user: 'bob' })
    }
    const withdrawn = new Promise<void>((resolve) => {
      log.open = async (name) => {
        if (name !== 'm:attic') return open(name)
        log.open = open
        await alice.get('rooms.remove', { room: 'cellar', user: 'bob' })
        resolve()
        return open(name)
      }
    })
    const told = await invitations()
    await withdrawn
    t.match(
      told,
      [
        { room: 'attic', info: { id: 'attic' } },
        { room: 'cellar', by: 'alice', info: null },
      ],
      method,
    )
    for (const room of ['attic', 'cellar']) await alice.get('rooms.delete', { room })
  }
})

t.test('events of the user come in pages', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'], { limits: { rates: 'off' } })
  await openDen(alice, bob)
  const client = new SyncedClient('token')
  await client.sync(bob)
  for (let i = 0; i < 250; i++) await bob.get('rooms.settings', { room: 'den', pinned: i % 2 === 0 })
  await client.sync(bob)
  t.same(
    client.events.map(({ seq }) => seq),
    Array.from({ length: 250 }, (_, i) => i + 1),
  )
  await client.sync(bob, { maxBytes: 4096 })
  t.same(client.events, [], 'and once')
})

t.test('a token that says nothing any more begins anew, and says so', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'], { limits: { rates: 'off' } })
  await openDen(alice, bob)
  await alice.say('den', 'one')
  const { since } = await bob.get('sync')
  t.match(await alice.get('sync', { since }), { reset: true, rooms: [{ room: 'den', reset: true }] }, 'of another user')
  const parts = since.split('.')
  parts[0] = '0'.repeat(12)
  t.match(await bob.get('sync', { since: parts.join('.') }), { reset: true }, 'of another store')
  for (const text of ['', 'x', `${since}.0`, since.slice(1), since.toUpperCase(), 'a.b.c.d.e.f.g'])
    t.equal(await bob.fails('sync', { since: text }), 'bad_request since', text)
  t.equal(await bob.fails('sync', { cursor: 'den' }), 'bad_request cursor')
  t.equal(await bob.fails('sync', { order: 'size' }), 'bad_request order')
  const { since: mine } = await bob.get('sync')
  for (let i = 0; i < 300; i++) await bob.get('rooms.settings', { room: 'den', pinned: i % 2 === 0 })
  const { log } = broker.running.store
  await drop(broker.running.store, 'm:no-such-room')
  await log.trim('u:bob', 200)
  t.ok((await log.open('u:bob')).tail > 2)
  t.match(
    await bob.get('sync', { since: mine }),
    { reset: true, me: { events: [] }, rooms: [{ reset: true }] },
    'too old',
  )
})

t.test('what was committed late is missing visibly, and found', async (t) => {
  const { broker, bob } = await people(t, ['alice', 'bob'])
  const { store } = broker.running
  await furnish(store, ['alice', 'bob'], 2, 5)
  const client = new SyncedClient('token')
  await client.sync(bob)
  const [late] = [...client.rooms.keys()]
  // Stamped two hours before the token, and in the store only now.
  const saidBefore = drafter(late!)
  await append(store, ...['a', 'b', 'c'].map((text) => saidBefore(text, Date.now() - 2 * HOUR)))
  const { rooms } = await bob.get('sync', { since: client.since })
  t.match(rooms, [{ room: late, since: 7, head: 8 }], 'the client has less than that')
  await client.sync(bob)
  t.same([...client.rooms.get(late!)!.messages.keys()], [1, 2, 3, 4, 5, 6, 7, 8])
})

t.test('in what an earlier version has added to, the time of the last entry counts', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  const { store } = broker.running
  const [one] = await furnish(store, ['alice', 'bob'], 3, 2)
  const { log } = store
  const openAll = log.openAll.bind(log)
  log.openAll = async (names) => (await openAll(names)).map((info) => ({ ...info, grownIn: 0, spokenIn: 0 }))
  const { since } = await bob.get('sync')
  t.same((await bob.get('sync', { since })).rooms, [])
  const counts = countReads(store)
  t.same((await bob.get('sync', { since })).rooms, [])
  t.equal(counts.reads, 0, 'read once')
  await alice.say(one!, 'news')
  t.match((await bob.get('sync', { since })).rooms, [{ room: one, since: 2, messages: [{ text: 'news' }] }])
})

t.test('a read that fails fails the request, and nothing else', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  const { store } = broker.running
  const [room] = await furnish(store, ['alice', 'bob'], 1, 2)
  const { log } = store
  const openAll = log.openAll.bind(log)
  const asOfEarlier = (info: LogGrowth): LogGrowth =>
    info.name.startsWith('m:') ? { ...info, grownIn: 0, spokenIn: 0 } : info
  log.openAll = async (names) => (await openAll(names)).map(asOfEarlier)
  const { since } = await bob.get('sync')
  await alice.get('rooms.update', { room, topic: 'news' })
  const read = log.read.bind(log)
  log.read = (name, ...args) =>
    name === `m:${room}` ? Promise.reject(new Error('the disk fails')) : read(name, ...args)
  t.match(await bob.ask('sync', { since }), { ok: false, error: { code: 'internal' } })
  log.read = read
  t.match((await bob.get('sync', { since })).rooms, [{ room, info: { topic: 'news' }, messages: [] }])
})

t.test('a client that heard more says where it is', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  const [room] = await furnish(broker.running.store, ['alice', 'bob'], 2, 2)
  const { since } = await bob.get('sync')
  await alice.say(room!, 'three')
  await alice.say(room!, 'four')
  const [news] = (await bob.get('sync', { since, rooms: { [room!]: { seq: 3 } } })).rooms
  t.match(news, { since: 3, messages: [{ text: 'four' }], reset: false })
  t.notOk('info' in news, 'nor is the room told again')
  t.same((await bob.get('sync', { since, rooms: { [room!]: { seq: 4 } } })).rooms, [], 'nothing is new to it')
  t.same((await bob.get('sync', { since, rooms: { nowhere: { seq: 3 } } })).left, ['nowhere'])
  t.match((await bob.get('sync', { since, rooms: { [room!]: { seq: 9 } } })).rooms, [{ reset: true }], 'what cannot be')
})

t.test('a message drops nothing off a list that is read meanwhile', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  const rooms = await furnish(broker.running.store, ['alice', 'bob'], 12, 1)
  for (const room of [...rooms].reverse()) await alice.say(room, 'hello')
  const told: string[] = []
  let cursor: string | undefined
  for (let page = 0; ; page++) {
    const asked = { order: 'recent', maxRooms: 4, ...(cursor === undefined ? {} : { cursor }) }
    const answer = await bob.get('sync', asked)
    told.push(...roomsOf(answer))
    if (page === 0) t.same(told, rooms.slice(0, 4), 'the newest first')
    // One that was told, and one that was not.
    if (page === 0) for (const room of [rooms[1]!, rooms[10]!]) await alice.say(room, 'meanwhile')
    cursor = answer.cursor
    if (!answer.more) break
  }
  t.same(told.slice(0, 10), rooms.slice(0, 10))
  t.same(new Set(told), new Set(rooms), 'every room')
})
