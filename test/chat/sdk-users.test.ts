/** The SDK when another user logs in than was expected, and when several clients share what is kept. */
import t, { type Test } from 'tap'
import { Chat, type ChatOptions } from '../../client/chat.js'
import type { Lock } from '../../client/store/lock.js'
import { MemoryStore } from '../../client/store/memory-store.js'
import type { OpenStore, Store } from '../../client/store/store.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { httpUrl } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { tabLocks } from '../helpers/tab-locks.js'
import { realEnv, webSocket } from '../helpers/web-socket.js'

/** Stores that stay when they are closed, as those of a device do. */
function device(): { open: OpenStore; opened: string[] } {
  const stores = new Map<string, MemoryStore>()
  const opened: string[] = []
  const open: OpenStore = ({ user }) => {
    opened.push(user)
    const kept = stores.get(user) ?? new MemoryStore()
    stores.set(user, kept)
    return Object.assign(Object.create(kept) as Store, {
      get: kept.get.bind(kept),
      range: kept.range.bind(kept),
      write: kept.write.bind(kept),
      close: async () => {},
    })
  }
  return { open, opened }
}

function chat(t: Test, broker: TestBroker, options: Omit<ChatOptions, 'url'>, lock?: Lock): Chat {
  const made = new Chat({ url: httpUrl(broker), ...options }, { ...realEnv, socket: webSocket, ...(lock && { lock }) })
  t.teardown(() => made.close())
  return made
}

const names = (of: Chat): string[] => of.rooms.current.map(({ room }) => room)

t.test('whoever has logged in stays the user, whatever was expected and however often connect is called', async (t) => {
  const broker = await startTestBroker(t)
  const { open, opened } = device()
  const bob = chat(t, broker, { user: 'alice', store: open, auth: { getToken: () => broker.token('bob') } })
  await bob.connect()
  await bob.ask.rooms.create({ room: 'of-bob' })
  await until('it is shown', async () => names(bob).includes('of-bob'))
  await bob.connect()
  const out = bob.send('of-bob', 'hello')
  t.match(await out.sent, { from: undefined, seq: 1 })
  t.same(opened, ['alice', 'bob'])
  t.ok(names(bob).includes('of-bob'))
  await bob.close()
  await bob.connect()
  t.equal(opened.at(-1), 'bob')
})

t.test('what a user has not sent is there again when they come back to the client', async (t) => {
  const broker = await startTestBroker(t)
  const { open } = device()
  let user = 'alice'
  const shared = chat(t, broker, { store: open, auth: { getToken: () => broker.token(user) } })
  await shared.connect()
  await shared.ask.rooms.create({ room: 'tea' })
  await shared.close()
  const waiting = shared.send('tea', 'from alice')
  t.equal(waiting.state.current.at, 'queued')
  user = 'bob'
  await shared.connect()
  t.equal(shared.user, 'bob')
  t.same(shared.outbox.current, [])
  t.same(
    (await shared.ask.rooms.list()).rooms.map(({ id }) => id),
    [],
  )
  await shared.close()
  user = 'alice'
  await shared.connect()
  await until('it is sent', async () => shared.outbox.current.length === 0)
  const { messages } = await shared.ask.history({ room: 'tea' })
  t.match(messages, [{ from: 'alice', text: 'from alice' }])
})

t.test('of two clients with one store, one keeps what it reads there; both show it', async (t) => {
  const broker = await startTestBroker(t)
  const { open } = device()
  const lock = tabLocks()
  const options = { store: open, auth: { getToken: () => broker.token('ann') } }
  const [one, two] = [chat(t, broker, options, lock), chat(t, broker, options, lock)]
  await one.connect()
  await two.connect()
  await one.ask.rooms.create({ room: 'tea' })
  for (const each of [one, two]) await until('it is shown', async () => names(each).includes('tea'))
  const kept = open({ broker: '', user: 'ann' })
  const rows = async () => (await kept.range('rooms')).length
  t.equal(await rows(), 1)
  await one.close()
  await two.ask.rooms.create({ room: 'den' })
  await until('the other one keeps it from now on', async () => (await rows()) === 2)
  t.same(names(two).sort(), ['den', 'tea'])
  await two.close()
  const three = chat(t, broker, { ...options, user: 'ann' }, lock)
  const seen: string[][] = []
  three.rooms.subscribe(() => seen.push(names(three)))
  await three.connect()
  t.same(seen[0]?.sort(), ['den', 'tea'], 'the next one begins with that')
})

t.test('a client without a connection, which takes over, shows what the other one has kept', async (t) => {
  const broker = await startTestBroker(t)
  const { open } = device()
  const lock = tabLocks()
  const options = { store: open, user: 'ann', auth: { getToken: () => broker.token('ann') } }
  const one = chat(t, broker, options, lock)
  await one.connect()
  await one.ask.rooms.create({ room: 'tea' })
  await until('it is kept', async () => (await open({ broker: '', user: 'ann' }).range('rooms')).length === 1)
  const auth = { getToken: async () => await new Promise<string>(() => {}) }
  const two = chat(t, broker, { ...options, auth }, lock)
  two.connect().catch(() => {})
  await until('it is open', async () => two.status.current.state === 'connecting')
  t.same(names(two), [])
  await one.close()
  await until('it has taken over', async () => names(two).includes('tea'))
})
