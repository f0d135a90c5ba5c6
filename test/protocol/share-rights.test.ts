/** Members of a share group with different rights: what one may not have is for the others, whether they are there, away, or new. */
import type { IPublishPacket } from 'mqtt-packet'
import t from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { acknowledge, message, open5, subscribe5, unsubscribe5 } from '../helpers/mqtt5.js'
import { until } from '../helpers/patience.js'
import { leave, open, publish, takePublishes, text, untilPong } from '../helpers/protocol.js'
import type { RawClient } from '../helpers/raw-client.js'
import { onRedis } from '../helpers/test-store.js'

const FILTER = '$share/g/jobs/#'
/** Ann may have all, bob all but secrets; cleo has no role in some of the tests. */
const RULES = {
  rules: [
    { deny: 'subscribe', who: 'user:bob', topics: ['jobs/secret'] },
    { allow: 'subscribe', who: 'role:reader', topics: ['jobs/role'] },
    { deny: 'subscribe', who: 'any', topics: ['jobs/role'] },
    { allow: 'all', who: 'any', topics: ['jobs/#'] },
  ],
}

interface MemberOptions {
  filter?: string
  kept?: boolean
  roles?: string[]
}

async function member(
  broker: TestBroker,
  user: string,
  { filter = FILTER, kept = true, roles = [] }: MemberOptions = {},
): Promise<RawClient> {
  const client = await back(broker, user, kept, roles)
  if ((await subscribe5(client, filter))![0] !== 1) throw new Error('not granted')
  return client
}

function back(broker: TestBroker, user: string, kept = true, roles: string[] = []): Promise<RawClient> {
  return open5(broker, { user, id: 'worker', clean: !kept, expiry: kept ? 3600 : 0, roles })
}

async function send(client: RawClient, topic: string, count: number): Promise<string[]> {
  const payloads = Array.from({ length: count }, (_, i) => `${topic} ${i}`)
  for (const payload of payloads) await publish(client, topic, payload)
  return payloads
}

/** What is there now, acknowledged. */
async function taken(client: RawClient): Promise<string[]> {
  const packets = (await untilPong(client)).filter((packet): packet is IPublishPacket => packet.cmd === 'publish')
  for (const packet of packets) acknowledge(client, packet)
  return packets.map(text)
}

/** As many as must come, acknowledged. */
async function awaited(client: RawClient, count: number): Promise<string[]> {
  const packets = await takePublishes(client, count)
  for (const packet of packets) acknowledge(client, packet)
  return packets.map(text).sort()
}

const count = (broker: TestBroker, name: string): number => broker.running.counters.all()[name] ?? 0

t.test('what those who are here may not have waits for a member who is away, over a restart too', async (t) => {
  const broker = await startTestBroker(t, { acl: RULES })
  await leave(broker, await member(broker, 'ann'))
  const bob = await member(broker, 'bob')
  const secrets = await send(await open(broker, { user: 'dan' }), 'jobs/secret', 10)
  t.same(await taken(bob), [])
  const plain = await send(await open(broker, { user: 'dan' }), 'jobs/open', 10)
  t.same(await awaited(bob, 10), plain, 'and does not hold up what is for who is here')
  const ann = await back(broker, 'ann')
  t.same(await awaited(ann, 10), secrets)
  await leave(broker, ann)
  const more = await send(await open(broker, { user: 'dan' }), 'jobs/secret', 5)
  await broker.restart()
  const other = await back(broker, 'bob')
  t.same(await taken(other), [])
  t.same(await awaited(await back(broker, 'ann'), 5), more)
  t.equal(count(broker, 'dropped.forbidden'), 0)
})

t.test('what one may not have goes to another who is there, kept or clean', async (t) => {
  const broker = await startTestBroker(t, { acl: RULES })
  const bob = await member(broker, 'bob')
  for (const kept of [false, true]) {
    const ann = await member(broker, 'ann', { kept })
    const secrets = await send(await open(broker, { user: 'dan' }), 'jobs/secret', 6)
    t.same(await awaited(ann, 6), secrets)
    await leave(broker, ann)
  }
  t.same(await taken(bob), [])
})

t.test('what no member may have is dropped, at once when the one who might have had it is gone', async (t) => {
  const broker = await startTestBroker(t, { acl: RULES })
  await leave(broker, await member(broker, 'ann'))
  await member(broker, 'bob')
  const sender = await open(broker, { user: 'dan' })
  await send(sender, 'jobs/secret', 3)
  t.equal(count(broker, 'dropped.forbidden'), 0)
  const ann = await open5(broker, { user: 'ann', id: 'worker', clean: true })
  t.same(await untilPong(ann), [], 'her session of before is over')
  t.equal(count(broker, 'dropped.forbidden'), 3)
  await send(sender, 'jobs/secret', 2)
  t.equal(count(broker, 'dropped.forbidden'), 5)
})

t.test('a role that a member who is away may come back with counts', async (t) => {
  const broker = await startTestBroker(t, { acl: RULES })
  await leave(broker, await member(broker, 'ann', { roles: ['reader'] }))
  const bob = await member(broker, 'bob')
  const sent = await send(await open(broker, { user: 'dan' }), 'jobs/role', 4)
  t.same(await taken(bob), [])
  t.same(await awaited(await back(broker, 'ann', true, ['reader']), 4), sent)
})

t.test('what waits for who is away takes half of the queue at most', async (t) => {
  const broker = await startTestBroker(t, { acl: RULES, limits: { queueMessages: 20 } })
  await leave(broker, await member(broker, 'ann'))
  const bob = await member(broker, 'bob')
  const sender = await open(broker, { user: 'dan' })
  const secrets = await send(sender, 'jobs/secret', 30)
  for (let i = 0; i < 8; i++) {
    const sent = await send(sender, 'jobs/open', 4)
    t.same(await awaited(bob, 4), sent.sort(), 'the other half is for who is here')
  }
  const ann = await back(broker, 'ann')
  t.same(await awaited(ann, 10), secrets.slice(0, 10))
  t.same(await taken(ann), [])
})

t.test('a stranger with a device takes nothing from a group on devices of others', async (t) => {
  const broker = await startTestBroker(t)
  const own = async (owner: string, device: string): Promise<void> => {
    const client = await open5(broker, { user: owner, id: 'control' })
    await subscribe5(client, `users/${owner}/replies`)
    const request = message(`users/${owner}/requests/devices.register`, JSON.stringify({ id: 'r', device }), { qos: 0 })
    client.send(request)
    t.match(JSON.parse((await awaited(client, 1))[0]!), { ok: true })
  }
  await own('bob', 'sensor')
  await own('mallory', 'toy')
  const filter = '$share/backend/devices/+/state'
  const sensor = await open(broker, { user: 'sensor' })
  const toy = await open(broker, { user: 'toy' })
  await leave(broker, await member(broker, 'bob', { filter }))
  const mallory = await member(broker, 'mallory', { filter })
  const states = await send(sensor, 'devices/sensor/state', 20)
  t.same(await taken(mallory), [])
  const hers = await send(toy, 'devices/toy/state', 5)
  t.same(await awaited(mallory, 5), hers)
  await unsubscribe5(mallory, filter)
  await send(toy, 'devices/toy/state', 5)
  const isDropped = async (): Promise<boolean> => count(broker, 'dropped.forbidden') === 5
  // Among nodes nobody serves a group without connected members: what waits for it is looked at when one is back.
  if (!onRedis) t.ok(await isDropped(), 'what is for no member any more takes no room while they are away')
  t.same(await awaited(await back(broker, 'bob'), 20), states.sort())
  await until('what is for no member is dropped', isDropped)
})
