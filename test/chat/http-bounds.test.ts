/** What a request over HTTP may hold and take. */
import { once } from 'node:events'
import http, { get } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { EventReader } from '../helpers/event-reader.js'
import { fetchFrom, httpUrl } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

t.test('sync carries back what it answered of many rooms, through both doors', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off', payloadBytes: 4096, syncBytes: 20_000 } })
  const ann = await Person.connect(t, broker, 'ann')
  for (let i = 0; i < 60; i++) await ann.get('rooms.create', { room: `room-${i}` })
  const { epoch, rooms } = await ann.get('sync')
  const known = Object.fromEntries(rooms.map(({ room, at }: { room: string; at: object }) => [room, at]))
  const again = { epoch, rooms: known }
  t.ok(JSON.stringify(again).length > 4096)
  t.equal((await ann.get('sync', again)).rooms.length, rooms.length)
  const sync = (body: object) => fetchFrom(broker, '/v1/sync', { method: 'POST', as: 'ann', body })
  t.equal((await sync(again)).body.rooms.length, rooms.length)
  const much = await sync({
    epoch,
    rooms: { ...known, ...Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`not-mine-${i}`, { seq: 1 }])) },
  })
  t.match(much, { status: 413, body: { detail: /limits\.syncBytes/ } })
  const other = await fetchFrom(broker, '/v1/rooms', {
    method: 'POST',
    as: 'ann',
    body: { room: 'x', topic: 'x'.repeat(5000) },
  })
  t.match(other, { status: 413, body: { detail: /limits\.payloadBytes/ } })
})

t.test('send takes a direct conversation by each of its names', async (t) => {
  const broker = await startTestBroker(t)
  const ann = await Person.connect(t, broker, 'ann')
  await Person.connect(t, broker, 'bo')
  const first = await ann.get('send', { room: '@bo', text: 'hi', cid: 'k1' })
  t.equal(first.room, 'dm:ann:bo')
  t.same(await ann.get('send', { room: first.room, text: 'hi', cid: 'k1' }), first, 'the same message')
  const { seq } = await ann.get('send', { room: 'dm:ann:bo', type: 'edit', target: first.seq, text: 'hello' })
  t.equal(seq, first.seq + 1)
})

t.test('an encoding of a body that is not undone is refused, and numbers that would be others', async (t) => {
  const broker = await startTestBroker(t)
  const post = (body: string, headers = {}) =>
    fetchFrom(broker, '/v1/rooms/lobby/messages', {
      method: 'POST',
      as: 'ann',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    })
  const encoded = await post('{"text":"plain"}', { 'content-encoding': 'gzip' })
  t.equal(encoded.status, 415)
  t.equal(encoded.headers.get('accept-encoding'), 'identity')
  t.equal((await post('{"text":"plain"}', { 'content-encoding': 'identity' })).status, 201)
  t.match(await post('{"type":"custom","data":{"id":9007199254740993}}'), { status: 400, body: { field: 'id' } })
})

t.test('streams that are asked for at once, or by who is gone already, are counted', async (t) => {
  const broker = await startTestBroker(t, { limits: { eventStreamsPerUser: 2 } })
  const { aedes } = broker.running
  let asked: (() => void)[] = []
  aedes.authorizeSubscribe = (_client, subscription, done) => void asked.push(() => done(null, subscription))
  const allAsked = async (count: number): Promise<void> => {
    while (asked.length < count) await nextTurn()
    for (const go of asked) go()
    asked = []
  }
  const path = '/v1/events?filter=users/{me}/events'
  const five = Array.from({ length: 5 }, () => EventReader.open(t, broker, path, { as: 'ann' }))
  await allAsked(5)
  const statuses = (await Promise.all(five)).map(({ response }) => response.statusCode)
  t.same(statuses.sort(), [200, 200, 429, 429, 429])
  const headers = { authorization: `Bearer ${await broker.token('bo')}` }
  for (let i = 0; i < 2; i++) {
    const request = get(`${httpUrl(broker)}${path}`, { headers, agent: false }).on('error', () => {})
    while (asked.length === 0) await nextTurn()
    request.destroy()
    // By the second answer the broker has seen that the first one is gone.
    for (let seen = 0; seen < 2; seen++) await fetchFrom(broker, '/healthz')
    await allAsked(1)
  }
  const third = EventReader.open(t, broker, path, { as: 'bo' })
  await allAsked(1)
  t.equal((await third).response.statusCode, 200)
})

t.test('who sends a body that is refused gets the answer, and goes on with the connection', async (t) => {
  const broker = await startTestBroker(t)
  const { port } = broker.running.listeners.find(({ name }) => name === 'http')!
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const authorization = `Bearer ${await broker.token('ann')}`
  const post = async (body: Buffer, headers: http.OutgoingHttpHeaders): Promise<[number, number]> => {
    const options = { port, agent, method: 'POST', path: '/v1/rooms/lobby/messages' }
    const request = http.request({
      ...options,
      headers: { authorization, 'content-type': 'application/json', ...headers },
    })
    // In pieces: it is still being sent when the answer comes.
    for (let at = 0; at < body.length; at += 100_000) request.write(body.subarray(at, at + 100_000))
    request.end()
    const [response] = await once(request, 'response')
    const { localPort } = response.socket
    await once(response.resume(), 'end')
    return [response.statusCode, localPort]
  }
  const large = Buffer.alloc(20_000_000, ' ')
  const [status, socket] = await post(large, { 'content-length': large.length })
  t.equal(status, 413)
  t.same(await post(large, { 'transfer-encoding': 'chunked' }), [413, socket])
  t.same(await post(Buffer.from('not JSON'), { 'content-length': 8 }), [400, socket])
  t.same(await post(Buffer.from('{"text":"hi"}'), { 'content-length': 13 }), [201, socket])
})

t.test('event streams are counted, for each user and in all', async (t) => {
  const broker = await startTestBroker(t, { limits: { eventStreams: 3, eventStreamsPerUser: 2 } })
  const open = (as: string) => EventReader.open(t, broker, '/v1/events', { as })
  const streams = [await open('ann'), await open('ann')]
  t.equal((await open('ann')).response.statusCode, 429)
  await open('bo')
  t.equal((await open('cy')).response.statusCode, 503)
  streams[0]!.response.destroy()
  while ((await open('cy')).response.statusCode !== 200);
})
