/** Files of messages: who may read the message now may read the file now, and nobody else. */
import { once } from 'node:events'
import http from 'node:http'
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { erased } from '../helpers/erased.js'
import { httpUrl } from '../helpers/http.js'
import { Person } from '../helpers/people.js'
import { begin, download, filesOnDisk, upload } from '../helpers/uploads.js'

const PICTURE = Buffer.concat([Buffer.from('GIF89a'), Buffer.alloc(100, 7)])

async function open(t: Test, overrides: Overrides = {}) {
  // What is in them does not matter here.
  const media = { shared: true, images: { enabled: false }, ...overrides.media }
  const broker = await startTestBroker(t, { limits: { rates: 'off' }, ...overrides, media })
  const [alice, bob, carol] = await Promise.all(
    ['alice', 'bob', 'carol'].map((user) => Person.connect(t, broker, user)),
  )
  return { broker, alice: alice!, bob: bob!, carol: carol! }
}

async function den({ alice, bob }: { alice: Person; bob: Person }): Promise<void> {
  await alice.get('rooms.create', { room: 'den', access: 'private' })
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.join', { room: 'den' })
}

const image = (file: string) => ({ attachments: [{ type: 'image', file }] })

async function mayRead(broker: TestBroker, user: string, file: string): Promise<boolean> {
  const { status } = await download(broker, user, file)
  if (status !== 200 && status !== 404) throw new Error(`${user} got ${status}`)
  return status === 200
}

/** Who of the three may read it. */
async function readers(broker: TestBroker, file: string): Promise<string> {
  const users = ['alice', 'bob', 'carol']
  const may = await Promise.all(users.map((user) => mayRead(broker, user, file)))
  return users.filter((_, i) => may[i]).join(' ')
}

/** Looks at all files, as after `hours`. */
async function sweepAfter(broker: TestBroker, clock: { forward(seconds: number): void }, hours: number): Promise<void> {
  clock.forward(hours * 3600)
  await broker.running.maintenance.sweep(Date.now())
}

t.test('members of the room read it, for as long as they are', async (t) => {
  const { broker, alice, bob, carol } = await open(t)
  await den({ alice, bob })
  const file = await upload(broker, 'alice', PICTURE, { name: 'cat.gif' })
  t.equal(await readers(broker, file), 'alice', 'nobody was told of it')
  await bob.subscribe('rooms/den/messages')
  const { ok } = await alice.send('rooms/den/messages', {
    attachments: [{ type: 'image', file, mime: 'text/html', size: 1, alt: 'a cat', width: 10, height: 20 }],
  })
  t.ok(ok)
  const [message] = await bob.on('rooms/den/messages', 1)
  const known = { type: 'image', file, name: 'cat.gif', mime: 'image/gif', size: PICTURE.length, alt: 'a cat' }
  t.match(message.attachments, [known], 'media type and size are those of the file, whatever was stated')
  t.equal(await readers(broker, file), 'alice bob')
  t.match(await bob.get('files.get', { file }), { file, user: 'alice' })
  t.equal(await carol.fails('files.get', { file }), 'not_found file')
  await alice.get('rooms.invite', { room: 'den', user: 'carol' })
  t.equal(await readers(broker, file), 'alice bob', 'an invitation is no membership')
  await carol.get('rooms.join', { room: 'den' })
  t.equal(await readers(broker, file), 'alice bob carol', 'as they read what was said before')
  await bob.get('rooms.leave', { room: 'den' })
  await alice.get('rooms.ban', { room: 'den', user: 'carol' })
  t.equal(await readers(broker, file), 'alice')
})

t.test('it goes with the message', async (t) => {
  const clock = movableClock(t)
  const { broker, alice, bob } = await open(t)
  await den({ alice, bob })
  const said = async (message: object) => (await alice.send('rooms/den/messages', message)).result.seq
  const [first, second] = [await upload(broker, 'alice', PICTURE), await upload(broker, 'alice', PICTURE)]
  const seq = await said(image(first))
  await said({ ...image(second), ttl: 60 })
  t.ok(await mayRead(broker, 'bob', first))
  t.ok(await mayRead(broker, 'bob', second))
  await said({ type: 'delete', target: seq })
  t.notOk(await mayRead(broker, 'bob', first), 'deleted')
  clock.forward(61)
  t.notOk(await mayRead(broker, 'bob', second), 'expired')
  t.equal(await readers(broker, first), 'alice', 'whose it is')
  await sweepAfter(broker, clock, 25)
  t.same(await filesOnDisk(broker), [], 'within a day it is off the disk')
  t.equal(await readers(broker, first), '')
})

t.test('it stays while any message refers to it: a forward, an edit, another room', async (t) => {
  const clock = movableClock(t)
  const { broker, alice, bob, carol } = await open(t)
  await den({ alice, bob })
  await bob.get('rooms.create', { room: 'tea' })
  await carol.get('rooms.join', { room: 'tea' })
  const file = await upload(broker, 'alice', PICTURE)
  const seq = (await alice.send('rooms/den/messages', image(file))).result.seq
  const forward = await bob.send('rooms/tea/messages', { forward: { room: 'den', seq } })
  t.ok(forward.ok)
  t.equal(await readers(broker, file), 'alice bob carol')
  t.ok((await alice.send('rooms/den/messages', { type: 'delete', target: seq })).ok)
  await sweepAfter(broker, clock, 25)
  t.equal(await readers(broker, file), 'alice bob carol')
  const text = (await bob.send('rooms/den/messages', { text: 'look' })).result.seq
  t.ok((await bob.send('rooms/den/messages', { type: 'edit', target: text, ...image(file) })).ok)
  await bob.send('rooms/tea/messages', { type: 'delete', target: forward.result.seq })
  t.equal(await readers(broker, file), 'alice bob', 'alice is still in the den')
  await sweepAfter(broker, clock, 25)
  t.equal(await readers(broker, file), 'alice bob', 'by the edit')
  await bob.send('rooms/den/messages', { type: 'delete', target: text })
  await sweepAfter(broker, clock, 25)
  t.same(await filesOnDisk(broker), [])
})

t.test('a direct conversation has its files for itself', async (t) => {
  const { broker, alice, bob } = await open(t)
  const file = await upload(broker, 'alice', PICTURE)
  t.ok((await alice.send('users/bob/messages', image(file))).ok)
  t.equal(await readers(broker, file), 'alice bob')
  t.ok((await bob.send('users/carol/messages', image(file))).ok, 'who may read it may pass it on')
  t.equal(await readers(broker, file), 'alice bob carol')
})

t.test('nobody refers to a file that is not theirs to read', async (t) => {
  const { broker, alice, bob } = await open(t)
  await den({ alice, bob })
  await bob.get('rooms.join', { room: 'lobby' })
  const file = await upload(broker, 'alice', PICTURE)
  const unfinished = (await begin(broker, 'bob', 10)).headers.get('location')!.split('/').at(-1)!
  const refused = async (user: Person, message: object, topic = 'rooms/lobby/messages') =>
    (await user.send(topic, message)).error
  const unknown = { code: 'not_found', field: 'attachments.0.file' }
  t.match(await refused(bob, image(file)), unknown, 'of another')
  t.match(await refused(bob, image('0'.repeat(32))), unknown, 'there is none')
  t.match(await refused(bob, image(unfinished)), unknown, 'not finished')
  t.match(await refused(bob, image('../../etc/passwd')), { code: 'bad_request', field: 'attachments.0.file' })
  const either = { code: 'bad_request', field: /attachments\.0/ }
  t.match(await refused(bob, { attachments: [{ type: 'image' }] }), either)
  t.match(await refused(bob, { attachments: [{ type: 'image', file, url: 'https://a.example/' }] }), either)
  const own = await upload(broker, 'bob', PICTURE)
  const seq = (await bob.send('rooms/lobby/messages', image(own))).result.seq
  t.match(await refused(bob, { type: 'edit', target: seq, ...image(file) }), unknown, 'in an edit')
  const admin = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  t.match(await refused(admin, image(file), 'broadcast/news'), { code: 'bad_request', field: 'attachments' })
  t.notOk(await mayRead(broker, 'root', file), 'not even an admin reads it')
})

t.test('a retry is answered as the first time, even if the file is gone', async (t) => {
  const { broker, alice, bob } = await open(t)
  await den({ alice, bob })
  const file = await upload(broker, 'alice', PICTURE)
  const first = await alice.send('rooms/den/messages', { cid: 'one', ...image(file) })
  t.same((await alice.send('rooms/den/messages', { cid: 'one', ...image(file) })).result, first.result)
  await alice.get('files.delete', { file })
  t.notOk(await mayRead(broker, 'bob', file))
  t.same((await alice.send('rooms/den/messages', { cid: 'one', ...image(file) })).result, first.result)
})

t.test('rules for attachments are about what the file is', async (t) => {
  const { broker, alice, bob } = await open(t)
  await den({ alice, bob })
  await alice.get('rooms.update', { room: 'den', policies: { attachments: { types: ['image/*'], bytes: 1000 } } })
  const text = await upload(broker, 'alice', Buffer.from('no image'))
  const lies = { attachments: [{ type: 'image', file: text, mime: 'image/png' }] }
  t.match((await alice.send('rooms/den/messages', lies)).error, { code: 'forbidden', field: 'attachments.0.mime' })
  const large = await upload(broker, 'alice', Buffer.concat([PICTURE, Buffer.alloc(1000)]))
  const small = { attachments: [{ type: 'image', file: large, size: 1 }] }
  t.match((await alice.send('rooms/den/messages', small)).error, { code: 'too_large', field: 'attachments.0.size' })
  t.ok((await alice.send('rooms/den/messages', image(await upload(broker, 'alice', PICTURE)))).ok)
})

t.test('slow mode and threads take files, too', async (t) => {
  const { broker, alice, bob } = await open(t)
  await den({ alice, bob })
  const file = await upload(broker, 'bob', PICTURE)
  await alice.send('rooms/den/messages', { text: 'a thread' })
  t.ok((await bob.send('rooms/den/messages', { thread: 1, ...image(file) })).ok)
  t.equal(await readers(broker, file), 'alice bob')
  await alice.get('rooms.update', { room: 'den', slowMode: 60 })
  const other = await upload(broker, 'bob', PICTURE)
  t.ok((await bob.send('rooms/den/messages', image(other))).ok)
  t.match((await bob.send('rooms/den/messages', image(other))).error, { code: 'rate_limited' })
  t.equal(await readers(broker, other), 'alice bob')
})

t.test('a room takes its files along; a new one of the name has none', async (t) => {
  const clock = movableClock(t)
  const { broker, alice, bob } = await open(t)
  await den({ alice, bob })
  const file = await upload(broker, 'alice', PICTURE)
  await alice.send('rooms/den/messages', image(file))
  await alice.get('rooms.delete', { room: 'den' })
  await den({ alice, bob })
  t.equal(await readers(broker, file), 'alice')
  await sweepAfter(broker, clock, 25)
  t.same(await filesOnDisk(broker), [])
})

t.test('with the account its files go, and the next of the name has none of them', async (t) => {
  const { broker, alice, bob } = await open(t)
  await den({ alice, bob })
  const file = await upload(broker, 'alice', PICTURE)
  const theirs = await upload(broker, 'bob', PICTURE)
  for (const [who, one] of [
    [alice, file],
    [bob, theirs],
  ] as const)
    await who.send('rooms/den/messages', image(one))
  await callAdmin(broker.dataDir, 'user.remove', { name: 'alice' })
  await erased(broker, 'alice')
  t.equal(await readers(broker, file), '')
  t.equal((await filesOnDisk(broker)).length, 1)
  const again = await Person.connect(t, broker, 'alice', { clientId: 'again' })
  t.match(await again.get('files.list'), { files: [], used: { files: 0, bytes: 0 } })
  t.equal(await readers(broker, theirs), 'bob')
})

t.test('a browser may show what is harmless, and runs nothing of it', async (t) => {
  const { broker } = await open(t)
  const html = await upload(broker, 'alice', Buffer.from('<script>alert(1)</script>'), {
    name: 'Grüße.html',
    mime: 'image/png',
  })
  const page = await download(broker, 'alice', html)
  t.equal(page.headers.get('content-type'), 'application/octet-stream')
  t.equal(
    page.headers.get('content-disposition'),
    `attachment; filename="Gr__e.html"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.html`,
  )
  const picture = await upload(broker, 'alice', PICTURE, { name: 'cat.gif' })
  const shown = await download(broker, 'alice', picture)
  t.equal(shown.headers.get('content-type'), 'image/gif')
  t.match(shown.headers.get('content-disposition'), /^inline/)
  t.match((await download(broker, 'alice', `${picture}?download`)).headers.get('content-disposition'), /^attachment/)
  for (const { headers } of [page, shown]) {
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    t.equal(headers.get('content-security-policy'), "sandbox; default-src 'none'")
    t.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
    t.equal(headers.get('cache-control'), 'private, no-cache')
  }
})

t.test('parts, conditions and HEAD (RFC 9110)', async (t) => {
  const { broker } = await open(t)
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7) & 0xff))
  const file = await upload(broker, 'alice', bytes)
  const got = (headers: Record<string, string>, method = 'GET') => download(broker, 'alice', file, headers, method)
  const whole = await got({})
  const etag = whole.headers.get('etag')!
  t.match([whole.status, whole.headers.get('accept-ranges')], [200, 'bytes'])
  const part = await got({ range: 'bytes=100000-150000' })
  t.match([part.status, part.headers.get('content-range')], [206, 'bytes 100000-150000/200000'])
  t.ok(part.bytes.equals(bytes.subarray(100_000, 150_001)))
  t.ok((await got({ range: 'bytes=-5' })).bytes.equals(bytes.subarray(-5)))
  t.equal((await got({ range: 'bytes=0-1,4-5' })).status, 200)
  t.equal((await got({ range: 'bytes=0-9', 'if-range': etag })).status, 206)
  t.equal((await got({ range: 'bytes=0-9', 'if-range': '"other"' })).status, 200)
  const beyond = await got({ range: 'bytes=200000-' })
  t.match([beyond.status, beyond.headers.get('content-range')], [416, 'bytes */200000'])
  const known = await got({ 'if-none-match': etag })
  t.match([known.status, known.bytes.length], [304, 0])
  const head = await got({}, 'HEAD')
  t.match([head.status, head.headers.get('content-length'), head.bytes.length], [200, '200000', 0])
  t.equal((await download(broker, 'bob', file, { 'if-none-match': etag })).status, 404, 'not even that it is unchanged')
})

const SIZE = 20_000_000

t.test('a download ends when it may not go on', async (t) => {
  const { broker, alice, bob } = await open(t)
  await den({ alice, bob })
  const file = await upload(broker, 'alice', Buffer.alloc(SIZE))
  await alice.send('rooms/den/messages', image(file))
  const headers = { authorization: `Bearer ${await broker.token('bob')}` }
  const request = http.get(`${httpUrl(broker)}/v1/media/${file}`, { headers })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  t.equal(response.statusCode, 200)
  let received = 0
  // Read so slowly that it would take minutes.
  response.on('data', (piece: Buffer) => {
    received += piece.length
    response.pause()
    setTimeout(() => response.resume(), 200)
  })
  response.on('error', () => {})
  await alice.get('rooms.remove', { room: 'den', user: 'bob' })
  await new Promise<void>((done) => response.once('close', done))
  t.ok(received < SIZE, `${received} bytes`)
  t.notOk(response.complete)
})
