/** Finding messages by their words: what is found, by whom, and what is found no more. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { commit } from '../../broker/store/commit.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

const ROOMS = { list: [{ id: 'tea' }, { id: 'garden' }] }

async function stage(t: Test, overrides: Overrides = {}): Promise<{ broker: TestBroker; alice: Person; bob: Person }> {
  const broker = await startTestBroker(t, { rooms: ROOMS, ...overrides })
  const [alice, bob] = [await Person.connect(t, broker, 'alice'), await Person.connect(t, broker, 'bob')]
  return { broker, alice, bob }
}

/** What a search gives once the index has everything; on a busy machine that may take longer than a search waits. */
async function searched(person: Person, params: object): Promise<Json> {
  for (;;) {
    const reply = await person.ask('search', params)
    if (reply.ok && reply.result.pending === 0) return reply.result
    if (!reply.ok && reply.error.code !== 'unavailable') throw new Error(JSON.stringify(reply.error))
  }
}

/** The texts a person finds, newest first. */
async function finds(person: Person, query: string, params: object = {}): Promise<string[]> {
  const { results } = await searched(person, { query, ...params })
  return results.map(({ message }: { message: { text?: string; seq: number } }) => message.text ?? `#${message.seq}`)
}

t.test('a user finds what was said, at once, newest first, over MQTT and HTTP', async (t) => {
  const { broker, alice, bob } = await stage(t)
  await alice.say('tea', 'Green tea is hot')
  await alice.say('garden', 'the garden is green')
  await bob.say('tea', 'black tea, please')
  t.strictSame(await finds(alice, 'tea'), ['black tea, please', 'Green tea is hot'])
  t.strictSame(await finds(alice, 'GREEN'), ['the garden is green', 'Green tea is hot'])
  const { body, status } = await fetchFrom(broker, '/v1/search?query=green%20tea', { as: 'alice' })
  t.equal(status, 200)
  t.match(body, {
    results: [{ message: { room: 'tea', seq: 1, from: 'alice', text: 'Green tea is hot' } }],
    more: false,
  })
  t.strictSame(await finds(bob, 'green'), ['Green tea is hot'], 'bob is not in the garden')
})

t.test('all words have to be there; phrases and beginnings of words', async (t) => {
  const { alice } = await stage(t)
  for (const text of ['the quick brown fox', 'a quick answer', 'brown bread', 'quickly done'])
    await alice.say('tea', text)
  t.strictSame(await finds(alice, 'quick brown'), ['the quick brown fox'])
  t.strictSame(await finds(alice, 'brown quick'), ['the quick brown fox'])
  t.strictSame(await finds(alice, '"quick brown"'), ['the quick brown fox'])
  t.strictSame(await finds(alice, '"brown quick"'), [])
  t.strictSame(await finds(alice, 'quick*'), ['quickly done', 'a quick answer', 'the quick brown fox'])
  t.strictSame(await finds(alice, '"a quick ans"*'), ['a quick answer'])
  t.strictSame(await finds(alice, 'quick OR NOT bread'), [], 'these are words like any other')
  t.strictSame(await finds(alice, '-quick) {tea}: ^brown; fox'), [], 'nothing is an operator')
})

t.test('a query that is none is refused with what is wrong', async (t) => {
  const { alice } = await stage(t)
  const wrong = async (query: string) => (await alice.ask('search', { query })).error.message
  t.equal(await wrong('"open'), 'a quotation mark is not closed')
  t.equal(await wrong('...!'), 'there is no word to look for')
  t.equal(await wrong('a*'), 'at least 2 letters stand before a *')
  t.equal(await wrong('w*r'), 'a * stands at the end of a word only')
  t.equal(await wrong('tea *'), 'a * follows the beginning of a word')
  t.equal(await wrong('a b c d e f g h i j k l m n o p q'), 'at most 16 words and phrases are looked for at once')
  t.equal(await alice.fails('search', { query: 'x'.repeat(257) }), 'bad_request query')
  t.equal(await alice.fails('search', { query: '' }), 'bad_request query')
  t.equal(await alice.fails('search', { query: 'tea', cursor: 'Not one' }), 'bad_request cursor')
  t.equal(await alice.fails('search', { query: 'tea', room: 'dm:bob:carol' }), 'not_found room')
})

t.test('words of every script are found: case, accents and width aside, without spaces too', async (t) => {
  const { alice } = await stage(t)
  const said: Record<string, string[]> = {
    'naïve Café in der Straße': ['cafe', 'NAIVE', 'strasse', 'Café'],
    我们明天在北京见面吧: ['北京', '明天', '见面', '面', '我们明天', '吧'],
    '東京タワーへ行きました。': ['東京', 'タワー', '行きました', 'ﾀﾜｰ'],
    '오늘 학교에서 만나요': ['학교', '만나', '오늘'],
    'Ёлка и ΟΔΟΣ': ['елка', 'οδος'],
    เจอกันที่กรุงเทพพรุ่งนี้: ['กรุงเทพ', 'พรุ่งนี้'],
    'iPhone手机 is new': ['手机', 'iphone', 'iphone手机'],
    'see my_file-v2.tar.gz 🚀': ['my_file', 'v2.tar', '🚀', '"my file"'],
  }
  for (const text of Object.keys(said)) await alice.say('tea', text)
  for (const [text, queries] of Object.entries(said)) {
    for (const query of queries) t.strictSame(await finds(alice, query), [text], `${query} finds ${text}`)
  }
  t.strictSame(await finds(alice, '北面'), [], 'two characters apart are no word')
})

t.test('the names of attachments are found, data is not', async (t) => {
  const { alice } = await stage(t)
  const attachments = [{ type: 'file', url: 'https://files.example/secret-path', name: 'Quarterly Report.pdf' }]
  await alice.say('tea', { attachments })
  await alice.say('tea', { text: 'see above', data: { note: 'hidden' } })
  t.strictSame(await finds(alice, 'quarterly report.pdf'), ['#1'])
  t.strictSame(await finds(alice, 'secret-path'), [])
  t.strictSame(await finds(alice, 'hidden'), [])
})

t.test('a search can be narrowed: one room, one author, a time', async (t) => {
  const { alice, bob } = await stage(t)
  await alice.say('tea', 'word one')
  await bob.say('tea', 'word two')
  await alice.say('garden', 'word three')
  await alice.tell('bob', 'word four')
  const all = await searched(alice, { query: 'word' })
  const [, , two, one] = all.results.map(({ message }: { message: object }) => message)
  t.strictSame(await finds(alice, 'word', { room: 'tea' }), ['word two', 'word one'])
  t.strictSame(await finds(alice, 'word', { from: 'bob' }), ['word two'])
  t.strictSame(await finds(bob, 'word', { room: '@alice' }), ['word four'])
  t.strictSame(await finds(alice, 'word', { room: '@carol' }), [])
  t.notOk((await finds(alice, 'word', { after: two.ts })).includes('word two'))
  t.ok((await finds(alice, 'word', { after: one.ts - 1 })).includes('word one'))
  t.strictSame(await finds(alice, 'word', { before: one.ts }), [])
})

t.test('page by page every hit comes once', async (t) => {
  const { alice } = await stage(t)
  const texts = Array.from({ length: 25 }, (_, i) => `common word ${i}`)
  for (const text of texts) await alice.say('tea', text)
  const seen: string[] = []
  const sizes: number[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await searched(alice, { query: 'common', limit: 10, ...(cursor ? { cursor } : {}) })
    seen.push(...page.results.map(({ message }: { message: { text: string } }) => message.text))
    sizes.push(page.results.length)
    cursor = page.cursor
    if (!page.more) break
  }
  t.strictSame(sizes, [10, 10, 5])
  t.strictSame(seen, texts.reverse())
})

t.test('a page of long messages is cut by its bytes', async (t) => {
  const { alice } = await stage(t, { limits: { replyBytes: 16384 } })
  for (let i = 0; i < 5; i++) await alice.say('tea', `long ${i} ${'x'.repeat(6000)}`)
  const page = await searched(alice, { query: 'long' })
  t.equal(page.results.length, 2)
  t.ok(page.more)
  t.equal((await searched(alice, { query: 'long', cursor: page.cursor })).results.length, 2)
})

t.test('what changes is found as it is: edits, deletions, expiry', async (t) => {
  const clock = movableClock(t)
  const { broker, alice } = await stage(t)
  await alice.say('tea', 'a pot of oolong')
  await alice.say('tea', 'a pot of sencha')
  await alice.say('tea', { text: 'a pot of rooibos', ttl: 60 })
  await alice.say('tea', { type: 'reaction', target: 1, data: { emoji: '👍' } })
  t.equal((await finds(alice, 'pot')).length, 3)
  await alice.say('tea', { type: 'edit', target: 1, text: 'a cup of matcha' })
  t.strictSame(await finds(alice, 'oolong'), [])
  const { results } = await searched(alice, { query: 'matcha' })
  t.match(results, [{ message: { seq: 1, text: 'a cup of matcha', edits: 1, reactions: [{ emoji: '👍', me: true }] } }])
  t.equal(results.length, 1, 'not the edit as well')
  await alice.say('tea', { type: 'delete', target: 2 })
  t.strictSame(await finds(alice, 'sencha'), [])
  clock.forward(61)
  t.strictSame(await finds(alice, 'rooibos'), [])
  await broker.running.maintenance.sweep()
  for (const word of ['oolong', 'sencha', 'rooibos']) t.notOk(await isInIndex(broker, word), `${word} is off the index`)
  t.ok(await isInIndex(broker, 'matcha'))
})

t.test('an edit that expires leaves the index, and what it replaced is found again', async (t) => {
  const clock = movableClock(t)
  const { broker, alice } = await stage(t)
  const modern = await Person.connect(t, broker, 'alice', { clientId: 'modern', protocolVersion: 5 })
  await alice.say('tea', 'a pot of oolong')
  const edit = JSON.stringify({ type: 'edit', target: 1, text: 'a pot of sencha' })
  const properties = { messageExpiryInterval: 60 }
  await modern.client.publishAsync('rooms/tea/messages', edit, { qos: 1, properties })
  t.strictSame(await finds(alice, 'sencha'), ['a pot of sencha'])
  clock.forward(61)
  await broker.running.maintenance.sweep()
  t.strictSame(await finds(alice, 'sencha'), [])
  t.notOk(await isInIndex(broker, 'sencha'))
  t.strictSame(await finds(alice, 'oolong'), ['a pot of oolong'])
})

/** Whether a word is in one of the files of the index. */
async function isInIndex(broker: TestBroker, word: string): Promise<boolean> {
  const files = (await readdir(broker.dataDir)).filter((name) => name.startsWith('search.db'))
  const contents = await Promise.all(
    files.map((name) => readFile(join(broker.dataDir, name)).catch(() => Buffer.alloc(0))),
  )
  return contents.some((content) => content.includes(word))
}

t.test('nobody finds what history would not show them', async (t) => {
  const { broker, alice, bob } = await stage(t)
  const carol = await Person.connect(t, broker, 'carol')
  await alice.get('rooms.create', { room: 'secret', access: 'private' })
  await alice.say('secret', 'needle in a private room')
  await alice.say('tea', 'needle in tea')
  await alice.tell('bob', 'needle for bob')
  t.strictSame(await finds(bob, 'needle'), ['needle for bob'])
  t.strictSame(await finds(carol, 'needle'), [])
  t.equal(await carol.fails('search', { query: 'needle', room: 'secret' }), 'not_found room')
  t.equal(await carol.fails('search', { query: 'needle', room: 'tea' }), 'forbidden room')
  t.equal(await carol.fails('search', { query: 'needle', room: 'dm:alice:bob' }), 'not_found room')
  await alice.get('rooms.invite', { room: 'secret', user: 'bob' })
  await bob.get('rooms.join', { room: 'secret' })
  await bob.get('rooms.join', { room: 'tea' })
  t.equal((await finds(bob, 'needle')).length, 3)
  await bob.get('rooms.leave', { room: 'tea' })
  t.strictSame(await finds(bob, 'needle'), ['needle for bob', 'needle in a private room'])
  await alice.get('rooms.ban', { room: 'secret', user: 'bob' })
  t.strictSame(await finds(bob, 'needle'), ['needle for bob'])
})

t.test('the past of a direct conversation is not for who got the name later', async (t) => {
  const { broker, alice, bob } = await stage(t)
  await alice.tell('bob', 'needle for the old bob')
  const { directory } = broker.running.store
  const member = directory.member('dm:alice:bob', 'bob')!
  const later = { ...member, joined: { messages: 1, events: 0 } }
  await commit(broker.running.store, { ops: [directory.memberOp(later)] })
  await alice.tell('bob', 'needle for the new bob')
  t.strictSame(await finds(bob, 'needle'), ['needle for the new bob'])
  t.strictSame(await finds(alice, 'needle'), ['needle for the new bob', 'needle for the old bob'])
})

t.test('an admin of the broker finds what is in their own rooms, no more', async (t) => {
  const { broker, alice } = await stage(t)
  await alice.say('tea', 'needle')
  const root = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  t.strictSame(await finds(root, 'needle'), [])
})

t.test('a deleted room is gone, and one of the same name is another', async (t) => {
  const { broker, alice } = await stage(t)
  await alice.get('rooms.create', { room: 'camp' })
  for (const text of ['marshmallow one', 'marshmallow two']) await alice.say('camp', text)
  t.equal((await finds(alice, 'marshmallow')).length, 2)
  await alice.get('rooms.delete', { room: 'camp' })
  t.strictSame(await finds(alice, 'marshmallow'), [])
  await alice.get('rooms.create', { room: 'camp' })
  for (const text of ['bonfire one', 'bonfire two', 'bonfire three']) await alice.say('camp', text)
  t.strictSame(await finds(alice, 'marshmallow'), [])
  t.equal((await finds(alice, 'bonfire')).length, 3)
  await broker.running.maintenance.sweep()
  t.notOk(await isInIndex(broker, 'marshmallow'))
})

t.test('what retention drops leaves the index', async (t) => {
  const { broker, alice } = await stage(t, { history: { messages: 10 } })
  for (let i = 0; i < 200; i++) void alice.say('tea', i === 0 ? 'ancient' : `recent ${i}`)
  await alice.say('tea', 'last')
  t.strictSame(await finds(alice, 'ancient'), ['ancient'])
  // Deleting a room moves what was said from the journal to where retention finds it.
  await alice.get('rooms.create', { room: 'brief' })
  await alice.get('rooms.delete', { room: 'brief' })
  await broker.running.maintenance.sweep()
  t.strictSame(await finds(alice, 'ancient'), [])
  t.strictSame(await finds(alice, 'last'), ['last'])
  t.notOk(await isInIndex(broker, 'ancient'))
})

t.test('where it is switched off search says so', async (t) => {
  const { alice } = await stage(t, { search: { enabled: false } })
  t.equal(await alice.fails('search', { query: 'tea' }), 'not_implemented')
})

t.test('a user has a few searches at once', async (t) => {
  const { broker, alice } = await stage(t)
  await alice.say('tea', 'tea')
  const asks = Array.from({ length: 12 }, () => fetchFrom(broker, '/v1/search?query=tea', { as: 'alice' }))
  const refused = (await Promise.all(asks)).filter(({ status }) => status !== 200)
  t.ok(refused.length > 0 && refused.length < 12)
  for (const { status, headers, body } of refused) {
    t.match(body, { code: 'rate_limited' })
    t.strictSame([status, headers.get('retry-after')], [429, '1'])
  }
  t.strictSame(await finds(alice, 'tea'), ['tea'])
})

t.test('what nobody sees divides no word, in what was said or in what is looked for', async (t) => {
  const { alice } = await stage(t)
  for (const [said, asked] of [
    ['می\u200cخواهم', 'میخواهم'],
    ['كـتـاب', 'كتاب'],
    ['soft\u00adhyphen', 'softhyphen'],
    ['zero\u200bwidth', 'zerowidth'],
  ] as const) {
    await alice.say('tea', said)
    t.strictSame(await finds(alice, asked), [said])
    t.strictSame(await finds(alice, said), [said])
  }
})
