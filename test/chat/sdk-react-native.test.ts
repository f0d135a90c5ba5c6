/** The SDK in an app of React Native: its globals alone, a real broker, and a phone that puts the app aside. */
import t, { type Test } from 'tap'
import type { Chat, ChatOptions, ReactNativeParts, Status } from '../../client/react-native/index.js'
import { AppStorage } from '../helpers/app-storage.js'
import { startTestBroker } from '../helpers/broker.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { until } from '../helpers/patience.js'
import { Phone } from '../helpers/phone-app.js'
import { personOf } from '../helpers/sdk/crowd.js'

async function becomes(chat: Chat, holds: (status: Status) => boolean): Promise<Status> {
  for await (const status of chat.status) if (holds(status)) return status
  throw new Error('it has ended')
}

const isOnline = ({ state }: Status): boolean => state === 'online'

async function cast(t: Test) {
  const broker = await startTestBroker(t)
  const proxy = await ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
  const phone = await Phone.start()
  const [ann, bob] = await Promise.all(['ann', 'bob'].map((user) => personOf(broker, user)))
  await bob!.rooms.create({ room: 'tea', name: 'Tea' })
  await ann!.rooms.join({ room: 'tea' })
  const start = (parts: Partial<ReactNativeParts> = {}, options: Partial<ChatOptions> = {}): Chat => {
    const { AppState, NetInfo } = phone
    const auth = { getToken: () => broker.token('ann') }
    const chat = phone.sdk.createChat(
      { url: `http://127.0.0.1:${proxy.port}`, auth, ...options },
      { AppState, NetInfo, ...parts },
    )
    t.teardown(() => chat.close())
    return chat
  }
  const isConnected = async (): Promise<boolean> =>
    (await ann!.sessions.list()).sessions.some(({ connected }) => connected)
  return { broker, proxy, phone, bob: bob!, start, isConnected }
}

t.test('an app sends, is told what others send, and finds it again without a connection', async (t) => {
  const { proxy, phone, bob, start } = await cast(t)
  const storage = new AppStorage()
  const chat = start({ storage })
  await chat.connect()
  const { items } = chat.room('tea').timeline()
  await chat.send('tea', 'grüße 🫖').sent
  await bob.send({ room: 'tea', text: 'from bob' })
  for await (const shown of items) if (shown.length === 2) break
  for await (const { list } of chat.room('tea').members) if (list.some(({ user }) => user === 'bob')) break
  await t.rejects(chat.ask.history({ room: 'none' }), { name: 'ChatError', code: 'not_found' })
  t.ok(phone.left > 0)
  await chat.close()
  t.equal(phone.left, 0, 'no timer and no listener is left')
  proxy.refuse()
  const next = start({ storage }, { user: 'ann' })
  next.connect().catch(() => {})
  for await (const rooms of next.rooms) if (rooms.length === 1) break
  t.match(next.rooms.current, [{ room: 'tea', info: { name: 'Tea' }, last: { text: 'from bob' } }])
  await next.send('tea', 'on a train').stored
  await next.close()
  proxy.heal()
  const last = start({ storage }, { user: 'ann' })
  await last.connect()
  for await (const waiting of last.outbox) if (waiting.length === 0) break
  t.match((await bob.history({ room: 'tea' })).messages.at(-1), { text: 'on a train', from: 'ann' })
})

t.test('in the background the connection ends after a while, and is back at once in the foreground', async (t) => {
  const { phone, bob, start, isConnected } = await cast(t)
  const chat = start({ backgroundGrace: 20 })
  await chat.connect()
  phone.turn('inactive')
  phone.turn('background')
  t.match(await becomes(chat, ({ state }) => state === 'waiting'), { why: 'network' })
  await until('the broker knows', async () => !(await isConnected()))
  const { sockets } = phone
  chat.retryNow()
  const status = await becomes(chat, (one) => one.state === 'waiting' && /background/.test(one.error.message))
  phone.connectBy('cellular')
  t.equal(chat.status.current, status, 'another network is no reason')
  t.equal(phone.sockets, sockets, 'no connection is tried')
  await bob.send({ room: 'tea', text: 'meanwhile' })
  phone.turn('active')
  await becomes(chat, isOnline)
  t.match(chat.rooms.current, [{ room: 'tea', last: { text: 'meanwhile' } }])
})

t.test('an app that is back soon keeps its connection', async (t) => {
  const { phone, start } = await cast(t)
  const chat = start({ backgroundGrace: 60_000 })
  await chat.connect()
  const { sockets } = phone
  const { current } = chat.status
  phone.turn('background')
  phone.turn('active')
  await chat.ask.rooms.list()
  t.equal(chat.status.current, current)
  t.equal(phone.sockets, sockets)
})

t.test('a phone that sleeps runs its timers when it wakes: the connection is not ended then', async (t) => {
  const { phone, start } = await cast(t)
  const chat = start({ backgroundGrace: 1 })
  await chat.connect()
  const { current } = chat.status
  phone.turn('background')
  // What `AppState` says then, before it tells its listeners.
  phone.currentState = 'active'
  await new Promise((resolve) => setTimeout(resolve, 1))
  await chat.ask.rooms.list()
  t.equal(chat.status.current, current)
})

t.test('when the phone has another network, the next attempt is made at once', async (t) => {
  const { proxy, phone, start } = await cast(t)
  const chat = start()
  await chat.connect()
  phone.connectBy('wifi')
  proxy.refuse()
  phone.connectBy('none')
  const waits = await becomes(chat, (status) => {
    if (status.state !== 'waiting') return false
    if (status.retryAt - Date.now() > 5000) return true
    chat.retryNow()
    return false
  })
  proxy.heal()
  phone.connectBy('cellular')
  await becomes(chat, isOnline)
  t.ok(Date.now() < (waits as { retryAt: number }).retryAt)
})
