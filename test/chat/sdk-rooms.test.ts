/** Rooms and timelines of the SDK, as an application uses them, with a real broker. */

import t, { type Test } from 'tap'
import type { Live } from '../../client/base/live.js'
import { createChat, type Item, type Methods, type Timeline } from '../../client/index.js'
import { memoryStores } from '../../client/store/memory-store.js'
import { startTestBroker } from '../helpers/broker.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { movableClock } from '../helpers/clock.js'
import { answered, until } from '../helpers/patience.js'
import { personOf } from '../helpers/sdk/crowd.js'
import { webSocket } from '../helpers/web-socket.js'

type Chat = ReturnType<typeof createChat>

async function start(t: Test) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const proxy = await ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
  const bob = await personOf(broker, 'bob')
  await bob.rooms.create({ room: 'tea', name: 'Tea' })
  const auth = { getToken: () => broker.token('alice') }
  const chat = createChat({ url: `http://127.0.0.1:${proxy.port}`, auth }, { socket: webSocket })
  t.teardown(() => chat.close())
  const alice = await personOf(broker, 'alice')
  await alice.rooms.join({ room: 'tea' })
  return { broker, proxy, alice, bob, chat }
}

/** Resolves with the first value for which it holds. */
async function becomes<T>(live: Live<T>, what: string, holds: (value: T) => boolean): Promise<T> {
  const found = (async () => {
    for await (const value of live) if (holds(value)) return value
    throw new Error('it ended')
  })()
  return answered(what, found)
}

async function backOnline(chat: Chat): Promise<void> {
  const pressing = setInterval(() => chat.retryNow(), 50)
  await becomes(chat.status, 'online', ({ state }) => state === 'online').finally(() => clearInterval(pressing))
}

/** Numbers of messages, and gaps. */
const shown = (items: readonly Item[]) =>
  items.map((item) => (item.kind === 'gap' ? `${item.from}-${item.to}` : item.message.seq))
const textsOf = (items: readonly Item[]) =>
  items.flatMap((item) => (item.kind === 'message' ? (item.message.text ?? []) : []))

const upTo = (timeline: Timeline, seq: number) =>
  becomes(timeline.items, `message ${seq}`, (items) => shown(items).at(-1) === seq)

async function say(person: Methods, count: number, text = 'text'): Promise<void> {
  for (let i = 0; i < count; i++) await person.send({ room: 'tea', text: `${text} ${i}` })
}

t.test('rooms are listed by activity, with what is unread, and reading them counts at once', async (t) => {
  const { alice, bob, chat } = await start(t)
  await bob.rooms.create({ room: 'den' })
  await alice.rooms.join({ room: 'den' })
  await say(bob, 2)
  await bob.send({ room: '@alice', text: 'psst @alice', mentions: ['@alice'] })
  t.throws(() => chat.direct('bob'), { code: 'offline' })
  await chat.connect()
  t.same(
    chat.rooms.current.map(({ room }) => room),
    ['dm:alice:bob', 'tea', 'den'],
  )
  t.match(chat.rooms.current[0], {
    unread: 1,
    mentions: 1,
    last: { text: 'psst @alice' },
    info: { peer: { user: 'bob' } },
  })
  t.same(chat.unread.current, { rooms: 2, messages: 3, mentions: 1 })
  const [, tea] = chat.rooms.current
  await bob.send({ room: 'den', text: 'hello' })
  await becomes(chat.rooms, 'den comes first', ([first]) => first?.room === 'den')
  t.equal(
    chat.rooms.current.find(({ room }) => room === 'tea'),
    tea,
    'what has not changed is the same object',
  )
  t.equal(chat.room('den'), chat.room('den'))
  t.equal(chat.direct('bob'), chat.room('dm:alice:bob'))
  t.equal(chat.room('den').info.current?.direct, false)
  chat.room('tea').read(1)
  chat.room('tea').read()
  await becomes(chat.rooms, 'tea is read', (rooms) => rooms.find(({ room }) => room === 'tea')!.unread === 0)
  chat.direct('bob').read(1)
  chat.room('den').read()
  await becomes(chat.unread, 'all is read', ({ messages }) => messages === 0)
  const told = async () => (await alice.unread()).rooms.every(({ unread }) => unread === 0)
  await becomes(chat.unread, 'nothing is unread', ({ mentions }) => mentions === 0)
  await until('the broker is told', told)
  await bob.rooms.update({ room: 'tea', topic: 'green' })
  await becomes(chat.room('tea').info, 'the topic', (info) => info?.topic === 'green')
  await bob.rooms.remove({ room: 'tea', user: 'alice' })
  await becomes(chat.rooms, 'alice is out of it', (rooms) => rooms.every(({ room }) => room !== 'tea'))
  t.equal(chat.room('tea').info.current, null)
})

t.test('what was read just before the client is closed is told to the broker', async (t) => {
  const { alice, bob, chat } = await start(t)
  await say(bob, 3)
  await chat.connect()
  chat.room('tea').read()
  await chat.close()
  await until('it is read', async () => (await alice.unread({ room: 'tea' })).rooms[0]!.read === 3)
})

for (const [when, later] of [
  ['just now', 0],
  ['a while ago', 600],
] as const)
  t.test(`what was read without a connection is told after a reload, of a room that was active ${when}`, async (t) => {
    const clock = movableClock(t)
    const { broker, proxy, alice, bob } = await start(t)
    await say(bob, 3)
    clock.forward(later)
    const store = memoryStores()
    const make = (): Chat => {
      const auth = { getToken: () => broker.token('alice') }
      const options = { url: `http://127.0.0.1:${proxy.port}`, auth, user: 'alice', store }
      const chat = createChat(options, { socket: webSocket })
      t.teardown(() => chat.close())
      return chat
    }
    const countsOf = async () => (await alice.unread({ room: 'tea' })).rooms[0]!
    const first = make()
    await first.connect()
    proxy.refuse()
    await becomes(first.status, 'offline', ({ state }) => state === 'waiting')
    first.room('tea').read()
    await becomes(first.unread, 'all is read', ({ messages }) => messages === 0)
    await first.close()
    const second = make()
    second.connect().catch(() => {})
    await becomes(second.rooms, 'it stays read', ([room]) => room?.read === 3)
    t.equal((await countsOf()).read, 0)
    proxy.heal()
    await backOnline(second)
    await until('the broker is told', async () => (await countsOf()).read === 3)
    await becomes(second.rooms, 'it is read here', ([room]) => room?.read === 3 && room.unread === 0)
    await second.room('tea').markUnread(2)
    await becomes(second.rooms, 'it is unread', ([room]) => room?.unread === 2)
    await second.close()
    const third = make()
    await third.connect()
    await third.ask.server.info({})
    t.same([(await countsOf()).unread, third.rooms.current[0]?.unread], [2, 2], 'once')
  })

t.test('a timeline follows the room, goes back, and jumps', async (t) => {
  const { bob, chat } = await start(t)
  await say(bob, 130)
  await chat.connect()
  const timeline = chat.room('tea').timeline({ size: 20 })
  await upTo(timeline, 130)
  t.same(
    shown(timeline.items.current),
    Array.from({ length: 20 }, (_, i) => 111 + i),
  )
  t.same(timeline.state.current, { older: 'more', newer: 'end' })
  const [oldest] = timeline.items.current
  await timeline.older(100)
  t.equal(timeline.items.current.length, 120)
  t.equal(timeline.items.current[100], oldest, 'what has not changed is the same object')
  await timeline.older()
  t.same(timeline.state.current.older, 'end')
  t.equal(shown(timeline.items.current)[0], 1)
  await bob.send({ room: 'tea', type: 'edit', target: 1, text: 'better' })
  await bob.send({ room: 'tea', text: 'newest' })
  await upTo(timeline, 132)
  t.equal(textsOf(timeline.items.current)[0], 'better', 'it is up to date, however old')
  t.equal(timeline.items.current[20]?.key, '21')
  t.equal(await timeline.jump(50), true)
  t.same(
    shown(timeline.items.current),
    Array.from({ length: 20 }, (_, i) => 40 + i),
  )
  t.same(timeline.state.current, { older: 'more', newer: 'more' })
  await bob.send({ room: 'tea', type: 'delete', target: 51 })
  await becomes(timeline.items, '51 is gone', (items) => items.some(({ kind, key }) => kind === 'gone' && key === '51'))
  t.equal(await timeline.jump(51), false)
  await timeline.newer(200)
  t.equal(timeline.state.current.newer, 'end')
  t.equal(await timeline.jump('unread'), true)
  t.equal(await timeline.jump(999), false)
  timeline.dispose()
})

t.test('what was missed is a gap, which is filled when it is asked for', async (t) => {
  const { bob, chat, proxy } = await start(t)
  await say(bob, 5)
  await chat.connect()
  const timeline = chat.room('tea').timeline({ size: 30 })
  await upTo(timeline, 5)
  proxy.refuse()
  await becomes(chat.status, 'waiting', ({ state }) => state === 'waiting')
  await say(bob, 90, 'missed')
  proxy.heal()
  await backOnline(chat)
  await upTo(timeline, 95)
  t.same(shown(timeline.items.current).slice(0, 7), [1, 2, 3, 4, 5, '6-45', 46])
  const gap = timeline.items.current[5]!
  if (gap.kind === 'gap') await gap.load()
  await becomes(timeline.items, 'a part of the gap', (items) => items.length === 5 + 1 + 80)
  t.equal(shown(timeline.items.current)[5], '6-15')
  const rest = timeline.items.current[5]!
  if (rest.kind === 'gap') await rest.load()
  await becomes(timeline.items, 'all of it', (items) => items.length === 95)
  t.same(timeline.state.current, { older: 'end', newer: 'end' })
})

t.test('a room that is deleted and made anew is shown anew; closed and connected again, all goes on', async (t) => {
  const { alice, bob, chat } = await start(t)
  await say(bob, 3, 'old')
  await chat.connect()
  const timeline = chat.room('tea').timeline()
  await upTo(timeline, 3)
  await bob.rooms.delete({ room: 'tea' })
  await becomes(timeline.items, 'nothing is left', (items) => items.length === 0)
  await bob.rooms.create({ room: 'tea' })
  await alice.rooms.join({ room: 'tea' })
  await bob.send({ room: 'tea', text: 'new' })
  await becomes(timeline.items, 'the new one', (items) => textsOf(items).join() === 'new')
  await chat.close()
  await bob.send({ room: 'tea', text: 'while it was closed' })
  await chat.connect()
  await upTo(timeline, 2)
  t.same(textsOf(timeline.items.current), ['new', 'while it was closed'])
})

t.test('a thread counts its replies as the broker does, also when one is deleted later', async (t) => {
  const { bob, chat } = await start(t)
  await bob.send({ room: 'tea', text: 'root' })
  await chat.connect()
  const timeline = chat.room('tea').timeline()
  t.teardown(() => timeline.dispose())
  const replies = (items: readonly Item[]) => {
    const [first] = items
    return first?.kind === 'message' ? first.message.replies?.count : undefined
  }
  const { seq } = await bob.send({ room: 'tea', text: 'reply', thread: 1 })
  await becomes(timeline.items, 'the reply is counted', (items) => replies(items) === 1)
  await say(bob, 1)
  await bob.send({ room: 'tea', type: 'delete', target: seq })
  await becomes(timeline.items, 'it counts no more', (items) => items.length > 0 && replies(items) === undefined)
})
