/** Webhooks: what happens is told to the servers of others, signed, in order, at least once, and at nobody's expense. */

import { PassThrough } from 'node:stream'
import mqtt from 'mqtt'
import t, { type Test } from 'tap'
import { openLog } from '../../broker/util/log.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { BrokerProcess } from '../helpers/broker-process.js'
import { stillClock } from '../helpers/clock.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'
import { isSigned, Receiver } from '../helpers/receiver.js'
import { onRedis } from '../helpers/test-store.js'

const SECRET = `whsec_${Buffer.from('a secret that only the tests know').toString('base64')}`
const OTHER = `whsec_${Buffer.from('another one that only tests know').toString('base64')}`
const QUICK = { backoff: 0.01, maxBackoff: 0.02, attempts: 3 }

const hook = (receiver: Receiver, more: object = {}) => ({
  id: 'crm',
  url: receiver.url,
  secret: SECRET,
  events: ['message.*'],
  ...more,
})

/** A broker with one webhook, and alice in the lobby. */
async function start(t: Test, more: object = {}, overrides: Overrides = {}) {
  const receiver = await Receiver.start(t)
  const config = { webhooks: [hook(receiver, more)], webhookDelivery: QUICK, ...overrides }
  const broker = await startTestBroker(t, config as Overrides)
  // Where the clock is moved, nobody is cut off for having been silent.
  const alice = await Person.connect(t, broker, 'alice', { roles: ['admin'], keepalive: 0 })
  await alice.subscribe('rooms/+/messages')
  return { receiver, broker, alice }
}

/** Resolves when a counter of the broker has come so far. */
async function counted(broker: TestBroker, name: string, count: number): Promise<void> {
  while (broker.running.counters.get(name) < count) await new Promise((resolve) => setImmediate(resolve))
}

t.test('a message is posted, signed, as members receive it', async (t) => {
  const { receiver, alice } = await start(t)
  await alice.say('lobby', { text: 'hello', data: { a: 1 } })
  const [received] = await receiver.wait(1)
  const [live] = await alice.on('rooms/lobby/messages', 1)
  t.match(received!.json, { id: live.id, type: 'message.sent', ts: live.ts })
  t.strictSame(received!.json.data, live)
  t.strictSame(Object.keys(received!.json), ['id', 'type', 'ts', 'data'])
  t.equal(received!.headers['webhook-id'], live.id)
  t.equal(received!.headers['content-type'], 'application/json')
  t.ok(isSigned(received!, SECRET))
  t.notOk(isSigned(received!, OTHER))
  t.notOk(isSigned({ ...received!, body: received!.body.replace('hello', 'hallo') }, SECRET), 'every byte counts')
})

for (const when of ['before', 'after'])
  t.test(
    `an event of a deleted room that is given up ${when} the room is made anew takes no event of that`,
    async (t) => {
      const { receiver, broker, alice } = await start(t, {}, {
        webhookDelivery: { ...QUICK, attempts: 1 },
      } as Overrides)
      let fail = (): void => {}
      const failing = new Promise<void>((resolve) => (fail = resolve))
      receiver.answer = async ({ json }) => {
        if (!json.data.text.startsWith('old')) return null
        await failing
        return { status: 500 }
      }
      const giveUp = (): Promise<void> => {
        fail()
        return counted(broker, 'webhooks.dead', 1)
      }
      await alice.get('rooms.create', { room: 'tea' })
      for (const text of ['old 1', 'old 2']) await alice.say('tea', text)
      await receiver.wait(1)
      await alice.get('rooms.delete', { room: 'tea' })
      if (when === 'before') await giveUp()
      await alice.get('rooms.create', { room: 'tea' })
      for (const text of ['new 1', 'new 2', 'new 3']) await alice.say('tea', text)
      if (when === 'after') await giveUp()
      await receiver.wait(1, ({ json }) => json.data.text === 'new 1')
      receiver.received.length = 0
      receiver.answer = () => ({})
      await broker.restart()
      const told = await receiver.wait(3)
      t.same(
        told.map(({ json }) => json.data.text),
        ['new 1', 'new 2', 'new 3'],
      )
    },
  )

t.test('while secrets are changed both sign', async (t) => {
  const { receiver, alice } = await start(t, { previousSecret: OTHER })
  await alice.say('lobby', 'hello')
  const [received] = await receiver.wait(1)
  t.ok(isSigned(received!, SECRET) && isSigned(received!, OTHER))
})

t.test('all that happens to a message, a room and its members has its event', async (t) => {
  const { receiver, broker, alice } = await start(t, { events: ['*'] })
  const bob = await Person.connect(t, broker, 'bob')
  await alice.get('rooms.create', { room: 'tea' })
  await bob.get('rooms.join', { room: 'tea' })
  const { result } = await alice.send('rooms/tea/messages', { text: 'one' })
  const target = result.seq
  for (const change of [
    { type: 'edit', target, text: 'two' },
    { type: 'reaction', target, data: { emoji: '👍' } },
    { type: 'pin', target },
    { type: 'unpin', target },
    { type: 'delete', target },
  ])
    await alice.say('tea', change)
  await alice.get('rooms.update', { room: 'tea', name: 'Tea' })
  await alice.get('rooms.setRole', { room: 'tea', user: 'bob', role: 'moderator' })
  await alice.get('rooms.mute', { room: 'tea', user: 'bob' })
  await alice.get('rooms.unmute', { room: 'tea', user: 'bob' })
  await alice.publish('users/bob/notifications', { title: 'tea', body: 'is ready' })
  await alice.publish('broadcast/news', 'tea for all')
  await alice.get('rooms.ban', { room: 'tea', user: 'bob' })
  await broker.running.accounts.remove('bob')
  const expected = [
    ...['message.sent', 'message.edited', 'message.reaction', 'message.pinned', 'message.unpinned', 'message.deleted'],
    ...['room.created', 'room.updated', 'member.joined', 'member.role', 'member.muted', 'member.unmuted'],
    ...['member.banned', 'notification.sent', 'broadcast.sent', 'user.registered', 'user.removed'],
  ]
  const types = (): Set<string> => new Set(receiver.received.map(({ json }) => json.type))
  // What was sent and what was said of it before it was deleted may be gone before it is told.
  await receiver.wait(1, ({ json }) => json.type === 'user.removed')
  await receiver.wait(1, ({ json }) => json.type === 'member.banned')
  await receiver.wait(1, ({ json }) => json.type === 'message.deleted')
  t.strictSame(
    expected.filter((type) => !types().has(type)),
    [],
  )
  const [notified] = await receiver.wait(1, ({ json }) => json.type === 'notification.sent')
  t.match(notified!.json.data, { user: 'bob', from: 'alice', title: 'tea' })
  await alice.get('rooms.delete', { room: 'tea' })
  const [deleted] = await receiver.wait(1, ({ json }) => json.type === 'room.deleted')
  t.match(deleted!.json.data, { room: 'tea', by: 'alice' }, 'though the room and its logs are gone')
})

t.test('filters narrow by event, by room and by user, and leave direct conversations alone', async (t) => {
  const { receiver, broker, alice } = await start(t, { events: ['message.sent'], rooms: ['tea'], users: ['bob'] })
  const bob = await Person.connect(t, broker, 'bob')
  const all = await Receiver.start(t)
  await alice.get('webhooks.create', { url: all.url, events: ['message.sent'], direct: true })
  for (const room of ['tea', 'cake']) {
    await alice.get('rooms.create', { room })
    await bob.get('rooms.join', { room })
    await alice.say(room, `alice in ${room}`)
    await bob.say(room, `bob in ${room}`)
  }
  await bob.tell('alice', 'bob to alice')
  await all.wait(5)
  t.strictSame(await receiver.told(1), ['message.sent bob in tea'])
  t.strictSame(
    (await all.told(5)).sort(),
    ['alice in cake', 'alice in tea', 'bob in cake', 'bob in tea', 'bob to alice'].map(
      (text) => `message.sent ${text}`,
    ),
  )
})

t.test('what fails is tried again, in the order of the room, while other rooms go on', async (t) => {
  const { receiver, alice } = await start(t)
  await alice.get('rooms.create', { room: 'tea' })
  let failures = 2
  receiver.answer = ({ json }) => (json.data.text === 'one' && failures-- > 0 ? { status: 503 } : {})
  for (const text of ['one', 'two', 'three']) await alice.say('lobby', text)
  await alice.say('tea', 'elsewhere')
  const told = await receiver.told(6)
  const lobby = told.filter((line) => !line.endsWith('elsewhere'))
  t.strictSame(
    lobby,
    ['one', 'one', 'one', 'two', 'three'].map((text) => `message.sent ${text}`),
  )
  const ids = new Set(receiver.received.filter(({ json }) => json.data.text === 'one').map(({ json }) => json.id))
  t.equal(ids.size, 1, 'one event has one id, however often it is told')
  t.ok(receiver.received.every((one) => isSigned(one, SECRET)))
})

t.test('an event that is never taken becomes a dead letter, which can be tried again', async (t) => {
  const { receiver, broker, alice } = await start(t)
  receiver.answer = ({ json }) => (json.data.text === 'poison' ? { status: 500 } : {})
  for (const text of ['poison', 'cure']) await alice.say('lobby', text)
  await receiver.wait(1, ({ json }) => json.data.text === 'cure')
  const poison = receiver.received.filter(({ json }) => json.data.text === 'poison')
  t.equal(poison.length, 3, 'webhookDelivery.attempts')
  const { id } = poison[0]!.json
  const { deliveries, more } = await alice.get('webhooks.deliveries', { webhook: 'crm' })
  t.match(deliveries, [{ id, type: 'message.sent', attempts: 3, error: 'answered 500' }])
  t.notOk(more)
  t.match((await alice.get('webhooks.list')).webhooks, [
    { id: 'crm', dead: 1, enabled: true, lastError: 'answered 500' },
  ])

  await broker.restart()
  const again = await Person.connect(t, broker, 'alice', { roles: ['admin'], clientId: 'alice-2' })
  t.match(await again.get('webhooks.deliveries', { webhook: 'crm' }), { deliveries: [{ id }] }, 'after a restart')
  receiver.answer = () => ({})
  t.same(await again.get('webhooks.retry', { webhook: 'crm', delivery: id }), { retrying: 1 })
  await receiver.wait(4, ({ json }) => json.data.text === 'poison')
  await counted(broker, 'webhooks.delivered', 1)
  while ((await again.get('webhooks.list')).webhooks[0].dead > 0);
  t.equal(await again.fails('webhooks.retry', { webhook: 'crm', delivery: id }), 'not_found delivery')
})

t.test('dead letters are bounded: the oldest go, and are counted', async (t) => {
  const delivery = { ...QUICK, attempts: 1, deadLetters: 2 }
  const { receiver, broker, alice } = await start(t, {}, { webhookDelivery: delivery })
  receiver.answer = () => ({ status: 500 })
  for (let i = 0; i < 5; i++) await alice.say('lobby', `message ${i}`)
  await counted(broker, 'webhooks.dead', 5)
  const { deliveries } = await alice.get('webhooks.deliveries', { webhook: 'crm' })
  const ids = receiver.received.map(({ json }) => json.id)
  t.strictSame(
    deliveries.map(({ id }: { id: string }) => id),
    ids.slice(3),
  )
  t.equal(broker.running.counters.get('webhooks.lost.deadLetters'), 3)
})

t.test('a receiver that asks to be left alone for a while is', async (t) => {
  const clock = stillClock(t)
  const { receiver, broker, alice } = await start(t, {}, { webhookDelivery: { ...QUICK, maxBackoff: '1h' } })
  let asked = false
  receiver.answer = () => {
    const first = !asked
    asked = true
    return first ? { status: 429, headers: { 'retry-after': '600' } } : {}
  }
  await alice.say('lobby', 'hello')
  await counted(broker, 'webhooks.failed', 1)
  const [webhook] = (await alice.get('webhooks.list')).webhooks
  t.match(webhook, { behind: 1, lastError: 'answered 429' })
  t.equal(receiver.received.length, 1)
  clock.forward(599)
  await alice.get('rooms.create', { room: 'tea' })
  await alice.say('tea', 'meanwhile')
  await receiver.wait(2)
  t.equal(receiver.received[1]!.json.data.text, 'meanwhile', 'one log waits, others do not')
  clock.forward(10)
  await receiver.wait(3)
  t.equal(receiver.received[2]!.json.data.text, 'hello')
})

t.test('a message that is told costs no store operation more; the first of a log costs one small key', async (t) => {
  const { receiver, broker, alice } = await start(t, { rooms: ['lobby', 'tea'] })
  for (const room of ['tea', 'cake']) await alice.get('rooms.create', { room })
  receiver.answer = () => null
  const { counts } = broker.running.store
  const costs = async (room: string, text: string) => {
    const { commits, writes } = counts
    await alice.say(room, text)
    return { commits: counts.commits - commits, writes: counts.writes - writes }
  }
  await alice.say('lobby', 'joins')
  const plain = await costs('cake', 'told to nobody')
  t.strictSame(plain, { commits: 1, writes: onRedis ? 4 : 1 })
  t.strictSame(await costs('lobby', 'one more'), plain)
  t.strictSame(await costs('tea', 'the first'), { ...plain, writes: plain.writes + 1 })
  t.strictSame(await costs('tea', 'the second'), plain)
})

t.test('a receiver that never answers holds up nobody', async (t) => {
  const { receiver, broker, alice } = await start(t, {}, { webhookDelivery: { ...QUICK, concurrency: 2 } })
  receiver.answer = () => null
  for (const room of ['a', 'b', 'c']) await alice.get('rooms.create', { room })
  const texts: string[] = []
  for (let i = 0; i < 60; i++) {
    texts.push(`message ${i}`)
    await alice.say('abc'[i % 3]!, texts.at(-1)!)
  }
  await alice.inbox.wait(60, ({ topic }) => topic.endsWith('/messages'))
  t.equal(receiver.mostOpen, 2, 'webhookDelivery.concurrency')
  t.equal(receiver.received.length, 2, 'one event of a log at a time')
  t.match((await alice.get('webhooks.list')).webhooks, [{ behind: 3 }])
  receiver.answer = () => ({})
  await broker.restart()
  const told = await receiver.told(2 + 60)
  t.strictSame(new Set(told), new Set(texts.map((text) => `message.sent ${text}`)), 'a restart loses nothing of it')
})

t.test('redirects are not followed, and no answer at all is a failure like any', async (t) => {
  const elsewhere = await Receiver.start(t)
  const { receiver, broker, alice } = await start(t, {}, { webhookDelivery: { ...QUICK, timeout: '2s' } })
  receiver.answer = () => ({ status: 307, headers: { location: elsewhere.url } })
  const tested = await alice.get('webhooks.test', { webhook: 'crm' })
  t.strictSame(tested, { ok: false, status: 307, error: 'answered 307: redirects are not followed' })
  t.equal(elsewhere.received.length, 0)
  t.match(receiver.received[0]!.json, { type: 'webhook.test', data: { webhook: 'crm' } })
  receiver.answer = () => null
  t.match(await alice.get('webhooks.test', { webhook: 'crm' }), {
    ok: false,
    status: null,
    error: 'no answer within 2 s',
  })
  receiver.answer = () => ({ status: 200, endless: true })
  t.match(
    await alice.get('webhooks.test', { webhook: 'crm' }),
    { ok: true, status: 200, error: null },
    'a yes is a yes, whatever does not come behind it',
  )
  receiver.answer = () => ({ status: 204 })
  t.match(await alice.get('webhooks.test', { webhook: 'crm' }), { ok: true, status: 204, error: null })
  t.equal(broker.running.counters.get('webhooks.dead'), 0)
})

t.test('a receiver that is gone is told no more, until an admin says so', async (t) => {
  const { receiver, broker, alice } = await start(t)
  receiver.answer = () => ({ status: 410 })
  await alice.say('lobby', 'one')
  await counted(broker, 'webhooks.disabled', 1)
  await alice.say('lobby', 'two')
  t.match((await alice.get('webhooks.list')).webhooks, [
    { enabled: false, why: 'answered 410: it wants no more', behind: 1 },
  ])
  await broker.restart()
  const again = await Person.connect(t, broker, 'alice', { roles: ['admin'], clientId: 'alice-2' })
  await again.say('lobby', 'three')
  t.match((await again.get('webhooks.list')).webhooks, [{ enabled: false }], 'after a restart too')
  t.equal(receiver.received.length, 1)
  receiver.answer = () => ({})
  await again.get('webhooks.update', { webhook: 'crm', enabled: true })
  t.strictSame((await receiver.told(4)).slice(1), ['message.sent one', 'message.sent two', 'message.sent three'])
})

t.test('webhooks made by commands outlive a restart, begin where they were made, and end', async (t) => {
  const receiver = await Receiver.start(t)
  const broker = await startTestBroker(t, { webhookDelivery: QUICK })
  const alice = await Person.connect(t, broker, 'alice', { roles: ['admin'] })
  await alice.say('lobby', 'before')
  const made = await alice.get('webhooks.create', { webhook: 'w', url: receiver.url, events: ['message.sent'] })
  await alice.say('lobby', 'after')
  const [received] = await receiver.wait(1)
  t.equal(received!.json.data.text, 'after')
  t.ok(isSigned(received!, made.secret), 'with the secret that was shown')
  t.notMatch(JSON.stringify(await alice.get('webhooks.list')), made.secret, 'and never is again')

  for await (const record of broker.running.store.webhooks.all())
    t.notMatch(JSON.stringify(record), made.secret.slice('whsec_'.length), 'nor does the store have it in the clear')

  const { secret } = await alice.get('webhooks.update', { webhook: 'w', rotate: true })
  await alice.say('lobby', 'rotated')
  const rotated = (await receiver.wait(2))[1]!
  t.ok(secret !== made.secret && isSigned(rotated, secret) && isSigned(rotated, made.secret), 'both for a day')

  await broker.restart()
  const again = await Person.connect(t, broker, 'alice', { roles: ['admin'], clientId: 'alice-2' })
  await again.say('lobby', 'after a restart')
  const [third] = await receiver.wait(1, ({ json }) => json.data.text === 'after a restart')
  t.ok(isSigned(third!, secret))

  await again.get('webhooks.delete', { webhook: 'w' })
  await again.say('lobby', 'to nobody')
  t.same((await again.get('webhooks.list')).webhooks, [])
  t.notOk(broker.running.store.outbox.watches('m:lobby'))
  t.notOk(receiver.received.some(({ json }) => json.data.text === 'to nobody'))
})

t.test('a webhook whose secret cannot be read any more is switched off, until it has a new one', async (t) => {
  const receiver = await Receiver.start(t)
  const broker = await startTestBroker(t, { webhookDelivery: QUICK })
  const alice = await Person.connect(t, broker, 'alice', { roles: ['admin'] })
  await alice.get('webhooks.create', { webhook: 'w', url: receiver.url, events: ['message.sent'] })
  await broker.restart({ auth: { jwt: { secret: 'the broker has another secret now' } } })
  const again = await Person.connect(t, broker, 'alice', { roles: ['admin'], clientId: 'alice-2' })
  t.match((await again.get('webhooks.list')).webhooks, [{ id: 'w', enabled: false, why: /secret cannot be read/ }])
  await again.say('lobby', 'hello')
  t.equal(await again.fails('webhooks.update', { webhook: 'w', enabled: true }), 'conflict secret')
  t.match(await again.get('webhooks.test', { webhook: 'w' }), { ok: false, error: 'its secret cannot be read' })
  t.equal(receiver.received.length, 0)
  await again.get('webhooks.update', { webhook: 'w', enabled: true, secret: SECRET })
  const [received] = await receiver.wait(1)
  t.ok(isSigned(received!, SECRET))
})

t.test('a webhook that leaves the configuration is forgotten; one that comes back begins anew', async (t) => {
  const { receiver, broker, alice } = await start(t)
  receiver.answer = () => null
  await alice.say('lobby', 'one')
  await receiver.wait(1)
  await broker.restart({ webhooks: [] } as unknown as Overrides)
  t.same([...broker.running.store.outbox.marked()], [])
  const again = await Person.connect(t, broker, 'alice', { roles: ['admin'], clientId: 'alice-2' })
  await again.say('lobby', 'two')
  receiver.answer = () => ({})
  await broker.restart({})
  const third = await Person.connect(t, broker, 'alice', { roles: ['admin'], clientId: 'alice-3' })
  await third.say('lobby', 'three')
  t.strictSame(await receiver.told(2), ['message.sent one', 'message.sent three'])
})

t.test('filters may be changed: what is left out is forgotten, what is new begins now', async (t) => {
  const receiver = await Receiver.start(t)
  const broker = await startTestBroker(t, { webhookDelivery: QUICK })
  const alice = await Person.connect(t, broker, 'alice', { roles: ['admin'] })
  for (const room of ['tea', 'cake']) await alice.get('rooms.create', { room })
  const webhook = 'w'
  await alice.get('webhooks.create', { webhook, url: receiver.url, events: ['message.sent'], rooms: ['tea'] })
  await alice.say('cake', 'not yet')
  await alice.get('webhooks.update', { webhook, rooms: ['cake'] })
  await alice.say('tea', 'not any more')
  await alice.say('cake', 'now')
  await alice.get('webhooks.update', { webhook, rooms: null })
  await alice.say('tea', 'again')
  t.strictSame((await receiver.told(2)).sort(), ['message.sent again', 'message.sent now'])
})

t.test('what is wrong with a webhook is said', async (t) => {
  const { broker, alice } = await start(t)
  const create = (more: object) =>
    alice.fails('webhooks.create', { url: 'https://example.com', events: ['*'], ...more })
  t.equal(await create({ url: 'ftp://example.com' }), 'bad_request url')
  t.equal(await create({ url: 'http://' }), 'bad_request url')
  t.equal(await create({ url: 'https://ann:secret@example.com' }), 'bad_request url')
  t.equal(await create({ events: ['message.send'] }), 'bad_request events')
  t.equal(await create({ webhook: 'crm' }), 'conflict webhook')
  t.equal(await create({ secret: 'short' }), 'bad_request secret')
  t.equal(await alice.fails('webhooks.update', { webhook: 'crm', events: ['*'] }), 'conflict')
  t.equal(await alice.fails('webhooks.delete', { webhook: 'crm' }), 'conflict')
  t.equal(await alice.fails('webhooks.test', { webhook: 'no' }), 'not_found webhook')
  const { status, body } = await fetchFrom(broker, '/v1/webhooks', { as: 'bob' })
  t.match({ status, body }, { status: 403, body: { code: 'forbidden' } })
})

t.test('where it is forbidden, private addresses are not posted to, by number or by name', async (t) => {
  const { receiver, alice } = await start(t, {}, { webhookDelivery: { ...QUICK, privateAddresses: false } })
  const { port } = new URL(receiver.url)
  for (const [id, host] of [
    ['number', '127.0.0.1'],
    ['name', 'localhost'],
    ['six', '[::1]'],
    ['mapped', '[::ffff:7f00:1]'],
  ] as const) {
    await alice.get('webhooks.create', { webhook: id, url: `http://${host}:${port}/`, events: ['*'] })
    t.match(
      await alice.get('webhooks.test', { webhook: id }),
      { ok: false, status: null, error: /private network/ },
      host,
    )
  }
  t.equal(receiver.received.length, 0)
})

t.test('a crash at any moment loses no event', async (t) => {
  const receiver = await Receiver.start(t)
  const webhooks = JSON.stringify([hook(receiver, { events: ['message.sent', 'user.registered'] })])
  const broker = await BrokerProcess.make(t, [
    `webhooks=${webhooks}`,
    'webhookDelivery.backoff=0.01s',
    'search.enabled=false',
  ])
  const texts: string[] = []
  for (let round = 0; round < 3; round++) {
    receiver.answer = () => ({})
    await broker.start()
    const client = mqtt.connect(broker.url, { username: `user${round}`, password: await broker.token(`user${round}`) })
    client.on('error', () => {})
    await new Promise<void>((resolve) => client.once('connect', () => resolve()))
    // What is acknowledged is told, in this life of the broker or the next.
    const seen = receiver.received.length
    receiver.answer = () => (receiver.received.length > seen + 5 * round ? null : {})
    const said = Array.from({ length: 20 }, (_, i) => `${round}.${i}`)
    await Promise.all(said.map((text) => client.publishAsync('rooms/lobby/messages', text, { qos: 1 })))
    texts.push(...said)
    await receiver.wait(seen + 1)
    await broker.kill()
    client.end(true)
  }
  receiver.answer = () => ({})
  await broker.start()
  const isText = (text: string) => receiver.received.some(({ json }) => json.data.text === text)
  while (!texts.every(isText)) await receiver.wait(receiver.received.length + 1)
  const users = receiver.received
    .filter(({ json }) => json.type === 'user.registered')
    .map(({ json }) => json.data.user)
  t.strictSame([...new Set(users)].sort(), ['user0', 'user1', 'user2'])
  const first = texts.map((text) => receiver.received.findIndex(({ json }) => json.data.text === text))
  t.strictSame(
    first,
    [...first].sort((a, b) => a - b),
    'in order',
  )
  const ids = new Set(receiver.received.map(({ json }) => json.id))
  t.equal(ids.size, texts.length + 3, 'what is told again has the id it had')
  t.same(broker.complaints, [])
})

t.test('what a receiver did not take is in the log, at its default level', async (t) => {
  const to = new PassThrough()
  let text = ''
  to.on('data', (chunk) => (text += chunk))
  const logged = async (line: RegExp): Promise<void> => {
    while (!line.test(text)) await new Promise((resolve) => setImmediate(resolve))
  }
  const receiver = await Receiver.start(t)
  const log = openLog({ level: 'info', format: 'json', output: 'stderr' }, to)
  const config = { webhooks: [hook(receiver)], webhookDelivery: QUICK }
  const broker = await startTestBroker(t, config as Overrides, { log })
  const alice = await Person.connect(t, broker, 'alice')
  receiver.answer = () => ({ status: 500 })
  await alice.say('lobby', 'hello')
  await logged(/"webhook":"crm".*"type":"message.sent","attempts":3,.*an event was given up/)
  receiver.answer = () => ({ status: 410 })
  await alice.say('lobby', 'hello')
  await logged(/"webhook":"crm".*switched off/)
})
