/** The inbox of mentions: over all rooms, newest first, as messages are now, and only for who may read them now. */
import t from 'tap'
import { type MentionPage, readMentions } from '../../broker/chat/history/mention-inbox.js'
import { comesBefore, type Place } from '../../broker/chat/model/places.js'
import { movableClock } from '../helpers/clock.js'
import { erased } from '../helpers/erased.js'
import type { Person } from '../helpers/people.js'
import { people, privateRoom } from '../helpers/rooms.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

const MENTION = { mentions: ['@bob'] }

/** What the inbox shows, as `room text`, read in pages of `limit`. */
async function inbox(person: Person, limit = 20): Promise<string[]> {
  const shown: string[] = []
  for (let cursor: string | undefined; ; ) {
    const page: Json = await person.get('mentions.list', { limit, ...(cursor === undefined ? {} : { cursor }) })
    shown.push(...page.mentions.map(({ room, message }: Json) => `${room} ${message.text}`))
    t.ok(page.mentions.length <= limit)
    if (!page.more) return shown
    cursor = page.cursor
  }
}

t.test('has what mentions the user or the room, in rooms, threads and conversations, newest first', async (t) => {
  const clock = movableClock(t)
  const { broker, connect, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await privateRoom('tea', alice, bob, carol)
  await privateRoom('den', alice, bob)
  const say = (room: string, text: string, more: object) => {
    clock.forward(1)
    return alice.get('send', { room, text, ...more })
  }
  await say('tea', 'one', MENTION)
  await say('den', 'two', { mentions: ['@Bob', '@carol'] })
  await say('tea', 'three', { mentions: ['@room'] })
  await say('tea', 'no', { mentions: ['@carol'] })
  await say('tea', 'four', { ...MENTION, thread: 1 })
  await say('@bob', 'five', MENTION)
  await say('tea', 'none', {})
  await bob.get('send', { room: 'tea', text: 'by himself', mentions: ['@bob'] })
  const all = ['dm:alice:bob five', 'tea four', 'tea three', 'den two', 'tea one']
  t.same(await inbox(bob), all)
  for (const limit of [1, 2, 3, 5]) t.same(await inbox(bob, limit), all, `in pages of ${limit}`)
  t.same(await inbox(carol), ['tea no', 'tea three'])
  t.same(await inbox(alice), [])
  await broker.restart()
  const { mentions } = await (await connect('bob', { clientId: 'again' })).get('mentions.list', { limit: 2 })
  t.match(mentions, [{ room: 'dm:alice:bob' }, { message: { seq: 4, thread: 1, from: 'alice', text: 'four' } }])
})

t.test('follows edits, deletions, lifetimes and membership', async (t) => {
  const clock = movableClock(t)
  const { broker, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await privateRoom('tea', alice, bob, carol)
  await privateRoom('den', alice, bob)
  await alice.get('send', { room: 'tea', text: 'a', ...MENTION }) // 1
  await alice.get('send', { room: 'tea', text: 'b', ...MENTION }) // 2
  await alice.get('send', { room: 'tea', text: 'c', ...MENTION, ttl: 60 }) // 3
  await alice.get('send', { room: 'tea', text: 'd' }) // 4
  await carol.get('send', { room: 'tea', text: 'e', ...MENTION }) // 5
  await alice.get('send', { room: 'den', text: 'f', ...MENTION })
  t.same(await inbox(bob), ['den f', 'tea e', 'tea c', 'tea b', 'tea a'])
  await alice.get('send', { room: 'tea', type: 'edit', target: 1, text: 'no more' })
  await alice.get('send', { room: 'tea', type: 'edit', target: 4, text: 'now', ...MENTION })
  await alice.get('send', { room: 'tea', type: 'delete', target: 2 })
  await alice.get('send', { room: 'tea', type: 'reaction', target: 5, data: { emoji: '👍' } })
  t.same(await inbox(bob), ['den f', 'tea e', 'tea now', 'tea c'])
  t.match((await bob.get('mentions.list')).mentions[1].message, { reactions: [{ emoji: '👍', count: 1 }] })
  clock.forward(61)
  t.same(await inbox(bob), ['den f', 'tea e', 'tea now'])
  await bob.get('rooms.leave', { room: 'den' })
  t.same(await inbox(bob), ['tea e', 'tea now'])
  await alice.get('rooms.remove', { room: 'tea', user: 'bob' })
  t.same(await inbox(bob), [])
  await alice.get('rooms.invite', { room: 'tea', user: 'bob' })
  await bob.get('rooms.join', { room: 'tea' })
  await carol.get('account.delete', { user: 'carol' })
  await erased(broker, 'carol')
  t.same(await inbox(bob), ['tea now'])
  await alice.get('rooms.delete', { room: 'tea' })
  t.same(await inbox(bob), [])
})

t.test('says what was read, in the room or in the thread', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await privateRoom('tea', alice, bob)
  await alice.get('send', { room: 'tea', text: 'a', ...MENTION }) // 1
  await alice.get('send', { room: 'tea', text: 'b', ...MENTION }) // 2
  await alice.get('send', { room: 'tea', text: 'c', ...MENTION, thread: 1 }) // 3
  await alice.get('send', { room: 'tea', text: 'd', ...MENTION, thread: 2 }) // 4
  const read = async () => (await bob.get('mentions.list')).mentions.map((one: Json) => one.read).toReversed()
  t.same(await read(), [false, false, false, false])
  await bob.get('read', { room: 'tea', seq: 1 })
  t.same(await read(), [true, false, false, false])
  await bob.get('read', { room: 'tea', thread: 2, seq: 4 })
  t.same(await read(), [true, false, false, true])
  await bob.get('read', { room: 'tea', seq: 4 })
  await bob.get('markUnread', { room: 'tea', seq: 3 })
  t.same(await read(), [true, true, false, true])
})

t.test('is whole over pages, however many rooms and mentions of others there are', async (t) => {
  const clock = movableClock(t)
  const { broker, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'], { limits: { rates: 'off' } })
  const rooms = Array.from({ length: 12 }, (_, i) => `room-${i}`)
  for (const room of rooms) await privateRoom(room, alice, bob, carol)
  const sent: (Place & { text: string })[] = []
  for (let i = 0; i < 360; i++) {
    if (i % 60 === 0) clock.forward(300)
    const room = rooms[(i < 180 ? i * 7 : i % 3) % rooms.length]!
    const isHis = i % 9 === 0 || i > 350
    const text = `message ${i}`
    const place = await alice.get('send', { room, text, mentions: isHis ? ['@bob'] : ['@carol'] })
    if (isHis) sent.push({ ...place, text })
  }
  for (let i = 0; i < 250; i++) await alice.get('send', { room: 'room-0', text: 'x', mentions: ['@carol'] })
  const expected = sent.sort((a, b) => (comesBefore(a, b) ? -1 : 1)).map(({ room, text }) => `${room} ${text}`)
  for (const limit of [3, 7, 100]) t.same(await inbox(bob, limit), expected, `in pages of ${limit}`)
  const { store } = broker.running
  const members = [...store.directory.memberships('bob').values()]
  const shown: string[] = []
  for (let after: Place | null = null, pages = 0; ; pages++) {
    const page: MentionPage = await readMentions(store, members, { after, limit: 5, scanned: 10 })
    for (const { place, entry } of page.mentions)
      shown.push(`${place.room} ${JSON.parse(entry.payload.toString()).text}`)
    if (!page.next) break
    after = page.next
    if (pages > 1000) throw new Error('it does not get on')
  }
  t.same(shown, expected, 'also if a page may read little')
  t.equal(await bob.fails('mentions.list', { cursor: '1 2' }), 'bad_request cursor')
})

t.test('of a conversation begins after the account that had the name before', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('send', { room: '@bob', text: 'for the first', ...MENTION })
  t.same(await inbox(bob), ['dm:alice:bob for the first'])
  await bob.get('account.delete', { user: 'bob' })
  await erased(broker, 'bob')
  const next = await connect('bob', { clientId: 'next' })
  await alice.get('send', { room: '@bob', text: 'for the next', ...MENTION })
  t.same(await inbox(next), ['dm:alice:bob for the next'])
})
