/** Files are served only when a scanner has found them clean: a server, or a function of the operator. */
import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { completeConfig } from '../../broker/config/config.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { startClamd } from '../helpers/clamd.js'
import { movableClock } from '../helpers/clock.js'
import { until } from '../helpers/patience.js'
import { Person } from '../helpers/people.js'
import { begin, download, filesOnDisk, tus, upload } from '../helpers/uploads.js'

const KEY = Buffer.from('a secret that only the tests know')
const EVIL = Buffer.from('this one is evil\n')
const GOOD = Buffer.from('this one is good\n')

interface Asked {
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

/** A server that finds what is evil; `answer` may say otherwise. */
async function startScanner(t: Test) {
  const asked: Asked[] = []
  const scanner = {
    url: '',
    asked,
    /** It does not answer before. */
    hold: Promise.resolve(),
    answer: ({ body }: Asked): [status: number, body?: object] =>
      body.includes('evil') ? [200, { action: 'block', reason: 'Evil.Test' }] : [204],
  }
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    asked.push({ headers: request.headers, body })
    await scanner.hold
    const [status, answer] = scanner.answer(asked.at(-1)!)
    response.writeHead(status).end(answer && JSON.stringify(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  scanner.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return scanner
}

async function open(t: Test, scan: object, more: Parameters<typeof startTestBroker>[2] = {}, auth: object = {}) {
  const media = { shared: true, scan, unusedLife: '2h' }
  const broker = await startTestBroker(t, { media, auth, limits: { rates: 'off' } }, more)
  const [alice, bob] = [await Person.connect(t, broker, 'alice'), await Person.connect(t, broker, 'bob')]
  return { broker, alice, bob }
}

/** Uploads it, and resolves with its id and what its sender was answered. */
async function send(broker: TestBroker, bytes: Buffer, name = 'a.txt') {
  const path = (await begin(broker, 'alice', bytes.length, { name })).headers.get('location')!
  const sent = await tus(broker, 'alice', 'PATCH', path, { headers: { 'upload-offset': '0' }, body: bytes })
  return { file: path.split('/').at(-1)!, status: sent.status, code: sent.code }
}

const withFile = (file: string) => ({ attachments: [{ type: 'file', file }] })

t.test('a server is sent the file with a signed question, and what it finds clean is served', async (t) => {
  const scanner = await startScanner(t)
  const { broker, alice, bob } = await open(t, { url: scanner.url, secret: `whsec_${KEY.toString('base64')}` })
  const { file, status } = await send(broker, GOOD, 'Grüße 😀.txt')
  t.equal(status, 204)
  const [{ headers, body }] = scanner.asked as [Asked]
  t.ok(body.equals(GOOD))
  const question = String(headers['topictalk-question'])
  const hash = createHash('sha256').update(GOOD).digest('base64url')
  const { id, type, data } = JSON.parse(question)
  t.match({ id, type }, { id: headers['webhook-id'], type: 'file.scan' })
  t.same(data, { file, user: 'alice', name: 'Grüße 😀.txt', mime: 'text/plain', size: GOOD.length, hash })
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${question}`
  t.equal(headers['webhook-signature'], `v1,${createHmac('sha256', KEY).update(signed).digest('base64')}`)
  t.match(await alice.get('files.get', { file }), { scan: 'clean' })
  await bob.get('rooms.join', { room: 'lobby' })
  t.ok((await alice.send('rooms/lobby/messages', withFile(file))).ok)
  t.ok((await download(broker, 'bob', file)).bytes.equals(GOOD))
})

t.test('what it blocks is off the disk, is not served, and nobody can send it', async (t) => {
  const scanner = await startScanner(t)
  const { broker, alice } = await open(t, { url: scanner.url })
  const { file, status, code } = await send(broker, EVIL)
  t.match({ status, code }, { status: 403, code: 'forbidden' })
  t.notOk('webhook-signature' in scanner.asked[0]!.headers, 'there is no secret')
  t.same(await filesOnDisk(broker), [])
  t.match(await alice.get('files.get', { file }), { scan: 'blocked', blockedFor: 'Evil.Test' })
  t.equal((await download(broker, 'alice', file)).status, 403)
  const root = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  const { entries } = await root.get('audit.list', { action: 'files.block' })
  t.match(entries, [{ actor: 'system', user: 'alice', details: { file, mime: 'text/plain', reason: 'Evil.Test' } }])
  const { error } = await alice.send('rooms/lobby/messages', withFile(file))
  t.match(error, { code: 'forbidden', field: 'attachments.0.file', message: /Evil\.Test/ })
  await alice.get('files.delete', { file })
  t.match((await alice.get('files.list')).used, { files: 0, bytes: 0 })
})

t.test('without a verdict a file waits unserved, and is scanned again, also after a restart', async (t) => {
  const clock = movableClock(t)
  const scanner = await startScanner(t)
  const { broker, alice } = await open(t, { url: scanner.url })
  const { answer } = scanner
  const sweepAfter = async (seconds: number) => {
    clock.forward(seconds)
    await broker.running.maintenance.sweep(Date.now())
  }
  /** When the file is looked at next. */
  const due = async () => (await broker.running.store.directory.files.get(file))!.checkAt
  const sweptAndAsked = async (seconds: number) => {
    const before = scanner.asked.length
    let answerNow = () => {}
    scanner.hold = new Promise((resolve) => (answerNow = resolve))
    await sweepAfter(seconds)
    await until('it is asked again', async () => scanner.asked.length === before + 1)
    const asSwept = await due()
    // The older the file, the later it is due: within a millisecond it would be put off to the same time as by the sweep.
    const swept = Date.now()
    await until('the clock goes on', async () => Date.now() > swept)
    answerNow()
    return asSwept
  }
  const failures: (typeof answer)[] = [() => [500], () => [200, { action: 'maybe' }], () => [302]]
  scanner.answer = failures[0]!
  const { file, status } = await send(broker, GOOD)
  t.equal(status, 204, 'all of it is there')
  for (const [i, failure] of failures.entries()) {
    scanner.answer = failure
    const asSwept = await sweptAndAsked([100, 130, 300][i]!)
    // What it does with the answer is over before the clock is moved again.
    await until('it is put off', async () => (await due()) > asSwept)
    t.match(await alice.get('files.get', { file }), { finished: true, scan: 'pending' })
  }
  t.equal((await download(broker, 'alice', file)).status, 503)
  const waiting = { code: 'unavailable', field: 'attachments.0.file', retryAfter: 60 }
  t.match((await alice.send('rooms/lobby/messages', withFile(file))).error, waiting)
  scanner.answer = answer
  const asked = scanner.asked.length
  t.ok(asked >= 3, `${asked} times`)
  await broker.restart()
  await sweptAndAsked(3000)
  await until('it is served', async () => (await download(broker, 'alice', file)).status === 200)
  await sweepAfter(3000)
  t.equal(scanner.asked.length, asked + 1, 'once it is enough')
})

t.test('a file that nobody ever scans goes when its time is over', async (t) => {
  const clock = movableClock(t)
  const scanner = await startScanner(t)
  scanner.answer = () => [500]
  const { broker } = await open(t, { url: scanner.url })
  await send(broker, GOOD)
  clock.forward(7300)
  await broker.running.maintenance.sweep(Date.now())
  t.same(await filesOnDisk(broker), [])
})

t.test('a failed scan lets files pass where that is asked for', async (t) => {
  const scanner = await startScanner(t)
  scanner.answer = () => [500]
  const { broker, alice } = await open(t, { url: scanner.url, onFailure: 'allow' })
  const { file } = await send(broker, EVIL)
  t.match(await alice.get('files.get', { file }), { scan: 'clean' })
  t.equal((await download(broker, 'alice', file)).status, 200)
})

t.test('functions of hooks are asked, of the application and of the module, with where the bytes are', async (t) => {
  const module = join(t.testdir({}), 'hooks.mjs')
  writeFileSync(module, `export async function scanFile({ size }) { return size < 100 }`)
  const scanFile = ({ path }: { path: string }) => !readFileSync(path).includes('evil')
  const { broker, alice } = await open(t, {}, { hooks: { scanFile } }, { hooks: module })
  t.match(await alice.get('files.get', { file: await upload(broker, 'alice', GOOD) }), { scan: 'clean' })
  t.match(await send(broker, EVIL), { status: 403 }, 'by the application')
  t.match(await send(broker, Buffer.alloc(100, 'a')), { status: 403 }, 'by the module')
})

t.test('a function that fails, or is late, gives no verdict', async (t) => {
  const late = () => new Promise<boolean>(() => {})
  const broken = () => {
    throw new Error('no')
  }
  const vague = () => 'yes' as unknown as boolean
  for (const scanFile of [late, broken, vague]) {
    const { broker, alice } = await open(t, { timeout: 0.2 }, { hooks: { scanFile } })
    const { file } = await send(broker, GOOD)
    t.match(await alice.get('files.get', { file }), { scan: 'pending' })
  }
})

t.test('a scanner is at an address that nobody can change on the way', async (t) => {
  const config = (scan: object) => () => completeConfig({ media: { scan } })
  t.throws(config({ url: 'http://scan.example.com/' }), { message: /media\.scan\.url: expected https/ })
  t.throws(config({ url: 'https://scan.example.com/', secret: 'short' }), { message: /media\.scan\.secret/ })
  t.doesNotThrow(config({ url: 'https://scan.example.com/' }))
})

t.test('ClamAV is sent the bytes, over its socket or over TCP', async (t) => {
  const { socket, port } = await startClamd(t, 'Evil.Test', 'this one is evil')
  for (const clamd of [socket, `127.0.0.1:${port}`]) {
    const { broker, alice } = await open(t, { clamd })
    const good = await send(broker, GOOD)
    t.equal(good.status, 204)
    t.match(await alice.get('files.get', { file: good.file }), { scan: 'clean' })
    const evil = await send(broker, Buffer.concat([Buffer.alloc(200_000, 120), EVIL]))
    t.match({ status: evil.status, code: evil.code }, { status: 403, code: 'forbidden' })
    const { scan, blockedFor } = await alice.get('files.get', { file: evil.file })
    t.match({ scan, blockedFor }, { scan: 'blocked', blockedFor: 'Evil.Test.UNOFFICIAL' })
    const large = await send(broker, Buffer.alloc(1_500_000, 120))
    t.match(await alice.get('files.get', { file: large.file }), { scan: 'pending' }, 'more than it takes is no verdict')
  }
})

t.test('a file that is deleted while it waits for a scanner harms nobody', async (t) => {
  const scanner = await startScanner(t)
  const { broker, alice } = await open(t, { url: scanner.url, concurrency: 1 })
  const asked: (() => void)[] = []
  const held = new Promise<void>((resolve) => asked.push(resolve))
  scanner.hold = held
  const first = send(broker, GOOD)
  await until('the first is asked about', async () => scanner.asked.length === 1)
  const path = (await begin(broker, 'alice', GOOD.length)).headers.get('location')!
  const second = tus(broker, 'alice', 'PATCH', path, { headers: { 'upload-offset': '0' }, body: GOOD })
  const file = path.split('/').at(-1)!
  await until('the second waits', async () => (await alice.get('files.get', { file })).scan === 'pending')
  await alice.get('files.delete', { file })
  asked[0]!()
  t.equal((await first).status, 204)
  t.equal((await second).status, 404)
  t.equal((await send(broker, GOOD)).status, 204, 'the broker goes on')
})

t.test('while ClamAV is not there, files wait', async (t) => {
  const { broker, alice } = await open(t, { clamd: '/no/such/socket' })
  const { file, status } = await send(broker, GOOD)
  t.equal(status, 204)
  t.match(await alice.get('files.get', { file }), { scan: 'pending' })
})

t.test('files from before there was a scanner are scanned, some a minute, and served until then', async (t) => {
  const clock = movableClock(t)
  const scanner = await startScanner(t)
  const { broker, alice } = await open(t, {})
  await alice.get('rooms.join', { room: 'lobby' })
  const files: string[] = []
  for (const bytes of [EVIL, GOOD, EVIL, GOOD, EVIL]) files.push((await send(broker, bytes)).file)
  for (const file of files) await alice.send('rooms/lobby/messages', withFile(file))
  const { status } = await download(broker, 'alice', files[0]!)
  t.equal(status, 200)
  const withScanner = { media: { shared: true, scan: { url: scanner.url, backlog: 2 }, unusedLife: '2h' } }
  await broker.restart(withScanner)
  const again = await Person.connect(t, broker, 'alice', { keepalive: 0 })
  const scans = async (): Promise<(string | undefined)[]> =>
    Promise.all(files.map(async (file) => (await again.get('files.get', { file })).scan))
  const known = async () => (await scans()).filter((scan) => scan !== undefined).length
  t.equal(await known(), 0)
  clock.forward(43_300)
  const swept = async (count: number) => {
    await broker.running.maintenance.sweep(Date.now())
    await until(`${count} are scanned`, async () => (await known()) === count)
  }
  await swept(2)
  await broker.running.maintenance.sweep(Date.now())
  t.equal(await known(), 2, 'no more in the same minute')
  await broker.restart(withScanner)
  clock.forward(61)
  t.equal(scanner.asked.length, 2)
  const rest = await Person.connect(t, broker, 'alice', { clientId: 'rest', keepalive: 0 })
  // A file whose scan is under way takes a turn, too: how many minutes it takes depends on the scanner.
  await until('all are scanned', async () => {
    await broker.running.maintenance.sweep(Date.now())
    clock.forward(61)
    return scanner.asked.length >= 5
  })
  const outcome = async () =>
    Promise.all(files.map(async (file) => (await rest.get('files.get', { file })).scan as string))
  await until('all have a verdict', async () => (await outcome()).every((scan) => scan !== undefined))
  t.same(await outcome(), ['blocked', 'clean', 'blocked', 'clean', 'blocked'])
  t.equal(scanner.asked.length, 5, 'each once')
  t.equal((await download(broker, 'alice', files[0]!)).status, 403)
  t.equal((await download(broker, 'alice', files[1]!)).status, 200)
  t.equal((await filesOnDisk(broker)).length, 2)
  t.ok(broker.running.counters.get('scans.backlog') >= 1)
})

t.test('a scanner that is slow does not keep the sweep waiting, nor the end of the broker', async (t) => {
  const clock = movableClock(t)
  const scanner = await startScanner(t)
  scanner.answer = () => [500]
  const { broker, alice } = await open(t, { url: scanner.url, concurrency: 1 })
  for (const bytes of [GOOD, EVIL]) await send(broker, bytes)
  let goOn = (): void => {}
  scanner.hold = new Promise((resolve) => {
    goOn = resolve
  })
  t.teardown(() => goOn())
  clock.forward(61)
  await broker.running.maintenance.sweep(Date.now())
  await until('one is asked about', async () => scanner.asked.length === 3)
  await broker.running.maintenance.sweep(Date.now())
  t.equal(scanner.asked.length, 3, 'the other waits for its turn')
  t.match((await alice.get('files.list')).files, [{ scan: 'pending' }, { scan: 'pending' }])
  await broker.restart()
  const again = await Person.connect(t, broker, 'alice')
  t.match((await again.get('files.list')).files, [{ scan: 'pending' }, { scan: 'pending' }])
})

t.test('a scan that the end of the broker breaks off is no failure that lets a file pass', async (t) => {
  const scanner = await startScanner(t)
  let goOn = (): void => {}
  scanner.hold = new Promise((resolve) => {
    goOn = resolve
  })
  t.teardown(() => goOn())
  const { broker } = await open(t, { url: scanner.url, onFailure: 'allow' })
  const sent = send(broker, EVIL).catch(() => null)
  await until('it is asked about', async () => scanner.asked.length === 1)
  await broker.restart()
  await sent
  const again = await Person.connect(t, broker, 'alice')
  t.match((await again.get('files.list')).files, [{ finished: true, scan: 'pending' }])
})

t.test('what has no place among those that wait for a scan is asked about soon, however old it is', async (t) => {
  const clock = movableClock(t)
  const scanner = await startScanner(t)
  scanner.answer = () => [500]
  const { broker } = await open(t, { url: scanner.url })
  const files: string[] = []
  for (let i = 0; i < 258; i++) files.push(await upload(broker, 'alice', GOOD))
  let goOn = (): void => {}
  scanner.hold = new Promise((resolve) => {
    goOn = resolve
  })
  t.teardown(() => goOn())
  clock.forward(600)
  const { files: records } = broker.running.store.directory
  const now = Date.now()
  // One sweep has a few seconds.
  while ((await records.due(now, 1)).length > 0) await broker.running.maintenance.sweep(now)
  const waits = await Promise.all(files.map(async (file) => (await records.get(file))!.checkAt - Date.now()))
  t.equal(waits.filter((wait) => wait <= 60_000).length, 2)
  t.equal(waits.filter((wait) => wait > 300_000).length, 256)
})
