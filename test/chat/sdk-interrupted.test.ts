/** What the SDK makes of a device that keeps nothing, and of connections that end, or hardly pass anything, while it is at work. */

import t, { type Test } from 'tap'
import type { WebSocket } from 'ws'
import type { ChatPlatform } from '../../client/chat.js'
import { httpCalls, type Item, type Methods, methods, type Status, type Timeline } from '../../client/index.js'
import { MemoryStore, memoryStores } from '../../client/store/memory-store.js'
import type { Change } from '../../client/store/store.js'
import { startTestBroker } from '../helpers/broker.js'
import { FaultyStore } from '../helpers/faulty-store.js'
import { httpUrl } from '../helpers/http.js'
import { ManualClock, settled } from '../helpers/manual-clock.js'
import { chatAt, proxyOf, when } from '../helpers/outbox-app.js'
import { answered, until } from '../helpers/patience.js'
import { webSocket } from '../helpers/web-socket.js'

/** Alice is in the room tea, which is Bob's; her device has one store. */
async function start(
  t: Test,
  platform: Partial<ChatPlatform> = {},
  rates: NonNullable<Parameters<typeof startTestBroker>[1]>['limits'] = { rates: 'off' },
) {
  const broker = await startTestBroker(t, { limits: rates })
  const proxy = await proxyOf(t, broker)
  const personOf = async (user: string): Promise<Methods> => {
    const token = await broker.token(user)
    return methods(httpCalls({ url: httpUrl(broker), token: () => token }))
  }
  const [alice, bob] = [await personOf('alice'), await personOf('bob')]
  await bob.rooms.create({ room: 'tea' })
  await alice.rooms.join({ room: 'tea' })
  const store = new FaultyStore()
  const chat = chatAt(t, broker, proxy.port, 'alice', { store: () => store, platform })
  return { broker, proxy, alice, bob, store, chat }
}

const online = ({ state }: Status): boolean => state === 'online'
const waiting = ({ state }: Status): boolean => state === 'waiting'
const shown = (items: readonly Item[]) => items.flatMap((item) => (item.kind === 'gap' ? [] : item.message.seq))

/** The write of a page with several messages. */
const isPage = (changes: readonly Change[]): boolean => changes.length > 10

/** The write with which the client is up to date. */
const isLast = (changes: readonly Change[]): boolean =>
  changes.some((change) => 'put' in change && change.put === 'meta')

async function say(person: Methods, room: string, count: number, text = 'text'): Promise<void> {
  for (let i = 0; i < count; i++) await person.send({ room, text: `${text} ${i}` })
}

/** Rooms of which what is said in each is more than half a page of `sync`. */
const DENS = ['den0', 'den1', 'den2', 'den3']
const LONG = 'x'.repeat(2000)

async function join(room: string, alice: Methods, bob: Methods): Promise<void> {
  await bob.rooms.create({ room })
  await alice.rooms.join({ room })
}

t.test('a device that keeps nothing: the client comes online, shows its rooms, and sends', async (t) => {
  const { proxy, bob, store, chat } = await start(t)
  store.isFull = true
  await bob.send({ room: 'tea', text: 'hello' })
  const out = chat.send('tea', 'said all the same')
  await answered('online', chat.connect())
  t.equal((await out.sent).seq, 2)
  const timeline = chat.room('tea').timeline()
  await when(timeline.items, (items) => shown(items).join() === '1,2')
  proxy.refuse()
  await when(chat.status, waiting)
  await bob.send({ room: 'tea', text: 'meanwhile' })
  const seen: number[] = []
  chat.rooms.subscribe((rooms) => seen.push(rooms.length))
  proxy.heal()
  chat.retryNow()
  await when(timeline.items, (items) => shown(items).join() === '1,2,3')
  t.notOk(seen.includes(0), 'what is shown stays there')
})

t.test('a device that becomes full: rooms go on, and what is not kept is asked for', async (t) => {
  const { bob, store, chat } = await start(t)
  await say(bob, 'tea', 3)
  await chat.connect()
  const timeline = chat.room('tea').timeline()
  await when(timeline.items, (items) => shown(items).join() === '1,2,3')
  store.isFull = true
  await say(bob, 'tea', 2)
  await answered(
    'both',
    when(timeline.items, (items) => shown(items).join() === '1,2,3,4,5'),
  )
  t.equal(chat.status.current.state, 'online')
  t.equal(chat.rooms.current[0]?.unread, 5)
})

t.test('whatever the device cannot keep first, all goes on in memory, and the application is told why', async (t) => {
  const acts: Record<string, (scene: Awaited<ReturnType<typeof start>>, timeline: Timeline) => Promise<unknown>> = {
    'a page of history': (_, timeline) => timeline.older(),
    'what comes live': ({ bob }) => say(bob, 'tea', 1),
    'what is read': async ({ chat }) => chat.room('tea').read(),
    counts: ({ alice }) => alice.read({ room: 'tea', seq: 79 }),
  }
  for (const [what, act] of Object.entries(acts))
    await t.test(what, async (t) => {
      const scene = await start(t)
      const { bob, chat, store } = scene
      await say(bob, 'tea', 80)
      await chat.connect()
      const timeline = chat.room('tea').timeline({ size: 20 })
      t.teardown(() => timeline.dispose())
      await when(timeline.items, (items) => items.length === 20)
      await timeline.older(30)
      t.equal(chat.storageError.current, null)
      const seen: number[] = []
      for (const live of [chat.rooms, timeline.items]) live.subscribe((value) => seen.push(value.length))
      store.isFull = true
      await act(scene, timeline)
      await answered(
        'it is told',
        when(chat.storageError, (error) => error?.code === 'storage'),
      )
      await timeline.older(70)
      await say(bob, 'tea', 1)
      await answered(
        'what comes later',
        when(timeline.items, (items) => [81, 82].includes(Number(items.at(-1)?.key))),
      )
      t.equal(timeline.items.current[0]?.key, '1')
      t.notOk(seen.includes(0), 'what is shown stays there')
      t.equal(chat.status.current.state, 'online')
    })
})

t.test('a connection that ends while the last of it is written lets nothing through on the next one', async (t) => {
  let isHeard!: () => void
  const heard = new Promise<void>((resolve) => (isHeard = resolve))
  const socket = (url: string) => {
    const made = webSocket(url)
    const look = (bytes: ArrayBuffer): void => void (Buffer.from(bytes).includes('"said meanwhile"') && isHeard())
    ;(made as unknown as WebSocket).on('message', look)
    return made
  }
  const { alice, bob, proxy, store, chat } = await start(t, { socket })
  for (const room of DENS) await join(room, alice, bob)
  const states: string[] = []
  chat.status.subscribe(({ state }) => states.push(state))
  const first = store.holdWrite(isLast)
  void chat.connect().catch(() => {})
  await first.come
  proxy.refuse()
  await when(chat.status, waiting)
  first.release()
  await settled()
  t.equal(chat.status.current.state, 'waiting', 'what was written late is no news')
  for (const room of DENS) await say(bob, room, 10, LONG)
  const page = store.holdWrite(isPage)
  store.written.length = 0
  proxy.heal()
  chat.retryNow()
  await page.come
  // In a room of the first page.
  await bob.send({ room: 'den3', text: 'said meanwhile' })
  await answered('heard', heard)
  await settled()
  page.release()
  await when(chat.status, online)
  await when(chat.rooms, (rooms) => rooms[0]?.room === 'den3' && rooms[0].unread === 11)
  const isSaid = (changes: readonly Change[]): boolean => JSON.stringify(changes).includes('"said meanwhile"')
  t.ok(store.written.findIndex(isSaid) >= store.written.findIndex(isLast), 'what comes live waits for all pages')
  t.notOk(/waiting,syncing|closed/.test(states.join()), states.join())
})

t.test('on a slow link pages are small, and may take longer than other requests', async (t) => {
  const clock = new ManualClock()
  const { alice, bob, proxy, store, chat } = await start(t, {
    now: () => clock.now(),
    timer: (ms, act) => clock.timer(ms, act),
  })
  for (const room of DENS) {
    await join(room, alice, bob)
    await say(bob, room, 10, LONG)
  }
  const page = store.holdWrite(isPage)
  void chat.connect().catch(() => {})
  await page.come
  proxy.holdAnswers()
  page.release()
  await clock.pass(15_000)
  t.equal(chat.status.current.state, 'syncing', 'the second page is still awaited')
  proxy.heal()
  await when(chat.status, online)
  const sizes = store.written.map((changes) => JSON.stringify(changes).length)
  t.ok(Math.max(...sizes) < 65_536, `pages of ${sizes.join()}`)
})

t.test('what the broker does not take for a moment, as the user reads too fast, is told to it later', async (t) => {
  const clock = new ManualClock()
  const platform = { now: () => clock.now(), timer: (ms: number, act: () => void) => clock.timer(ms, act) }
  const { alice, bob, chat } = await start(t, platform, { rates: { write: 0.5 } })
  await say(bob, 'tea', 3)
  await chat.connect()
  const readAll = async (): Promise<never> => {
    for (;;) await alice.read({ room: 'tea', seq: 1 })
  }
  await t.rejects(readAll(), { code: 'rate_limited' })
  chat.room('tea').read()
  const readBy = async () => (await alice.unread({ room: 'tea' })).rooms[0]!.read
  await clock.pass(300)
  t.equal(await readBy(), 1)
  await until('it is read', async () => {
    await clock.pass(1000)
    return (await readBy()) === 3
  })
  t.equal(chat.status.current.state, 'online')
})

t.test('what was read stays until the broker has answered, whatever it tells of the counts before that', async (t) => {
  const clock = new ManualClock()
  const platform = { now: () => clock.now(), timer: (ms: number, act: () => void) => clock.timer(ms, act) }
  const { broker, proxy, alice, bob } = await start(t, {}, { rates: { write: 0.5 } })
  const options = { store: memoryStores(), platform }
  const chat = chatAt(t, broker, proxy.port, 'alice', options)
  await say(bob, 'tea', 3)
  await chat.connect()
  const readAll = async (): Promise<never> => {
    for (;;) await alice.read({ room: 'tea', seq: 1 })
  }
  await t.rejects(readAll(), { code: 'rate_limited' })
  chat.room('tea').read()
  await when(chat.rooms, ([tea]) => tea!.read === 3)
  await bob.send({ room: 'tea', text: 'oops' })
  await bob.send({ room: 'tea', type: 'delete', target: 4 })
  await when(chat.rooms, ([tea]) => tea!.read === 1)
  await chat.close()
  const again = chatAt(t, broker, proxy.port, 'alice', options)
  await again.connect()
  await until('it is read', async () => {
    await clock.pass(1000)
    return (await alice.unread({ room: 'tea' })).rooms[0]!.read === 3
  })
})

t.test('what was read in the midst of what the device does not have is told after a reload', async (t) => {
  const { broker, proxy, alice, bob } = await start(t)
  const options = { store: memoryStores() }
  const chat = chatAt(t, broker, proxy.port, 'alice', options)
  await say(bob, 'tea', 80)
  await alice.read({ room: 'tea', seq: 1 })
  await chat.connect()
  proxy.refuse()
  await when(chat.status, waiting)
  chat.room('tea').read(20)
  chat.room('tea').read(10)
  await chat.close()
  proxy.heal()
  const again = chatAt(t, broker, proxy.port, 'alice', options)
  await again.connect()
  await until('it is read', async () => (await alice.unread({ room: 'tea' })).rooms[0]!.read === 20)
})

t.test('counts that the broker does not tell for a moment are asked for again on the same connection', async (t) => {
  const clock = new ManualClock()
  const platform = { now: () => clock.now(), timer: (ms: number, act: () => void) => clock.timer(ms, act) }
  const { alice, bob, chat } = await start(t, platform, { rates: { read: 0.5 } })
  await say(bob, 'tea', 3)
  await chat.connect()
  const { current } = chat.status
  const askAll = async (): Promise<never> => {
    for (;;) await alice.unread({ room: 'tea' })
  }
  await t.rejects(askAll(), { code: 'rate_limited' })
  await alice.read({ room: 'tea', seq: 2 })
  await until('it is told', async () => {
    await clock.pass(1000)
    return chat.rooms.current[0]!.unread === 1
  })
  t.equal(chat.status.current, current)
})

t.test('a timeline that could not begin without a connection begins when there is one', async (t) => {
  const { broker, bob, proxy } = await start(t)
  await say(bob, 'tea', 80)
  const chat = chatAt(t, broker, proxy.port, 'alice')
  await chat.connect()
  await chat.close()
  proxy.refuse()
  void chat.connect().catch(() => {})
  await when(chat.status, waiting)
  const timeline = chat.room('tea').timeline({ at: 'unread', size: 20 })
  await t.rejects(timeline.jump(1), { code: 'offline' })
  t.same(timeline.items.current, [])
  t.same(timeline.state.current, { older: 'loading', newer: 'loading' })
  proxy.heal()
  chat.retryNow()
  await answered(
    'the first unread messages',
    when(timeline.items, (items) => shown(items)[0] === 1),
  )
  await when(timeline.state, ({ older, newer }) => older === 'end' && newer === 'more')
})

t.test('what a timeline was asked for is in it when it says so, also if it is showing something else', async (t) => {
  const { bob, store, chat } = await start(t)
  await say(bob, 'tea', 40)
  await chat.connect()
  const timeline = chat.room('tea').timeline({ size: 10 })
  await when(timeline.items, (items) => items.length === 10)
  await settled()
  const read = store.holdRead('messages')
  await bob.send({ room: 'tea', text: 'newest' })
  await answered('it is shown', read.come)
  let isOlder = false
  const older = timeline.older(20).then(() => (isOlder = true))
  for (let i = 0; i < 10; i++) await settled()
  t.notOk(isOlder, 'not before it is shown')
  read.release()
  await older
  t.equal(shown(timeline.items.current)[0], 11)
})

t.test('what came by sync is told to be delivered, once, and of rooms with news alone', async (t) => {
  const told: string[] = []
  const socket = (url: string) => {
    const made = webSocket(url)
    const send = made.send.bind(made)
    made.send = (bytes) => {
      const text = Buffer.from(bytes).toString('latin1')
      for (const [, what] of text.matchAll(/rooms\/([\w:]+\/receipts.*?\{.*?\})/g))
        told.push(what!.replace(/\/.*\{/, ' {'))
      send(bytes)
    }
    return made
  }
  const { alice, bob, broker, proxy } = await start(t)
  const chat = chatAt(t, broker, proxy.port, 'alice', { platform: { socket } })
  await join('den', alice, bob)
  await say(bob, 'tea', 3)
  await bob.send({ room: '@alice', text: 'psst' })
  await chat.connect()
  const deliveredTo = async (room: string) =>
    (await bob.receipts({ room })).receipts.find(({ user }) => user === 'alice')?.delivered
  await until('bob is told', async () => (await deliveredTo('tea')) === 3 && (await deliveredTo('dm:alice:bob')) === 1)
  t.same(told.sort(), ['dm:alice:bob {"delivered":1}', 'tea {"delivered":3}'])
  await chat.close()
  await chat.connect()
  await say(bob, 'tea', 1)
  await until('by its acknowledgement', async () => (await deliveredTo('tea')) === 4)
  await chat.close()
  await say(bob, 'den', 2)
  await chat.connect()
  await until('of the den', async () => (await deliveredTo('den')) === 2)
  t.same(told.slice(2), ['den {"delivered":2}'])
})

/** The write of a message that is gone. */
const isDeletion = (changes: readonly Change[]): boolean =>
  changes.some((change) => 'put' in change && change.put === 'messages' && 'gone' in (change.value as object))

t.test('a thread of which a reply is deleted is counted anew, also by the next client on the device', async (t) => {
  const { broker, proxy, bob } = await start(t)
  const tables = new Map()
  const store = new FaultyStore(tables)
  const chat = chatAt(t, broker, proxy.port, 'alice', { store: () => store })
  await bob.send({ room: 'tea', text: 'root' })
  await bob.send({ room: 'tea', text: 'reply', thread: 1 })
  const countOf = (items: readonly Item[]): number | undefined =>
    items.flatMap((item) =>
      item.kind === 'message' && item.message.seq === 1 ? (item.message.replies?.count ?? 0) : [],
    )[0]
  await chat.connect()
  const timeline = chat.room('tea').timeline()
  await when(timeline.items, (items) => countOf(items) === 1)
  const deletion = store.holdWrite(isDeletion)
  await bob.send({ room: 'tea', type: 'delete', target: 2 })
  await answered('the deletion', deletion.come)
  proxy.holdAnswers()
  deletion.release()
  await until('the reply is gone', async () => store.written.some(isDeletion))
  await chat.close()
  proxy.heal()
  t.equal(countOf(timeline.items.current), 1, 'it was not answered')

  const next = chatAt(t, broker, proxy.port, 'alice', { store: () => new MemoryStore(tables) })
  const shownNext = next.room('tea').timeline()
  await next.connect()
  await when(shownNext.items, (items) => countOf(items) === 0)
})
