/** The SDK where no WebSocket passes: server-sent events and HTTP, compared with the broker, with a network that fails. */
import t, { type Test } from 'tap'
import { loadTokenSecret, mintToken } from '../../broker/auth/tokens.js'
import {
  type Chat,
  type ChatOptions,
  createChat,
  eventStream,
  type Live,
  people,
  type Status,
} from '../../client/index.js'
import { openEvents } from '../../client/wire/events/event-wire.js'
import { textOf, utf8 } from '../../client/wire/utf8.js'
import type { Incoming, Login, WireError } from '../../client/wire/wire.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { httpUrl } from '../helpers/http.js'
import { ManualClock } from '../helpers/manual-clock.js'
import { until } from '../helpers/patience.js'
import { Random } from '../helpers/random.js'
import { check, settle } from '../helpers/sdk/checker.js'
import { Crowd, personOf } from '../helpers/sdk/crowd.js'
import { NodeClient } from '../helpers/sdk/node-client.js'
import { UpgradeBlocker } from '../helpers/upgrade-blocker.js'
import { realEnv, webSocket } from '../helpers/web-socket.js'

const random = Random.from('SDK_SEED', 11)
t.comment(`SDK_SEED=${random.seed} repeats what is done`)

const portOf = (broker: TestBroker) => (): number => Number(new URL(broker.wsUrl).port)

async function becomes(chat: Chat, state: Status['state']): Promise<void> {
  for await (const status of chat.status) {
    if (status.state === state) return
    if (status.state === 'waiting') chat.retryNow()
  }
}

interface Blocked {
  readonly broker: TestBroker
  readonly blocker: UpgradeBlocker
  /** Before the blocker. */
  readonly proxy: ByteProxy
  readonly url: string
}

async function blocked(t: Test, broker: TestBroker): Promise<Blocked> {
  const blocker = await UpgradeBlocker.start(t, portOf(broker))
  const proxy = await ByteProxy.start(t, () => blocker.port)
  return { broker, blocker, proxy, url: `http://127.0.0.1:${proxy.port}` }
}

function chatOf(t: Test, options: Pick<ChatOptions, 'url' | 'auth' | 'people'>, platform = {}): Chat {
  const chat = createChat({ ...options, fallback: eventStream }, { socket: webSocket, ...platform })
  t.teardown(() => chat.close())
  return chat
}

t.test('after three upgrades that fail, HTTP is the way, and all goes on as before', async (t) => {
  const { broker, blocker, url } = await blocked(t, await startTestBroker(t))
  const bob = await personOf(broker, 'bob')
  await bob.rooms.create({ room: 'tea' })
  const chat = chatOf(t, { url, auth: { getToken: () => broker.token('alice') } })
  chat.connect().catch(() => {})
  await becomes(chat, 'online')
  t.equal(blocker.refused, 3)
  t.equal(chat.user, 'alice')
  await chat.ask.rooms.join({ room: 'tea' })
  const { items } = chat.room('tea').timeline()
  await bob.send({ room: 'tea', text: 'grüße 🫖' })
  await chat.send('tea', 'from alice').sent
  await chat.send('@bob', 'psst').sent
  for await (const shown of items) if (shown.length === 2) break
  t.match(items.current, [{ message: { text: 'grüße 🫖' } }, { message: { text: 'from alice' } }])
  t.match((await bob.history({ room: '@alice' })).messages, [{ text: 'psst', from: 'alice' }])
  await t.rejects(chat.ask.history({ room: 'none' }), { code: 'not_found', field: 'room' })
  chat.room('tea').read()
  await until('read', async () => (await bob.receipts({ room: 'tea' })).receipts.some(({ read }) => read === 2))
  await chat.close()
  t.equal(chat.status.current.state, 'closed')
  t.equal(blocker.refused, 3, 'no WebSocket was tried meanwhile')
})

t.test('who is typing, and who is there, is told over HTTP, too', async (t) => {
  const { broker, url } = await blocked(t, await startTestBroker(t))
  const bob = await personOf(broker, 'bob')
  await bob.rooms.create({ room: 'tea', access: 'private' })
  await (await personOf(broker, 'alice')).rooms.list()
  await bob.rooms.invite({ room: 'tea', user: 'alice' })
  const chat = chatOf(t, { url, auth: { getToken: () => broker.token('alice') }, people: people() })
  chat.connect().catch(() => {})
  await becomes(chat, 'online')
  await chat.ask.rooms.join({ room: 'tea' })
  const other = createChat({ url: httpUrl(broker), auth: { token: await broker.token('bob') } }, { socket: webSocket })
  t.teardown(() => other.close())
  await other.connect()
  const { typing, members } = chat.room('tea')
  const typingOfOther = other.room('tea').typing
  const stops = [typing, members, typingOfOther, chat.users.presence('bob')].map((live) =>
    (live as Live<unknown>).subscribe(() => {}),
  )
  await until('bob types', async () => {
    other.room('tea').setTyping()
    return typing.current.includes('bob')
  })
  await until('alice types', async () => {
    chat.room('tea').setTyping()
    return typingOfOther.current.includes('alice')
  })
  await until('members', async () => members.current.list.length === 2)
  await until('presence', async () => chat.users.presence('bob').current?.state === 'online')
  for (const stop of stops) stop()
})

t.test('without the option WebSockets are tried again and again', async (t) => {
  const { broker, blocker, url } = await blocked(t, await startTestBroker(t))
  const chat = createChat({ url, auth: { token: await broker.token('alice') } }, { socket: webSocket })
  t.teardown(() => chat.close())
  chat.connect().catch(() => {})
  await until('tried', async () => {
    chat.retryNow()
    return blocker.refused > 5
  })
  t.not(chat.status.current.state, 'online')
})

t.test('a WebSocket is tried again every ten minutes, and taken when it passes', async (t) => {
  const { broker, blocker, url } = await blocked(t, await startTestBroker(t))
  const clock = new ManualClock()
  const chat = chatOf(t, { url, auth: { token: await broker.token('alice') } }, clockOf(clock))
  chat.connect().catch(() => {})
  await becomes(chat, 'online')
  t.equal(clock.untilNext, 600_000)
  await clock.pass(600_000)
  await until('tried again', async () => blocker.refused === 4)
  t.equal(chat.status.current.state, 'online', 'and nothing is noticed of it')
  blocker.allow()
  await until('it waits for the next try', async () => clock.running === 1)
  await clock.pass(600_000)
  await becomes(chat, 'waiting')
  await becomes(chat, 'online')
  t.equal(blocker.passed, 2, 'one to try, one to stay')
})

t.test('where nothing passes at all, WebSockets are tried first again', async (t) => {
  const { broker, blocker, proxy, url } = await blocked(t, await startTestBroker(t))
  const chat = chatOf(t, { url, auth: { token: await broker.token('alice') } })
  proxy.refuse()
  chat.connect().catch(() => {})
  let failures = 0
  for await (const status of chat.status)
    if (status.state === 'waiting') {
      if (++failures === 6) break
      chat.retryNow()
    }
  blocker.allow()
  proxy.heal()
  await becomes(chat, 'online')
  t.equal(blocker.passed, 1)
})

t.test('who may not log in is told so over HTTP, too; a password and an API key are logins', async (t) => {
  const { broker, url } = await blocked(t, await startTestBroker(t, { auth: { registration: 'open' } }))
  const alice = await personOf(broker, 'alice')
  const { key } = await alice.keys.create({ name: 'app' })
  for (const auth of [{ user: 'alice', password: 'wrong' }, { token: 'ttk.wrong' }]) {
    const refused = chatOf(t, { url, auth })
    refused.connect().catch(() => {})
    await becomes(refused, 'signedOut')
    t.match(refused.status.current, { why: 'refused', error: { code: 'unauthorized' } })
  }
  await (await anyone(broker)).auth.register({ user: 'dora', password: 'correct horse battery' })
  for (const auth of [{ token: key }, { user: 'dora', password: 'correct horse battery' }]) {
    const chat = chatOf(t, { url, auth })
    chat.connect().catch(() => {})
    await becomes(chat, 'online')
    await chat.ask.rooms.list()
  }
})

t.test('a token is renewed without a new connection', async (t) => {
  const { broker, url } = await blocked(t, await startTestBroker(t))
  const secret = await loadTokenSecret(broker.config.auth.jwt, broker.dataDir)
  let tokens = 0
  const getToken = async (): Promise<string> => {
    tokens++
    return mintToken(secret, 'alice', { ttl: 10 })
  }
  const chat = chatOf(t, { url, auth: { getToken } })
  const states: string[] = []
  chat.connect().catch(() => {})
  await becomes(chat, 'online')
  chat.status.subscribe(({ state }) => states.push(state))
  await until('renewed', async () => tokens >= 2)
  await chat.ask.rooms.list()
  t.same(states, [], 'it stays online')
})

t.test('what is subscribed to later comes, and nothing is lost or told twice meanwhile', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const bob = await personOf(broker, 'bob')
  const alice = await personOf(broker, 'alice')
  for (const room of ['tea', 'den']) {
    await bob.rooms.create({ room })
    await alice.rooms.join({ room })
  }
  const { wire, texts, messages } = await openWire(t, broker, { clientId: 'a', token: await broker.token('alice') })
  t.equal(wire.properties.responseInformation, 'users/alice/replies')
  t.same(await wire.subscribe([{ filter: 'rooms/tea/messages', qos: 1 }]), [1])
  const said: string[] = []
  const talking = (async () => {
    for (let i = 0; i < 60; i++) {
      const room = i % 2 === 0 ? 'tea' : 'den'
      await bob.send({ room, text: `${room} ${i}` })
      said.push(`${room} ${i}`)
    }
  })()
  t.same(await wire.subscribe([{ filter: 'rooms/den/messages', qos: 1 }]), [1])
  t.same(await wire.subscribe([{ filter: 'rooms/+/typing', qos: 0 }]), [0])
  await wire.check(10_000)
  await talking
  await bob.send({ room: 'tea', text: 'last' })
  await until('last', async () => texts().includes('last'))
  const tea = texts().filter((text) => text.startsWith('tea'))
  t.same(
    tea,
    said.filter((text) => text.startsWith('tea')),
  )
  t.same(await wire.subscribe([{ filter: 'users/bob/events', qos: 1 }]), [0x87], 'what is forbidden is refused')
  await wire.unsubscribe(['rooms/tea/messages'])
  await bob.send({ room: 'tea', text: 'unheard' })
  await bob.send({ room: 'den', text: 'heard' })
  await until('heard', async () => texts().includes('heard'))
  t.notOk(texts().includes('unheard'))
  const before = messages.length
  await wire.subscribe([{ filter: 'users/alice/presence', qos: 0, retainHandling: 2 }])
  await wire.publish({ topic: 'rooms/tea/typing', payload: utf8('{"typing":true}'), qos: 0 })
  await until('typing', async () => messages.some(({ topic }) => topic === 'rooms/tea/typing'))
  t.notOk(
    messages.slice(before).some(({ topic, retain }) => topic.endsWith('presence') && retain),
    'nothing retained',
  )
})

t.test('whatever people and the network do, the client knows what the broker knows', async (t) => {
  const at = await startTestBroker(t, { limits: { rates: 'off', eventStreamsPerUser: 50 } })
  const { broker, proxy, url } = await blocked(t, at)
  const crowd = await Crowd.gather(random, broker)
  const auth = { getToken: () => broker.token('alice') }
  const client = await NodeClient.start(t, { url, auth, fallback: eventStream })
  await settle(t, crowd, client, 'at first')
  const faults = {
    cut: () => proxy.cut(),
    blackhole: () => proxy.blackhole(),
    holdAnswers: () => proxy.holdAnswers(),
    refuse: () => proxy.refuse(),
    restart: () => broker.restart(),
    beginAnew: () => client.beginAnew(),
  }
  const heal = (): void => {
    // What a stream was not told, its next one is: a silent stream is noticed later than a WebSocket.
    proxy.cut()
    proxy.heal()
  }
  await check(t, { random, crowd, client, faults, heal, rounds: 6 })
})

t.test('who has as many streams as the broker allows waits until those that were replaced have ended', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off', eventStreamsPerUser: 2 } })
  const alice = await personOf(broker, 'alice')
  for (const room of ['tea', 'den']) await alice.rooms.create({ room })
  const { wire, texts, ended } = await openWire(t, broker, { clientId: 'a', token: await broker.token('alice') })
  for (const room of ['tea', 'den'])
    t.same(await wire.subscribe([{ filter: `rooms/${room}/messages`, qos: 1 }]), [1], room)
  for (const room of ['tea', 'den']) await alice.send({ room, text: room })
  await until('both are told', async () => texts().length === 2)
  t.same(ended, [], 'the connection goes on')
})

t.test('what is refused is refused alone; hundreds of filters are no trouble', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const bob = await personOf(broker, 'bob')
  await bob.rooms.create({ room: 'tea' })
  const alice = await personOf(broker, 'alice')
  await alice.rooms.join({ room: 'tea' })
  const { wire, texts } = await openWire(t, broker, { clientId: 'a', token: await broker.token('alice') })
  const mixed = ['rooms/tea/messages', 'users/bob/events', 'rooms/tea/typing']
  t.same(await wire.subscribe(mixed.map((filter) => ({ filter, qos: 1 }))), [1, 0x87, 1])
  const rooms = Array.from({ length: 200 }, (_, n) => `${'long-name-'.repeat(5)}${n}`)
  for (const room of rooms) await alice.rooms.create({ room })
  const many = rooms.slice(1).map((room) => ({ filter: `rooms/${room}/messages`, qos: 1 as const }))
  t.same(new Set(await wire.subscribe(many)), new Set([1]))
  for (const room of rooms.slice(0, 2)) await alice.send({ room, text: room })
  await bob.send({ room: 'tea', text: 'still there' })
  await until('still there', async () => texts().includes('still there'))
  t.same(texts(), [rooms[1], 'still there'], 'of the first room nothing was asked for')
})

async function openWire(t: Test, broker: TestBroker, login: Login) {
  const messages: Incoming[] = []
  const ended: WireError[] = []
  const listener = {
    message: (message: Incoming) => void messages.push(message),
    ended: (error: WireError) => void ended.push(error),
  }
  const options = { url: httpUrl(broker), clock: realEnv }
  const wire = await openEvents(options, login, listener, new AbortController().signal)
  t.teardown(() => wire.close())
  const texts = (): string[] =>
    messages.flatMap(({ topic, payload }) =>
      topic.endsWith('/messages') ? ((JSON.parse(textOf(payload)!) as { text: string }).text ?? []) : [],
    )
  return { wire, messages, ended, texts }
}

async function anyone(broker: TestBroker) {
  const { httpCalls, methods } = await import('../../client/index.js')
  return methods(httpCalls({ url: httpUrl(broker) }))
}

/** The timer of ten minutes runs as the test says, all others as they are. */
function clockOf(clock: ManualClock) {
  const timer = (ms: number, act: () => void) => (ms === 600_000 ? clock : realEnv).timer(ms, act)
  return { timer }
}
