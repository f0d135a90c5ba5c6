/** The MQTT client of the SDK, over WebSocket, with a real broker. */
import { once } from 'node:events'
import net from 'node:net'
import t, { type Test } from 'tap'
import { httpCalls } from '../../client/requests/http-calls.js'
import { methods } from '../../client/requests/methods.js'
import type { MqttLimits } from '../../client/wire/mqtt/limits.js'
import { mqttOverSocket } from '../../client/wire/mqtt/mqtt-wire.js'
import { textOf, utf8 } from '../../client/wire/utf8.js'
import type { Incoming, Login, Wire, WireError } from '../../client/wire/wire.js'
import { topics } from '../../schemas/topics.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { httpUrl } from '../helpers/http.js'
import { realEnv, webSocket } from '../helpers/web-socket.js'

interface Side {
  readonly wire: Wire
  readonly messages: Incoming[]
  /** Resolves with the first `count` messages. */
  received(count: number): Promise<Incoming[]>
  readonly ended: Promise<WireError>
}

interface Options {
  limits?: Partial<MqttLimits>
  take?: (message: Incoming) => void | Promise<void>
}

/** Logs in; closed with the test. */
async function open(t: Test, url: string, login: Login, { limits = {}, take }: Options = {}): Promise<Side> {
  const messages: Incoming[] = []
  let heard = (): void => {}
  let end: (error: WireError) => void
  const ended = new Promise<WireError>((resolve) => (end = resolve))
  const wire = await mqttOverSocket({ socket: () => webSocket(url), clock: realEnv, limits })(
    login,
    {
      message: (message) => {
        messages.push(message)
        heard()
        return take?.(message)
      },
      ended: (error) => end(error),
    },
    new AbortController().signal,
  )
  t.teardown(() => wire.close())
  const received = async (count: number): Promise<Incoming[]> => {
    while (messages.length < count) await new Promise<void>((resolve) => (heard = resolve))
    return messages.slice(0, count)
  }
  return { wire, messages, received, ended }
}

async function byToken(t: Test, broker: TestBroker, user: string, options: Options = {}): Promise<Side> {
  return open(t, broker.wsUrl, { clientId: `${user}-1`, token: await broker.token(user) }, options)
}

/** A public room. */
async function room(broker: TestBroker, id: string): Promise<void> {
  const token = await broker.token('owner')
  await methods(httpCalls({ url: httpUrl(broker), token: () => token })).rooms.create({ room: id })
}

const say = (text: string) => ({ topic: topics.room('tea', 'messages'), payload: utf8(text), qos: 1 as const })

t.test('messages go out, are answered, and come in', async (t) => {
  const broker = await startTestBroker(t)
  await room(broker, 'tea')
  const ann = await byToken(t, broker, 'ann')
  const bob = await byToken(t, broker, 'bob')
  t.equal(ann.wire.properties.responseInformation, topics.user('ann', 'replies'))
  const filter = topics.room('tea', 'messages')
  t.same(
    await bob.wire.subscribe([
      { filter, qos: 1 },
      { filter: topics.allOfUser('ann'), qos: 1 },
    ]),
    [1, 0x87],
  )
  t.same(await ann.wire.subscribe([{ filter, qos: 1, noLocal: true }]), [1])
  const texts = Array.from({ length: 200 }, (_, i) => `é${i}`)
  const answers = await Promise.all(texts.map((text) => ann.wire.publish(say(text))))
  t.equal(answers.filter(({ reason }) => reason === 0).length, 200)
  t.same(new Map(answers[199]!.properties.userProperties).get('seq'), '200')
  const received = (await bob.received(200)).map(({ payload }) => JSON.parse(textOf(payload)!))
  t.same(
    received.map(({ seq, text }) => [seq, text]),
    texts.map((text, i) => [i + 1, text]),
  )
  await bob.wire.publish(say('and back'))
  t.equal(JSON.parse(textOf((await ann.received(1))[0]!.payload)!).text, 'and back', 'no echo of the own ones before')
  t.same(await bob.wire.unsubscribe([filter, 'none']), [0, 0x11])
  const refused = await bob.wire.publish({ ...say('x'), topic: topics.room('none', 'messages') })
  t.ok(refused.reason >= 0x80)
  await ann.wire.check(10_000)
})

t.test('a user and a password; one that is wrong; a client id that is wrong', async (t) => {
  const broker = await startTestBroker(t)
  await methods(httpCalls({ url: httpUrl(broker) })).auth.register({ user: 'carol', password: 'carol-pw' })
  const { wire } = await open(t, broker.wsUrl, { clientId: 'c', user: 'carol', password: 'carol-pw' })
  t.same(await wire.subscribe([{ filter: topics.allOfUser('carol'), qos: 1 }]), [1])
  const wrong = open(t, broker.wsUrl, { clientId: 'd', user: 'carol', password: 'wrong' })
  await t.rejects(wrong, { name: 'WireError', kind: 'refused', reason: 0x86 })
  await t.rejects(open(t, broker.wsUrl, { clientId: 'd', token: 'a.b.c' }), {
    name: 'WireError',
    kind: 'refused',
    reason: 0x87,
  })
  const token = await broker.token('carol')
  await t.rejects(open(t, broker.wsUrl, { clientId: 'x'.repeat(2000), token }), {
    name: 'WireError',
    kind: 'refused',
    reason: 0x85,
  })
  await t.rejects(open(t, broker.wsUrl, { clientId: 'a\0b', token }), { name: 'WireError', kind: 'rejected' })
})

t.test('a login is renewed; a token of another user ends it', async (t) => {
  const broker = await startTestBroker(t)
  const ann = await byToken(t, broker, 'ann')
  await ann.wire.renew(await broker.token('ann'))
  await ann.wire.check(10_000)
  await t.rejects(ann.wire.renew(await broker.token('bob')), { name: 'WireError', kind: 'disconnected', reason: 0x87 })
  t.match(await ann.ended, { name: 'WireError', kind: 'disconnected', reason: 0x87 })
})

t.test('the second connection of a client id ends the first, which is told', async (t) => {
  const broker = await startTestBroker(t)
  const first = await byToken(t, broker, 'ann')
  const second = await byToken(t, broker, 'ann')
  t.match(await first.ended, { name: 'WireError', kind: 'disconnected', reason: 0x8e })
  await second.wire.check(10_000)
})

t.test('a broker that stops says so', async (t) => {
  const broker = await startTestBroker(t)
  const ann = await byToken(t, broker, 'ann')
  await broker.restart()
  t.match(await ann.ended, { name: 'WireError', kind: 'disconnected', reason: 0x8b })
})

t.test('the broker sends no more than may be unacknowledged, and goes on when messages were taken', async (t) => {
  const broker = await startTestBroker(t)
  await room(broker, 'tea')
  const taken: (() => void)[] = []
  const take = () => new Promise<void>((resolve) => taken.push(resolve))
  const bob = await byToken(t, broker, 'bob', { limits: { receiveMaximum: 3 }, take })
  const ann = await byToken(t, broker, 'ann')
  await bob.wire.subscribe([{ filter: topics.room('tea', 'messages'), qos: 1 }])
  for (let i = 0; i < 8; i++) await ann.wire.publish(say(`${i}`))
  await bob.received(3)
  // What the broker had sent before it answers would be here.
  await bob.wire.check(10_000)
  t.equal(bob.messages.length, 3)
  for (let i = 0; i < 8; i++) {
    await bob.received(i + 1)
    taken[i]!()
  }
  t.equal((await bob.received(8)).length, 8)
})

t.test('messages that are longer than the client takes are left out by the broker', async (t) => {
  const broker = await startTestBroker(t)
  await room(broker, 'tea')
  const bob = await byToken(t, broker, 'bob', { limits: { maxPacket: 2000 } })
  const ann = await byToken(t, broker, 'ann')
  await bob.wire.subscribe([{ filter: topics.room('tea', 'messages'), qos: 1 }])
  for (const text of ['short', 'x'.repeat(5000), 'short again']) await ann.wire.publish(say(text))
  const texts = (await bob.received(2)).map(({ payload }) => JSON.parse(textOf(payload)!).text)
  t.same(texts, ['short', 'short again'])
  const most = ann.wire.properties.maximumPacketSize!
  await t.rejects(ann.wire.publish({ ...say(''), payload: new Uint8Array(most) }), {
    name: 'WireError',
    kind: 'rejected',
    reason: 0x95,
  })
  await ann.wire.check(10_000)
})

t.test('a server that is no broker, is silent, or is not there', async (t) => {
  const silent = net.createServer((socket) => void socket.on('error', () => {}))
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const sockets = new Set<net.Socket>()
  silent.on('connection', (socket) => sockets.add(socket))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
  const url = `ws://127.0.0.1:${(silent.address() as net.AddressInfo).port}/mqtt`
  const login = { clientId: 'c', token: 'a.b.c' }
  await t.rejects(open(t, url, login, { limits: { openTimeout: 100 } }), { name: 'WireError', kind: 'network' })
  const abort = new AbortController()
  const given = mqttOverSocket({ socket: () => webSocket(url), clock: realEnv })(
    login,
    { message: () => {}, ended: () => t.fail('it was never open') },
    abort.signal,
  )
  abort.abort()
  await t.rejects(given, { name: 'WireError', kind: 'aborted' })
  const broker = await startTestBroker(t)
  await t.rejects(open(t, broker.wsUrl.replace('/mqtt', '/none'), login), { name: 'WireError', kind: 'network' })
  await t.rejects(open(t, 'ws://127.0.0.1:1/mqtt', login), { name: 'WireError', kind: 'network' })
})
