/** The client of the SDK, as an application uses it, with a real broker and a network that fails. */
import t, { type Test } from 'tap'
import type { ChatOptions } from '../../client/chat.js'
import type { Status } from '../../client/connection/status.js'
import { createChat } from '../../client/index.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { httpUrl } from '../helpers/http.js'
import { webSocket } from '../helpers/web-socket.js'

function chatOf(t: Test, broker: TestBroker, user: string, options: Partial<ChatOptions> = {}) {
  const auth = { getToken: () => broker.token(user) }
  const chat = createChat({ url: httpUrl(broker), auth, ...options }, { socket: webSocket })
  t.teardown(() => chat.close())
  return chat
}

async function becomes(chat: ReturnType<typeof createChat>, state: Status['state']): Promise<void> {
  for await (const status of chat.status) if (status.state === state) return
}

t.test('requests go over the connection, and their replies come to this client alone', async (t) => {
  const broker = await startTestBroker(t)
  const phone = chatOf(t, broker, 'ann', { device: 'phone' })
  const laptop = chatOf(t, broker, 'ann', { device: 'laptop' })
  t.equal(phone.user, null)
  await Promise.all([phone.connect(), laptop.connect()])
  t.equal(phone.user, 'ann')
  await phone.ask.rooms.create({ room: 'tea', name: 'Tea' })
  const sent = await laptop.ask.send({ room: 'tea', text: 'grüße 🫖' })
  t.match((await phone.ask.history({ room: 'tea' })).messages, [{ seq: sent.seq, from: 'ann', text: 'grüße 🫖' }])
  const [message] = (await phone.ask.history({ room: 'tea', view: 'folded' })).messages
  t.equal(message && !('gone' in message) && `${message.from}: ${message.text}`, 'ann: grüße 🫖', 'it has types')
  const both = await Promise.all([phone.ask.rooms.list(), laptop.ask.rooms.members({ room: 'tea' })])
  t.match(both, [{ rooms: [{ room: 'tea' }] }, { members: [{ user: 'ann' }] }], 'the same request ids are no trouble')
  const { sessions } = await phone.ask.sessions.list()
  t.same(sessions.map(({ id }) => id.split('-')[0]).sort(), ['laptop', 'phone'])
  await phone.close()
  t.equal(phone.user, null)
  t.equal(phone.status.current.state, 'closed')
})

t.test('what the broker refuses has its code; what it does not even take as a request, too', async (t) => {
  const broker = await startTestBroker(t, { limits: { payloadBytes: 2048 } })
  const chat = chatOf(t, broker, 'ann')
  await chat.connect()
  await t.rejects(chat.ask.history({ room: 'none' }), { name: 'ChatError', code: 'not_found', field: 'room' })
  await t.rejects(chat.ask.rooms.create({} as never), { code: 'bad_request', field: 'room' })
  await t.rejects(chat.ask.send({ room: 'tea', text: 'x'.repeat(4000) }), { code: 'too_large' })
  t.equal(chat.status.current.state, 'online', 'and the connection goes on')
  await chat.ask.rooms.create({ room: 'tea' })
})

t.test('a request waits for the connection, as long as it was told; given up, it is not sent', async (t) => {
  const broker = await startTestBroker(t)
  const proxy = await ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
  const chat = chatOf(t, broker, 'ann', { url: `http://127.0.0.1:${proxy.port}` })
  await t.rejects(chat.ask.rooms.list(), { code: 'offline', message: /connect\(\)/ })
  const early = chat.connect().then(() => 'connected')
  await chat.ask.rooms.create({ room: 'tea' })
  t.equal(await early, 'connected')
  proxy.refuse()
  await becomes(chat, 'waiting')
  await t.rejects(chat.ask.send({ room: 'tea', text: 'late' }, { timeout: 50 }), { code: 'offline', transient: true })
  const giveUp = new AbortController()
  const given = chat.ask.send({ room: 'tea', text: 'given up' }, { signal: giveUp.signal })
  giveUp.abort()
  await t.rejects(given, { code: 'aborted' })
  const waits = chat.ask.send({ room: 'tea', text: 'patient' }, { timeout: 60_000 })
  proxy.heal()
  chat.retryNow()
  await waits
  t.match((await chat.ask.history({ room: 'tea' })).messages, [{ text: 'patient' }], 'and nothing else was sent')
})

t.test('a connection that is lost, or silent, or closed, ends what was asked', async (t) => {
  const broker = await startTestBroker(t)
  const proxy = await ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
  const chat = chatOf(t, broker, 'ann', { url: `http://127.0.0.1:${proxy.port}` })
  await chat.connect()
  proxy.blackhole()
  await t.rejects(chat.ask.rooms.list({}, { timeout: 50 }), { code: 'timeout', transient: true })
  const asked = chat.ask.rooms.list()
  proxy.cut()
  await t.rejects(asked, { code: 'offline' })
  proxy.heal()
  chat.retryNow()
  await becomes(chat, 'online')
  await chat.ask.rooms.list()
  proxy.blackhole()
  const last = chat.ask.rooms.list()
  await Promise.all([t.rejects(last, { code: 'offline' }), chat.close()])
  await t.rejects(chat.ask.rooms.list(), { code: 'closed' })
  proxy.heal()
  await chat.connect()
  await chat.ask.rooms.list()
})

t.test('whoever is signed out is told why, with each request too', async (t) => {
  const broker = await startTestBroker(t)
  const chat = chatOf(t, broker, 'ann', { auth: { user: 'ann', password: 'wrong' } })
  await t.rejects(chat.connect(), { code: 'unauthorized' })
  t.match(chat.status.current, { state: 'signedOut', why: 'refused' })
  await t.rejects(chat.ask.rooms.list(), { code: 'unauthorized' })
})

t.test('a platform without WebSocket is told what to give', async (t) => {
  const broker = await startTestBroker(t)
  t.intercept(globalThis, 'WebSocket', { value: undefined, configurable: true })
  const chat = createChat({ url: httpUrl(broker), auth: { token: 'x.y.z' } })
  t.teardown(() => chat.close())
  chat.connect().catch(() => {})
  await becomes(chat, 'waiting')
  t.match(chat.status.current, { error: { message: /socket/ } })
})
