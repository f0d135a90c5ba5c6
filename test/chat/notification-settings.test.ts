/** What a user is notified of: by levels, keywords and mutes, as they are when it is counted. */
import t from 'tap'
import { commit } from '../../broker/store/commit.js'
import { put } from '../../broker/store/op.js'
import { keyOf } from '../../broker/store/tables.js'
import { movableClock } from '../helpers/clock.js'
import { openDen, sentToDen } from '../helpers/den.js'
import { startNodes } from '../helpers/nodes.js'
import { Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

const OPEN = { rooms: 'all', direct: 'all', keywords: [] }

async function notifying(person: Person, room = 'den'): Promise<number> {
  return (await person.get('unread', { room })).rooms[0].notify
}

t.test('are changed one by one, told to one’s own devices, and kept', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  const phone = await connect('alice', { clientId: 'phone' })
  await phone.subscribe('users/alice/events')
  await bob.subscribe('users/alice/events')
  t.same(await alice.get('notifications.settings.get'), OPEN)
  const some = { rooms: 'mentions', direct: 'all', keywords: ['release', 'green tea'] }
  t.same(await alice.get('notifications.settings.update', { rooms: 'mentions' }), { ...OPEN, rooms: 'mentions' })
  t.same(await alice.get('notifications.settings.update', { keywords: ['release', 'green tea', 'release'] }), some)
  t.match(await phone.on('users/alice/events', 2), [{ type: 'notifications' }, { type: 'notifications', ...some }])
  t.same(await alice.get('notifications.settings.update', {}), some)
  t.same(await bob.get('notifications.settings.get'), OPEN, 'those of others are theirs')
  await broker.restart()
  t.same(await (await connect('alice')).get('notifications.settings.get'), some)
})

t.test('keywords are bounded, and have words', async (t) => {
  const { alice } = await people(t, ['alice'])
  const update = (keywords: string[]) => alice.fails('notifications.settings.update', { keywords })
  t.equal(await update(['?!']), 'bad_request keywords')
  t.equal(await update(['']), 'bad_request keywords.0')
  t.equal(await update(['x'.repeat(65)]), 'bad_request keywords.0')
  t.equal(await update(Array.from({ length: 51 }, (_, i) => `w${i}`)), 'bad_request keywords')
  t.equal(await update(Array.from({ length: 20 }, (_, i) => `${i}${'x'.repeat(60)}`)), 'too_large keywords')
  t.same(await alice.get('notifications.settings.get'), OPEN)
})

t.test('what notifies follows from the settings as they are, and from the messages as they are', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  const messages: object[] = [
    { text: 'nothing special' },
    { text: 'you', mentions: ['@bob'] },
    { text: 'the RELEASE is out' },
    { text: 'prereleased' },
    { text: 'a reply', thread: 1 },
    { text: 'a reply about the release', thread: 1 },
    { text: 'a reply to you', thread: 1, mentions: ['@bob'] },
    { text: 'release, and you', mentions: ['@bob'] },
    { type: 'reaction', target: 1, data: { emoji: '👍' } },
  ]
  for (const message of messages) await sentToDen(alice, message)
  await bob.say('den', 'my release')
  const set = (settings: object) => bob.get('notifications.settings.update', settings)
  const inDen = (settings: object) => bob.get('rooms.settings', { room: 'den', ...settings })
  t.equal(await notifying(bob), 6, 'all: five outside of threads, and the mention in one')
  await set({ keywords: ['release'] })
  t.equal(await notifying(bob), 7, 'and the keyword in one')
  await set({ rooms: 'mentions' })
  t.equal(await notifying(bob), 5, 'mentions and keywords, each message once')
  await set({ keywords: [] })
  t.equal(await notifying(bob), 3)
  await set({ rooms: 'none', keywords: ['release'] })
  t.equal(await notifying(bob), 0)
  await inDen({ notifications: 'mentions' })
  t.equal(await notifying(bob), 5, 'the room’s own setting comes first')
  await alice.say('den', { type: 'edit', target: 1, text: 'now about the release' })
  await alice.say('den', { type: 'edit', target: 3, text: 'withdrawn' })
  await alice.say('den', { type: 'edit', target: 4, text: 'release again' })
  t.equal(await notifying(bob), 6, 'as they are after edits')
  await alice.say('den', { type: 'delete', target: 4 })
  t.equal(await notifying(bob), 5)
  await inDen({ notifications: 'none' })
  t.equal(await notifying(bob), 0)
  await inDen({ notifications: 'default' })
  await set({ rooms: 'all' })
  await bob.get('read', { room: 'den', seq: 6 })
  t.match((await bob.get('unread', { room: 'den' })).rooms[0], { unread: 1, mentions: 2, notify: 2 })
  t.match((await bob.get('sync')).rooms, [{ room: 'den', notify: 2 }])
  await bob.get('read', { room: 'den', seq: 8 })
  t.equal(await notifying(bob), 0)
  t.notOk('notify' in (await bob.get('unread', { room: 'den', thread: 1 })).rooms[0], 'threads have no such count')
})

t.test('direct conversations have a setting of their own', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  await alice.say('den', 'hi')
  await alice.tell('bob', 'hi')
  await bob.get('notifications.settings.update', { rooms: 'none' })
  t.same([await notifying(bob), await notifying(bob, '@alice')], [0, 1])
  await bob.get('notifications.settings.update', { rooms: 'all', direct: 'mentions', keywords: ['hello'] })
  t.same([await notifying(bob), await notifying(bob, '@alice')], [1, 0])
  await alice.tell('bob', 'hello')
  t.equal(await notifying(bob, '@alice'), 1)
})

t.test('a mute ends by itself', async (t) => {
  const clock = movableClock(t)
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'], { listen: { connectTimeout: '1d' } })
  await openDen(alice, bob)
  await alice.say('den', { text: 'you', mentions: ['@bob'] })
  const mutedUntil = Date.now() + 60_000
  await bob.subscribe('users/bob/events')
  t.match(await bob.get('rooms.settings', { room: 'den', mutedUntil }), { mutedUntil, notifications: 'default' })
  t.match(await bob.on('users/bob/events', 1), [{ type: 'settings', room: 'den', mutedUntil }])
  t.match((await bob.get('unread')).rooms, [{ unread: 1, mentions: 1, notify: 0 }])
  t.equal(await notifying(alice), 0)
  await broker.restart()
  const again = await connect('bob')
  t.equal(await notifying(again), 0)
  clock.forward(61)
  t.equal(await notifying(again), 1)
  t.match((await again.get('rooms.get', { room: 'den' })).mine, { mutedUntil: null })
  await again.get('rooms.settings', { room: 'den', mutedUntil: Date.now() + 60_000 })
  t.match(await again.get('rooms.settings', { room: 'den', mutedUntil: null }), { mutedUntil: null })
  t.equal(await notifying(again), 1)
})

t.test('settings of before follow those for all rooms, unless they said something else', async (t) => {
  const { broker, alice } = await people(t, ['alice'])
  const { store } = broker.running
  const before = { role: 'member', since: 1, joined: { messages: 0, events: 0 } }
  for (const [room, notifications] of [
    ['one', 'all'],
    ['two', 'none'],
  ] as const) {
    await alice.get('rooms.create', { room })
    const settings = { notifications, pinned: true, hidden: false }
    await commit(store, { ops: [put('member', keyOf(room, 'alice'), JSON.stringify({ ...before, settings }))] })
  }
  const mine = async (room: string) => (await alice.get('rooms.get', { room })).mine
  t.match(await mine('one'), { notifications: 'default', pinned: true })
  t.match(await mine('two'), { notifications: 'none', pinned: true })
  await alice.get('rooms.settings', { room: 'one', notifications: 'all' })
  t.match(await mine('one'), { notifications: 'all' })
})

t.test('keywords are looked for in a bounded part of what is unread', async (t) => {
  const limits = { keywordBytes: 4096, rates: 'off' }
  const { alice, bob } = await people(t, ['alice', 'bob'], { limits })
  await openDen(alice, bob)
  await bob.get('notifications.settings.update', { rooms: 'mentions', keywords: ['release'] })
  await alice.say('den', 'release')
  await alice.say('den', 'x'.repeat(3000))
  t.match((await bob.get('unread')).rooms, [{ notify: 1, atLeast: undefined }])
  await alice.say('den', 'x'.repeat(3000))
  t.match((await bob.get('unread')).rooms, [{ unread: 3, notify: 0, atLeast: true }])
  await bob.get('notifications.settings.update', { keywords: [] })
  t.match((await bob.get('unread')).rooms, [{ unread: 3, notify: 0, atLeast: undefined }])
  await bob.get('notifications.settings.update', { keywords: ['tea'] })
  await Promise.all(Array.from({ length: 110 }, () => alice.say('den', 'tea')))
  t.match((await bob.get('unread')).rooms, [{ atLeast: true }])
  await bob.get('notifications.settings.update', { rooms: 'all' })
  t.match((await bob.get('unread')).rooms, [{ unread: 100, notify: 100, atLeast: undefined }], 'a count ends at 100')
})

t.test('hold on all nodes', async (t) => {
  const { one, two } = await startNodes(t)
  const alice = await Person.connect(t, one.broker, 'alice')
  const [here, there] = [
    await Person.connect(t, one.broker, 'bob'),
    await Person.connect(t, two.broker, 'bob', { clientId: 'there' }),
  ]
  await openDen(alice, here)
  await there.subscribe('users/bob/events')
  await alice.say('den', 'the release')
  await here.get('notifications.settings.update', { rooms: 'mentions', keywords: ['tea'] })
  t.equal(await notifying(there), 0)
  await there.on('users/bob/events', 1)
  await there.get('notifications.settings.update', { keywords: ['release'] })
  t.equal(await notifying(here), 1)
})
