/** Messages with a `ttl` in the SDK: at their end they are what the broker says of them, on the screen and on the device. */
import t, { type Test } from 'tap'
import type { ChatPlatform } from '../../client/chat.js'
import { httpCalls, type Item, type Methods, methods } from '../../client/index.js'
import { memoryStores } from '../../client/store/memory-store.js'
import { startTestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { httpUrl } from '../helpers/http.js'
import { ManualClock } from '../helpers/manual-clock.js'
import { chatAt, proxyOf, when } from '../helpers/outbox-app.js'
import { answered, until } from '../helpers/patience.js'
import { HeldTimers } from '../helpers/tea-room.js'

async function start(t: Test) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const proxy = await proxyOf(t, broker)
  const personOf = async (user: string): Promise<Methods> => {
    const token = await broker.token(user)
    return methods(httpCalls({ url: httpUrl(broker), token: () => token }))
  }
  const [alice, bob] = [await personOf('alice'), await personOf('bob')]
  await bob.rooms.create({ room: 'tea' })
  await alice.rooms.join({ room: 'tea' })
  const stores = memoryStores()
  const chatOf = (platform: Partial<ChatPlatform> = {}) =>
    chatAt(t, broker, proxy.port, 'alice', { store: stores, platform })
  return { proxy, alice, bob, chatOf }
}

const HOUR = 3_600_000
/** Seconds. */
const WHILE = 600
/** Ms after which a client looks at the clock again, at the latest. */
const LOOKS = 60_000

/** A clock of broker and client, and the timers of the client, which run as the test says. To be made before both. */
function timeOf(t: Test) {
  const clock = movableClock(t)
  const timers = new HeldTimers([LOOKS])
  const pass = (seconds: number): void => {
    clock.forward(seconds)
    timers.fire(LOOKS)
  }
  return { timers, pass }
}

const textsOf = (items: readonly Item[]) =>
  items.flatMap((item) => (item.kind === 'message' ? (item.message.text ?? []) : item.kind))

t.test('at its end it is gone from timelines, from the list of rooms and from the counts', async (t) => {
  const { timers, pass } = timeOf(t)
  const { alice, bob, chatOf } = await start(t)
  const chat = chatOf(timers.platform)
  await chat.connect()
  const timeline = chat.room('tea').timeline()
  t.teardown(() => timeline.dispose())
  await bob.send({ room: 'tea', text: 'for good' })
  await bob.send({ room: 'tea', text: 'for a while @alice', mentions: ['@alice'], ttl: WHILE })
  await answered(
    'it is shown',
    when(timeline.items, (items) => textsOf(items).join() === 'for good,for a while @alice'),
  )
  t.match(chat.rooms.current[0], { unread: 2, mentions: 1, last: { text: 'for a while @alice' } })
  pass(WHILE + 1)
  await answered(
    'it is gone',
    when(timeline.items, (items) => textsOf(items).join() === 'for good,gone'),
  )
  t.same(chat.rooms.current[0]!.last, { seq: 2, gone: 'expired' })
  t.match(chat.unread.current, { messages: 1, mentions: 0 })
  const { messages } = await alice.history({ room: 'tea', view: 'folded' })
  t.same(
    timeline.items.current.map((item) => item.kind !== 'gap' && item.message),
    messages,
    'as the broker shows it',
  )
  const { rooms } = await alice.unread()
  t.match(rooms[0], { unread: 1, mentions: 0 })
})

t.test('a reply that ends is not counted in its thread any more', async (t) => {
  const { timers, pass } = timeOf(t)
  const { bob, chatOf } = await start(t)
  const chat = chatOf(timers.platform)
  await chat.connect()
  const timeline = chat.room('tea').timeline()
  t.teardown(() => timeline.dispose())
  await bob.send({ room: 'tea', text: 'root' })
  await bob.send({ room: 'tea', text: 'stays', thread: 1 })
  await bob.send({ room: 'tea', text: 'ends', thread: 1, ttl: WHILE })
  const replies = ([root]: readonly Item[]) => (root?.kind === 'message' ? root.message.replies?.count : undefined)
  await when(timeline.items, (items) => replies(items) === 2)
  pass(WHILE + 1)
  await answered(
    'one less',
    when(timeline.items, (items) => replies(items) === 1),
  )
})

t.test('what ended while the client was off is never shown, and not on the device any more', async (t) => {
  const { pass } = timeOf(t)
  const { proxy, alice, bob, chatOf } = await start(t)
  const before = chatOf()
  await before.connect()
  await bob.send({ room: 'tea', text: 'for good' })
  await bob.send({ room: 'tea', text: 'for a while', ttl: WHILE })
  await when(before.rooms, ([tea]) => tea?.unread === 2)
  await before.close()
  pass(WHILE + 1)
  const isOver = async () => (await alice.history({ room: 'tea' })).messages.some((message) => 'gone' in message)
  await until('it has ended', isOver)
  proxy.refuse()
  const chat = chatOf()
  const seen: string[] = []
  chat.rooms.subscribe((rooms) => seen.push(JSON.stringify(rooms)))
  const timeline = chat.room('tea').timeline()
  t.teardown(() => timeline.dispose())
  timeline.items.subscribe((items) => seen.push(JSON.stringify(items)))
  void chat.connect().catch(() => {})
  await answered(
    'what was kept',
    when(timeline.items, (items) => items.length === 2),
  )
  t.same(textsOf(timeline.items.current), ['for good', 'gone'])
  t.equal(chat.rooms.current[0]!.unread, 1)
  t.notOk(seen.join().includes('for a while'))
})

for (const [what, by] of [
  ['ahead', HOUR],
  ['behind', -HOUR],
] as const)
  t.test(`a clock of the device that is ${what} by an hour changes nothing, also without a connection`, async (t) => {
    const { timers, pass } = timeOf(t)
    timers.ahead = by
    const { proxy, bob, chatOf } = await start(t)
    const before = chatOf(timers.platform)
    await before.connect()
    await bob.send({ room: 'tea', text: 'for long', ttl: 3 * WHILE })
    await bob.send({ room: 'tea', text: 'for a while', ttl: WHILE })
    await answered(
      'both',
      when(before.rooms, ([tea]) => tea?.unread === 2),
    )
    await before.close()
    // That is what the next one begins with.
    await before.connect()
    await before.close()
    proxy.refuse()
    const chat = chatOf(timers.platform)
    void chat.connect().catch(() => {})
    await answered(
      'both are there',
      when(chat.rooms, ([tea]) => tea?.unread === 2),
    )
    pass(WHILE + 1)
    await answered(
      'one has ended',
      when(chat.rooms, ([tea]) => !!tea?.last && 'gone' in tea.last && tea.last.seq === 2),
    )
    t.equal(chat.rooms.current[0]!.unread, 1)
  })

t.test('closed, nothing waits for an end', async (t) => {
  const clock = new ManualClock()
  const { bob, chatOf } = await start(t)
  const chat = chatOf({ now: () => clock.now(), timer: (ms, act) => clock.timer(ms, act) })
  await chat.connect()
  await bob.send({ room: 'tea', text: 'for an hour', ttl: 3600 })
  await when(chat.rooms, ([tea]) => tea?.unread === 1)
  await chat.close()
  t.equal(clock.running, 0)
})

t.test('of what was dropped nothing is left that says when it would have ended', async (t) => {
  const { timers, pass } = timeOf(t)
  const { bob, alice, chatOf } = await start(t)
  const chat = chatOf(timers.platform)
  await chat.connect()
  await bob.send({ room: 'tea', text: 'for a while', ttl: WHILE })
  await when(chat.rooms, ([tea]) => tea?.unread === 1)
  await bob.rooms.delete({ room: 'tea' })
  await when(chat.rooms, ({ length }) => length === 0)
  await bob.rooms.create({ room: 'tea' })
  await alice.rooms.join({ room: 'tea' })
  await bob.send({ room: 'tea', text: 'in its place' })
  await bob.send({ room: 'tea', text: 'ends after it', ttl: 2 * WHILE })
  await when(chat.rooms, ([tea]) => tea?.unread === 2)
  pass(WHILE + 1)
  await chat.ask.rooms.list()
  t.equal(chat.rooms.current[0]?.unread, 2)
  pass(WHILE)
  await answered(
    'the other one',
    when(chat.rooms, ([tea]) => !!tea?.last && 'gone' in tea.last && tea.last.seq === 2),
  )
  const timeline = chat.room('tea').timeline()
  t.teardown(() => timeline.dispose())
  await when(timeline.items, (items) => textsOf(items).join() === 'in its place,gone')
})
