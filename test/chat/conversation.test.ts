/** One conversation as people have it, with the clients they have: mosquitto, MQTT.js over TCP, MQTT.js over WebSocket. */
import t from 'tap'
import { serveHttp, startTestBroker } from '../helpers/broker.js'
import { type Login, login, MosquittoSub, mosquitto } from '../helpers/mosquitto.js'
import { Person, textOf } from '../helpers/people.js'
import { awayWith, back } from '../helpers/phone.js'

serveHttp()

const LOBBY = 'rooms/lobby/messages'
const LASTING = { clean: false } as const

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
