/** What shows that a client lives [MQTT-3.1.2-24]: bytes it sends, and that it takes what is sent to it. */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import mqttPacket from 'mqtt-packet'
import t, { type Test } from 'tap'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { dueIn } from '../helpers/clock.js'
import { OPEN_ACL, open, publish, subscribe, take, takePublishes, told } from '../helpers/protocol.js'
import type { RawClient } from '../helpers/raw-client.js'

/** A broker whose steady clock goes as the test says. */
async function start(t: Test, limits: Overrides['limits'] = {}) {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits })
  const connectionOf = (id: string) => broker.running.aedes.clients[`ann/${id}`]!
  const watcher = await open(broker)
  await subscribe(watcher, ['t/#', 0])
  const [anyone] = Object.values(broker.running.aedes.clients)
  const { wheel } = anyone!.services
  wheel.close()
  return { broker, connectionOf, watcher, wheel }
}

/** Sends, and resolves when the broker has it, though it may answer nothing. */
async function send(broker: TestBroker, client: RawClient, id: string, bytes: Buffer): Promise<void> {
  const arrived = once(broker.running.aedes.clients[`ann/${id}`]!.conn, 'data')
  client.stream.write(bytes)
  await arrived
}

const PINGREQ = Buffer.from([0xc0, 0])

t.test('the bytes of a long packet are signs of life, for limits.packetTimeout', async (t) => {
  const { broker, connectionOf, watcher, wheel } = await start(t, { packetTimeout: '60s' })
  const client = await open(broker, { id: 'slow', keepalive: 10 })
  const connection = connectionOf('slow')
  const packet = { cmd: 'publish', topic: 't/long', payload: 'x'.repeat(100), qos: 1, messageId: 1 } as const
  const bytes = mqttPacket.generate({ ...packet, retain: false, dup: false })
  for (let at = 0; at < 5; at++) {
    await send(broker, client, 'slow', bytes.subarray(at * 20, at === 4 ? undefined : at * 20 + 20))
    t.ok(dueIn(connection, 14_000) > 0, `${at * 14} s`)
    wheel.steady += 14_000
  }
  await take(client, 'puback')
  t.equal((await takePublishes(watcher, 1))[0]!.topic, 't/long')

  await send(broker, client, 'slow', PINGREQ)
  await take(client, 'pingresp')
  for (let at = 0; at < 5; at++) {
    await send(broker, client, 'slow', bytes.subarray(at, at + 1))
    t.ok(dueIn(connection, 14_000) > 0)
    wheel.steady += 14_000
  }
  await send(broker, client, 'slow', bytes.subarray(5, 6))
  t.equal(dueIn(connection, 2000), 0, 'a trickle holds it no longer')
  await client.whenClosed()
})

t.test('so are those of a PUBLISH that is too long to be kept, for as long', async (t) => {
  const { broker, connectionOf, wheel } = await start(t, {
    packetTimeout: '60s',
    packetBytes: 2000,
    payloadBytes: 1000,
  })
  const client = await open(broker, { id: 'slow', keepalive: 10 })
  const connection = connectionOf('slow')
  const packet = { cmd: 'publish', topic: 't/long', payload: 'x'.repeat(3000), qos: 1, messageId: 1 } as const
  const bytes = mqttPacket.generate({ ...packet, retain: false, dup: false })
  await send(broker, client, 'slow', PINGREQ)
  await take(client, 'pingresp')
  for (let at = 0; at < 5; at++) {
    await send(broker, client, 'slow', bytes.subarray(at * 20, at * 20 + 20))
    t.ok(dueIn(connection, 14_000) > 0, `${at * 14} s`)
    wheel.steady += 14_000
  }
  await send(broker, client, 'slow', bytes.subarray(100, 120))
  t.equal(dueIn(connection, 2000), 0, 'a trickle holds it no longer')
  await client.whenClosed()
})

/** A client with a will whose socket takes nothing any more, and has more to take than fits. */
async function frozen(t: Test, id: string, keepalive: number) {
  const started = await start(t, { unreadTimeout: '5m' })
  const { broker, connectionOf, watcher } = started
  const client = await open(broker, { id, keepalive, will: { topic: 't/will', payload: 'gone' } })
  await subscribe(client, ['t/flood', 0])
  const connection = connectionOf(id)
  const held: (() => void)[] = []
  ;(connection.conn as unknown as Duplex)._write = (_chunk, _encoding, done) => void held.push(done)
  const announcer = await open(broker, { user: 'announcer' })
  for (let i = 0; i < 4; i++) await publish(announcer, 't/flood', 'x'.repeat(60_000), { qos: 0 })
  await takePublishes(watcher, 4)
  while (!connection.output.congested) await new Promise(setImmediate)
  t.ok(dueIn(connection, 0) > 0)
  const gone = async (): Promise<void> => {
    t.same((await takePublishes(watcher, 1)).map(told), ['t/will gone'])
  }
  return { ...started, client, connection, held, gone, ping: () => send(broker, client, id, PINGREQ) }
}

t.test('a client that hangs with a full socket is given up, whatever it sent before', async (t) => {
  const { connection, gone, ping } = await frozen(t, 'hung', 10)
  await ping()
  await ping()
  t.ok(dueIn(connection, 14_000) > 0, 'one that still sends lives')
  t.equal(dueIn(connection, 15_300), 0, 'but not for ever')
  await gone()
})

t.test('a client that sends and never reads is given up as late as one that is silent', async (t) => {
  const { connection, gone, ping, wheel } = await frozen(t, 'deaf', 10)
  for (const ms of [5000, 5000, 4000]) {
    wheel.steady += ms
    await ping()
    t.ok(dueIn(connection, 0) > 0)
  }
  wheel.steady += 2000
  await ping()
  t.equal(dueIn(connection, 0), 0)
  await gone()
})

t.test('a client that reads slowly is not given up', async (t) => {
  const { connection, held, ping, wheel } = await frozen(t, 'slow', 10)
  for (let i = 0; i < 4; i++) connection.send(Buffer.alloc(60_000))
  connection.output.flush()
  for (let i = 0; i < 2; i++) {
    wheel.steady += 14_000
    await ping()
    held.shift()!()
    await new Promise(setImmediate)
    t.ok(connection.output.congested)
    t.ok(dueIn(connection, 0) > 0, 'its socket took something')
  }
})

t.test('a client without keep alive that reads nothing is given up after limits.unreadTimeout', async (t) => {
  const { connection, gone, wheel } = await frozen(t, 'off', 0)
  wheel.steady += 299_000
  t.ok(dueIn(connection, 0) > 0)
  t.equal(dueIn(connection, 1500), 0)
  await gone()
})
