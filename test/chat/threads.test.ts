/** Threads: what a message shows of its replies, the list of threads, and following them. */
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { DEN, peopleInDen, sentToDen } from '../helpers/den.js'
import { erased } from '../helpers/erased.js'
import { Person } from '../helpers/people.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

/** What message `seq` shows of its replies; undefined: nothing. */
async function repliesOf(person: Person, seq = 1): Promise<Json> {
  return (await person.get('history', { room: 'den', seqs: [seq], view: 'folded' })).messages[0].replies
}

t.test('a message shows how many replies it has, who wrote the last ones, and when', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob, carol, dora] = await peopleInDen(t, broker, 'alice', 'bob', 'carol', 'dora')
  await sentToDen(alice!, { text: 'root' })
  await sentToDen(alice!, { text: 'other' })
  t.equal(await repliesOf(alice!), undefined, 'without replies nothing')
  for (const person of [alice!, bob!, carol!, dora!]) await sentToDen(person, { text: 'reply', thread: 1 })
  const { ts } = await sentToDen(dora!, { text: 'reply', thread: 1 })
  const expected = { count: 5, lastSeq: 7, lastTs: ts, users: ['dora', 'carol', 'bob'] }
  t.same(await repliesOf(alice!), expected)
  t.equal(await repliesOf(alice!, 2), undefined, 'other messages do not')
  await sentToDen(bob!, { type: 'edit', target: 4, text: 'edited' })
  t.same(await repliesOf(alice!), expected, 'an edit is no reply')
  const { rooms } = await bob!.get('sync')
  t.same(rooms[0].messages[0].replies, expected, 'also in sync')
  await broker.restart()
  const again = await Person.connect(t, broker, 'alice')
  t.same(await repliesOf(again), expected, 'after a restart')
})

t.test('deleted and expired replies do not count, nor name anyone', async (t) => {
  const clock = movableClock(t)
  const broker = await startTestBroker(t)
  const [alice, bob, carol] = await peopleInDen(t, broker, 'alice', 'bob', 'carol')
  await sentToDen(alice!, { text: 'root' })
  const first = await sentToDen(bob!, { text: 'reply', thread: 1 })
  await sentToDen(carol!, { text: 'reply', thread: 1 })
  await sentToDen(alice!, { text: 'short', thread: 1, ttl: 60 })
  t.match(await repliesOf(bob!), { count: 3, lastSeq: 4, users: ['alice', 'carol', 'bob'] })
  clock.forward(61)
  t.match(await repliesOf(bob!), { count: 2, lastSeq: 3, users: ['carol', 'bob'] })
  await sentToDen(carol!, { type: 'delete', target: 3 })
  t.same(await repliesOf(bob!), { count: 1, lastSeq: 2, lastTs: first.ts, users: ['bob'] })
  t.equal((await bob!.get('history', { room: 'den', thread: 1 })).messages.length, 3, 'the thread keeps their places')
  await sentToDen(bob!, { type: 'delete', target: 2 })
  t.equal(await repliesOf(bob!), undefined)
  t.match(await bob!.get('threads.list', { room: 'den' }), { threads: [], more: false })
})

t.test('a hundred replies stand for a hundred or more', async (t) => {
  const broker = await startTestBroker(t, { limits: { receiveMaximum: 65_535, rates: 'off' } })
  const [alice] = await peopleInDen(t, broker, 'alice')
  await sentToDen(alice!, { text: 'root' })
  await Promise.all(Array.from({ length: 300 }, () => alice!.publish(DEN, { text: 'reply', thread: 1 })))
  t.match(await repliesOf(alice!), { count: 100, lastSeq: 301, users: ['alice'] })
})

t.test('of a removed account a summary names nobody', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = await peopleInDen(t, broker, 'alice', 'bob')
  await sentToDen(alice!, { text: 'root' })
  await sentToDen(alice!, { text: 'mine', thread: 1 })
  await sentToDen(bob!, { text: 'his', thread: 1 })
  await bob!.get('account.delete', { user: 'bob' })
  await erased(broker, 'bob')
  t.match(await repliesOf(alice!), { count: 1, lastSeq: 2, users: ['alice'] })
})

t.test('threads are listed by their last reply, each once over all pages', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = await peopleInDen(t, broker, 'alice', 'bob')
  for (let i = 1; i <= 6; i++) await sentToDen(alice!, { text: `root ${i}` })
  for (const thread of [1, 2, 3, 4, 5, 2, 4, 1, 4, 4]) await sentToDen(bob!, { text: 'reply', thread })
  await sentToDen(alice!, { type: 'delete', target: 3 })
  const seen: number[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await alice!.get('threads.list', { room: 'den', limit: 2, ...(cursor ? { cursor } : {}) })
    seen.push(...page.threads.map(({ message }: Json) => message.seq))
    if (!page.more) break
    cursor = page.cursor
  }
  t.same(seen, [4, 1, 2, 5, 3])
  const { threads } = await alice!.get('threads.list', { room: 'den' })
  t.match(threads[0], { message: { text: 'root 4', replies: { count: 4, lastSeq: 16 } }, following: false })
  t.match(threads[4].message, { seq: 3, gone: 'deleted' }, 'a thread outlives the message that began it')
  t.equal(await alice!.fails('threads.list', { room: 'den', cursor: 'x' }), 'bad_request cursor')
})

t.test('what is left of a deleted reply stays in its thread, also when its author is gone', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = await peopleInDen(t, broker, 'alice', 'bob')
  await sentToDen(alice!, { text: 'root' })
  await sentToDen(bob!, { text: 'reply', thread: 1 })
  await sentToDen(bob!, { text: 'another', thread: 1 })
  await sentToDen(bob!, { type: 'edit', target: 2, text: 'reply!' })
  await sentToDen(bob!, { type: 'delete', target: 2 })
  const of = async (params: Json): Promise<Json[]> => (await alice!.get('history', { room: 'den', ...params })).messages
  const left = { seq: 2, gone: 'deleted', by: 'bob', thread: 1 }
  t.match(await of({ view: 'folded' }), [{ seq: 1 }, left, { seq: 3, thread: 1 }])
  t.match(await of({ thread: 1 }), [left, { seq: 3 }])
  t.match(await of({ roots: true, view: 'folded' }), [{ seq: 1 }], 'it is no root')
  const raw = await of({})
  t.match(raw[3], { seq: 4, gone: 'deleted' })
  t.notOk('thread' in raw[3], 'what changed it was in no thread')
  await bob!.get('account.delete', { user: 'bob' })
  await erased(broker, 'bob')
  t.match(await of({ thread: 1 }), [
    { ...left, by: null },
    { seq: 3, gone: 'deleted', by: null, thread: 1 },
  ])
})

t.test('a conversation without a message has no threads', async (t) => {
  const broker = await startTestBroker(t)
  const [alice] = await Promise.all(['alice', 'bob'].map((user) => Person.connect(t, broker, user)))
  t.same(await alice!.get('threads.list', { room: '@bob' }), { threads: [], more: false })
})

t.test('a member follows threads, with what is unread of each; own devices are told', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = await peopleInDen(t, broker, 'alice', 'bob')
  await bob!.subscribe('users/bob/events')
  await alice!.get('rooms.create', { room: 'attic' })
  await bob!.get('rooms.join', { room: 'attic' })
  await alice!.say('attic', { text: 'up here' })
  for (let i = 1; i <= 3; i++) await sentToDen(alice!, { text: `root ${i}` })
  for (const thread of [3, 1]) await bob!.get('threads.follow', { room: 'den', thread })
  await bob!.get('threads.follow', { room: 'den', thread: 1 })
  await bob!.get('threads.follow', { room: 'attic', thread: 1 })
  const events = await bob!.on('users/bob/events', 3)
  t.match(events[0], { type: 'thread', room: 'den', thread: 3, following: true })
  await sentToDen(alice!, { text: 'reply @bob', thread: 3, mentions: ['@bob'] })
  await sentToDen(alice!, { text: 'reply', thread: 3 })
  const { threads, more } = await bob!.get('threads.followed')
  t.same(
    threads.map(({ room, thread, unread, mentions }: Json) => [room, thread, unread, mentions]),
    [
      ['attic', 1, 0, 0],
      ['den', 1, 0, 0],
      ['den', 3, 2, 1],
    ],
  )
  t.equal(more, false)
  t.match(threads[2].message, { text: 'root 3', replies: { count: 2 } })
  const page = await bob!.get('threads.followed', { limit: 2 })
  t.equal(page.more, true)
  const rest = await bob!.get('threads.followed', { limit: 2, cursor: page.cursor })
  t.match(rest, { threads: [{ room: 'den', thread: 3 }], more: false })
  t.match(await bob!.get('threads.list', { room: 'den' }), { threads: [{ following: true }] })
  t.match(await alice!.get('threads.list', { room: 'den' }), { threads: [{ following: false }] })
  await bob!.get('rooms.settings', { room: 'den', pinned: true })
  await bob!.get('threads.unfollow', { room: 'den', thread: 3 })
  t.same((await bob!.get('threads.followed')).threads.length, 2)
  t.match((await bob!.on('users/bob/events', 5))[4], { type: 'thread', thread: 3, following: false })
  await bob!.get('rooms.leave', { room: 'den' })
  await bob!.get('rooms.join', { room: 'den' })
  t.match(await bob!.get('threads.followed'), { threads: [{ room: 'attic' }] }, 'it ends with the membership')
})

t.test('only what can begin a thread is followed, and not without bound', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const [alice, bob] = await peopleInDen(t, broker, 'alice', 'bob')
  for (let i = 1; i <= 201; i++) await alice!.say('den', { text: `root ${i}` })
  const { seq: reply } = await sentToDen(alice!, { text: 'reply', thread: 1 })
  t.equal(await bob!.fails('threads.follow', { room: 'den', thread: reply }), 'bad_request thread')
  t.equal(await bob!.fails('threads.follow', { room: 'den', thread: 999 }), 'not_found thread')
  for (let thread = 1; thread <= 200; thread++) await bob!.get('threads.follow', { room: 'den', thread })
  t.equal(await bob!.fails('threads.follow', { room: 'den', thread: 201 }), 'conflict')
  await bob!.get('threads.unfollow', { room: 'den', thread: 7 })
  await bob!.get('threads.follow', { room: 'den', thread: 201 })
})
