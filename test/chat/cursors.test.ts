/** Where a session goes on: what it missed comes once and in order, from the cursor it has in each log. */
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { login, mosquitto } from '../helpers/mosquitto.js'
import { Person, textOf } from '../helpers/people.js'
import { awayWith, back } from '../helpers/phone.js'

const LOBBY = 'rooms/lobby/messages'
const LASTING = { clean: false } as const

t.test('a device that was away gets everything it missed, in order, once, and goes on live', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  await alice.say('lobby', 'before bob')
  await awayWith(t, broker, [LOBBY, 'users/bob/messages'])
  for (let i = 0; i < 200; i++) void alice.say('lobby', `room ${i}`)
  for (let i = 0; i < 50; i++) void alice.tell('bob', `dm ${i}`)
  await alice.get('rooms.list')
  const bob = await back(t, broker)
  t.ok(bob.client.connected)
  await bob.inbox.wait(250)
  await alice.say('lobby', 'live')
  await bob.hears('live')
  const inLobby = await bob.on(LOBBY, 201)
  t.same(
    inLobby.map(({ seq }) => seq),
    Array.from({ length: 201 }, (_, i) => i + 2),
  )
  t.same(
    (await bob.on('users/bob/messages', 50)).map(({ text }) => text),
    Array.from({ length: 50 }, (_, i) => `dm ${i}`),
  )
  t.ok(bob.heard.every(({ dup, retain, qos }) => !dup && !retain && qos === 1))
  await bob.leave()

  const later = await back(t, broker)
  await alice.say('lobby', 'marker')
  await later.hears('marker')
  t.same(later.lines, [`${LOBBY} marker`], 'nothing a second time')
})

t.test('the same with mosquitto, and a conversation that began while it was away', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  const bob = await login(broker, 'bob')
  const phone = ['-c', '-i', 'phone', '-q', '1', '-t', LOBBY, '-t', 'users/bob/messages']
  t.same(await mosquitto('sub', bob, [...phone, '-E']), { code: 0, lines: [], stderr: '' })
  await alice.say('lobby', 'one')
  await alice.tell('bob', 'two')
  await alice.say('lobby', { text: 'three' })
  const { lines } = await mosquitto('sub', bob, [...phone, '-C', '3', '-F', '%q %t %p'])
  const seen = lines.map((line) => {
    const [, qos, topic, payload] = /^(\d) (\S+) (.*)$/.exec(line)!
    return `${qos} ${topic} ${textOf(Buffer.from(payload!))}`
  })
  t.same(seen.sort(), [`1 ${LOBBY} one`, `1 ${LOBBY} three`, '1 users/bob/messages two'])
})

t.test('a subscription at QoS 0 and a clean session are live only', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  const phone = await Person.connect(t, broker, 'bob', { clientId: 'phone', ...LASTING })
  await phone.subscribe(LOBBY, 0)
  await phone.leave()
  await alice.say('lobby', 'missed')
  const bob = await back(t, broker)
  await alice.say('lobby', 'live')
  await bob.hears('live')
  t.same(bob.lines, [`${LOBBY} live`])
  t.equal(bob.heard[0]!.qos, 0)
  await bob.leave()

  const clean = await Person.connect(t, broker, 'bob', { clientId: 'phone' })
  await clean.subscribe(LOBBY)
  await clean.leave()
  await alice.say('lobby', 'missed too')
  const lasting = await back(t, broker)
  await alice.say('lobby', 'unheard')
  await lasting.subscribe(LOBBY)
  await alice.say('lobby', 'marker')
  await lasting.hears('marker')
  t.same(lasting.lines, [`${LOBBY} marker`], 'the clean session left nothing')
})

t.test('re-subscribing keeps the cursor, unsubscribing ends it', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  await awayWith(t, broker, [LOBBY])
  await alice.say('lobby', 'missed')
  const bob = await back(t, broker)
  await bob.subscribe(LOBBY)
  await bob.subscribe('rooms/+/messages')
  await bob.hears('missed')
  await alice.say('lobby', 'once')
  await bob.hears('once')
  t.same(bob.lines, [`${LOBBY} missed`, `${LOBBY} once`], 'overlapping filters deliver once')
  await bob.client.unsubscribeAsync(LOBBY)
  await alice.say('lobby', 'by the wildcard')
  await bob.hears('by the wildcard')
  await bob.client.unsubscribeAsync('rooms/+/messages')
  await alice.say('lobby', 'unheard')
  await bob.leave()
  await alice.say('lobby', 'unheard too')
  const again = await back(t, broker)
  await again.subscribe(LOBBY)
  await alice.say('lobby', 'marker')
  await again.hears('marker')
  t.same(again.lines, [`${LOBBY} marker`])
})

t.test('a filter that goes from QoS 0 to 1 starts at the head; overlapping ones deliver at the highest', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  await awayWith(t, broker, [LOBBY])
  const lowering = await back(t, broker)
  await lowering.subscribe(LOBBY, 0)
  await lowering.leave()
  await alice.say('lobby', 'missed')
  const bob = await back(t, broker)
  await bob.subscribe('rooms/lobby/#', 1)
  await alice.say('lobby', 'one')
  await bob.hears('one')
  t.same(
    bob.heard.filter(({ topic }) => topic === LOBBY).map(({ qos, payload }) => [qos, textOf(payload)]),
    [[1, 'one']],
  )
})

t.test('who comes late reads the past in the history; the cursor starts with the joining', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  await Promise.all([1, 2, 3].map((i) => alice.say('lobby', `early ${i}`)))
  await awayWith(t, broker, ['rooms/+/messages'])
  await alice.say('lobby', 'bob is no member yet')
  const laptop = await Person.connect(t, broker, 'bob', { clientId: 'laptop' })
  await laptop.get('rooms.join', { room: 'lobby' })
  await alice.say('lobby', 'welcome')
  const bob = await back(t, broker)
  await bob.hears('welcome')
  t.same(bob.lines, [`${LOBBY} welcome`], 'a wildcard follows a membership that began while it was away')
  t.equal((await bob.get('history', { room: 'lobby' })).messages.length, 5)
})

t.test('the broker stops and starts in the middle: numbers go on, nobody misses a line', async (t) => {
  const broker = await startTestBroker(t)
  const before = await Person.connect(t, broker, 'alice')
  await awayWith(t, broker, [LOBBY, 'users/bob/messages', 'rooms/+/events'])
  const carol = await Person.connect(t, broker, 'carol', LASTING)
  await carol.subscribe(LOBBY)
  for (let i = 1; i <= 20; i++) await before.say('lobby', `a ${i}`)
  await before.tell('bob', 'dm 1')
  await carol.inbox.wait(20)
  // Behind it the broker has heard of her acknowledgements.
  await carol.get('rooms.list')
  await broker.restart()
  const after = await Person.connect(t, broker, 'alice')
  for (let i = 21; i <= 40; i++) await after.say('lobby', `a ${i}`)
  await after.tell('bob', 'dm 2')
  const expected = Array.from({ length: 40 }, (_, i) => i + 1)
  const bob = await back(t, broker)
  const inLobby = await bob.on(LOBBY, 40)
  t.same(
    inLobby.map(({ seq }) => seq),
    expected,
  )
  t.same(
    (await bob.on('users/bob/messages', 2)).map(({ seq, text }) => [seq, text]),
    [
      [1, 'dm 1'],
      [2, 'dm 2'],
    ],
  )
  const again = await Person.connect(t, broker, 'carol', LASTING)
  await again.inbox.wait(20)
  await after.say('lobby', 'marker')
  await again.hears('marker')
  t.same(
    again.inbox.json(LOBBY).map(({ seq }) => seq),
    [...expected.slice(20), 41],
    'what was acknowledged before the stop does not come again',
  )
  const { messages } = await after.get('history', { room: 'lobby' })
  t.same(messages, [...inLobby, ...again.inbox.json(LOBBY).slice(-1)], 'history is what was delivered, byte for byte')
})

t.test('what retention dropped is said to be gone, and a cursor goes on where something is left', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  await awayWith(t, broker, [LOBBY])
  await Promise.all(Array.from({ length: 700 }, (_, i) => alice.say('lobby', `line ${i + 1}`)))
  // Deleting a room moves what was said from the journal to where retention finds it.
  await alice.get('rooms.create', { room: 'brief' })
  await alice.get('rooms.delete', { room: 'brief' })
  const { log } = broker.running.store
  await log.trim('m:lobby', 300)
  const { tail } = await log.open('m:lobby')
  t.ok(tail > 1 && tail <= 301, `the log begins at ${tail}`)
  const bob = await back(t, broker)
  const inLobby = await bob.on(LOBBY, 700 - tail + 1)
  t.same([inLobby[0].seq, inLobby.at(-1).seq], [tail, 700])
  t.equal(broker.running.counters.all()['skipped.retention'], tail - 1)
  const { messages, more } = await bob.get('history', { room: 'lobby', after: tail - 3, limit: 4 })
  t.match(messages, [{ seq: tail - 2, gone: 'retention' }, { seq: tail - 1, gone: 'retention' }, { seq: tail }, {}])
  t.ok(more && messages[2].text)
  const first = await bob.get('history', { room: 'lobby', before: 3 })
  t.same(first, {
    messages: [1, 2].map((seq) => ({ seq, gone: 'retention' })),
    more: false,
  })
})
