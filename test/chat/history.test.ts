/** The past of a room as a client asks for it: as it was, as it is now, a thread, what is pinned. */
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { Person } from '../helpers/people.js'

const DEN = 'rooms/den/messages'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

/** Alice owns the public room `den`; bob is a member. */
async function den(t: Test, broker: TestBroker): Promise<{ alice: Person; bob: Person }> {
  const [alice, bob] = await Promise.all(
    ['alice', 'bob'].map((user) => Person.connect(t, broker, user, { keepalive: 0 })),
  )
  await alice!.get('rooms.create', { room: 'den' })
  await bob!.get('rooms.join', { room: 'den' })
  return { alice: alice!, bob: bob! }
}

/** Sends one after the other; each has to be taken. */
async function say(...sends: [Person, object][]): Promise<void> {
  for (const [person, message] of sends) {
    const { ok, error } = await person.send(DEN, message)
    if (!ok) throw new Error(`${JSON.stringify(message)}: ${error.message}`)
  }
}

const react = (target: number, emoji: string, remove = false) => ({ type: 'reaction', target, data: { emoji, remove } })
const edit = (target: number, content: object) => ({ type: 'edit', target, ...content })

/** All pages, nearest first, in the order of the room. */
async function pages(person: Person, params: object, direction: 'before' | 'after'): Promise<Json[]> {
  const all: Json[] = []
  let from: object = direction === 'after' ? { after: 0 } : {}
  for (;;) {
    const page = await person.get('history', { room: 'den', ...params, ...from })
    if (direction === 'after') all.push(...page.messages)
    else all.unshift(...page.messages)
    if (!page.more) return all
    from = { [direction]: page[direction] }
  }
}

t.test('folded, a message is as it is now', async (t) => {
  const broker = await startTestBroker(t)
  const { alice, bob } = await den(t, broker)
  const attachments = [{ type: 'image', url: 'https://x/y.png' }]
  await say(
    [alice, { text: 'plain' }],
    [alice, { text: 'first', attachments, replyTo: 1, mentions: ['@bob'] }],
    [bob, { text: 'oh', data: { n: 1 } }],
    [alice, edit(2, { text: 'second' })],
    [alice, edit(2, { text: 'third', mentions: ['@carol'] })],
    [alice, edit(3, { data: { n: 2 } })],
    [bob, react(1, '👍')],
    [alice, react(1, '👍')],
    [alice, react(1, '🎉')],
    [bob, react(2, '👎')],
    [bob, react(2, '👎', true)],
    [alice, { type: 'pin', target: 3 }],
    [bob, { text: 'wrong' }],
    [bob, edit(13, { text: 'worse' })],
    [bob, react(13, '😱')],
    [bob, { type: 'delete', target: 13 }],
    [alice, { text: 'last' }],
  )
  const raw = (await alice.get('history', { room: 'den' })).messages
  t.equal(raw.length, 17)
  t.same(await alice.get('history', { room: 'den', view: 'raw' }), await alice.get('history', { room: 'den' }))
  const { messages, more } = await alice.get('history', { room: 'den', view: 'folded' })
  t.equal(more, false)
  const [plain, edited, others, deleted, last] = messages
  t.equal(messages.length, 5, 'messages alone')
  t.same(plain, {
    ...raw[0],
    asOf: 9,
    reactions: [
      { emoji: '👍', count: 2, me: true },
      { emoji: '🎉', count: 1, me: true },
    ],
  })
  const { attachments: _, ...kept } = raw[1]
  const third = { text: 'third', mentions: ['@carol'], edits: 2, editedAt: raw[4].ts, editedBy: 'alice' }
  t.same(edited, { ...kept, ...third, asOf: 11 }, 'the last change is a reaction that was taken back')
  const { text: __, ...rest } = raw[2]
  const pinned = { by: 'alice', at: raw[11].ts }
  t.same(others, { ...rest, data: { n: 2 }, edits: 1, editedAt: raw[5].ts, editedBy: 'alice', pinned, asOf: 12 })
  t.same(deleted, { seq: 13, gone: 'deleted', by: 'bob', at: raw[15].ts })
  t.same(last, raw[16], 'untouched ones are as they were sent')
  const bobs = (await bob.get('history', { room: 'den', view: 'folded' })).messages
  t.same(
    bobs[0].reactions.map(({ me }: Json) => me),
    [true, false],
  )
  await say([alice, { type: 'unpin', target: 3 }])
  t.notMatch((await alice.get('history', { room: 'den', view: 'folded' })).messages[2], { pinned: {} })
  await broker.restart()
  const again = await Person.connect(t, broker, 'bob')
  const after = (await again.get('history', { room: 'den', view: 'folded' })).messages
  t.same(after[0], bobs[0], 'after a restart')
  t.same(after[1], bobs[1])
})

t.test('folded pages hold messages, however many changes lie between', async (t) => {
  const broker = await startTestBroker(t, { limits: { receiveMaximum: 65_535 } })
  const { alice, bob } = await den(t, broker)
  await say([alice, { text: 'start' }])
  const toggles: Promise<unknown>[] = []
  for (let i = 0; i < 2500; i++) toggles.push(bob.publish(DEN, react(1, '👍', i % 2 === 1)))
  await Promise.all(toggles)
  await say(...Array.from({ length: 5 }, (_, i): [Person, object] => [alice, { text: `m${i}` }]))
  for (let i = 0; i < 5; i++) await say([bob, react(2502 + i, '👍')])
  const expected = ['start', 'm0', 'm1', 'm2', 'm3', 'm4']
  const texts = (messages: Json[]) => messages.map(({ text }) => text)
  for (const direction of ['before', 'after'] as const) {
    for (const limit of [1, 2, 4, 50])
      t.same(texts(await pages(alice, { view: 'folded', limit }, direction)), expected, `${direction}, ${limit} a page`)
    t.same(
      texts(await pages(alice, { view: 'folded', maxBytes: 300 }, direction)),
      expected,
      `${direction}, small pages`,
    )
    t.same(texts(await pages(alice, { view: 'folded', maxBytes: 1 }, direction)), expected, `${direction}, one a page`)
  }
  const between = await alice.get('history', { room: 'den', view: 'folded', after: 2502, before: 2505 })
  t.same(texts(between.messages), ['m1', 'm2'])
  const large = 'x'.repeat(30_000)
  for (const seq of [2502, 2503, 2504]) await say([alice, edit(seq, { text: large })])
  t.same((await alice.get('history', { room: 'den', view: 'folded' })).messages.length, 4, 'edits count for bytes')
  t.same(await alice.get('history', { room: 'den', view: 'folded', before: 1 }), { messages: [], more: false })
  t.same(await alice.get('history', { room: 'den', view: 'folded', after: 99_999 }), { messages: [], more: false })
})

t.test('a thread, and what is pinned, by themselves', async (t) => {
  const broker = await startTestBroker(t)
  const { alice, bob } = await den(t, broker)
  await say([alice, { text: 'root' }], [bob, { text: 'other root' }])
  for (let i = 0; i < 10; i++) await say([bob, { text: `r${i}`, thread: 1 }], [alice, { text: `o${i}`, thread: 2 }])
  await say([bob, edit(3, { text: 'R0' })], [bob, { type: 'delete', target: 5 }])
  await say(
    [alice, { type: 'pin', target: 7 }],
    [alice, { type: 'pin', target: 2 }],
    [alice, { type: 'pin', target: 9 }],
  )
  await say([bob, { type: 'delete', target: 9 }])
  const texts = (messages: Json[]) => messages.map(({ text, gone }) => gone ?? text)
  const now = ['r0', 'deleted', 'r2', 'deleted', ...['r4', 'r5', 'r6', 'r7', 'r8', 'r9']]
  for (const direction of ['before', 'after'] as const) {
    for (const limit of [1, 3, 50]) {
      t.same(texts(await pages(alice, { thread: 1, limit }, direction)), now)
      t.same(texts(await pages(alice, { thread: 1, limit, view: 'folded' }, direction)), ['R0', ...now.slice(1)])
      t.same(texts(await pages(alice, { pinned: true, limit }, direction)), ['other root', 'r2'])
    }
  }
  t.same(await alice.get('history', { room: 'den', thread: 99 }), { messages: [], more: false })
  t.match((await alice.get('history', { room: 'den', pinned: true, view: 'folded' })).messages, [
    { seq: 2, pinned: { by: 'alice' } },
    { seq: 7, pinned: { by: 'alice' } },
  ])
  for (const [params, fault] of [
    [{ thread: 1, pinned: true }, 'bad_request pinned'],
    [{ thread: 0 }, 'bad_request thread'],
    [{ view: 'new' }, 'bad_request view'],
    [{ pinned: 1 }, 'bad_request pinned'],
  ] as const)
    t.equal(await alice.fails('history', { room: 'den', ...params }), fault)
})

t.test('folded, what expired is a tombstone, and its changes are none', async (t) => {
  const clock = movableClock(t)
  const broker = await startTestBroker(t, { listen: { connectTimeout: '1d' } })
  const { alice, bob } = await den(t, broker)
  await say(
    [alice, { text: 'stays' }],
    [alice, { text: 'short', ttl: 10 }],
    [alice, edit(2, { text: 'shorter' })],
    [bob, react(2, '👍')],
    [alice, { type: 'pin', target: 2 }],
  )
  t.match((await bob.get('history', { room: 'den', view: 'folded' })).messages, [
    { text: 'stays' },
    { text: 'shorter', ttl: 10, edits: 1, reactions: [{ emoji: '👍', count: 1, me: true }] },
  ])
  clock.forward(11)
  t.match((await bob.get('history', { room: 'den', view: 'folded' })).messages, [
    { text: 'stays' },
    { seq: 2, gone: 'expired' },
  ])
  t.same((await bob.get('history', { room: 'den', view: 'folded' })).messages.length, 2)
})
