/** What one user, or one room, may ask of the broker: above it publishes wait, and requests are refused. */
import t from 'tap'
import { stillClock } from '../helpers/clock.js'
import { fetchFrom } from '../helpers/http.js'
import { people } from '../helpers/rooms.js'

const rates = (figures: object) => ({ limits: { rates: figures } })
const restsOf = (broker: { running: { counters: { all(): Record<string, number> } } }) =>
  broker.running.counters.all()['rests'] ?? 0

t.test('above the rate a user is read more slowly: all is taken, in order, and nobody else waits', async (t) => {
  const clock = stillClock(t)
  const { broker, alice, bob } = await people(t, ['alice', 'bob'], rates({ publish: 20 }))
  await bob.subscribe('rooms/lobby/messages')
  const begun = performance.now()
  let pending = 240
  const sent = Array.from({ length: pending }, (_, i) => alice.say('lobby', `${i}`).then(() => pending--))
  await bob.hears('200')
  await bob.say('lobby', 'meanwhile')
  t.ok(pending > 0, 'another user is served at once')
  clock.goOn()
  await Promise.all(sent)
  t.ok(performance.now() - begun >= 1500, '40 more than there were tokens for')
  t.ok(restsOf(broker) > 0)
  await bob.hears('239')
  const heard = bob.lines.filter((line) => !line.endsWith('meanwhile')).map((line) => Number(line.split(' ')[1]))
  t.same(
    heard,
    Array.from({ length: 240 }, (_, i) => i),
  )
  t.ok(alice.client.connected)
})

t.test('what a client sent before it closed is taken, rate or not', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'], rates({ publish: 50 }))
  await bob.subscribe('rooms/lobby/messages')
  for (let i = 0; i < 520; i++) void alice.publish('rooms/lobby/messages', `${i}`, { qos: 0 })
  await alice.client.endAsync()
  await bob.hears('519')
})

t.test('a room has a rate of its own: publishes wait, requests are refused', async (t) => {
  stillClock(t)
  const { broker, alice, bob } = await people(t, ['alice', 'bob'], rates({ room: 5 }))
  await alice.get('rooms.create', { room: 'other' })
  for (let i = 0; i < 52; i++) await (i % 2 === 0 ? alice : bob).say('lobby', `${i}`)
  t.ok(restsOf(broker) > 0)
  const { error } = await alice.ask('send', { room: 'lobby', text: 'x' })
  t.match(error, { code: 'rate_limited', retryAfter: 1 })
  await alice.get('send', { room: 'other', text: 'x' })
  t.ok(alice.client.connected)
})

t.test('requests are counted by user and class, and refused with how long to wait', async (t) => {
  stillClock(t)
  const { connect, alice, bob } = await people(t, ['alice', 'bob'], rates({ read: 1, create: 0.1 }))
  for (let i = 0; i < 10; i++) await alice.get('rooms.list')
  t.match(await alice.ask('rooms.list'), { ok: false, error: { code: 'rate_limited', retryAfter: 1 } })
  const tablet = await connect('alice', { clientId: 'tablet' })
  t.equal(await tablet.fails('history', { room: 'lobby' }), 'rate_limited', 'of all devices together')
  await alice.get('rooms.create', { room: 'den' })
  const { error } = await alice.ask('rooms.create', { room: 'attic' })
  t.ok(error.code === 'rate_limited' && error.retryAfter > 1 && error.retryAfter <= 10)
  await alice.get('rooms.join', { room: 'lobby' })
  await bob.get('rooms.list')
  t.ok(alice.client.connected)
})

t.test('by default a burst of a thousand messages passes', async (t) => {
  const { broker, alice } = await people(t, ['alice'])
  await Promise.all(Array.from({ length: 1000 }, (_, i) => alice.say('lobby', `${i}`)))
  t.equal(restsOf(broker), 0)
})

t.test('over HTTP the refusals of rates and of slow mode say when to try again', async (t) => {
  const { broker, alice } = await people(t, ['alice', 'bob'], rates({ create: 0.1 }))
  await alice.get('rooms.create', { room: 'den', slowMode: 60 })
  const post = async (as: string, path: string, body: object) => {
    const { status, headers } = await fetchFrom(broker, path, { method: 'POST', as, body })
    return [status, Number(headers.get('retry-after')) > 0]
  }
  t.same(await post('alice', '/v1/rooms', { room: 'attic' }), [429, true])
  t.same(await post('bob', '/v1/rooms/den/messages', { text: 'one' }), [201, false])
  t.same(await post('bob', '/v1/rooms/den/messages', { text: 'two' }), [429, true])
})

t.test('bytes count beside the number: who publishes more is read more slowly, and nobody else waits', async (t) => {
  stillClock(t)
  const { broker, alice, bob } = await people(t, ['alice', 'bob'], rates({ publishBytes: 10_000 }))
  await bob.subscribe('rooms/lobby/messages')
  const text = 'x'.repeat(20_000)
  for (let i = 0; i < 4; i++) await alice.say('lobby', text)
  t.equal(restsOf(broker), 0, 'ten seconds of it come at once')
  const begun = performance.now()
  await alice.say('lobby', text + text)
  let waits = true
  const next = alice.say('lobby', 'behind it').then(() => (waits = false))
  await bob.say('lobby', 'meanwhile')
  t.ok(waits, 'another person is served at once')
  await next
  t.ok(restsOf(broker) > 0)
  await bob.hears('behind it')
  t.ok(alice.client.connected)
  // Two seconds' worth is owed; a machine that is busy gets some more.
  t.ok(performance.now() - begun < 20_000, 'only until what is owed is paid back')
})

t.test('bytes of one person are counted together: of all devices, and of requests over HTTP', async (t) => {
  const { broker, connect, alice } = await people(t, ['alice', 'bob'], rates({ publishBytes: 1000 }))
  const { key } = (await alice.get('bots.create', { bot: 'abot' })).key
  const bot = await connect('abot', { password: key })
  await alice.get('rooms.create', { room: 'den' })
  void bot.publish('rooms/den/messages', 'x'.repeat(30_000), { qos: 0 })
  const send = async (user: string) =>
    fetchFrom(broker, '/v1/rooms/lobby/messages', {
      method: 'POST',
      headers: { authorization: `Bearer ${await broker.token(user)}` },
      body: { text: 'hello' },
    })
  // The bot's publish is counted once it is read.
  while (restsOf(broker) === 0) await new Promise((resolve) => setImmediate(resolve))
  const refused = await send('alice')
  t.match(refused, { status: 429, body: { code: 'rate_limited', detail: /bytes \(limits\.rates\)/ } })
  t.ok(Number(refused.headers.get('retry-after')) > 1)
  t.equal((await send('bob')).status, 201)
})
