/** Uploads by the tus protocol (https://tus.io/protocols/resumable-upload, 1.0.0): resumed, bounded, for users only. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { movableClock, shortenedTimeouts } from '../helpers/clock.js'
import { httpUrl } from '../helpers/http.js'
import { answered, until } from '../helpers/patience.js'
import { Person } from '../helpers/people.js'
import { begin, download, filesOnDisk, tus, upload } from '../helpers/uploads.js'

async function open(t: Test, media: Overrides['media'] = {}, options: Parameters<typeof startTestBroker>[2] = {}) {
  const broker = await startTestBroker(t, { media: { shared: true, ...media }, limits: { rates: 'off' } }, options)
  return { broker, alice: await Person.connect(t, broker, 'alice') }
}

const at = (offset: number) => ({ 'upload-offset': String(offset) })

t.test('a file is sent in parts, and then it is what it is', async (t) => {
  const { broker, alice } = await open(t)
  const bytes = Buffer.concat([Buffer.from('OggS'), randomBytes(100_000)])
  const begun = await begin(broker, 'alice', bytes.length, { name: 'C:\\a\\cat\u202egnp.exe', mime: 'text/html' })
  t.equal(begun.status, 201)
  t.equal(begun.headers.get('tus-resumable'), '1.0.0')
  t.equal(begun.headers.get('upload-offset'), '0')
  t.ok(Date.parse(begun.headers.get('upload-expires')!) > Date.now())
  const path = begun.headers.get('location')!
  const file = path.split('/').at(-1)!
  t.match(await alice.get('files.get', { file }), { finished: false, size: bytes.length, mime: 'text/html' })

  const first = await tus(broker, 'alice', 'PATCH', path, { headers: at(0), body: bytes.subarray(0, 60_000) })
  t.match([first.status, first.headers.get('upload-offset')], [204, '60000'])
  const looked = await tus(broker, 'alice', 'HEAD', path)
  t.match([looked.status, looked.headers.get('upload-offset')], [200, '60000'])
  t.equal(looked.headers.get('upload-length'), String(bytes.length))
  t.equal(looked.headers.get('cache-control'), 'no-store')
  for (const wrong of [0, 59_999, 60_001])
    t.equal((await tus(broker, 'alice', 'PATCH', path, { headers: at(wrong), body: Buffer.from('x') })).status, 409)
  await broker.restart()
  const last = await tus(broker, 'alice', 'PATCH', path, { headers: at(60_000), body: bytes.subarray(60_000) })
  t.match([last.status, last.headers.get('upload-offset')], [204, String(bytes.length)])

  const again = await Person.connect(t, broker, 'alice')
  const known = await again.get('files.get', { file })
  t.match(known, { file, user: 'alice', finished: true, size: bytes.length, mime: 'audio/ogg' })
  t.equal(known.name, 'catgnp.exe', 'the last part of a path, without what turns it around')
  const got = await download(broker, 'alice', file)
  t.equal(got.status, 200)
  t.ok(got.bytes.equals(bytes))
  t.equal(got.headers.get('etag'), `"${createHash('sha256').update(bytes).digest('base64url')}"`)
})

t.test('the first bytes may come with the request that begins it, and a file may be empty', async (t) => {
  const { broker, alice } = await open(t)
  const body = Buffer.from('all of it')
  const headers = { 'upload-length': String(body.length) }
  const { status, headers: told } = await tus(broker, 'alice', 'POST', '/v1/uploads', { headers, body })
  t.match([status, told.get('upload-offset')], [201, '9'])
  const file = told.get('location')!.split('/').at(-1)!
  t.match(await alice.get('files.get', { file }), { finished: true, mime: 'text/plain' })
  const empty = await upload(broker, 'alice', Buffer.alloc(0))
  t.match(await alice.get('files.get', { file: empty }), { finished: true, size: 0 })
  const got = await download(broker, 'alice', empty)
  t.match([got.status, got.bytes.length], [200, 0])
})

t.test('what is no upload is refused, each with its reason', async (t) => {
  const { broker } = await open(t, { fileBytes: 1000 })
  const post = (headers: Record<string, string>) => tus(broker, 'alice', 'POST', '/v1/uploads', { headers })
  t.match(await post({ 'upload-length': '1001' }), { status: 413, code: 'too_large' })
  t.match(await post({}), { status: 400 })
  t.match(await post({ 'upload-length': '-1' }), { status: 400 })
  t.match(await post({ 'upload-defer-length': '1' }), { status: 400 })
  t.match(await post({ 'upload-length': '1', 'upload-metadata': 'filename !!' }), { status: 400 })
  const old = await post({ 'upload-length': '1', 'tus-resumable': '0.2.2' })
  t.match([old.status, old.headers.get('tus-version')], [412, '1.0.0'])
  for (const id of ['x', '0'.repeat(32), '..%2f..%2fetc%2fpasswd'])
    t.match(await tus(broker, 'alice', 'HEAD', `/v1/uploads/${id}`), { status: 404 })
  const path = (await begin(broker, 'alice', 10)).headers.get('location')!
  const long = await tus(broker, 'alice', 'PATCH', path, { headers: at(0), body: Buffer.alloc(11) })
  t.match(long, { status: 413 })
  t.match(await tus(broker, 'alice', 'PATCH', path, { headers: at(0) }), { status: 415 })
  t.match(await tus(broker, 'alice', 'PATCH', path, { body: Buffer.alloc(1) }), { status: 400 })
  const json = { ...at(0), 'content-type': 'application/json' }
  t.match(await tus(broker, 'alice', 'PATCH', path, { headers: json, body: Buffer.from('{}') }), { status: 415 })
})

t.test('what the server takes is told to whoever asks', async (t) => {
  const { broker } = await open(t)
  for (const path of ['/v1/uploads', `/v1/uploads/${'0'.repeat(32)}`]) {
    const { status, headers } = await fetch(`${httpUrl(broker)}${path}`, { method: 'OPTIONS' })
    t.equal(status, 204)
    t.equal(headers.get('tus-version'), '1.0.0')
    t.match(headers.get('tus-extension'), 'creation')
    t.equal(headers.get('tus-max-size'), '104857600')
  }
})

t.test('an upload is its user’s alone, and needs a login', async (t) => {
  const { broker } = await open(t)
  const path = (await begin(broker, 'alice', 10)).headers.get('location')!
  const file = path.split('/').at(-1)!
  const body = Buffer.alloc(10)
  t.match(await tus(broker, 'bob', 'HEAD', path), { status: 404 })
  t.match(await tus(broker, 'bob', 'PATCH', path, { headers: at(0), body }), { status: 404 })
  t.match(await tus(broker, 'bob', 'DELETE', path), { status: 404 })
  t.equal((await download(broker, 'bob', file)).status, 404)
  t.equal((await download(broker, 'alice', file)).status, 404, 'it is not finished')
  const stranger = { authorization: 'Bearer x' }
  t.match(await tus(broker, 'bob', 'POST', '/v1/uploads', { headers: { 'upload-length': '1', ...stranger } }), {
    status: 401,
  })
  t.match(await tus(broker, 'alice', 'DELETE', path), { status: 204 })
  t.match(await tus(broker, 'alice', 'HEAD', path), { status: 404 })
})

/** Sends the beginning of a part, and leaves the rest open. */
async function halfWay(
  broker: TestBroker,
  path: string,
  offset: number,
  length: number,
  sent: Buffer,
  type = 'application/offset+octet-stream',
) {
  const request = http.request(`${httpUrl(broker)}${path}`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${await broker.token('alice')}`,
      'tus-resumable': '1.0.0',
      'content-type': type,
      'content-length': String(length),
      ...at(offset),
    },
  })
  request.on('error', () => {})
  const closed = new Promise<void>((done) => request.once('close', done))
  await new Promise<void>((done) => request.write(sent, () => done()))
  return { request, closed }
}

t.test('what arrived before a connection broke is kept, and it is no fault', async (t) => {
  const logged: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => void logged.push(line) })
  const { broker, alice } = await open(t, {}, { log })
  const bytes = randomBytes(50_000)
  const path = (await begin(broker, 'alice', bytes.length)).headers.get('location')!
  const offset = async () => Number((await tus(broker, 'alice', 'HEAD', path)).headers.get('upload-offset'))
  const broken = await halfWay(broker, path, 0, bytes.length, bytes.subarray(0, 20_000))
  await until('the bytes are there', async () => (await offset()) === 20_000)
  broken.request.destroy()
  await broken.closed
  const { status } = await tus(broker, 'alice', 'PATCH', path, { headers: at(20_000), body: bytes.subarray(20_000) })
  t.equal(status, 204)
  const file = path.split('/').at(-1)!
  t.match(await alice.get('files.get', { file }), { finished: true })
  t.ok((await download(broker, 'alice', file)).bytes.equals(bytes))
  t.same(logged, [])
})

t.test('who comes back while the former connection still seems to be there goes on', async (t) => {
  const { broker } = await open(t)
  const bytes = randomBytes(50_000)
  const path = (await begin(broker, 'alice', bytes.length)).headers.get('location')!
  const stuck = await halfWay(broker, path, 0, bytes.length, bytes.subarray(0, 20_000))
  const looked = async () => Number((await tus(broker, 'alice', 'HEAD', path)).headers.get('upload-offset'))
  await until('the bytes are there', async () => (await looked()) === 20_000)
  const { status } = await tus(broker, 'alice', 'PATCH', path, { headers: at(20_000), body: bytes.subarray(20_000) })
  t.equal(status, 204)
  await stuck.closed
  t.ok((await download(broker, 'alice', path.split('/').at(-1)!)).bytes.equals(bytes))
})

t.test('only a part of an upload may take its time: another body has to arrive', async (t) => {
  // The time for a body.
  shortenedTimeouts(t, 30_000, 300)
  const broker = await startTestBroker(t, { media: { shared: true }, limits: { rates: 'off' } })
  const path = (await begin(broker, 'alice', 10)).headers.get('location')!
  const upload = await halfWay(broker, path, 0, 10, Buffer.alloc(5))
  await until('the bytes are there', async () => {
    const { headers } = await tus(broker, 'alice', 'HEAD', path)
    return headers.get('upload-offset') === '5'
  })
  for (const target of [path, '/v1/uploads/']) {
    const { request } = await halfWay(broker, target, 5, 10, Buffer.from('{'), 'application/json')
    const [{ statusCode }] = (await answered('the end of it', once(request, 'response'))) as [http.IncomingMessage]
    t.equal(statusCode, 408, target)
  }
  upload.request.end(Buffer.alloc(5))
  const [{ statusCode }] = (await answered('the answer', once(upload.request, 'response'))) as [http.IncomingMessage]
  t.equal(statusCode, 204, 'though it began before')
})

t.test('sizes count when they are announced, by person and for all, and no more once the file is gone', async (t) => {
  const { broker, alice } = await open(t, { userBytes: 1000, userFiles: 3, serverBytes: 1500 })
  const first = await upload(broker, 'alice', Buffer.alloc(600))
  t.match(await begin(broker, 'alice', 401), { status: 413, code: 'too_large' })
  const { key } = await alice.get('bots.create', { bot: 'helper' })
  const headers = { authorization: `Bearer ${key.key}`, 'upload-length': '401' }
  t.match(
    await tus(broker, 'helper', 'POST', '/v1/uploads', { headers }),
    { status: 413 },
    'a bot counts with its owner',
  )
  await upload(broker, 'alice', Buffer.alloc(400))
  t.match(await begin(broker, 'bob', 501), { status: 503, code: 'unavailable' })
  t.match((await alice.get('files.list')).used, { files: 2, bytes: 1000 })
  await alice.get('files.delete', { file: first })
  t.match((await alice.get('files.list')).used, { files: 1, bytes: 400 })
  for (let i = 0; i < 2; i++) t.match(await begin(broker, 'alice', 1), { status: 201 })
  t.match(await begin(broker, 'alice', 1), { status: 413 }, 'a fourth file')
  t.match(await begin(broker, 'bob', 501), { status: 201 })
})

t.test('a file that is too large is refused for good, also where the disk is nearly full', async (t) => {
  const { broker } = await open(t, { fileBytes: 1000, minFree: Number.MAX_SAFE_INTEGER })
  t.match(await begin(broker, 'alice', 1001), { status: 413, code: 'too_large' })
  t.match(await begin(broker, 'alice', 1000), { status: 503, code: 'unavailable' })
})

t.test('transfers at the same time are bounded by person', async (t) => {
  const { broker } = await open(t, { transfersPerUser: 2 })
  const open2 = await Promise.all(
    [1, 2].map(async () => {
      const path = (await begin(broker, 'alice', 10)).headers.get('location')!
      return halfWay(broker, path, 0, 10, Buffer.from('x'))
    }),
  )
  const path = (await begin(broker, 'alice', 10)).headers.get('location')!
  const send = () => tus(broker, 'alice', 'PATCH', path, { headers: at(0), body: Buffer.alloc(10) })
  // The two are counted once the broker has read their heads.
  await until('the third is refused', async () => {
    const { status } = await send()
    return status === 429
  }).catch(() => t.fail('the third was never refused'))
  for (const { request } of open2) request.destroy()
  await until('there is room again', async () => (await send()).status !== 429)
})

t.test('what is not finished in time is removed, and what nothing refers to', async (t) => {
  const clock = movableClock(t)
  const { broker, alice } = await open(t, { uploadLife: '1h', unusedLife: '2h' })
  const unfinished = (await begin(broker, 'alice', 10)).headers.get('location')!
  await tus(broker, 'alice', 'PATCH', unfinished, { headers: at(0), body: Buffer.alloc(5) })
  const unused = await upload(broker, 'alice', Buffer.from('nobody wants it'))
  t.equal((await filesOnDisk(broker)).length, 2)
  const sweep = async (seconds: number) => {
    clock.forward(seconds)
    await broker.running.maintenance.sweep(Date.now())
  }
  await sweep(3500)
  t.equal((await filesOnDisk(broker)).length, 2)
  await sweep(200)
  t.match(await tus(broker, 'alice', 'HEAD', unfinished), { status: 404 })
  t.same((await filesOnDisk(broker)).length, 1)
  await sweep(3600)
  t.equal(await alice.fails('files.get', { file: unused }), 'not_found file')
  t.same(await filesOnDisk(broker), [])
  t.match((await alice.get('files.list')).used, { files: 0, bytes: 0 })
})

t.test('all that is due is looked at in one sweep', async (t) => {
  const clock = movableClock(t)
  const { broker, alice } = await open(t, { uploadLife: '1h' })
  const files = 120
  for (let i = 0; i < files; i++) await begin(broker, 'alice', 10)
  t.match((await alice.get('files.list')).used, { files })
  clock.forward(3601)
  await broker.running.maintenance.sweep(Date.now())
  t.match((await alice.get('files.list')).used, { files: 0 })
})

t.test('bytes without a record are removed after a day, one folder in each sweep', async (t) => {
  const { broker } = await open(t)
  const kept = await upload(broker, 'alice', Buffer.from('known'))
  const aged = new Date(Date.now() - 2 * 86_400_000)
  const put = async (id: string, at: Date) => {
    const folder = join(broker.dataDir, 'media', id.slice(0, 2))
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, id), 'stray')
    await utimes(join(folder, id), at, at)
  }
  const folders = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))
  for (const folder of folders) await put(folder + '0'.repeat(30), aged)
  await put('1'.repeat(32), new Date())
  await utimes(join(broker.dataDir, 'media', kept.slice(0, 2), kept), aged, aged)
  const sweep = () => broker.running.maintenance.sweep(Date.now())
  await sweep()
  t.equal((await filesOnDisk(broker)).length, folders.length + 1)
  for (let i = 1; i < folders.length; i++) await sweep()
  const left = (await filesOnDisk(broker)).map((path) => path.split('/').at(-1)!)
  t.same(left.sort(), ['1'.repeat(32), kept].sort(), 'what is new may get its record yet')
})

t.test('without files, it is said why', async (t) => {
  const { broker, alice } = await open(t, { enabled: false })
  t.match(await begin(broker, 'alice', 1), { status: 501, code: 'not_implemented' })
  t.equal((await download(broker, 'alice', '0'.repeat(32))).status, 501)
  t.equal((await alice.get('server.info')).limits.fileBytes, 0)
})
