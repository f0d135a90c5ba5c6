/** History at a place: around a message or a time, single messages, versions of a message, who reacted. */
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { peopleInDen, sentToDen } from '../helpers/den.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

const seqsOf = ({ messages }: Json): number[] => messages.map(({ seq }: Json) => seq)

t.test('around a message there is what was before and after it, and both can be read on', async (t) => {
  const broker = await startTestBroker(t)
  const [alice] = await peopleInDen(t, broker, 'alice')
  for (let i = 1; i <= 20; i++) await sentToDen(alice!, { text: `m${i}` })
  const around = (params: object) => alice!.get('history', { room: 'den', ...params })
  for (const view of ['raw', 'folded']) {
    const middle = await around({ around: 10, limit: 6, view })
    t.same(seqsOf(middle), [7, 8, 9, 10, 11, 12], view)
    t.match(middle, { anchor: 10, more: true, before: 7, after: 12 }, view)
    t.same(seqsOf(await around({ before: middle.before, limit: 3, view })), [4, 5, 6])
    t.same(seqsOf(await around({ after: middle.after, limit: 3, view })), [13, 14, 15])
    const end = await around({ around: 19, limit: 6, view })
    t.same(seqsOf(end), [15, 16, 17, 18, 19, 20], 'what the newer half does not need is for older ones')
    t.notOk('after' in end, 'nothing is newer')
    const start = await around({ around: 1, limit: 6, view })
    t.same(seqsOf(start), [1, 2, 3])
    t.match(start, { more: false, after: 3 })
    t.notOk('before' in start, 'nothing is older')
    const beyond = await around({ around: 99, limit: 4, view })
    t.same(seqsOf(beyond), [17, 18, 19, 20], 'beyond the end it is the end')
    t.match(beyond, { anchor: 20, before: 17 })
    const one = await around({ around: 10, limit: 1, view })
    t.same(seqsOf(one), [10], 'the message itself comes first')
    t.match(one, { before: 10, after: 10 })
    const small = await around({ around: 10, maxBytes: 1, view })
    t.same(seqsOf(small), [10], 'also where the bytes are short')
  }
  t.same(seqsOf(await around({ around: 3, limit: 50 })).length, 20)
})

t.test('around a message of a thread, and among roots, only these are on the page', async (t) => {
  const broker = await startTestBroker(t)
  const [alice] = await peopleInDen(t, broker, 'alice')
  await sentToDen(alice!, { text: 'root' })
  for (let i = 2; i <= 9; i++) await sentToDen(alice!, i % 2 === 0 ? { text: 'reply', thread: 1 } : { text: 'beside' })
  const ask = (params: object) => alice!.get('history', { room: 'den', ...params })
  t.same(seqsOf(await ask({ around: 5, thread: 1, limit: 2 })), [4, 6])
  t.same(seqsOf(await ask({ around: 4, roots: true, limit: 4 })), [1, 3, 5, 7])
  t.same(seqsOf(await ask({ roots: true, view: 'folded' })), [1, 3, 5, 7, 9])
  const page = await ask({ roots: true, view: 'folded', limit: 2 })
  t.same(seqsOf(page), [7, 9])
  t.same(seqsOf(await ask({ roots: true, view: 'folded', limit: 2, before: page.before })), [3, 5])
})

t.test('around a time the page begins at the first message of that time or later', async (t) => {
  const clock = movableClock(t)
  const broker = await startTestBroker(t)
  const [alice] = await peopleInDen(t, broker, 'alice')
  const times: number[] = []
  for (let i = 0; i < 9; i++) {
    times.push((await sentToDen(alice!, { text: `day ${i}` })).ts)
    clock.forward(86_400)
  }
  const at = (aroundTs: number) => alice!.get('history', { room: 'den', aroundTs, limit: 2 })
  for (const i of [0, 1, 4, 8]) t.equal((await at(times[i]!)).anchor, i + 1, `day ${i}`)
  t.equal((await at(times[3]! + 1)).anchor, 5, 'between two it is the later one')
  t.equal((await at(0)).anchor, 1, 'before all')
  t.equal((await at(times[8]! + 1e9)).anchor, 9, 'after all')
})

t.test('an empty room has nothing around anything', async (t) => {
  const broker = await startTestBroker(t)
  const [alice] = await peopleInDen(t, broker, 'alice')
  t.same(seqsOf(await alice!.get('history', { room: 'den', around: 5 })), [])
  t.same(seqsOf(await alice!.get('history', { room: 'den', aroundTs: 5, view: 'folded' })), [])
})

t.test('single messages are read by their seqs', async (t) => {
  const broker = await startTestBroker(t)
  const [alice] = await peopleInDen(t, broker, 'alice')
  for (let i = 1; i <= 5; i++) await sentToDen(alice!, { text: `m${i}` })
  await sentToDen(alice!, { type: 'edit', target: 2, text: 'new' })
  await sentToDen(alice!, { type: 'delete', target: 4 })
  const ask = (params: object) => alice!.get('history', { room: 'den', ...params })
  const folded = await ask({ seqs: [5, 2, 4, 2, 6, 99], view: 'folded' })
  t.match(folded, { messages: [{ seq: 2, text: 'new' }, { seq: 4, gone: 'deleted' }, { seq: 5 }], more: false })
  t.equal(folded.messages.length, 3, 'each once; neither changes nor what does not exist')
  t.match(await ask({ seqs: [6, 2] }), { messages: [{ text: 'm2' }, { type: 'edit' }] }, 'raw, they are as in the log')
  const page = await ask({ seqs: [1, 3, 5], limit: 2 })
  t.same([seqsOf(page), page.before], [[3, 5], 3])
  t.same(seqsOf(await ask({ seqs: [1, 3, 5], before: 3 })), [1])
  t.same(seqsOf(await ask({ seqs: [1, 3, 5], maxBytes: 1 })), [5])
  const over = { room: 'den', seqs: Array.from({ length: 51 }, (_, i) => i + 1) }
  t.equal(await alice!.fails('history', over), 'bad_request seqs')
  for (const params of [
    { around: 1, before: 2 },
    { around: 1, aroundTs: 2 },
    { aroundTs: 1, after: 0 },
    { seqs: [1], around: 1 },
    { seqs: [1], thread: 1 },
    { roots: true, thread: 1 },
  ])
    t.match(await alice!.fails('history', { room: 'den', ...params }), /^bad_request/, JSON.stringify(params))
})

t.test('over HTTP they are in the query, and the link to the next page leaves the place out', async (t) => {
  const broker = await startTestBroker(t)
  const [alice] = await peopleInDen(t, broker, 'alice')
  for (let i = 1; i <= 9; i++) await sentToDen(alice!, { text: `m${i}` })
  const path = '/v1/rooms/den/messages'
  const some = await fetchFrom(broker, `${path}?seqs=2&seqs=4`, { as: 'alice' })
  t.same(seqsOf(JSON.parse(some.text)), [2, 4])
  const around = await fetchFrom(broker, `${path}?around=6&limit=2`, { as: 'alice' })
  t.same(seqsOf(JSON.parse(around.text)), [5, 6])
  const next = /<(.*)>/.exec(around.headers.get('link')!)![1]!
  t.notMatch(next, 'around')
  const older = await fetchFrom(broker, next, { as: 'alice' })
  t.same(seqsOf(JSON.parse(older.text)), [3, 4])
})

t.test('a user of a re-registered name gets nothing of the past of a conversation at any place', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice', { keepalive: 0 })
  const admin = await Person.connect(t, broker, 'boss', { roles: ['admin'] })
  await admin.get('accounts.create', { user: 'bob', password: 'secret' })
  const bob = await Person.connect(t, broker, 'bob', { password: 'secret' })
  await bob.tell('alice', { text: 'old secret' })
  await alice.tell('bob', { text: 'old reply', thread: 1 })
  await admin.get('accounts.delete', { user: 'bob' })
  await admin.get('accounts.create', { user: 'bob', password: 'others' })
  const { ts } = (await alice.get('history', { room: '@bob' })).messages[1]
  const again = await Person.connect(t, broker, 'bob', { password: 'others' })
  await alice.tell('bob', { text: 'hello you' })
  for (const params of [{ around: 1 }, { around: 2, view: 'folded' }, { aroundTs: ts }, { seqs: [1, 2] }]) {
    const page = await again.get('history', { room: '@alice', ...params })
    t.notMatch(JSON.stringify(page), 'old', JSON.stringify(params))
  }
  t.match(await again.get('threads.list', { room: '@alice' }), { threads: [], more: false })
  for (const method of ['edits', 'reactions'])
    t.equal(await again.fails(method, { room: '@alice', seq: 2 }), 'not_found seq', method)
  t.equal(await again.fails('threads.follow', { room: '@alice', thread: 2 }), 'not_found thread')
})

t.test('the versions of a message are read page by page', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = await peopleInDen(t, broker, 'alice', 'bob')
  await sentToDen(alice!, { text: 'v0' })
  for (let i = 1; i <= 5; i++) await sentToDen(alice!, { type: 'edit', target: 1, text: `v${i}` })
  const seen: string[] = []
  for (let after = 0, more = true; more; ) {
    const page = await bob!.get('edits', { room: 'den', seq: 1, limit: 2, ...(after > 0 ? { after } : {}) })
    seen.push(...page.versions.map(({ text }: Json) => text))
    after = page.versions.at(-1).seq
    more = page.more
  }
  t.same(seen, ['v0', 'v1', 'v2', 'v3', 'v4', 'v5'])
  t.equal(await bob!.fails('edits', { room: 'den', seq: 2 }), 'bad_request seq', 'an edit has no versions')
  t.equal(await bob!.fails('edits', { room: 'den', seq: 99 }), 'not_found seq')
  await sentToDen(alice!, { type: 'delete', target: 1 })
  t.equal(await bob!.fails('edits', { room: 'den', seq: 1 }), 'not_found seq', 'nothing of a deleted message')
})

t.test('who reacted is read page by page, and by emoji', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, ...others] = await peopleInDen(t, broker, 'alice', 'bob', 'bob-2', 'bob.b', 'carol')
  await sentToDen(alice!, { text: 'what do you say' })
  for (const person of [alice!, ...others]) {
    await sentToDen(person, { type: 'reaction', target: 1, data: { emoji: '👍' } })
    await sentToDen(person, { type: 'reaction', target: 1, data: { emoji: '❤' } })
  }
  await sentToDen(others[3]!, { type: 'reaction', target: 1, data: { emoji: '👍', remove: true } })
  const all = async (params: object): Promise<Json[]> => {
    const seen: Json[] = []
    for (let after: string | undefined, more = true; more; after = seen.at(-1)?.user) {
      const page = await alice!.get('reactions', {
        room: 'den',
        seq: 1,
        limit: 2,
        ...params,
        ...(after ? { after } : {}),
      })
      seen.push(...page.reactions)
      more = page.more
    }
    return seen
  }
  const everyone = await all({})
  t.same(everyone.map(({ user }) => user).sort(), ['alice', 'bob', 'bob-2', 'bob.b', 'carol'], 'each once')
  t.same(everyone.find(({ user }) => user === 'bob').emoji.sort(), ['❤️', '👍'].sort())
  const thumbs = await all({ emoji: '👍' })
  t.same(thumbs.map(({ user }) => user).sort(), ['alice', 'bob', 'bob-2', 'bob.b'], 'not who took it back')
  t.equal((await all({ emoji: '❤' })).length, 5, 'an emoji in any form')
  t.same(await all({ emoji: '🎉' }), [])
})
