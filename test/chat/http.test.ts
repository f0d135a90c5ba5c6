/** The HTTP door as strangers find it: fetch, sockets and curl against a real broker. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { COMMANDS, type Command } from '../../schemas/commands.js'
import { startTestBroker } from '../helpers/broker.js'
import { CERTIFICATE, certificateFiles } from '../helpers/certificate.js'
import { type Answer, fetchFrom, httpUrl, isProblem, type Request, rawHttp } from '../helpers/http.js'
import { Person } from '../helpers/people.js'
import { onRedis } from '../helpers/test-store.js'

const JSON_BODY = { 'content-type': 'application/json' }

t.test('pages', async (t) => {
  const broker = await startTestBroker(t)

  t.test('GET / says what this is and how to connect', async (t) => {
    const { status, headers, text } = await fetchFrom(broker, '/')
    t.equal(status, 200)
    t.equal(headers.get('content-type'), 'text/html; charset=utf-8')
    t.match(headers.get('content-security-policy'), /default-src 'none'/)
    for (const part of ['TopicTalk', `mqtt://127.0.0.1:${broker.port}`, 'topictalk user add', 'rooms/lobby/messages'])
      t.ok(text.includes(part), part)
  })

  t.test('GET / as JSON gives the same facts', async (t) => {
    const { headers, body } = await fetchFrom(broker, '/', { headers: { accept: 'application/json' } })
    t.equal(headers.get('content-type'), 'application/json; charset=utf-8')
    t.match(body, { name: 'TopicTalk', listeners: { mqtt: broker.port }, wsPath: '/mqtt', room: 'lobby' })
  })

  t.test('a Host header that is no name is not repeated', async (t) => {
    const answer = await rawHttp(
      broker,
      'GET / HTTP/1.1\r\nHost: <script>alert(1)</script>\r\nConnection: close\r\n\r\n',
    )
    t.match(answer, /^HTTP\/1\.1 200 /)
    t.notMatch(answer, /<script/)
    t.match(answer, /mqtt:\/\/localhost:/)
  })

  t.test('/healthz says whether the broker can serve, /readyz whether it can now', async (t) => {
    t.match(await fetchFrom(broker, '/healthz'), { status: 200, body: { status: 'ok' } })
    const { store } = broker.running
    for (const [name, value] of Object.entries({ healthy: false, hindrance: 'the disk is gone' })) {
      Object.defineProperty(store, name, { value, configurable: true })
      t.teardown(() => Reflect.deleteProperty(store, name))
    }
    const refused = { status: 503, body: { code: 'unavailable' } }
    t.match(await fetchFrom(broker, '/readyz'), { ...refused, body: { detail: 'the disk is gone' } })
    // To start the broker anew mends nothing that is elsewhere.
    t.match(await fetchFrom(broker, '/healthz'), onRedis ? { status: 200 } : refused)
  })

  t.test('HEAD is GET without its body', async (t) => {
    const { status, headers, text } = await fetchFrom(broker, '/', { method: 'HEAD' })
    t.same([status, text], [200, ''])
    t.ok(Number(headers.get('content-length')) > 500)
  })
})

t.test('what is refused is a problem document that says what is wrong', async (t) => {
  const broker = await startTestBroker(t, { limits: { payloadBytes: 2000 } })
  const messages = '/v1/rooms/lobby/messages'
  const post = { method: 'POST', as: 'alice' }
  const refused: [string, string, Request, number, string, string?][] = [
    ['an unknown path', '/v1/nowhere', {}, 404, 'not_found'],
    ['a path that is no text', '/v1/rooms/%zz/messages', { as: 'alice' }, 400, 'bad_request'],
    ['a parameter that is far too long', `/v1/rooms/${'x'.repeat(2000)}/messages`, { as: 'alice' }, 414, 'bad_request'],
    ['a method the path does not have', '/v1/rooms', { method: 'PUT' }, 405, 'bad_request'],
    ['a method of WebDAV', '/v1/rooms/lobby', { method: 'PROPFIND' }, 405, 'bad_request'],
    ['a method of the page of documents', '/docs/json', { method: 'PUT' }, 405, 'bad_request'],
    ['a method of an unknown path', '/v1/nowhere', { method: 'PUT' }, 404, 'not_found'],
    [
      'that, with a body of any kind',
      '/v1/rooms',
      { method: 'PUT', headers: { 'content-type': 'a/b' }, body: '<' },
      405,
      'bad_request',
    ],
    ['GET where WebSockets are', '/mqtt', {}, 426, 'bad_request'],
    ['nobody', '/v1/rooms', {}, 401, 'unauthorized'],
    ['a body that is no JSON', messages, { ...post, headers: JSON_BODY, body: '{"text":' }, 400, 'bad_request'],
    ['a body that is no object', messages, { ...post, headers: JSON_BODY, body: '["text"]' }, 400, 'bad_request'],
    [
      'a body that is no UTF-8',
      messages,
      { ...post, headers: JSON_BODY, body: Buffer.from([0x7b, 0xff, 0x7d]) },
      400,
      'bad_request',
    ],
    [
      'a body of another type',
      messages,
      { ...post, headers: { 'content-type': 'text/plain' }, body: 'hi' },
      415,
      'bad_request',
    ],
    ['a body that is too large', messages, { ...post, body: { text: 'x'.repeat(2000) } }, 413, 'too_large'],
    ['no body where one is needed', messages, { ...post, as: 'alice' }, 400, 'bad_request', 'text'],
    ['an unknown field', messages, { ...post, body: { text: 'x', colour: 'red' } }, 400, 'bad_request', 'colour'],
    [
      '__proto__',
      messages,
      { ...post, headers: JSON_BODY, body: '{"text":"x","__proto__":{}}' },
      400,
      'bad_request',
      '__proto__',
    ],
    ['an unknown query parameter', `${messages}?limt=3`, { as: 'alice' }, 400, 'bad_request', 'limt'],
    ['a parameter given twice', `${messages}?limit=3&limit=4`, { as: 'alice' }, 400, 'bad_request', 'limit'],
    ['a number that is none', `${messages}?limit=3.5`, { as: 'alice' }, 400, 'bad_request', 'limit'],
    ['an empty number', `${messages}?limit=`, { as: 'alice' }, 400, 'bad_request', 'limit'],
    ['a query beside a body', `${messages}?text=hi`, { ...post, body: { text: 'x' } }, 400, 'bad_request', 'text'],
    [
      'a body without meaning',
      '/v1/rooms/lobby',
      { method: 'DELETE', as: 'alice', body: { room: 'x' } },
      400,
      'bad_request',
    ],
    ['another room in the body', messages, { ...post, body: { room: 'other', text: 'x' } }, 400, 'bad_request', 'room'],
    ['a path parameter with a slash', '/v1/rooms/a%2Fb/messages', { as: 'alice' }, 400, 'bad_request', 'room'],
    [
      'nested too deeply',
      messages,
      { ...post, headers: JSON_BODY, body: `{"data":${'['.repeat(900)}${']'.repeat(900)}}` },
      400,
      'bad_request',
    ],
  ]
  for (const [what, path, request, status, code, field] of refused) {
    const answer = await fetchFrom(broker, path, request)
    t.same([answer.status, answer.body?.code, answer.body?.field], [status, code, field], what)
    isProblem(t, answer, what)
  }
  t.equal((await fetchFrom(broker, '/v1/rooms', { method: 'PUT' })).headers.get('allow'), 'GET, HEAD, OPTIONS, POST')
  t.equal(broker.running.counters.get('refused.internal'), 0, 'nothing of it was a bug')
})

t.test('a bug is told as such, and logged', async (t) => {
  const broker = await startTestBroker(t)
  const { log } = broker.running.store
  const { open } = log
  log.open = () => Promise.reject(new Error('secret detail'))
  t.teardown(() => (log.open = open))
  const answer = await fetchFrom(broker, '/v1/rooms?scope=public', { as: 'alice' })
  t.match(answer, { status: 500, body: { code: 'internal' } })
  t.notMatch(answer.text, /secret/)
  isProblem(t, answer, 'a bug')
})

t.test('the same over TLS', async (t) => {
  const broker = await startTestBroker(t, { listen: { https: 0, tls: certificateFiles(t) } })
  const { port } = broker.running.listeners.find(({ name }) => name === 'https')!
  const headers = { authorization: `Bearer ${await broker.token('alice')}` }
  const asking = https.get({ host: 'localhost', port, path: '/v1/rooms', headers, ca: CERTIFICATE, agent: false })
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  t.equal(response.statusCode, 200)
  t.same(JSON.parse(String((await response.toArray()).join(''))), { rooms: [], more: false })
})

t.test('a message sent over HTTP', async (t) => {
  const broker = await startTestBroker(t)
  const bob = await Person.connect(t, broker, 'bob')
  await bob.subscribe(['rooms/lobby/messages', 'users/bob/messages'])
  const send = (room: string, body: object, headers: Record<string, string> = {}) =>
    fetchFrom(broker, `/v1/rooms/${room}/messages`, { method: 'POST', as: 'alice', body, headers })

  t.test('reaches who listens over MQTT, in rooms and directly', async (t) => {
    t.match(await send('lobby', { text: 'to all' }), { status: 201, body: { room: 'lobby', seq: 1 } })
    await bob.hears('to all')
    t.match(await send('@bob', { text: 'to you' }), { status: 201, body: { room: 'dm:alice:bob', seq: 1 } })
    await bob.hears('to you')
    const { body } = await fetchFrom(broker, '/v1/rooms/dm:alice:bob/messages', { as: 'bob' })
    t.match(body.messages, [{ text: 'to you', from: 'alice' }])
  })

  t.test('Idempotency-Key is its cid', async (t) => {
    const first = await send('lobby', { text: 'once' }, { 'idempotency-key': 'k1' })
    for (const key of ['k1', '"k1"'])
      t.same((await send('lobby', { text: 'once' }, { 'idempotency-key': key })).body, first.body, key)
    t.same((await send('lobby', { text: 'once', cid: 'k1' })).body, first.body, 'as cid')
    t.match(await send('lobby', { text: 'twice' }, { 'idempotency-key': 'k1' }), {
      status: 409,
      body: { field: 'cid' },
    })
    const differing = await send('lobby', { text: 'x', cid: 'k2' }, { 'idempotency-key': 'k3' })
    t.match(differing, { status: 409, body: { code: 'conflict', field: 'cid' } })
    const long = await send('lobby', { text: 'x' }, { 'idempotency-key': 'k'.repeat(129) })
    t.match(long, { status: 400, body: { field: 'cid' } })
  })
})

t.test('hooks are asked about requests, and about the message inside one, at both doors', async (t) => {
  const broker = await startTestBroker(t)
  const asked: string[] = []
  broker.running.aedes.authorizePublish = (_client, { topic }, done) => {
    asked.push(topic)
    done(topic === 'rooms/lobby/messages' ? new Error('closed today') : null)
  }
  const alice = await Person.connect(t, broker, 'alice')
  t.equal(await alice.fails('send', { room: 'lobby', text: 'hi' }), 'forbidden')
  const answer = await fetchFrom(broker, '/v1/rooms/lobby/messages', {
    method: 'POST',
    as: 'alice',
    body: { text: 'hi' },
  })
  t.match(answer, { status: 403, body: { code: 'forbidden', detail: /closed today/ } })
  t.same(asked, [
    'users/alice/requests/send',
    'rooms/lobby/messages',
    'users/alice/requests/send',
    'rooms/lobby/messages',
  ])
  broker.running.aedes.authorizePublish = (_client, _packet, done) => done(new Error('no requests'))
  t.match(await fetchFrom(broker, '/v1/rooms', { as: 'alice' }), { status: 403 })
})

t.test('lists', async (t) => {
  const broker = await startTestBroker(t)
  const get = (path: string, headers = {}) => fetchFrom(broker, path, { as: 'alice', headers })
  for (const room of ['a', 'b', 'c'])
    await fetchFrom(broker, '/v1/rooms', { method: 'POST', as: 'alice', body: { room } })
  for (const text of ['1', '2', '3', '4', '5'])
    await fetchFrom(broker, '/v1/rooms/a/messages', { method: 'POST', as: 'alice', body: { text } })

  /** Follows the links to the end. */
  const follow = async (path: string, items: string, key: string): Promise<unknown[][]> => {
    const pages: unknown[][] = []
    for (let next: string | undefined = path; next; ) {
      const { headers, body }: Answer = await get(next)
      pages.push(body[items].map((entry: Record<string, unknown>) => entry[key]))
      next = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1]
    }
    return pages
  }

  t.test('have a link to the next page, and none on the last', async (t) => {
    t.same(await follow('/v1/rooms?limit=2', 'rooms', 'id'), [['a', 'b'], ['c']])
    t.same(await follow('/v1/rooms/a/messages?limit=2', 'messages', 'seq'), [[4, 5], [2, 3], [1]])
    t.same(await follow('/v1/rooms/a/messages?limit=2&after=0', 'messages', 'seq'), [[1, 2], [3, 4], [5]])
  })

  t.test('also where the page says itself how to go on', async (t) => {
    const send = (body: object) => fetchFrom(broker, '/v1/rooms/b/messages', { method: 'POST', as: 'alice', body })
    for (const text of ['1', '2', '3']) await send({ text })
    await send({ type: 'edit', target: 3, text: '3!' })
    t.same(await follow('/v1/rooms/b/messages?view=folded&limit=2', 'messages', 'text'), [['2', '3!'], ['1']])
    t.same(await follow('/v1/rooms/b/messages?view=folded&limit=2&after=0', 'messages', 'text'), [['1', '2'], ['3!']])
    for (const text of ['green tea', 'black tea', 'white tea']) await send({ text })
    const found = await follow('/v1/search?query=tea&limit=2', 'results', 'message')
    t.match(found, [[{ text: 'white tea' }, { text: 'black tea' }], [{ text: 'green tea' }]])
  })

  t.test('every list of the table names its entries and their key', async (t) => {
    for (const [name, { http, params, result }] of Object.entries(COMMANDS as Record<string, Command>)) {
      type Entry = { properties: object; anyOf?: undefined } | { anyOf: { properties: object }[] }
      const schema = result as unknown as { properties?: Record<string, { items?: Entry }> }
      const goesOn = ['after', 'before', 'cursor'].some((key) => key in params.properties)
      const isList = http?.method === 'GET' && 'more' in (schema.properties ?? {}) && goesOn
      t.equal(http?.page !== undefined, isList, name)
      if (!http?.page) continue
      const { items, key } = http.page
      const entry = schema.properties![items]?.items
      if (key) for (const { properties } of entry!.anyOf ?? [entry!]) t.ok(key in properties, name)
      else t.ok('cursor' in schema.properties! && 'cursor' in params.properties && items in schema.properties!, name)
    }
  })

  t.test('have an ETag, and are not sent again while nothing changed', async (t) => {
    const first = await get('/v1/rooms/a/messages')
    const etag = first.headers.get('etag')!
    const same = await get('/v1/rooms/a/messages', { 'if-none-match': etag })
    t.same([same.status, same.text], [304, ''])
    const missing = await get('/v1/rooms/none/messages')
    for (const names of [`W/${etag}`, `"other", ${etag}`, `"other",W/${etag}`, '*'])
      t.equal((await get('/v1/rooms/a/messages', { 'if-none-match': names })).status, 304, names)
    for (const names of ['"other"', etag.slice(1, -1)])
      t.equal((await get('/v1/rooms/a/messages', { 'if-none-match': names })).status, 200, names)
    t.equal((await get('/v1/rooms/none/messages', { 'if-none-match': '*' })).status, 404)
    const again = await get('/v1/rooms/none/messages', { 'if-none-match': missing.headers.get('etag') ?? '*' })
    t.same([missing.status, again.status, again.body.code], [404, 404, 'not_found'], 'a refusal is said again')
    await fetchFrom(broker, '/v1/rooms/a/messages', { method: 'POST', as: 'alice', body: { text: '6' } })
    t.equal((await get('/v1/rooms/a/messages', { 'if-none-match': etag })).status, 200)
  })
})

t.test('201 says where it is, where it can be asked for', async (t) => {
  const broker = await startTestBroker(t)
  const { headers } = await fetchFrom(broker, '/v1/rooms', { method: 'POST', as: 'alice', body: { room: 'new' } })
  t.equal(headers.get('location'), '/v1/rooms/new')
  const paths = Object.values(COMMANDS as Record<string, Command>).map(({ http }) =>
    http?.path.replace(/\{\w+\}/g, '{}'),
  )
  for (const { http } of Object.values(COMMANDS as Record<string, Command>))
    if (http?.location) t.ok(paths.includes(http.location.replace(/\{\w+\}/g, '{}')), http.location)
})

t.test('a request under way is answered when the broker stops', async (t) => {
  const broker = await startTestBroker(t)
  const { log } = broker.running.store
  const { open } = log
  let go = (): void => {}
  const held = new Promise<void>((resolve) => (go = resolve))
  const reached = new Promise<void>((resolve) => {
    log.open = async (name) => {
      resolve()
      await held
      return open.call(log, name)
    }
  })
  const asked = fetchFrom(broker, '/v1/rooms?scope=public', { as: 'alice' })
  await reached
  const closed = broker.running.close()
  go()
  t.match(await asked, { status: 200, body: { rooms: [{ id: 'lobby' }] } })
  await closed
})

t.test('a tour with curl', async (t) => {
  const broker = await startTestBroker(t)
  await broker.running.accounts.add('alice', 'alice-pw')
  const file = join(t.testdir({}), 'body.json')
  writeFileSync(file, '{"text":"from a script"}')
  const api = `${httpUrl(broker)}/v1`
  const curl = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('curl', ['-sS', '-u', 'alice:alice-pw', ...args])).stdout
  t.match(JSON.parse(await curl('--json', '{"room":"tea"}', `${api}/rooms`)), { id: 'tea', role: 'owner' })
  t.match(JSON.parse(await curl('--json', `@${file}`, `${api}/rooms/tea/messages`)), { seq: 1 })
  const history = await curl('-G', '-d', 'limit=1', `${api}/rooms/tea/messages`)
  t.match(JSON.parse(history), { messages: [{ text: 'from a script', from: 'alice' }], more: false })
  t.match(await curl('-I', `${api}/rooms`), /^HTTP\/1\.1 200 OK/)
  t.equal(await curl('-o', '/dev/null', '-w', '%{http_code}', '-X', 'DELETE', `${api}/rooms/tea`), '200')
})

t.test('documents', async (t) => {
  const broker = await startTestBroker(t)

  t.test('are served as they are committed', async (t) => {
    for (const name of ['openapi', 'asyncapi']) {
      const { status, headers, text } = await fetchFrom(broker, `/v1/${name}.json`)
      t.same([status, headers.get('content-type')], [200, 'application/json; charset=utf-8'])
      t.equal(
        text,
        readFileSync(`schemas/json/${name}.json`, 'utf8'),
        `schemas/json/${name}.json is generated: run npm run schemas`,
      )
    }
  })

  t.test('every path they name is there', async (t) => {
    const { body } = await fetchFrom(broker, '/v1/openapi.json')
    for (const [path, item] of Object.entries<Record<string, object>>(body.paths)) {
      const { headers } = await fetchFrom(broker, path.replaceAll(/\{\w+\}/g, 'x'), { method: 'OPTIONS' })
      const allowed = (headers.get('allow') ?? '').split(', ')
      for (const method of Object.keys(item)) t.ok(allowed.includes(method.toUpperCase()), `${method} ${path}`)
    }
  })

  t.test('can be browsed, from here alone', async (t) => {
    const { status, headers, text } = await fetchFrom(broker, '/docs')
    t.equal(status, 200)
    t.match(headers.get('content-security-policy'), /default-src 'none'; script-src 'self'/)
    const parts = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)
    t.ok(parts.length >= 5)
    for (const path of parts) {
      const part = await fetchFrom(broker, new URL(path, 'http://x/docs').pathname)
      t.equal(part.status, 200, path)
    }
    t.match((await fetchFrom(broker, '/docs/json')).body, { openapi: '3.1.0' })
    isProblem(t, await fetchFrom(broker, '/docs/static/none.js'), 'what is not there')
  })
})
