/** Messages with an end: `ttl`, and the Message Expiry Interval of MQTT 5. */
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { stillClock } from '../helpers/clock.js'
import { history, join, outcome } from '../helpers/messages.js'
import type { Person } from '../helpers/people.js'
import { awayWith, back } from '../helpers/phone.js'

const LOBBY = 'rooms/lobby/messages'
/** Where the clock is put forward, nobody is to be taken for silent. */
const PATIENT = { listen: { connectTimeout: '1d' } }

/** The Message Expiry Interval of each publish from now on. */
function expiries(person: Person): (number | undefined)[] {
  const seen: (number | undefined)[] = []
  person.client.on('message', (_topic, _payload, { properties }) => seen.push(properties?.messageExpiryInterval))
  return seen
}

t.test('a message with a ttl is there until it is over', async (t) => {
  const clock = stillClock(t)
  const broker = await startTestBroker(t, PATIENT)
  const alice = await join(t, broker, 'alice')
  await awayWith(t, broker, [LOBBY, 'rooms/lobby/text', 'users/bob/messages', 'users/bob/notifications'])
  await alice.subscribe([LOBBY, 'rooms/lobby/text'])
  await alice.say('lobby', { text: 'before' })
  await alice.say('lobby', { cid: 'c1', text: 'short', ttl: 10 })
  await alice.say('lobby', { text: 'long', ttl: 1000 })
  await alice.tell('bob', { text: 'psst', ttl: 10 })
  await alice.tell('bob', 'stays')
  const [, short] = await alice.on(LOBBY, 3)
  t.match(
    short,
    { seq: 2, text: 'short', ttl: 10, cid: 'c1' },
    'whoever is there gets it, with what to count down from',
  )
  await alice.hears('before')
  t.same(await history(alice, 'lobby'), ['1 before', '2 short', '3 long'])

  clock.forward(11)
  t.same(await history(alice, 'lobby'), ['1 before', '2 expired', '3 long'])
  t.same(await history(alice, 'lobby', { after: 1 }), ['2 expired', '3 long'])
  t.same(await history(alice, 'lobby', { after: 1, limit: 1 }), ['2 expired'])
  t.same(await history(alice, 'lobby', { before: 3 }), ['1 before', '2 expired'])
  t.same(await history(alice, '@bob'), ['1 expired', '2 stays'])
  const phone = await back(t, broker)
  await phone.hears('long')
  await phone.hears('stays')
  t.notOk(
    phone.lines.some((line) => /short|psst/.test(line)),
    'who was away does not get it',
  )
  t.same(phone.lines.filter((line) => line.startsWith('rooms/lobby/text')).length, 2)
  const retry = await alice.send(LOBBY, { cid: 'c1', text: 'short', ttl: 10 })
  t.match(retry, { ok: true, result: { seq: 2, id: short.id } }, 'a retry is still the same message')
  t.match(await alice.send(LOBBY, { cid: 'c1', text: 'short', ttl: 11 }), { error: { code: 'conflict' } })

  await broker.restart()
  const again = await join(t, broker, 'alice')
  t.same(await history(again, 'lobby'), ['1 before', '2 expired', '3 long'])
  clock.forward(1000)
  t.same(await history(again, 'lobby'), ['1 before', '2 expired', '3 expired'])
  await again.say('lobby', 'after')
  t.same(await history(again, 'lobby'), ['1 before', '2 expired', '3 expired', '4 after'])
})

t.test('notifications and announcements expire too', async (t) => {
  const clock = stillClock(t)
  const broker = await startTestBroker(t, PATIENT)
  await awayWith(t, broker, ['users/bob/notifications', 'broadcast/news'])
  const admin = await join(t, broker, 'root', { roles: ['admin'] })
  await admin.publish('users/bob/notifications', { title: 'short', body: '', ttl: 10 })
  await admin.publish('users/bob/notifications', { title: 'long', body: '' })
  await admin.publish('broadcast/news', { text: 'old news', ttl: 10 }, { retain: true })
  const carol = await join(t, broker, 'carol')
  await carol.subscribe('broadcast/news')
  await carol.hears('old news')
  clock.forward(11)
  await admin.publish('broadcast/news', { text: 'news' })
  const phone = await back(t, broker)
  await phone.hears('news')
  const [notification] = await phone.on('users/bob/notifications', 1)
  t.match(notification, { title: 'long', seq: 2 })
  t.notOk(phone.lines.some((line) => line.includes('old news')))
  const dave = await join(t, broker, 'dave')
  await dave.subscribe('broadcast/news')
  t.same((await dave.ask('rooms.list')).ok, true)
  t.same(dave.heard, [], 'nor is it retained any longer')
})

t.test(
  'the earlier of ttl and Message Expiry Interval counts, and MQTT 5 receivers see what is left of it',
  async (t) => {
    const clock = stillClock(t)
    const broker = await startTestBroker(t)
    const alice = await join(t, broker, 'alice', { protocolVersion: 5 })
    const seen = expiries(alice)
    await alice.subscribe(LOBBY)
    await awayWith(t, broker, [LOBBY], { protocolVersion: 5, properties: { sessionExpiryInterval: 600 } })
    const send = (ttl: number | undefined, messageExpiryInterval: number | undefined, text: string): Promise<unknown> =>
      alice.client.publishAsync(LOBBY, JSON.stringify({ text, ...(ttl ? { ttl } : {}) }), {
        qos: 1,
        ...(messageExpiryInterval ? { properties: { messageExpiryInterval } } : {}),
      })
    await send(60, 100, 'ttl')
    await send(100, 60, 'interval')
    await send(undefined, 60, 'interval alone')
    await send(60, undefined, 'ttl alone')
    await send(20, undefined, 'short')
    await send(undefined, undefined, 'neither')
    await alice.hears('neither')
    t.same(seen, [60, 60, 60, 60, 20, undefined])
    clock.forward(30)
    const phone = await join(t, broker, 'bob', {
      ...{ clientId: 'phone', clean: false, protocolVersion: 5, properties: { sessionExpiryInterval: 600 } },
    })
    const left = expiries(phone)
    await phone.hears('neither')
    const texts = phone.lines.map((line) => line.split(' ').slice(1).join(' '))
    t.same(texts, ['ttl', 'interval', 'interval alone', 'ttl alone', 'neither'])
    t.same(
      left.slice(-5, -1).every((seconds) => seconds !== undefined && seconds <= 30 && seconds > 20),
      true,
    )
    clock.forward(31)
    t.same(await history(alice, 'lobby'), [
      ...['1 expired', '2 expired', '3 expired', '4 expired', '5 expired'],
      '6 neither',
    ])
  },
)

t.test('a ttl is seconds, from one to a year', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await join(t, broker, 'alice')
  for (const ttl of [0, -1, 1.5, '10', null, 31_536_001])
    t.match(await alice.send(LOBBY, { text: 'x', ttl }), { error: { code: 'bad_request', field: 'ttl' } }, `${ttl}`)
  for (const ttl of [1, 31_536_000]) t.match(await alice.send(LOBBY, { text: 'x', ttl }), { ok: true })
  t.match(await alice.send(LOBBY, { ttl: 5 }), { error: { code: 'bad_request', field: 'text' } })
  const admin = await join(t, broker, 'root', { roles: ['admin'] })
  const notification = { title: 'x', body: '', ttl: 0 }
  t.match(await admin.send('users/alice/notifications', notification), { error: { field: 'ttl' } })
})

t.test('an edit does not outlive the message it changes', async (t) => {
  const clock = stillClock(t)
  const broker = await startTestBroker(t, PATIENT)
  const alice = await join(t, broker, 'alice')
  await alice.say('lobby', { text: 'short', ttl: 10 })
  t.equal(await outcome(alice, LOBBY, { type: 'edit', target: 1, text: 'shorter' }), 2)
  clock.forward(11)
  t.same(await history(alice, 'lobby'), ['1 expired', '2 expired'])
})
