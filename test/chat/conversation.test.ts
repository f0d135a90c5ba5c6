/** One conversation as people have it, with the clients they have: mosquitto, MQTT.js over TCP, MQTT.js over WebSocket. */
import t, { type Test } from 'tap'
import { serveHttp, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { type Login, MosquittoSub, mosquitto } from '../helpers/mosquitto.js'
import { Person, type PersonOptions, textOf } from '../helpers/people.js'

serveHttp()

const LOBBY = 'rooms/lobby/messages'
const LASTING = { clean: false } as const

async function login(broker: TestBroker, user: string): Promise<Login> {
  return { port: broker.port, user, password: await broker.token(user) }
}

/** A device of bob's that was there once, with its subscriptions, and is away now. */
async function awayWith(t: Test, broker: TestBroker, filters: string[], options: PersonOptions = {}): Promise<void> {
  const phone = await Person.connect(t, broker, 'bob', { clientId: 'phone', ...LASTING, ...options })
  t.notOk((await phone.subscribe(filters)).includes(0x80))
  await phone.leave()
}

const back = (t: Test, broker: TestBroker): Promise<Person> =>
  Person.connect(t, broker, 'bob', { clientId: 'phone', ...LASTING })

t.test(
  'three kinds of clients in a public, a private and a direct conversation see one order [MQTT-7.0.0-2, MQTT-7.1.1-1]',
  async (t) => {
    const broker = await startTestBroker(t)
    const alice = await Person.connect(t, broker, 'alice')
    const bob = await Person.connect(t, broker, 'bob', { ws: true })
    const mosquitto = await login(broker, 'carol')
    const carol = await MosquittoSub.start(t, mosquitto, [
      '-q',
      '1',
      '-i',
      'c',
      '-t',
      LOBBY,
      '-t',
      'users/carol/messages',
    ])
    t.same(carol.granted, [1, 1])
    await alice.get('rooms.create', { room: 'den', access: 'private' })
    await alice.get('rooms.invite', { room: 'den', user: 'bob' })
    await bob.get('rooms.join', { room: 'den' })
    await alice.subscribe([LOBBY, 'rooms/den/messages', 'users/alice/messages'])
    await bob.subscribe([LOBBY, 'rooms/den/messages', 'users/bob/messages'])

    const all: Promise<unknown>[] = []
    for (let i = 0; i < 30; i++) {
      all.push(alice.say('lobby', `alice ${i}`), bob.say('lobby', { text: `bob ${i}`, data: { i } }))
      all.push(alice.say('den', `den ${i}`), bob.tell('carol', `psst ${i}`))
    }
    all.push(mosquittoLines(mosquitto, LOBBY, 30))
    await Promise.all(all)

    const inLobby = (await alice.on(LOBBY, 90)) as { seq: number; id: string; from: string; text: string }[]
    t.same(
      inLobby.map(({ seq }) => seq),
      Array.from({ length: 90 }, (_, i) => i + 1),
      'dense from 1',
    )
    t.same(await bob.on(LOBBY, 90), inLobby)
    const heard = await carol.wait(90, ({ topic }) => topic === LOBBY)
    t.same(
      heard.map(({ payload }) => JSON.parse(payload)),
      inLobby,
    )
    for (const from of ['alice', 'bob', 'carol']) {
      const said = inLobby.filter((message) => message.from === from).map(({ text }) => text)
      t.same(
        said,
        Array.from({ length: 30 }, (_, i) => `${from} ${i}`),
        `${from} in the order of saying`,
      )
    }
    t.same(await alice.on('rooms/den/messages', 30), await bob.on('rooms/den/messages', 30))

    const psst = await carol.wait(30, ({ topic }) => topic === 'users/carol/messages')
    const echo = await bob.on('users/bob/messages', 30)
    t.same(
      psst.map(({ payload }) => JSON.parse(payload)),
      echo,
      'the sender gets the same messages as the receiver, each on a topic of his own',
    )
    t.match(echo[29], { room: 'dm:bob:carol', seq: 30, from: 'bob', to: 'carol', type: 'text', text: 'psst 29' })
    t.notOk(alice.lines.some((line) => line.includes('psst')))
    t.equal(new Set([...inLobby, ...echo].map(({ id }) => id)).size, 120)
  },
)

function mosquittoLines(login: Login, topic: string, count: number) {
  const lines = Array.from({ length: count }, (_, i) => `carol ${i}`).join('\n')
  return mosquitto('pub', login, ['-q', '1', '-t', topic, '-l'], `${lines}\n`)
}

t.test('what a message looks like', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  await alice.subscribe(LOBBY)
  const before = Date.now()
  await alice.say('lobby', 'plain "text"')
  await alice.say('lobby', { cid: 'c-1', text: 'hi', data: { n: 1 }, replyTo: 1, thread: 1, mentions: ['@bob'] })
  await alice.say('lobby', { temp: 21.5 })
  await alice.say('lobby', '[1,2]')
  const attachment = { type: 'image', url: 'https://x/y.png', name: 'y.png', mime: 'image/png', size: 3, width: 7 }
  await alice.say('lobby', { attachments: [attachment] })
  const seen = await alice.on(LOBBY, 5)
  for (const [i, { id, ts }] of seen.entries()) {
    t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    t.ok(ts >= before && ts <= Date.now())
    delete seen[i].id
    delete seen[i].ts
  }
  const common = { room: 'lobby', from: 'alice' }
  t.same(seen, [
    { ...common, seq: 1, type: 'text', text: 'plain "text"' },
    {
      ...common,
      seq: 2,
      type: 'text',
      cid: 'c-1',
      text: 'hi',
      data: { n: 1 },
      replyTo: 1,
      thread: 1,
      mentions: ['@bob'],
    },
    { ...common, seq: 3, type: 'custom', data: { temp: 21.5 } },
    { ...common, seq: 4, type: 'text', text: '[1,2]' },
    { ...common, seq: 5, type: 'text', attachments: [attachment] },
  ])
})

t.test(
  'a retry with the same cid is one message, also after a restart; with other words it is a conflict',
  async (t) => {
    const broker = await startTestBroker(t)
    const alice = await Person.connect(t, broker, 'alice')
    const bob = await Person.connect(t, broker, 'bob')
    await bob.subscribe([LOBBY, 'users/bob/messages'])
    await alice.get('rooms.create', { room: 'den' })

    const first = await alice.send(LOBBY, { cid: 'c', text: 'once' })
    t.match(first, { re: 'c', method: 'send', ok: true, result: { room: 'lobby', seq: 1 } })
    t.same(await alice.send(LOBBY, { cid: 'c', text: 'once' }), first)
    t.same(await alice.send(LOBBY, { text: 'once', type: 'text', cid: 'c' }), first, 'spelt differently')
    t.match(await alice.send(LOBBY, { cid: 'c', text: 'twice' }), {
      re: 'c',
      ok: false,
      error: { code: 'conflict', field: 'cid' },
    })
    t.match(await alice.send('rooms/den/messages', { cid: 'c', text: 'twice' }), { ok: true, result: { seq: 1 } })
    t.match(await bob.send(LOBBY, { cid: 'c', text: 'mine' }), { ok: true, result: { seq: 2 } })
    t.match(await alice.send('users/bob/messages', { cid: 'c', text: 'dm' }), {
      result: { room: 'dm:alice:bob', seq: 1 },
    })
    t.match(await alice.send('users/bob/messages', { cid: 'c', text: 'dm' }), {
      result: { room: 'dm:alice:bob', seq: 1 },
    })

    await broker.restart()
    const again = await Person.connect(t, broker, 'alice', { ws: true })
    t.same(await again.send(LOBBY, { cid: 'c', text: 'once' }), first)
    t.match(await again.send(LOBBY, { cid: 'c', text: 'other' }), { error: { code: 'conflict' } })
    t.match(await again.send(LOBBY, { text: 'next' }), { result: { seq: 3 } })
    const { messages } = await again.get('history', { room: 'lobby' })
    t.same(
      messages.map(({ text }: { text: string }) => text),
      ['once', 'mine', 'next'],
    )
  },
)

t.test('ten retries at the same moment, over two sessions, are one message', async (t) => {
  const broker = await startTestBroker(t)
  const phone = await Person.connect(t, broker, 'alice', { clientId: 'phone' })
  const laptop = await Person.connect(t, broker, 'alice', { clientId: 'laptop', ws: true })
  const retry = (person: Person) => person.publish(LOBBY, { cid: 'x', text: 'hi' })
  await phone.subscribe('users/alice/replies')
  await laptop.subscribe('users/alice/replies')
  await Promise.all([phone, laptop].flatMap((person) => Array.from({ length: 5 }, () => retry(person))))
  await phone.inbox.wait(5)
  await laptop.inbox.wait(5)
  for (const { result } of [...phone.replies, ...laptop.replies]) t.equal(result.seq, 1)
  t.equal((await phone.get('history', { room: 'lobby' })).messages.length, 1)
})

t.test('results go to the session that asked, else to those of the user that listen', async (t) => {
  const broker = await startTestBroker(t)
  const phone = await Person.connect(t, broker, 'alice', { clientId: 'phone' })
  const laptop = await Person.connect(t, broker, 'alice', { clientId: 'laptop' })
  const bob = await Person.connect(t, broker, 'bob')
  await bob.subscribe('users/bob/replies')
  await laptop.subscribe('users/alice/replies')
  await phone.publish(LOBBY, { cid: 'deaf', text: 'hi' })
  await laptop.inbox.wait(1)
  t.match(laptop.replies, [{ re: 'deaf', method: 'send', ok: true, result: { room: 'lobby', seq: 1 } }])
  await phone.subscribe('users/alice/replies')
  await phone.publish(LOBBY, { cid: 'mine', text: 'hi' })
  await phone.inbox.wait(1)
  await laptop.publish(LOBBY, { cid: 'yours', text: 'hi' })
  await laptop.inbox.wait(2)
  t.same(
    [phone, laptop].map(({ replies }) => replies.map(({ re }) => re)),
    [['mine'], ['deaf', 'yours']],
  )
  await laptop.publish(LOBBY, 'no cid, no answer')
  await laptop.publish('rooms/none/messages', 'no cid, refused')
  await laptop.publish('rooms/none/messages', { cid: 'z', text: 'refused' })
  await laptop.inbox.wait(4)
  t.match(laptop.replies.slice(2), [
    { re: null, method: 'send', ok: false, topic: 'rooms/none/messages', error: { code: 'not_found' } },
    { re: 'z', method: 'send', ok: false, error: { code: 'not_found' } },
  ])
  t.notOk('topic' in laptop.replies[3])
  t.same(bob.replies, [])
})

t.test('history is asked for by number, in pages, in both directions', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  await alice.get('rooms.join', { room: 'lobby' })
  t.same(await alice.get('history', { room: 'lobby' }), { messages: [], more: false })
  t.same(await alice.get('history', { room: '@bob' }), { messages: [], more: false }, 'nothing was said yet')
  t.same(await alice.get('history', { room: 'dm:alice:bob' }), { messages: [], more: false })
  await Promise.all(Array.from({ length: 120 }, (_, i) => alice.say('lobby', `line ${i + 1}`)))
  const page = async (params: object) => {
    const { messages, more } = await alice.get('history', { room: 'lobby', ...params })
    const seqs = messages.map(({ seq }: { seq: number }) => seq)
    return [seqs[0], seqs.at(-1), seqs.length, more]
  }
  t.same(await page({}), [71, 120, 50, true])
  t.same(await page({ limit: 1000 }), [1, 120, 120, false])
  t.same(await page({ before: 71 }), [21, 70, 50, true])
  t.same(await page({ before: 21 }), [1, 20, 20, false])
  t.same(await page({ before: 1 }), [undefined, undefined, 0, false])
  t.same(await page({ before: 9999, limit: 2 }), [119, 120, 2, true])
  t.same(await page({ after: 0, limit: 100 }), [1, 100, 100, true])
  t.same(await page({ after: 100 }), [101, 120, 20, false])
  t.same(await page({ after: 120 }), [undefined, undefined, 0, false])
  t.same(await page({ after: 10, before: 14 }), [11, 13, 3, false])
  t.same(await page({ after: 10, before: 14, limit: 2 }), [11, 12, 2, true])
  t.same(await page({ after: 10, maxBytes: 1 }), [11, 11, 1, true], 'at least one message')
  t.same(await page({ before: 10, maxBytes: 1 }), [9, 9, 1, true])
  for (const [params, fault] of [
    [{ limit: 0 }, 'bad_request limit'],
    [{ limit: 1001 }, 'bad_request limit'],
    [{ before: 0 }, 'bad_request before'],
    [{ after: -1 }, 'bad_request after'],
    [{ after: 1.5 }, 'bad_request after'],
    [{ since: 1 }, 'bad_request since'],
    [{ room: 'no/room' }, 'bad_request room'],
    [{ room: 'nowhere' }, 'not_found room'],
    [{ room: '@a b' }, 'bad_request room'],
    [{ room: 'dm:bob:carol' }, 'not_found room'],
    [{ room: 'dm:bob:alice' }, 'bad_request room'],
  ] as const)
    t.equal(await alice.fails('history', { room: 'lobby', ...params }), fault, JSON.stringify(params))
})

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

t.test('the sender hears himself on all sessions; nobody else hears what is direct', async (t) => {
  const broker = await startTestBroker(t)
  const phone = await Person.connect(t, broker, 'alice', { clientId: 'phone' })
  const laptop = await Person.connect(t, broker, 'alice', { clientId: 'laptop', ws: true })
  const carol = await Person.connect(t, broker, 'carol')
  await Person.connect(t, broker, 'bob')
  for (const person of [phone, laptop]) await person.subscribe(['users/alice/messages', LOBBY])
  await carol.subscribe(['users/carol/messages', 'users/+/messages', 'users/#', 'rooms/#', LOBBY])
  await phone.tell('bob', 'to bob')
  await phone.say('lobby', 'to all')
  for (const person of [phone, laptop]) {
    await person.hears('to all')
    await person.hears('to bob')
    t.same([...person.lines].sort(), [`${LOBBY} to all`, 'users/alice/messages to bob'])
  }
  await carol.hears('to all')
  t.notOk(carol.lines.some((line) => line.includes('to bob')))
})

t.test('bare text goes both ways for very small clients', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  const tiny = await MosquittoSub.start(t, await login(broker, 'tiny'), [
    '-i',
    'tiny',
    '-q',
    '1',
    '-t',
    'rooms/lobby/text',
  ])
  await alice.subscribe(LOBBY)
  await alice.say('lobby', { text: 'hello {tiny}', data: 1 })
  await alice.say('lobby', { temp: 21.5 })
  await alice.say('lobby', { attachments: [{ type: 'file', url: 'https://x' }] })
  await mosquitto('pub', await login(broker, 'tiny'), [
    '-q',
    '1',
    '-t',
    'rooms/lobby/text',
    '-m',
    '{"text":"verbatim"}',
  ])
  const heard = await tiny.wait(3)
  t.same(
    heard.map(({ topic, payload }) => `${topic} ${payload}`),
    ['hello {tiny}', '{"temp":21.5}', '{"text":"verbatim"}'].map((text) => `rooms/lobby/text ${text}`),
    'a message without text or data has no bare text',
  )
  const [, , , last] = await alice.on(LOBBY, 4)
  t.match(last, { seq: 4, from: 'tiny', type: 'text', text: '{"text":"verbatim"}' })

  const both = await Person.connect(t, broker, 'both', LASTING)
  await both.subscribe(['rooms/lobby/text', 'rooms/lobby/+'])
  await both.leave()
  await alice.say('lobby', 'away')
  const again = await Person.connect(t, broker, 'both', LASTING)
  await again.inbox.wait(2)
  await alice.say('lobby', 'live')
  await again.inbox.wait(2, ({ payload }) => textOf(payload) === 'live')
  t.same([...again.lines.filter((line) => !line.includes('/events'))].sort(), [
    `${LOBBY} away`,
    `${LOBBY} live`,
    'rooms/lobby/text away',
    'rooms/lobby/text live',
  ])
})

t.test('QoS 0 messages are in the log like all others, and are delivered at QoS 0', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  await awayWith(t, broker, [LOBBY])
  await alice.publish(LOBBY, 'zero', { qos: 0 })
  await alice.publish(LOBBY, 'one', { qos: 1 })
  await alice.publish(LOBBY, 'two', { qos: 2 })
  const { messages } = await alice.get('history', { room: 'lobby' })
  t.same(
    messages.map(({ seq, text }: { seq: number; text: string }) => [seq, text]),
    [
      [1, 'zero'],
      [2, 'one'],
      [3, 'two'],
    ],
  )
  const bob = await back(t, broker)
  await bob.inbox.wait(3)
  t.same(
    bob.heard.map(({ qos, payload }) => [qos, textOf(payload)]),
    [
      [0, 'zero'],
      [1, 'one'],
      [1, 'two'],
    ],
    'the minimum of both',
  )
  await bob.subscribe(LOBBY, 2)
  await alice.publish(LOBBY, 'two again', { qos: 2 })
  await bob.hears('two again')
  t.equal(bob.heard.at(-1)!.qos, 2)
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
