/** What timelines of the SDK show of threads, and of what is on its way, with a real broker. */

import t, { type Test } from 'tap'
import type { Change, Item, Live, Outgoing, Store } from '../../client/index.js'
import { MemoryStore } from '../../client/store/memory-store.js'
import { startTestBroker } from '../helpers/broker.js'
import { ManualClock } from '../helpers/manual-clock.js'
import { chatAt, proxyOf, when } from '../helpers/outbox-app.js'
import { answered, until } from '../helpers/patience.js'
import { countedRequests } from '../helpers/requests.js'
import { personOf } from '../helpers/sdk/crowd.js'

/** The room tea, of bob, with alice, for whom `chat` is. */
async function start(t: Test) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const proxy = await proxyOf(t, broker)
  const bob = await personOf(broker, 'bob')
  await bob.rooms.create({ room: 'tea' })
  await (await personOf(broker, 'alice')).rooms.join({ room: 'tea' })
  const open = (options = {}) => chatAt(t, broker, proxy.port, 'alice', options)
  return { broker, proxy, bob, open }
}

/** Resolves with the value when it holds. */
const becomes = <T>(what: string, live: Live<T>, holds: (value: T) => boolean) => answered(what, when(live, holds))

/** Of each what it says, and where it stands. */
const told = (items: readonly Item[]): string[] =>
  items.map((item) => {
    if (item.kind !== 'message') return item.kind
    const { message, outgoing } = item
    return `${message.text}${outgoing ? ` (${outgoing.state.current.at})` : ''}`
  })

const says = (...texts: string[]) => {
  const wanted = texts.join()
  return (items: readonly Item[]) => told(items).join() === wanted
}

/** What one run of the program has open of a store that outlasts it. Writes wait for `before`. */
function opened(store: MemoryStore, before: (changes: readonly Change[]) => Promise<void> = async () => {}): Store {
  return {
    get: (...args) => store.get(...args),
    range: (...args) => store.range(...args),
    write: async (changes) => {
      await before(changes)
      await store.write(changes)
    },
    close: async () => {},
    destroy: () => store.destroy(),
  }
}

/** The messages of the room, and a way to all of them. */
function timelineOf(chat: ReturnType<typeof chatAt>) {
  const timeline = chat.room('tea').timeline({ size: 100 })
  return { items: timeline.items, older: () => timeline.older(100) }
}

const repliesTo = (item: Item | undefined) =>
  item?.kind === 'message' ? (item.message.replies?.count ?? 0) : undefined

const cidOf = (item: Item | undefined) => (item?.kind === 'message' ? item.outgoing?.cid : undefined)

async function offline(chat: ReturnType<typeof chatAt>, proxy: { refuse(): void }): Promise<void> {
  proxy.refuse()
  await becomes('offline', chat.status, ({ state }) => state === 'waiting')
}

t.test('replies stand in their thread, and not between other messages, unless that is asked for', async (t) => {
  const { bob, open } = await start(t)
  const { seq: root } = await bob.send({ room: 'tea', text: 'root' })
  for (let i = 1; i <= 10; i++) await bob.send({ room: 'tea', text: `before ${i}` })
  for (let i = 1; i <= 70; i++) await bob.send({ room: 'tea', text: `reply ${i}`, thread: root })
  await bob.send({ room: 'tea', text: 'after' })
  const chat = open()
  await chat.connect()
  const tea = chat.room('tea')
  const main = tea.timeline({ size: 5 })
  await becomes('a page of roots', main.items, says('before 7', 'before 8', 'before 9', 'before 10', 'after'))
  await main.older(20)
  t.same(told(main.items.current)[0], 'root')
  t.match(main.items.current[0], { message: { replies: { count: 70 } } })
  t.same(main.state.current, { older: 'end', newer: 'end' })
  const all = tea.timeline({ size: 3, replies: true })
  await becomes('all messages', all.items, says('reply 69', 'reply 70', 'after'))
  const thread = tea.timeline({ thread: root, size: 3 })
  await becomes('the end of the thread', thread.items, says('reply 68', 'reply 69', 'reply 70'))
  await thread.older(65)
  t.same(told(thread.items.current).slice(0, 2), ['reply 3', 'reply 4'], 'it gives up what is too much')
  t.same(await thread.jump(root), true)
  t.same(told(thread.items.current), ['root', 'reply 1'])
  t.same(thread.state.current, { older: 'end', newer: 'more' })
  t.same(await thread.jump(3), false, 'that is in no thread')
  await thread.jump('latest')
  await bob.send({ room: 'tea', text: 'live', thread: root })
  await becomes('a live reply', thread.items, (items) => told(items).at(-1) === 'live')
  await bob.send({ room: 'tea', type: 'edit', target: root + 80, text: 'better' })
  await becomes('an edit', thread.items, (items) => told(items).includes('better'))
  await bob.send({ room: 'tea', type: 'delete', target: root + 80 })
  await becomes('a deletion', thread.items, (items) => told(items).includes('gone'))
  await becomes(
    'it is counted',
    main.items,
    ([first]) => first?.kind === 'message' && first.message.replies?.count === 70,
  )
  t.notOk(told(main.items.current).includes('gone'), 'what is left of a reply is no message of the room')
})

t.test('a thread has what was missed, without being asked', async (t) => {
  const { bob, open, proxy } = await start(t)
  await bob.send({ room: 'tea', text: 'root' })
  await bob.send({ room: 'tea', text: 'first', thread: 1 })
  const chat = open()
  await chat.connect()
  const thread = chat.room('tea').timeline({ thread: 1 })
  await becomes('the thread', thread.items, says('root', 'first'))
  await offline(chat, proxy)
  await bob.send({ room: 'tea', text: 'missed', thread: 1 })
  for (let i = 1; i <= 70; i++) await bob.send({ room: 'tea', text: `other ${i}` })
  await bob.send({ room: 'tea', text: 'last', thread: 1 })
  proxy.heal()
  chat.retryNow()
  await becomes('all of it', thread.items, says('root', 'first', 'missed', 'last'))
})

t.test('of a reply that was deleted meanwhile, and not seen before, its thread alone is asked for again', async (t) => {
  const { bob, open, proxy } = await start(t)
  for (const text of ['one', 'two', 'three']) await bob.send({ room: 'tea', text })
  for (const thread of [1, 2, 3]) await bob.send({ room: 'tea', text: 'reply', thread })
  // So that the client is told of none of these by itself.
  for (let i = 0; i < 60; i++) await bob.send({ room: 'tea', text: `later ${i}` })
  const { params, socket } = countedRequests(['history'])
  const chat = open({ platform: { socket } })
  await chat.connect()
  const { items, older } = timelineOf(chat)
  await becomes('the end', items, (shown) => told(shown).includes('later 59'))
  await older()
  await becomes('the beginning', items, (shown) => told(shown)[0] === 'one')
  await offline(chat, proxy)
  params.length = 0
  await bob.send({ room: 'tea', type: 'delete', target: 4 })
  proxy.heal()
  chat.retryNow()
  await becomes('a thread without replies', items, ([first]) => repliesTo(first) === 0)
  t.same(
    params.map((one) => JSON.parse(one).seqs),
    [[1]],
  )
})

t.test('a thread whose messages the broker does not give for a moment is asked for again', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: { read: 1 } } })
  const clock = new ManualClock()
  const platform = { now: () => clock.now(), timer: (ms: number, act: () => void) => clock.timer(ms, act) }
  const [alice, bob] = [await personOf(broker, 'alice'), await personOf(broker, 'bob')]
  await bob.rooms.create({ room: 'tea' })
  await alice.rooms.join({ room: 'tea' })
  const chat = chatAt(t, broker, Number(new URL(broker.wsUrl).port), 'alice', { platform })
  await chat.connect()
  await bob.send({ room: 'tea', text: 'root' })
  await becomes('the room', chat.rooms, ([room]) => room?.last !== null && room !== undefined)
  const readAll = async (): Promise<never> => {
    for (;;) await alice.history({ room: 'tea' })
  }
  const thread = chat.room('tea').timeline({ thread: 1 })
  await becomes('the root', thread.items, says('root'))
  await chat.close()
  for (let i = 1; i <= 60; i++) await bob.send({ room: 'tea', text: `reply ${i}`, thread: 1 })
  await t.rejects(readAll(), { code: 'rate_limited' })
  // The client waits, too, until it may ask again.
  chat.connect().catch(() => {})
  await until('all of it', async () => {
    await clock.pass(1000)
    return thread.items.current.length === 61
  })
})

t.test('without a connection a jump shows what the device has, or the timeline stays where it is', async (t) => {
  const { bob, open, proxy } = await start(t)
  await bob.send({ room: 'tea', text: 'root' })
  for (let i = 1; i <= 60; i++) await bob.send({ room: 'tea', text: `reply ${i}`, thread: 1 })
  for (let i = 1; i <= 60; i++) await bob.send({ room: 'tea', text: `later ${i}` })
  const chat = open()
  await chat.connect()
  const timeline = chat.room('tea').timeline({ size: 3 })
  const all = chat.room('tea').timeline({ size: 10, replies: true })
  await becomes('the newest', timeline.items, says('later 58', 'later 59', 'later 60'))
  t.equal(await all.jump(31), true)
  const before = timeline.items.current
  await offline(chat, proxy)
  await t.rejects(
    timeline.jump(31),
    { code: 'offline' },
    'around it there are replies, and what else there is nobody knows',
  )
  t.same(timeline.items.current, before)
  t.same(timeline.state.current, { older: 'more', newer: 'end' })
  const [first] = all.items.current
  if (first?.kind !== 'message') throw new Error('it is a reply')
  t.equal(await all.jump(first.message.seq!), true)
  t.equal(all.items.current[0], first)
  t.same(all.state.current, { older: 'more', newer: 'more' })
})

t.test('a message has one row, of one key, from the moment it is sent', async (t) => {
  const { bob, open, proxy } = await start(t)
  const chat = open()
  await chat.connect()
  const tea = chat.room('tea')
  const timeline = tea.timeline()
  const sent: Outgoing[] = []
  let isNoted = false
  const wrong: string[] = []
  timeline.items.subscribe((items) => {
    const keys = items.map(({ key }) => key)
    for (const { cid } of isNoted ? sent : []) if (keys.filter((key) => key === cid).length !== 1) wrong.push(cid)
  })
  for (let round = 0; round < 5; round++) {
    isNoted = false
    for (let i = 0; i < 4; i++) sent.push(tea.send(`${round} ${i}`))
    const last = sent.at(-1)!.cid
    await becomes('the last one', timeline.items, (items) => cidOf(items.at(-1)) === last)
    isNoted = true
    if (round % 2 === 1) proxy.cut()
    await bob.send({ room: 'tea', text: 'between' })
    chat.retryNow()
  }
  await Promise.all(sent.map((out) => answered('sent', out.sent)))
  const isOver = (items: readonly Item[]) => items.length === 25 && items.every((item) => cidOf(item) === undefined)
  const items = await becomes('all are there', timeline.items, isOver)
  t.same(wrong, [])
  const own = items.filter((item) => item.kind === 'message' && item.own)
  t.same(
    own.map(({ key }) => key),
    sent.map(({ cid }) => cid),
    'in their order',
  )
  t.match(own[0], { message: { seq: Number, text: '0 0' } })
})

t.test('what waits is shown in its order, also in a new conversation, and after a reload', async (t) => {
  const { bob, open, proxy } = await start(t)
  await bob.send({ room: 'tea', text: 'hello' })
  await bob.send({ room: 'tea', text: 'thread', thread: 1 })
  const store = new MemoryStore()
  const kept = opened(store)
  const first = open({ store: () => kept })
  await first.connect()
  await becomes('the room', first.room('tea').timeline().items, says('hello'))
  await offline(first, proxy)
  const one = first.room('tea').send('one')
  first.room('tea').send({ text: 'reply', thread: 1 })
  const two = first.room('tea').send('two')
  const psst = first.send('@bob', 'psst')
  const shows = async (chat: typeof first) => {
    const { items } = chat.room('tea').timeline()
    const shown = await becomes('what waits', items, says('hello', 'one (queued)', 'two (queued)'))
    t.same(
      shown.map(({ key }) => key),
      ['1', one.cid, two.cid],
    )
    t.match(shown[1], { own: true, message: { seq: 0, from: 'alice' } })
    await becomes(
      'the reply',
      chat.room('tea').timeline({ thread: 1 }).items,
      says('hello', 'thread', 'reply (queued)'),
    )
    await becomes('the conversation', chat.room('dm:alice:bob').timeline().items, says('psst (queued)'))
  }
  await shows(first)
  await Promise.all([one, two, psst].map(({ stored }) => stored))
  await first.close()
  const second = open({ store: () => kept })
  second.connect().catch(() => {})
  await shows(second)
  const { items } = second.room('tea').timeline()
  const conversation = second.room('dm:alice:bob').timeline()
  await becomes('the conversation', conversation.items, says('psst (queued)'))
  const lengths = new Set<number>()
  conversation.items.subscribe((all) => lengths.add(all.length))
  proxy.heal()
  second.retryNow()
  await becomes('they are sent', items, says('hello', 'one', 'two'))
  t.same(items.current[1]?.key, one.cid)
  await becomes('the conversation has begun', conversation.items, says('psst'))
  t.same([...lengths], [1], 'it was there all the time')
  await second.close()
})

t.test('what the broker has stays in sight until it is in the room, also after a reload', async (t) => {
  const { open } = await start(t)
  const store = new MemoryStore()
  let isHeld = false
  const held = opened(store, async (changes) => {
    const isLog = changes.some((change) => 'put' in change && change.put === 'messages')
    if (isHeld && isLog) await new Promise(() => {})
  })
  const chat = open({ store: () => held })
  await chat.connect()
  const timeline = chat.room('tea').timeline()
  isHeld = true
  const out = chat.room('tea').send('held')
  const { seq } = await answered('sent', out.sent)
  await becomes('it is sent', timeline.items, says('held (sent)'))
  t.match(timeline.items.current[0], { key: out.cid, message: { seq, from: 'alice' } })
  t.same(chat.outbox.current, [], 'it is not on its way any more')
  // As after a crash: it has not been applied.
  const again = open({ store: () => opened(store) })
  t.teardown(() => (isHeld = false))
  await chat.close()
  const { items } = again.room('tea').timeline()
  again.connect().catch(() => {})
  const seen: number[] = []
  items.subscribe((all) => seen.push(all.length))
  await becomes('it is in the room', items, says('held'))
  t.same(items.current[0]?.key, out.cid)
  t.notOk(seen.includes(2), 'it was never there twice')
  await again.close()
  t.same(await store.range('outbox'), [], 'nothing is left of it')
})

t.test('what has failed stays, to be sent again or taken back', async (t) => {
  const { open } = await start(t)
  const chat = open()
  await chat.connect()
  const tea = chat.room('tea')
  const timeline = tea.timeline()
  const bad = tea.send({ type: 'location', text: 'bad' })
  const good = tea.send('good')
  await becomes('it has failed', timeline.items, (items) => items.length === 2 && told(items).includes('bad (failed)'))
  await good.sent
  await becomes('the others go on', timeline.items, says('good', 'bad (failed)'))
  bad.retry()
  await becomes('it waits', bad.state, ({ at }) => at !== 'failed')
  await becomes('it has failed again', bad.state, ({ at }) => at === 'failed')
  t.same(await bad.cancel(), true)
  await becomes('it is gone', timeline.items, says('good'))
})

t.test('changes are shown at once, and taken back if they are refused', async (t) => {
  const { bob, open, proxy } = await start(t)
  await bob.send({ room: 'tea', text: 'of bob' })
  const chat = open()
  await chat.connect()
  const tea = chat.room('tea')
  await tea.send('mine').sent
  await tea.send('another').sent
  const timeline = tea.timeline()
  await becomes('all', timeline.items, says('of bob', 'mine', 'another'))
  const untouched = timeline.items.current[2]
  await offline(chat, proxy)
  const edit = tea.edit(2, 'better')
  const reaction = tea.react(1, '👍')
  const pin = tea.pin(2)
  const forbidden = tea.edit(1, 'not mine')
  const items = await becomes('they are shown', timeline.items, says('not mine', 'better', 'another'))
  t.match(items, [
    { message: { reactions: [{ emoji: '👍', count: 1, me: true }] }, changes: [{ cid: reaction.cid }, {}] },
    { message: { edits: 1, pinned: { by: 'alice' } }, changes: [{ cid: edit.cid }, { cid: pin.cid }] },
  ])
  t.equal(items[2], untouched, 'what has not changed is the same object')
  const gone = tea.remove(3)
  await becomes('it is deleted', timeline.items, says('not mine', 'better', 'gone'))
  t.equal(timeline.items.current[2]?.key, untouched?.key)
  const late = tea.send('late')
  tea.react(late.cid, '🎉')
  await becomes('of what waits, too', timeline.items, (all) => {
    const last = all.at(-1)
    return last?.kind === 'message' && last.message.reactions?.length === 1
  })
  proxy.heal()
  chat.retryNow()
  await answered('refused', t.rejects(forbidden.sent, { code: 'forbidden' }))
  await answered('refused', t.rejects(pin.sent, { code: 'forbidden' }))
  await pin.cancel()
  await Promise.all([edit, reaction, gone, late].map((out) => answered('sent', out.sent)))
  const isOver = (all: readonly Item[]) =>
    says('of bob', 'better', 'gone', 'late')(all) && all[3]?.kind === 'message' && all[3].changes === undefined
  const after = await becomes('it is as the broker has it', timeline.items, isOver)
  t.match(after[0], {
    message: { reactions: [{ emoji: '👍', count: 1, me: true }] },
    changes: [{ cid: forbidden.cid }],
  })
  t.match(after[3], { message: { reactions: [{ emoji: '🎉', count: 1, me: true }] } })
  t.equal(after[2]?.key, untouched?.key, 'a deleted message keeps its key')
  await forbidden.cancel()
  await becomes('nothing is left of it', timeline.items, ([one]) => one?.kind === 'message' && !one.changes)
})

t.test('many threads of a room that are shown at once are each asked for once', async (t) => {
  const { bob, open } = await start(t)
  const roots: number[] = []
  for (let i = 0; i < 60; i++) {
    const { seq } = await bob.send({ room: 'tea', text: `root ${i}` })
    await bob.send({ room: 'tea', text: `reply ${i}`, thread: seq })
    roots.push(seq)
  }
  // So that the client is not told of them by itself.
  for (let i = 0; i < 60; i++) await bob.send({ room: 'tea', text: `later ${i}` })
  const { counts, socket } = countedRequests(['history'])
  const alice = open({ platform: { socket } })
  await alice.connect()
  const timelines = roots.map((thread) => alice.room('tea').timeline({ thread }))
  const stops = timelines.map(({ items }) => items.subscribe(() => {}))
  const shows = (text: string) => (items: readonly Item[]) => told(items).some((one) => one === text)
  for (const [i, { items }] of timelines.entries()) await becomes(`thread ${i}`, items, shows(`reply ${i}`))
  // What they would ask for anew is asked for as the room changes.
  for (let i = 0; i < 5; i++) {
    const { seq } = await bob.send({ room: 'tea', text: `more ${i}`, thread: roots[i]! })
    await becomes('more', timelines[i]!.items, shows(`more ${i}`))
    await alice.ask.history({ room: 'tea', after: seq })
  }
  t.ok(counts['history']! <= 60 * 2 + 5, `${counts['history']} requests for 60 threads`)
  for (const stop of stops) stop()
})
