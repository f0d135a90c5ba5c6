/** Shared subscriptions [MQTT5-4.8.2]: on plain topics for all, below rooms and users private to their user. */
import type { IPublishPacket } from 'mqtt-packet'
import t from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { acknowledge, connect5, disconnected, ids, message, open5, subscribe5, unsubscribe5 } from '../helpers/mqtt5.js'
import { until } from '../helpers/patience.js'
import {
  cut,
  leave,
  OPEN_ACL,
  open,
  publish,
  subscribe,
  take,
  takePublishes,
  text,
  told,
  untilPong,
} from '../helpers/protocol.js'
import type { RawClient } from '../helpers/raw-client.js'

const JOBS = '$share/workers/jobs/+'
const ROOM = 'rooms/lobby/messages'

/** A member of the group on `filter` that keeps its place, unless `expiry` is 0. */
async function member(
  broker: TestBroker,
  id: string,
  { filter = JOBS, qos = 1, expiry = 0, user = 'ann', receiveMaximum = 100 }: MemberOptions = {},
): Promise<RawClient> {
  const client = await open5(broker, { user, id, clean: false, expiry, properties: { receiveMaximum } })
  t.same(await subscribe5(client, filter, { qos }), [qos])
  return client
}

interface MemberOptions {
  filter?: string
  qos?: 0 | 1 | 2
  expiry?: number
  user?: string
  receiveMaximum?: number
}

/** What came, acknowledged. */
async function taken(client: RawClient): Promise<string[]> {
  const packets = (await untilPong(client)).filter((packet): packet is IPublishPacket => packet.cmd === 'publish')
  for (const packet of packets) acknowledge(client, packet)
  return packets.map(text)
}

/** Of a group without sessions. Among nodes it ends soon after the last of them. */
async function nothingKept({ running }: TestBroker): Promise<void> {
  await until('the queues are empty', async () => [...running.store.queue.nonEmptyQueues()].length === 0)
}

async function send(
  client: RawClient,
  count: number,
  more: Partial<IPublishPacket> = {},
  topic = 'jobs/a',
): Promise<string[]> {
  const payloads = Array.from({ length: count }, (_, i) => `${topic} ${i}`)
  for (const payload of payloads) await publish(client, topic, payload, more)
  // Acks leave in the order of the publishes.
  if (more.qos === 0) await publish(client, 'barrier')
  return payloads
}

t.test('each message goes to one session of the group, in turn [MQTT5-4.8.2]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const [first, { properties }] = await connect5(broker, { id: 'one' })
  t.notOk('sharedSubscriptionAvailable' in properties!, 'absent means available [MQTT5-3.2.2.3.13]')
  t.same(await subscribe5(first, JOBS), [1])
  const second = await member(broker, 'two', { user: 'bob' })
  const old = await open(broker, { user: 'cleo', id: 'three' })
  t.same(await subscribe(old, [JOBS, 1]), [1], '3.1.1 clients may share too')
  const alone = await member(broker, 'four', { filter: 'jobs/#' })
  const others = await member(broker, 'five', { filter: '$share/watchers/jobs/+' })
  const sender = await open(broker)
  for (const qos of [0, 1, 2] as const) {
    const sent = await send(sender, 6, { qos })
    const got = await Promise.all([taken(first), taken(second), taken(old)])
    t.same(
      got.map(({ length }) => length),
      [2, 2, 2],
      `QoS ${qos}: each its share`,
    )
    t.same(got.flat().sort(), sent)
    t.same((await taken(alone)).sort(), sent, 'who does not share gets all')
    t.same((await taken(others)).sort(), sent, 'another group gets all')
  }
})

t.test('a session with both filters gets a copy for each [MQTT5-4.8.2]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const client = await open5(broker, { id: 'both' })
  await subscribe5(client, 'jobs/a', { qos: 1 }, 1)
  await subscribe5(client, JOBS, { qos: 1 }, 2)
  await publish(await open(broker), 'jobs/a', 'x')
  const copies = await takePublishes(client, 2)
  t.same(copies.map(ids).sort(), [[1], [2]], 'each with the identifier of its subscription')
})

t.test('options of a shared subscription', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const sender = await open5(broker, { user: 'bob' })
  await publish(sender, 'jobs/a', 'kept', { retain: true })
  const client = await member(broker, 'one')
  t.same(await untilPong(client), [], 'retained messages are not sent [MQTT5-4.8.2]')
  await publish(sender, 'jobs/a', 'newer', { retain: true })
  t.equal(told(await take(client, 'publish')), 'jobs/a newer q1')
  await subscribe5(client, JOBS, { qos: 1, rap: true })
  await publish(sender, 'jobs/a', 'as published', { retain: true, properties: { userProperties: { a: '1' } } })
  const packet = await take(client, 'publish')
  t.equal(told(packet), 'jobs/a as published q1 retain', 'retain as published')
  t.same({ ...packet.properties!.userProperties }, { a: '1' })
  await subscribe5(client, JOBS, { qos: 0 })
  await publish(sender, 'jobs/a', 'lower')
  t.equal(told(await take(client, 'publish')), 'jobs/a lower', 'the QoS is the member’s own [MQTT5-4.8.2-3]')
  client.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: JOBS, qos: 1, nl: true }] })
  t.equal(await disconnected(client), 0x82, 'no local is an error [MQTT5-3.8.3-4]')
})

t.test('filters that cannot be shared', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const client = await open5(broker)
  const codes = await subscribe5(client, [
    '$share/g/denied/a',
    '$share/g/$share/h/a',
    '$share/g/rooms/nowhere/messages',
    '$share/g/$SYS/#',
  ])
  t.same(codes, [0x87, 0x8f, 0x87, 0x87])
  for (const filter of ['$share/g', '$share//a', '$share/g/', '$share/+/a', '$share/g#/a']) {
    const one = await open5(broker)
    one.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: filter, qos: 1 }] } as never)
    t.equal(await disconnected(one), 0x8f, `${filter} [MQTT5-4.8.2-1, MQTT5-4.8.2-2]`)
  }
  client.send(message('$share/g/a', 'x', { qos: 0 }))
  await publish(client, 'jobs/a')
})

t.test('who can take a message gets it: the others are full, frozen or too small', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const narrow = await member(broker, 'narrow', { receiveMaximum: 1 })
  const wide = await member(broker, 'wide')
  const sender = await open(broker, { user: 'bob' })
  await send(sender, 8)
  t.equal((await untilPong(narrow)).length, 1, 'no more than its receive maximum')
  t.equal((await untilPong(wide)).length, 7)
  await leave(broker, wide)
  t.equal((await untilPong(narrow)).length, 0, 'what the other left waits for room')
  const small = await open5(broker, { id: 'small', properties: { maximumPacketSize: 60 } })
  await subscribe5(small, '$share/sizes/sizes')
  const large = await member(broker, 'large', { filter: '$share/sizes/sizes' })
  for (let i = 0; i < 4; i++) await publish(sender, 'sizes', Buffer.alloc(100, 0x61))
  t.equal((await taken(large)).length, 4, 'too large for one, sent to another [MQTT5-3.1.2-25]')
  t.same(await untilPong(small), [])
})

t.test('QoS 1 that a member left unacknowledged goes to another', async (t) => {
  for (const expiry of [0, 60]) {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const leaving = await member(broker, 'leaving', { expiry })
    const staying = await member(broker, 'staying')
    const sent = await send(await open(broker, { user: 'bob' }), 10)
    const lost = await takePublishes(leaving, 5)
    acknowledge(leaving, lost[1]!)
    await untilPong(leaving)
    const before = await taken(staying)
    await cut(broker, leaving)
    const again = (await takePublishes(staying, 4)).map((packet) => {
      acknowledge(staying, packet)
      return told(packet)
    })
    t.notOk(
      again.some((packet) => packet.endsWith('dup')),
      'a first time to this client',
    )
    t.same(
      [...before, text(lost[1]!), ...again.map((one) => one.replace(/^jobs\/a /, '').replace(/ q1$/, ''))].sort(),
      sent,
    )
    const back = await open5(broker, { id: 'leaving', clean: false, expiry })
    t.same(await untilPong(back), [], 'and is not sent to the one that left, too')
  }
})

t.test('an exchange of QoS 2 stays with its session [MQTT5-4.8.2-4], and ends with it [MQTT5-4.8.2-5]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const sender = await open(broker, { user: 'bob' })
  const kept = await member(broker, 'kept', { qos: 2, expiry: 60 })
  await send(sender, 2, { qos: 2 })
  const [begun, released] = await takePublishes(kept, 2)
  kept.send({ cmd: 'pubrec', messageId: released!.messageId! })
  await take(kept, 'pubrel')
  const other = await member(broker, 'other', { qos: 2 })
  await cut(broker, kept)
  t.same(await untilPong(other), [])
  await broker.restart()
  const later = await member(broker, 'other', { qos: 2 })
  t.same(await untilPong(later), [], 'nor after a restart')
  const back = await open5(broker, { id: 'kept', clean: false, expiry: 60 })
  const again = await take(back, 'publish')
  t.equal(told(again), `jobs/a ${text(begun!)} q2 dup`)
  t.equal(again.messageId, begun!.messageId)
  t.equal((await take(back, 'pubrel')).messageId, released!.messageId)
  back.send({ cmd: 'pubcomp', messageId: released!.messageId! })
  await cut(broker, back)
  await open5(broker, { id: 'kept', clean: true })
  t.same(await untilPong(later), [], 'the session ended: not to anyone else')
  t.equal(broker.running.counters.all()['dropped.shared_qos2'], 1, 'and it is counted')
})

t.test('what a member refuses is discarded [MQTT5-4.8.2-6]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const picky = await member(broker, 'picky', { qos: 2 })
  const sender = await open(broker, { user: 'bob' })
  await send(sender, 1)
  picky.send({ cmd: 'puback', messageId: (await take(picky, 'publish')).messageId!, reasonCode: 0x80 })
  await send(sender, 1, { qos: 2 })
  picky.send({ cmd: 'pubrec', messageId: (await take(picky, 'publish')).messageId!, reasonCode: 0x80 })
  const other = await member(broker, 'other')
  await leave(broker, picky)
  t.same(await untilPong(other), [])
})

t.test('messages wait for a group whose sessions are all away, over a restart too', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  for (const id of ['one', 'two']) await leave(broker, await member(broker, id, { expiry: 60, qos: 2 }))
  const early = await send(await open(broker, { user: 'bob' }), 3)
  await broker.restart()
  const late = await send(await open(broker, { user: 'bob' }), 3, { qos: 2 }, 'jobs/b')
  const one = await open5(broker, { id: 'one', clean: false, expiry: 60 })
  const got = await takePublishes(one, 6)
  t.same(got.map(text), [...early, ...late], 'in their order')
  t.notOk(got.some(({ dup }) => dup))
})

t.test('who unsubscribes gets nothing new, and finishes what it has [MQTT5-3.10.4-3]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const sender = await open(broker, { user: 'bob' })
  const one = await member(broker, 'one', { expiry: 60 })
  await send(sender, 1)
  const packet = await take(one, 'publish')
  t.same(await unsubscribe5(one, JOBS), [0])
  acknowledge(one, packet)
  await send(sender, 1)
  t.same(await untilPong(one), [])
  await nothingKept(broker)
  const two = await member(broker, 'two')
  t.same(await untilPong(two), [])
})

t.test('nothing is left of a group when its last session ends', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const sender = await open(broker, { user: 'bob' })
  const one = await member(broker, 'one', { expiry: 60 })
  await leave(broker, one)
  await send(sender, 3)
  t.equal([...broker.running.store.queue.nonEmptyQueues()].length, 1)
  await untilPong(await open5(broker, { id: 'one', clean: true }))
  await nothingKept(broker)
  const clean = await member(broker, 'clean')
  await send(sender, 3)
  await takePublishes(clean, 3)
  await broker.restart()
  t.same(
    [...broker.running.store.queue.nonEmptyQueues()],
    [],
    'a clean session is no more after a restart, nor what waited for it',
  )
})

t.test('only sessions that may read a topic are given it', async (t) => {
  const rules = [
    { deny: 'subscribe', who: 'user:bob', topics: ['jobs/secret'] },
    { allow: 'all', who: 'any', topics: ['jobs/#'] },
  ]
  const broker = await startTestBroker(t, { acl: { rules } })
  const trusted = await member(broker, 'one')
  const other = await member(broker, 'two', { user: 'bob' })
  const sender = await open(broker, { user: 'cleo' })
  const secret = await send(sender, 4, {}, 'jobs/secret')
  t.same(await taken(trusted), secret)
  t.same(await untilPong(other), [])
  await leave(broker, trusted)
  await send(sender, 1, {}, 'jobs/secret')
  t.same(await untilPong(other), [])
})

t.test('a message that expires while it waits is not delivered', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  await leave(broker, await member(broker, 'one', { expiry: 60 }))
  const sender = await open5(broker, { user: 'bob' })
  await publish(sender, 'jobs/a', 'short', { properties: { messageExpiryInterval: 0 } })
  await publish(sender, 'jobs/a', 'long', { properties: { messageExpiryInterval: 100 } })
  const one = await open5(broker, { id: 'one', clean: false, expiry: 60 })
  const [packet] = await takePublishes(one, 1)
  t.equal(text(packet!), 'long')
  t.ok(packet!.properties!.messageExpiryInterval! <= 100)
})

// --- rooms and users -------------------------------------------------------------------------------------------------------------------

const CHAT = `$share/bots/${ROOM}`

function saidIn(payload: string): string {
  return JSON.parse(payload).text
}

/** The texts of chat messages, acknowledged. */
async function texts(client: RawClient): Promise<string[]> {
  return (await taken(client)).map(saidIn)
}

t.test('below rooms a group is private to its user', async (t) => {
  const broker = await startTestBroker(t)
  const [ann1, ann2] = [await member(broker, 'one', { filter: CHAT }), await member(broker, 'two', { filter: CHAT })]
  const bob = await member(broker, 'one', { filter: CHAT, user: 'bob' })
  const cleo = await open5(broker, { user: 'cleo' })
  for (let i = 0; i < 6; i++) await publish(cleo, ROOM, `m${i}`)
  const all = ['m0', 'm1', 'm2', 'm3', 'm4', 'm5']
  const [mine, too] = [await texts(ann1), await texts(ann2)]
  t.same([mine.length, too.length], [3, 3])
  t.same([...mine, ...too].sort(), all, 'one of ann’s sessions')
  t.same(await texts(bob), all, 'bob’s group of that name is another')
})

t.test(
  'a group has one cursor for each log: it goes on where it was, whoever comes back, over a restart too',
  async (t) => {
    const broker = await startTestBroker(t)
    const filters = ['$share/g/rooms/+/messages']
    const options = { filter: filters[0]!, expiry: 60 }
    const one = await member(broker, 'one', { filter: ROOM })
    await unsubscribe5(one, ROOM)
    const shared = await member(broker, 'one', options)
    const cleo = await open5(broker, { user: 'cleo' })
    for (const payload of ['a', 'b', 'c']) await publish(cleo, ROOM, payload)
    const [first] = await takePublishes(shared, 3)
    acknowledge(shared, first!)
    await untilPong(shared)
    await leave(broker, shared)
    await publish(cleo, ROOM, 'd')
    await broker.restart()
    const two = await member(broker, 'two', options)
    const back = await takePublishes(two, 3)
    for (const packet of back) acknowledge(two, packet)
    t.same(
      back.map((packet) => saidIn(text(packet))).sort(),
      ['b', 'c', 'd'],
      'unacknowledged entries came back to the group',
    )
    await publish(await open5(broker, { user: 'cleo' }), ROOM, 'e')
    t.same(await texts(two), ['e'])
    await leave(broker, two)
    const again = await open5(broker, { id: 'one', clean: false, expiry: 60 })
    t.same(await untilPong(again), [], 'what another acknowledged is done')
  },
)

t.test('a subscription of QoS 0 is live only', async (t) => {
  const broker = await startTestBroker(t)
  const one = await member(broker, 'one', { filter: CHAT, qos: 0, expiry: 60 })
  const cleo = await open5(broker, { user: 'cleo' })
  await publish(cleo, ROOM, 'live')
  t.same(await texts(one), ['live'])
  await leave(broker, one)
  await publish(cleo, ROOM, 'missed')
  const back = await open5(broker, { id: 'one', clean: false, expiry: 60 })
  t.same(await untilPong(back), [])
})

t.test('leaving the room ends what a group shows of it, live and unacknowledged', async (t) => {
  const broker = await startTestBroker(t)
  const control = await open5(broker, { id: 'control' })
  await subscribe5(control, 'users/ann/replies')
  const ask = async (method: string): Promise<void> => {
    control.send(message(`users/ann/requests/${method}`, JSON.stringify({ id: 'r', room: 'lobby' }), { qos: 0 }))
    t.match(JSON.parse(text(await take(control, 'publish'))), { ok: true }, method)
  }
  await ask('rooms.join')
  const wild = await member(broker, 'wild', { filter: '$share/g/rooms/+/messages', expiry: 60 })
  const exact = await member(broker, 'exact', { filter: '$share/h/rooms/lobby/messages', expiry: 60 })
  const cleo = await open5(broker, { user: 'cleo' })
  await publish(cleo, ROOM, 'before')
  await takePublishes(wild, 1)
  await takePublishes(exact, 1)
  await ask('rooms.leave')
  await publish(cleo, ROOM, 'after')
  for (const client of [wild, exact]) {
    t.same(await untilPong(client), [])
    await cut(broker, client)
  }
  for (const id of ['wild', 'exact']) {
    const back = await open5(broker, { id, clean: false, expiry: 60 })
    t.same(await untilPong(back), [], `${id}: not sent again`)
  }
  await ask('rooms.join')
  const again = await open5(broker, { id: 'wild', clean: false, expiry: 60 })
  await publish(cleo, ROOM, 'anew')
  t.match((await takePublishes(again, 1)).map(text), [/"anew"/], 'a wildcard follows the membership')
  const gone = await open5(broker, { id: 'exact', clean: false, expiry: 60 })
  t.same(await untilPong(gone), [], 'an exact filter went with it')
})

t.test('direct messages, typing and replies are shared too', async (t) => {
  const broker = await startTestBroker(t)
  const one = await member(broker, 'one', { filter: '$share/g/users/ann/#', expiry: 60 })
  const two = await member(broker, 'two', { filter: '$share/g/users/ann/#' })
  const bob = await open5(broker, { user: 'bob', id: 'bob' })
  await publish(bob, 'users/ann/messages', 'hello')
  await publish(bob, 'users/ann/signals', '{"ring":1}', { qos: 0 })
  await untilPong(bob)
  const got = [...(await taken(one)), ...(await taken(two))].map((payload) => JSON.parse(payload))
  t.equal(got.filter(({ text }) => text === 'hello').length, 1)
  t.equal(got.filter((payload) => payload.ring === 1 || payload.data?.ring === 1).length, 1)
})

const FROM_NOW: [filter: string, topic: string, payload: string][] = [
  [ROOM, ROOM, 'x'],
  ['rooms/+/messages', ROOM, 'x'],
  ['users/ann/messages', 'users/ann/messages', 'x'],
  ['users/ann/notifications', 'users/ann/notifications', '{"title":"t","body":"b"}'],
  ['broadcast/news', 'broadcast/news', 'x'],
]

t.test('a new group begins where a new session does: now, and again when all its sessions had ended', async (t) => {
  const broker = await startTestBroker(t)
  const first = await member(broker, 'first', { filter: ROOM })
  await leave(broker, first)
  const sender = await open5(broker, { user: 'cleo', roles: ['publisher', 'notifier'] })
  for (const [, topic, payload] of FROM_NOW) await publish(sender, topic, payload)
  for (const [filter, topic, payload] of FROM_NOW)
    for (const expiry of [0, 60]) {
      const options = { filter: `$share/g/${filter}`, expiry }
      const one = await member(broker, `one ${expiry} ${filter}`, options)
      t.same(await untilPong(one), [], `${filter}, expiry ${expiry}: nothing old`)
      await publish(sender, topic, payload)
      for (const packet of await takePublishes(one, 1)) acknowledge(one, packet)
      t.same(await untilPong(one), [], 'what is new comes once')
      await leave(broker, one)
      if (expiry > 0) await open5(broker, { id: `one ${expiry} ${filter}`, clean: true })
      await publish(sender, topic, payload)
      const again = await member(broker, 'again', { filter: options.filter })
      t.same(await untilPong(again), [], 'another group of that name is new too')
      await leave(broker, again)
    }
})

t.test('where a kept group begins is durable with the SUBACK', async (t) => {
  const broker = await startTestBroker(t)
  const first = await member(broker, 'first', { filter: ROOM })
  const sender = await open5(broker, { user: 'cleo' })
  await publish(sender, ROOM, 'old')
  await untilPong(first)
  const { store } = broker.running
  await member(broker, 'kept', { filter: CHAT, expiry: 60 })
  const { cursors } = await store.sessions.progress(`ann/\u0001bots/${ROOM}`)
  t.equal(cursors.get('m:lobby'), (await store.log.open('m:lobby')).head)
})

t.test('a group that is left and joined again is not ended with the one before', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const one = await member(broker, 'one', { expiry: 60 })
  await unsubscribe5(one, JOBS)
  t.same(await subscribe5(one, JOBS), [1])
  await leave(broker, one)
  const sent = await send(await open(broker, { user: 'bob' }), 3)
  const back = await open5(broker, { id: 'one', clean: false, expiry: 60 })
  t.same((await takePublishes(back, 3)).map(text), sent)
})
