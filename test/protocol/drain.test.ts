/** How clients leave a broker that is stopped in order (`node.drain`): what they are told, and that nothing is lost or repeated. */
import { once } from 'node:events'
import http from 'node:http'
import type { IPublishPacket, Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { EventReader } from '../helpers/event-reader.js'
import { fetchFrom, httpUrl } from '../helpers/http.js'
import { open5 } from '../helpers/mqtt5.js'
import { Person } from '../helpers/people.js'
import {
  connectPacket,
  cut,
  OPEN_ACL,
  open,
  publish,
  subscribe,
  take,
  takePublishes,
  told,
  untilPong,
} from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'

const OTHER = 'other.example.com:1883'
/** One connection leaves, and the next when the test is over. */
const ONE_BY_ONE = { drain: { spread: 3600 } }

const start = (t: Test, node: Overrides['node'] = {}, more: Overrides = {}): Promise<TestBroker> =>
  startTestBroker(t, { acl: OPEN_ACL, node, ...more })

/** Begins to drain; `hurry` ends it. */
function drain(broker: TestBroker): { over: Promise<void>; hurry: () => void } {
  const hurry = new AbortController()
  return { over: broker.running.drain(hurry.signal), hurry: () => hurry.abort() }
}

const statuses = async (broker: TestBroker): Promise<number[]> =>
  Promise.all(['/healthz', '/readyz'].map(async (path) => (await fetchFrom(broker, path)).status))

t.test('until the delay is over the broker serves, and says that it is going', async (t) => {
  const broker = await start(t, { drain: { delay: 3600 } })
  t.same(await statuses(broker), [200, 200])
  const client = await open(broker)
  const { over, hurry } = drain(broker)
  t.same(await statuses(broker), [200, 503])
  await publish(await open(broker, { id: 'late' }), 't/a')
  t.same(await untilPong(client), [])
  hurry()
  await over
})

t.test('then no connection is accepted; HTTP connections end, idle or with their response', async (t) => {
  const broker = await start(t, ONE_BY_ONE)
  await open(broker)
  await open(broker, { id: 'waits' })
  const [agent, other] = [new http.Agent({ keepAlive: true }), new http.Agent({ keepAlive: true })]
  t.teardown(() => [agent, other].map((one) => one.destroy()))
  const idle = http.get(`${httpUrl(broker)}/healthz`, { agent })
  const [response] = (await once(idle, 'response')) as [http.IncomingMessage]
  const { socket } = response
  await once(response.resume(), 'end')
  const ended = once(socket, 'close')
  // A request that is under way.
  const slow = http.request(`${httpUrl(broker)}/v1/auth/register`, { method: 'POST', agent: other })
  slow.setHeader('content-type', 'application/json').setHeader('expect', '100-continue').flushHeaders()
  await once(slow, 'continue')
  const { over, hurry } = drain(broker)
  await ended
  await t.rejects(fetch(`${httpUrl(broker)}/readyz`), 'no HTTP')
  await t.rejects(broker.connect('ann', { protocolVersion: 5 }), 'no MQTT')
  slow.end('{"user":"zoe","password":"zoes-secret"}')
  const [answer] = (await once(slow, 'response')) as [http.IncomingMessage]
  t.match(answer, { statusCode: 201, headers: { connection: 'close' } })
  hurry()
  await over
})

for (const [serverReference, reason] of [
  [null, 0x8b],
  [OTHER, 0x9c],
] as const) {
  t.test(`clients are told ${serverReference ? 'where to go' : 'that it stops'} [MQTT5-4.11]`, async (t) => {
    const broker = await start(t, { drain: { serverReference, spread: 3600 } })
    const five = await open5(broker)
    const others = [await open(broker, { id: 'four' }), await open(broker, { id: 'three', version: 3 })]
    const { over, hurry } = drain(broker)
    const goodbye = await take(five, 'disconnect')
    t.match(goodbye, { reasonCode: reason, properties: { ...(serverReference && { serverReference }) } })
    await five.whenClosed()
    t.same(await untilPong(others[0]!), [], 'the others are served')

    for (const version of [4, 5] as const) {
      const late = new RawClient(broker, version)
      late.send(await connectPacket(broker, { version }))
      // What has lost its connection comes back; a refusal keeps some away.
      if (version === 5 && serverReference)
        t.match(await take(late, 'connack'), { reasonCode: 0x9c, properties: { serverReference } })
      t.equal(await late.next(), null)
    }
    hurry()
    await over
    await broker.running.close()
    for (const other of others) t.equal(await other.next(), null, 'before MQTT 5 the connection ends')
  })
}

t.test('WebSockets are closed as going away, event streams say when to come back', async (t) => {
  const broker = await start(t)
  const ws = new WebSocket(broker.wsUrl, 'mqtt')
  await once(ws, 'open')
  const closed = once(ws, 'close')
  const stream = await EventReader.open(t, broker, '/v1/events', { as: 'ann' })
  let raw = ''
  stream.response.on('data', (chunk: string) => (raw += chunk))
  await drain(broker).over
  t.equal((await closed)[0], 1001)
  await stream.end()
  const [, retry] = /^retry: (\d+)\n\n$/.exec(raw)!
  t.ok(Number(retry) >= 2000 && Number(retry) < 4000)
})

const said = (messageId: number): Packet => ({
  cmd: 'publish',
  topic: 'rooms/lobby/messages',
  payload: `m${messageId}`,
  qos: 1,
  messageId,
  retain: false,
  dup: false,
})

t.test('what is accepted is acknowledged, and nothing else is stored', async (t) => {
  const broker = await start(t)
  const client = await open(broker, { id: 'c' })
  await publish(client, 'rooms/lobby/messages', 'first')
  // Some are read before the broker stops reading, some are not.
  for (let batch = 0; batch < 15; batch++) {
    client.send(...Array.from({ length: 20 }, (_, i) => said(batch * 20 + i + 1)))
    await new Promise(setImmediate)
    if (batch === 8) void drain(broker)
  }
  const acked: string[] = []
  for (let packet = await client.next(); packet; packet = await client.next())
    if (packet.cmd === 'puback') acked.push(`m${packet.messageId}`)
  t.ok(acked.length > 0 && acked.length < 300, `${acked.length} of 300`)
  await broker.restart()
  const ann = await Person.connect(t, broker, 'ann')
  const { messages } = await ann.get('history', { room: 'lobby', limit: 500 })
  t.same(
    messages.map((message: { text: string }) => message.text),
    ['first', ...acked],
  )
})

/** A session that outlives its connection. */
const KEPT = { id: 'kept', clean: false } as const

t.test('what the client acknowledges while it leaves is not sent again', async (t) => {
  for (const qos of [1, 2] as const) {
    const broker = await start(t)
    const client = await open(broker, KEPT)
    await subscribe(client, ['rooms/lobby/messages', 2])
    await publish(await open(broker, { id: 'speaker' }), 'rooms/lobby/messages', 'in flight', { qos })
    const [sent] = await takePublishes(client, 1)
    const gone = drain(broker)
    await acknowledgeAll(client, sent!)
    await gone.over
    await broker.restart()
    const again = await open(broker, KEPT)
    t.same(await untilPong(again), [], `QoS ${qos}`)
  }
})

async function acknowledgeAll(client: RawClient, { qos, messageId }: IPublishPacket): Promise<void> {
  if (qos === 1) return client.send({ cmd: 'puback', messageId: messageId! })
  client.send({ cmd: 'pubrec', messageId: messageId! })
  await take(client, 'pubrel')
  client.send({ cmd: 'pubcomp', messageId: messageId! })
}

t.test('what it does not is sent again by the next broker; both sides go on with QoS 2', async (t) => {
  const broker = await start(t)
  const client = await open(broker, KEPT)
  await subscribe(client, ['rooms/lobby/messages', 1])
  const exchange = { cmd: 'publish', topic: 'rooms/lobby/messages', payload: 'twice?', qos: 2, messageId: 7 } as const
  client.send({ ...exchange, retain: false, dup: false })
  t.same([await client.next(), await client.next()].map((packet) => packet?.cmd).sort(), ['publish', 'pubrec'])
  await drain(broker).over
  t.equal(await client.next(), null)
  await broker.restart()
  const again = await open(broker, KEPT)
  const [repeated] = await takePublishes(again, 1)
  t.match(repeated, { dup: true, qos: 1 })
  again.send({ ...exchange, retain: false, dup: true })
  await take(again, 'pubrec')
  again.send({ cmd: 'pubrel', messageId: 7 })
  await take(again, 'pubcomp')
  const ann = await Person.connect(t, broker, 'ann')
  t.equal((await ann.get('history', { room: 'lobby' })).messages.length, 1)
})

t.test('nothing is sent to a client that leaves but has to acknowledge something', async (t) => {
  const broker = await start(t)
  const client = await open(broker, KEPT)
  await subscribe(client, ['rooms/lobby/messages', 1])
  const speaker = await open(broker, { id: 'speaker' })
  await publish(speaker, 'rooms/lobby/messages', 'one')
  const [one] = await takePublishes(client, 1)
  const { over } = drain(broker)
  await speaker.whenClosed()
  const { aedes } = broker.running
  await new Promise<void>((done) =>
    aedes.publish({ topic: 'rooms/lobby/messages', payload: 'two', qos: 1 }, () => done()),
  )
  t.same(await untilPong(client), [], 'it is read')
  client.send({ cmd: 'puback', messageId: one!.messageId! })
  t.equal(await client.next(), null)
  await over
  await broker.restart()
  const again = await open(broker, KEPT)
  t.match(
    (await takePublishes(again, 1)).map(({ dup }) => dup),
    [false],
    'it waits for the next broker',
  )
})

t.test('wills [MQTT-3.1.2-8, MQTT5-3.1.2-8]', async (t) => {
  const will = (payload: string) => ({ topic: 'will/w', payload })
  const stored = (broker: TestBroker, id: string) =>
    broker.running.store.persistence.getWill({ id: `ann/${id}` } as never)

  await t.test('a client that comes back in time was never gone', async (t) => {
    for (const clean of [true, false]) {
      const broker = await start(t)
      await open(broker, { id: 'w', clean, will: will('gone') })
      await drain(broker).over
      t.match(await stored(broker, 'w'), { deferred: true })
      await broker.restart()
      const watcher = await open(broker)
      await subscribe(watcher, ['will/#', 0])
      await broker.running.aedes.sweepWills()
      await open(broker, { id: 'w', clean })
      t.notOk(await stored(broker, 'w'))
      t.same(await untilPong(watcher), [], clean ? 'a clean session' : 'a kept session')
    }
  })
  await t.test('time in which no broker ran does not count', async (t) => {
    const broker = await start(t)
    await open(broker, { id: 'w', will: will('gone') })
    await drain(broker).over
    const left = await stored(broker, 'w')
    await broker.restart()
    const { persistence } = broker.running.store
    await persistence.setup({ id: 'another' })
    await persistence.putWill({ id: 'ann/w' }, { ...left, due: 1 })
    await persistence.setup({ id: broker.running.aedes.id })
    await broker.running.aedes.sweepWills()
    t.ok(await stored(broker, 'w'))
  })
  await t.test('of one that does not the will is sent when its time is over', async (t) => {
    const broker = await start(t, {}, { presence: { restartGrace: 1 } })
    await open(broker, { id: 'w', will: will('gone') })
    await drain(broker).over
    await broker.restart()
    const watcher = await open(broker)
    await subscribe(watcher, ['will/#', 0])
    // Nobody looks for it: the broker knew of it when it started.
    broker.running.aedes.sweepWills = async () => {}
    t.same((await takePublishes(watcher, 1)).map(told), ['will/w gone'])
    while (await stored(broker, 'w')) await new Promise((resolve) => setImmediate(resolve))
  })
  await t.test('its own delay, if that is longer, is kept as it is', async (t) => {
    const broker = await start(t)
    const delayed = { ...will('later'), properties: { willDelayInterval: 3600 } }
    await open5(broker, { id: 'w', expiry: 7200, will: delayed })
    await drain(broker).over
    const kept = await stored(broker, 'w')
    t.ok(kept!.due! > Date.now() + 3_000_000)
    t.notOk(kept!.deferred)
  })
  await t.test('a client that dies while others leave is gone', async (t) => {
    const broker = await start(t, ONE_BY_ONE)
    await open(broker, { id: 'first' })
    const watcher = await open(broker, { id: 'watcher' })
    await subscribe(watcher, ['will/#', 0])
    const dies = await open(broker, { id: 'w', will: will('gone') })
    const { over, hurry } = drain(broker)
    await cut(broker, dies)
    t.same((await takePublishes(watcher, 1)).map(told), ['will/w gone'])
    hurry()
    await over
  })
})

t.test('nobody is announced as offline because the broker leaves', async (t) => {
  const broker = await start(t, ONE_BY_ONE, { presence: { offlineDelay: 0 } })
  const alice = await Person.connect(t, broker, 'alice')
  const bob = await Person.connect(t, broker, 'bob')
  const carol = await Person.connect(t, broker, 'carol')
  for (const friend of [alice, carol]) {
    await friend.get('contacts.request', { user: 'bob' })
    await bob.get('contacts.accept', { user: friend.user })
  }
  await bob.subscribe('users/+/presence')
  const gone = new Promise<void>((resolve) => alice.client.once('close', () => resolve()))
  const { over, hurry } = drain(broker)
  await gone
  const states = () =>
    bob.inbox.messages.filter(({ topic }) => /presence/.test(topic)).map(({ payload }) => JSON.parse(String(payload)))
  await carol.vanish()
  await bob.inbox.wait(1, ({ payload }) => /carol.*offline/.test(String(payload)))
  t.notOk(states().some(({ user, state }) => user === 'alice' && state === 'offline'))
  hurry()
  await over
})
