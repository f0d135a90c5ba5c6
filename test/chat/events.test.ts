/** Server-sent events: what a subscription would show, where nothing but HTTP passes. */
import { once } from 'node:events'
import net from 'node:net'
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { loadTokenSecret, mintToken } from '../../broker/auth/tokens.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { stillClock } from '../helpers/clock.js'
import { EventReader, type ReaderOptions } from '../helpers/event-reader.js'
import { fetchFrom, httpUrl } from '../helpers/http.js'
import { inTime } from '../helpers/patience.js'
import { Person } from '../helpers/people.js'

const filters = (...list: string[]) =>
  `/v1/events?${new URLSearchParams(list.map((filter): [string, string] => ['filter', filter]))}`

const listen = (t: Test, broker: TestBroker, as: string, path = '/v1/events', options: ReaderOptions = {}) =>
  EventReader.open(t, broker, path, { as, ...options })

t.test('events', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  const bob = await Person.connect(t, broker, 'bob')
  await bob.get('rooms.join', { room: 'lobby' })

  t.test('by default all rooms one is in, and all that is one’s own', async (t) => {
    const reader = await listen(t, broker, 'bob')
    t.equal(reader.response.headers['content-type'], 'text/event-stream; charset=utf-8')
    t.equal(reader.response.headers['cache-control'], 'no-store')
    await alice.say('lobby', 'to all')
    await alice.tell('bob', 'to you')
    await alice.get('rooms.create', { room: 'later' })
    await alice.get('rooms.invite', { room: 'later', user: 'bob' })
    await bob.get('rooms.join', { room: 'later' })
    await alice.say('later', 'new room')
    await reader.until(() => reader.events.some(({ data }) => data.message?.text === 'new room'))
    const topics = reader.events.filter(({ data }) => data.message.text).map(({ data }) => data.topic)
    t.same(topics, ['rooms/lobby/messages', 'users/bob/messages', 'rooms/later/messages'])
    t.match(
      reader.events.find(({ data }) => data.message.text === 'to all'),
      {
        type: 'message',
        data: { topic: 'rooms/lobby/messages', message: { text: 'to all', from: 'alice', seq: 1, room: 'lobby' } },
      },
    )
    t.ok(reader.events.some(({ data }) => data.topic === 'users/bob/events' && data.message.type === 'invited'))
    t.ok(
      reader.events.some(({ data }) => data.topic === 'users/bob/presence'),
      'who is there, at once',
    )
  })

  t.test('the filters one names: moments, bare text, announcements, what is retained', async (t) => {
    const admin = await Person.connect(t, broker, 'root', { roles: ['admin'] })
    await admin.publish('broadcast/news', 'kept', { retain: true })
    const path = filters(
      'rooms/lobby/typing',
      'rooms/lobby/text',
      'rooms/lobby/info',
      'broadcast/+',
      'users/{me}/signals',
    )
    const reader = await listen(t, broker, 'bob', path)
    // That bob joined is told live within a second: perhaps only now.
    const isLiveInfo = ({ topic, retained }: { topic: string; retained?: boolean }) =>
      topic === 'rooms/lobby/info' && !retained
    const told = () => reader.events.map(({ data }) => data).filter((data) => !isLiveInfo(data))
    await reader.until(() => told().length >= 2)
    await alice.publish('rooms/lobby/typing', '{"typing":true}', { qos: 0 })
    await alice.say('lobby', 'as text\nin lines')
    await alice.publish('users/bob/signals', { sdp: 1 }, { qos: 0 })
    await admin.publish('broadcast/news', 'live')
    await reader.until(() => told().length >= 6)
    const shown = told()
    t.equal(shown.length, 6)
    t.match(shown.slice(0, 2), [
      { topic: 'rooms/lobby/info', retained: true, message: { room: 'lobby', members: 2 } },
      { topic: 'broadcast/news', retained: true, message: { text: 'kept' } },
    ])
    t.match(
      shown.find(({ topic }) => topic === 'rooms/lobby/text'),
      { text: 'as text\nin lines' },
    )
    t.match(
      shown.find(({ topic }) => topic === 'rooms/lobby/typing'),
      { message: { user: 'alice', typing: true } },
    )
    t.match(
      shown.find(({ topic }) => topic === 'users/bob/signals'),
      { message: { from: 'alice', data: { sdp: 1 } } },
    )
    t.match(shown.at(-1), { topic: 'broadcast/news', message: { text: 'live' } })
  })

  t.test('overlapping filters deliver once', async (t) => {
    const reader = await listen(t, broker, 'bob', filters('rooms/+/messages', 'rooms/lobby/messages', 'rooms/lobby/#'))
    await alice.say('lobby', 'one')
    await alice.say('lobby', 'two')
    t.same((await reader.texts(3)).slice(1), ['one', 'two'], 'behind the room’s info')
  })

  t.test('what may not be asked for', async (t) => {
    await alice.get('rooms.create', { room: 'secret', access: 'private' })
    const refused: [string, number, string][] = [
      [filters('rooms/secret/messages'), 404, 'not_found'],
      [filters('users/alice/messages'), 403, 'forbidden'],
      [filters('users/alice/presence'), 403, 'forbidden'],
      [filters('factory/#'), 403, 'forbidden'],
      [filters('$SYS/#'), 403, 'forbidden'],
      [filters('rooms/lobby/messages', '#/a'), 400, 'bad_request'],
      [filters('rooms/lobby/nothing'), 400, 'bad_request'],
      [filters('$share/g/rooms/lobby/messages'), 400, 'bad_request'],
      ['/v1/events?filer=x', 400, 'bad_request'],
    ]
    for (const [path, status, code] of refused)
      t.match(await fetchFrom(broker, path, { as: 'bob' }), { status, body: { code } }, path)
    t.match(await fetchFrom(broker, '/v1/events'), { status: 401 })
    t.match(await fetchFrom(broker, '/v1/events', { as: 'bob', method: 'HEAD' }), { status: 405 })
  })

  t.test('a public room is not joined by looking', async (t) => {
    const { status, body } = await fetchFrom(broker, filters('rooms/lobby/messages'), { as: 'carol' })
    t.match([status, body], [403, { code: 'forbidden', detail: /rooms\.join/ }])
  })

  t.test('EventSource sets no header: the token may be in the address, here alone', async (t) => {
    const token = await broker.token('bob')
    await EventReader.open(t, broker, `/v1/events?access_token=${token}`)
    t.equal((await fetchFrom(broker, `/v1/rooms?access_token=${token}`)).status, 401)
  })

  t.test('hooks may refuse a filter, and each message', async (t) => {
    const { aedes } = broker.running
    const { authorizeSubscribe, authorizeForward } = aedes
    t.teardown(() => Object.assign(aedes, { authorizeSubscribe, authorizeForward }))
    aedes.authorizeForward = (_client, packet) => (String(packet.payload).includes('unseen') ? null : packet)
    const reader = await listen(t, broker, 'bob', filters('rooms/lobby/messages'))
    for (const text of ['seen', 'unseen', 'seen again']) await alice.say('lobby', text)
    t.same(await reader.texts(2), ['seen', 'seen again'])
    aedes.authorizeSubscribe = (_client, _subscription, done) => done(new Error('no'), null)
    t.match(await fetchFrom(broker, '/v1/events', { as: 'bob' }), { status: 403, body: { code: 'forbidden' } })
  })
})

t.test('who comes back with Last-Event-ID gets what was missed, once and in order', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  const bob = await Person.connect(t, broker, 'bob')
  for (const room of ['a', 'b', 'quiet']) {
    await alice.get('rooms.create', { room })
    await bob.get('rooms.join', { room })
  }
  const path = filters('rooms/+/messages', 'users/{me}/messages')
  const again = (lastId: string, other = path) =>
    listen(t, broker, 'bob', other, { headers: { 'last-event-id': lastId } })
  const first = await listen(t, broker, 'bob', path)
  const before = first.lastId
  await alice.say('a', 'a1')
  await first.texts(1)
  first.response.destroy()
  for (const text of ['a2', 'a3']) await alice.say('a', text)
  await alice.say('quiet', 'q1')
  await alice.tell('bob', 'd1')

  t.test('in every log, also in those that were quiet and those that are new', async (t) => {
    const second = await again(first.lastId)
    t.same((await second.texts(4)).sort(), ['a2', 'a3', 'd1', 'q1'])
    const texts = await second.texts(4)
    t.ok(texts.indexOf('a2') < texts.indexOf('a3'))
    await alice.say('a', 'a4')
    t.equal((await second.texts(5))[4], 'a4', 'and goes on')
    const third = await again(second.lastId)
    await alice.say('b', 'b1')
    t.same(await third.texts(1), ['b1'], 'nothing twice')
  })

  t.test('also who had got nothing yet', async (t) => {
    const reader = await again(before)
    t.same((await reader.texts(7)).sort(), ['a1', 'a2', 'a3', 'a4', 'b1', 'd1', 'q1'])
  })

  t.test('an id that is not ours begins now, and so does what an id of other filters does not name', async (t) => {
    const few = await listen(t, broker, 'bob', filters('rooms/b/messages'))
    for (const id of ['garbage', few.lastId]) {
      const reader = await again(id)
      await alice.say('a', `now ${id}`)
      t.same(await reader.texts(1), [`now ${id}`])
    }
  })

  t.test('what was deleted meanwhile is not among it', async (t) => {
    const here = await listen(t, broker, 'bob', path)
    here.response.destroy()
    const said = await alice.get('send', { room: 'b', text: 'oops' })
    await alice.get('send', { room: 'b', type: 'delete', target: said.seq })
    await alice.say('b', 'well')
    t.same(await (await again(here.lastId)).texts(2), ['delete', 'well'])
  })

  t.test('nobody reads with it what is not theirs', async (t) => {
    await alice.get('rooms.create', { room: 'private', access: 'private' })
    await alice.say('private', 'secret')
    const reader = await again(`${before} m:private=0`)
    await alice.say('b', 'open')
    await reader.until(() => reader.events.some(({ data }) => data.message.text === 'open'))
    t.notOk(reader.events.some(({ data }) => data.message.text === 'secret'))
    const carol = await Person.connect(t, broker, 'carol')
    await carol.get('rooms.join', { room: 'b' })
    const late = await listen(t, broker, 'carol', path, {
      headers: { 'last-event-id': `${before.split(' ')[0]} m:b=0` },
    })
    await alice.say('b', 'after the join')
    t.same(await late.texts(1), ['after the join'], 'nor what was before the join')
  })

  t.test('what is too much to replay is a gap that says so', async (t) => {
    const away = await listen(t, broker, 'bob', filters('rooms/b/messages'))
    // Its id names the room, and not a time alone, which would have to be found among the thousand.
    await alice.say('b', 'before')
    await away.texts(1)
    away.response.destroy()
    const { body } = await fetchFrom(broker, '/v1/rooms/b/messages?limit=1', { as: 'bob' })
    const last: number = body.messages[0].seq
    await Promise.all(Array.from({ length: 1003 }, (_, i) => alice.say('b', `m${i}`)))
    const reader = await again(away.lastId, filters('rooms/b/messages'))
    const texts = await reader.texts(1000)
    t.match(reader.events[0], { type: 'gap', data: { topic: 'rooms/b/messages', after: last, next: last + 4 } })
    t.equal(reader.events[1]!.data.message.seq, last + 4)
    t.equal(new Set(texts).size, 1000)
  })

  t.test('across a restart of the broker', async (t) => {
    const reader = await listen(t, broker, 'bob', path)
    await broker.restart()
    await reader.end()
    await fetchFrom(broker, '/v1/rooms/a/messages', { method: 'POST', as: 'alice', body: { text: 'meanwhile' } })
    t.same(await (await again(reader.lastId)).texts(1), ['meanwhile'])
  })
})

t.test('a position says all, however many logs there are and whatever became of them', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const alice = await Person.connect(t, broker, 'alice')
  const bob = await Person.connect(t, broker, 'bob')
  const path = filters('rooms/+/messages')
  const make = async (room: string) => {
    await alice.get('rooms.create', { room })
    await bob.get('rooms.join', { room })
  }
  const back = (lastId: string) => listen(t, broker, 'bob', path, { headers: { 'last-event-id': lastId } })
  const roomsOf = ({ events }: EventReader) => new Set(events.map(({ data }) => data.topic.split('/')[1]))

  t.test('of more rooms than an id has room for each is told of', async (t) => {
    const rooms = Array.from({ length: 150 }, (_, i) => `a-room-with-a-typical-name-${i}`)
    for (const room of rooms) await make(room)
    await Promise.all(rooms.map((room) => alice.say(room, 'before')))
    const first = await listen(t, broker, 'bob', path)
    t.ok(first.lastId.length <= 2000, 'an id stays short')
    first.response.destroy()
    await Promise.all(rooms.map((room) => alice.say(room, 'missed')))
    const second = await back(first.lastId)
    await second.until(() => roomsOf(second).size === rooms.length)
    const missed = () => second.events.filter(({ data }) => data.message?.text === 'missed')
    await second.until(() => missed().length === rooms.length)
    t.equal(missed().length, rooms.length, 'once each')
  })

  t.test('an id of before, which was cut short, is told as gaps of the rest', async (t) => {
    const { lastId } = await listen(t, broker, 'bob', path)
    const reader = await back(`${lastId.slice(0, 8)} m:a-room-with-a-typical-name-0=2 +`)
    await reader.until(() => roomsOf(reader).size === 149)
    t.ok(reader.events.every(({ type }) => type === 'gap'))
    t.notOk(roomsOf(reader).has('a-room-with-a-typical-name-0'))
  })

  t.test('a room that was made anew begins at its beginning', async (t) => {
    const anew = async () => {
      await alice.get('rooms.create', { room: 'tea' })
      await carol.get('rooms.join', { room: 'tea' })
    }
    const carol = await Person.connect(t, broker, 'carol')
    await anew()
    for (let i = 1; i <= 3; i++) await alice.say('tea', `old ${i}`)
    const wide = await listen(t, broker, 'carol', path)
    const narrow = await listen(t, broker, 'carol', filters('rooms/tea/messages'))
    await alice.say('tea', 'old 4')
    await wide.texts(1)
    await narrow.texts(1)
    for (const { response } of [wide, narrow]) response.destroy()
    await alice.get('rooms.delete', { room: 'tea' })
    await anew()
    const comeBack = ({ lastId }: EventReader, to: string) =>
      listen(t, broker, 'carol', to, { headers: { 'last-event-id': lastId } })
    const whole = ['new 1', 'new 2', 'new 3', 'new 4', 'new 5']
    for (const text of whole) await alice.say('tea', text)
    const gap = { type: 'gap', data: { topic: 'rooms/tea/messages', after: 0, next: 1, reset: true } }
    for (const [reader, to] of [
      [wide, path],
      [narrow, filters('rooms/tea/messages')],
    ] as const) {
      const again = await comeBack(reader, to)
      t.same(await again.texts(5), whole)
      t.match(again.events[0], gap)
    }
    // Times decide nothing where the id says of which log its number is.
    const ahead = { ...narrow, lastId: narrow.lastId.replace(/@[0-9a-z]+/, `@${(Date.now() + 60_000).toString(36)}`) }
    const again = await comeBack(ahead as EventReader, filters('rooms/tea/messages'))
    t.same(await again.texts(5), whole)
    t.match(again.events[0], gap)
  })

  t.test('a position in a store that was restored since is void', async (t) => {
    await make('den')
    const den = filters('rooms/den/messages')
    const returned = (lastId: string) => listen(t, broker, 'bob', den, { headers: { 'last-event-id': lastId } })
    const reader = await listen(t, broker, 'bob', den)
    await alice.say('den', 'one')
    await reader.texts(1)
    reader.response.destroy()
    await alice.say('den', 'two')
    t.same(await (await returned(reader.lastId)).texts(1), ['two'])
    const former = await returned(reader.lastId.replace(/![0-9a-f]{8}/, '!00000000'))
    t.same(await former.texts(2), ['one', 'two'])
    t.match(former.events[0], { type: 'gap', data: { reset: true } })
    const older = reader.lastId.replace(/![0-9a-f]{8}/, '').replace(/\.[0-9a-z]+/, '')
    t.same(await (await returned(older)).texts(1), ['two'], 'an id of an earlier version')
  })
})

t.test('authorisation is in time', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  const bob = await Person.connect(t, broker, 'bob')
  await alice.get('rooms.create', { room: 'club', access: 'private' })
  await alice.get('rooms.invite', { room: 'club', user: 'bob' })
  await bob.get('rooms.join', { room: 'club' })

  t.test('a room that was left is silent from then on', async (t) => {
    const reader = await listen(
      t,
      broker,
      'bob',
      filters('rooms/+/messages', 'rooms/club/messages', 'users/{me}/messages'),
    )
    await alice.say('club', 'inside')
    await reader.texts(1)
    await alice.get('rooms.remove', { room: 'club', user: 'bob' })
    await alice.say('club', 'among us')
    await alice.tell('bob', 'sorry')
    t.same(await reader.texts(2), ['inside', 'sorry'])
  })

  t.test('the end of a token ends the stream within a second', async (t) => {
    // Until the stream is open.
    const clock = stillClock(t)
    const broker = await startTestBroker(t)
    const secret = await loadTokenSecret(broker.config.auth.jwt, broker.dataDir)
    const reader = await EventReader.open(t, broker, '/v1/events', {
      token: await mintToken(secret, 'bob', { ttl: 2 }),
    })
    const [, payload] = (await mintToken(secret, 'bob', { ttl: 2 })).split('.')
    const { exp } = JSON.parse(Buffer.from(payload!, 'base64url').toString())
    const left = exp * 1000 - Date.now()
    clock.goOn()
    await inTime(reader.end(), 20, () => new Error('it goes on a second after the end'), left)
    t.equal(broker.running.counters.get('streams.token_expired'), 1)
  })

  t.test('a logout ends it at once', async (t) => {
    await callAdmin(broker.dataDir, 'user.add', { name: 'dora', password: 'dora-pw' })
    const reader = await listen(t, broker, 'dora')
    await callAdmin(broker.dataDir, 'user.passwd', { name: 'dora', password: 'other-pw' })
    await reader.end()
    t.equal(broker.running.counters.get('streams.logged_out'), 1)
  })
})

t.test('bounds', async (t) => {
  const broker = await startTestBroker(t, { listen: { eventPing: '1s' }, limits: { subscriptions: 3 } })
  const alice = await Person.connect(t, broker, 'alice')
  const bob = await Person.connect(t, broker, 'bob')
  for (const person of [alice, bob]) await person.get('rooms.join', { room: 'lobby' })

  t.test('what is idle is kept open with comments', async (t) => {
    const reader = await listen(t, broker, 'bob')
    await reader.until(() => reader.comments >= 2)
    t.notOk(reader.ended)
  })

  t.test('a reader that stands still is cut off, and holds up nobody', async (t) => {
    const reader = await listen(t, broker, 'alice', filters('rooms/lobby/messages'))
    const socket = net.connect(Number(new URL(httpUrl(broker)).port), '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.write(
      `GET ${filters('rooms/lobby/messages')} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await broker.token('bob')}\r\n\r\n`,
    )
    await once(socket, 'readable')
    const { counters } = broker.running
    const text = 'x'.repeat(60_000)
    let sent = 0
    // The kernel takes some megabytes before anything waits.
    for (; counters.get('streams.slow_reader') === 0 && sent < 2000; sent++) await alice.say('lobby', text)
    t.equal(counters.get('streams.slow_reader'), 1)
    t.equal((await reader.texts(sent)).length, sent)
  })

  t.test('what was committed together is written in pages', async (t) => {
    const reader = await listen(t, broker, 'alice', filters('rooms/lobby/messages'))
    const { store } = broker.running
    const commit = store.commit.bind(store)
    const held: Parameters<typeof commit>[0][] = []
    store.commit = (change) => {
      held.push(change)
      if (held.length < 10) return
      store.commit = commit
      for (const one of held) commit(one)
    }
    const read = store.log.read.bind(store.log)
    let pages = 0
    store.log.read = (...asked) => {
      if (asked[0] === 'm:lobby') pages++
      return read(...asked)
    }
    const texts = Array.from({ length: 10 }, (_, i) => `${i}${'x'.repeat(30_000)}`)
    await Promise.all(texts.map((text) => alice.say('lobby', text)))
    t.strictSame(await reader.texts(10), texts)
    store.log.read = read
    t.ok(pages >= 5, `${pages} pages`)
  })

  t.test('filters and streams of one user are counted', async (t) => {
    t.match(await fetchFrom(broker, filters('a', 'b', 'c', 'd'), { as: 'bob' }), {
      status: 413,
      body: { field: 'filter' },
    })
    const open = await Promise.all(Array.from({ length: 32 }, () => listen(t, broker, 'erin')))
    t.match(await fetchFrom(broker, '/v1/events', { as: 'erin' }), {
      status: 429,
      body: { code: 'rate_limited' },
    })
    open[0]!.response.destroy()
    const { counters } = broker.running
    while (counters.get('streams.client_gone') === 0) await new Promise(setImmediate)
    await listen(t, broker, 'erin')
  })

  t.test('streams end at once when the broker stops', async (t) => {
    const reader = await listen(t, broker, 'bob')
    // Requests under way would have five seconds.
    await inTime(broker.running.close(), 80, () => new Error('it waits for the stream'))
    await reader.end()
    await broker.restart()
  })
})
