/** A file whose message is stored comes to its room whole, whatever happens to the network, to the broker and to the program. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import http from 'node:http'
import t, { type Test } from 'tap'
import type { Chat, ChatOptions } from '../../client/chat.js'
import { createChat, type Outgoing } from '../../client/index.js'
import { directoryStore } from '../../client/node/index.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { BrokerProcess } from '../helpers/broker-process.js'
import { endWithUs } from '../helpers/end-with-us.js'
import { freePort } from '../helpers/free-port.js'
import '../helpers/http.js'
import { chatAt, proxyOf, when } from '../helpers/outbox-app.js'
import { until } from '../helpers/patience.js'
import { Random } from '../helpers/random.js'
import { aFile, filesOf, noise, numberedBytes, SeenRequests } from '../helpers/sdk-files.js'
import { HeldTimers } from '../helpers/tea-room.js'
import { openOrigin } from '../helpers/web-app.js'
import { webSocket } from '../helpers/web-socket.js'

const random = Random.from('FILES_SEED')
t.comment(`FILES_SEED=${random.seed}`)

const MEDIA = { shared: true }
/** Ms for which an answer is waited for. */
const PATIENCE = 60_000

/** The files of tea are these, in this order, and the broker has no others. */
async function requireFiles(t: Test, chat: Chat, expected: readonly Uint8Array[]): Promise<void> {
  const files = (await filesOf(chat, 'tea')).flat()
  t.equal(files.length, expected.length)
  for (const [at, bytes] of expected.entries()) t.ok(files[at]?.equals(bytes), `file ${at + 1}`)
}

t.test('a network that fails at random', async (t) => {
  const broker = await startTestBroker(t, { media: MEDIA, limits: { rates: 'off' } })
  const proxy = await proxyOf(t, broker)
  const seen = new SeenRequests()
  const ann = chatAt(t, broker, proxy.port, 'ann', { files: seen.transfers() })
  await ann.connect()
  await ann.ask.rooms.create({ room: 'tea' })
  const all = Array.from({ length: 12 }, () => noise(random.between(10, 800_000)))
  const outs = all.map((bytes) => ann.send('tea', {}, { attach: [aFile(bytes)] }))
  let left = outs.length
  for (const out of outs) void out.sent.then(() => left--)
  let cuts = 0
  seen.heard = () => {
    if (!random.chance(0.3)) return
    cuts++
    if (random.chance(0.3)) proxy.refuse()
    else proxy.cut()
  }
  // As a person who does not wait.
  ann.status.subscribe(({ state }) => {
    if (state !== 'waiting') return
    proxy.heal()
    ann.retryNow()
  })
  await Promise.all(outs.map(({ sent }) => sent))
  seen.heard = () => {}
  proxy.heal()
  ann.retryNow()
  await ann.connect()
  t.comment(`${cuts} cuts, ${seen.asked.length} requests`)
  t.equal(left, 0)
  await requireFiles(t, ann, all)
  t.ok(
    seen.asked.some(({ method }) => method === 'HEAD'),
    'uploads went on',
  )
})

t.test('an upload goes on after a silence, and after the client was closed', async (t) => {
  const broker = await startTestBroker(t, { media: MEDIA })
  const proxy = await proxyOf(t, broker)
  const seen = new SeenRequests()
  const bytes = noise(2_000_000)
  const store = directoryStore(t.testdir())
  const options = { files: seen.transfers(), store }
  const first = chatAt(t, broker, proxy.port, 'ann', options)
  await first.connect()
  await first.ask.rooms.create({ room: 'tea' })
  const out = first.send('tea', 'all of it', { attach: [aFile(bytes)] })
  await out.stored
  await when(out.state, (state) => state.at === 'uploading' && state.done > 0)
  seen.hold()
  await first.close()
  seen.open()
  t.equal(out.state.current.at, 'queued')
  const patched = seen.asked.length
  const second = chatAt(t, broker, proxy.port, 'ann', options)
  await second.connect()
  await when(second.outbox, (items) => items.length === 0)
  const [head, next] = seen.asked.slice(patched)
  t.match([head, next], [{ method: 'HEAD' }, { method: 'PATCH' }])
  t.ok(next!.offset! > 0, 'it went on where it was')
  t.equal(seen.asked.filter(({ method }) => method === 'POST').length, 1)
  await requireFiles(t, second, [bytes])
  await until('nothing is left on the device', async () => (await bytesKept(t.testdirName)).length === 0)
})

t.test('an upload of which nothing is heard is tried again, and holds nobody else up', async (t) => {
  const broker = await startTestBroker(t, { media: MEDIA })
  /** For files alone. */
  const proxy = await proxyOf(t, broker)
  const seen = new SeenRequests()
  const files = seen.transfers({ url: `http://127.0.0.1:${proxy.port}/` })
  const timers = new HeldTimers([PATIENCE])
  const { platform } = timers
  const ann = chatAt(t, broker, Number(new URL(broker.wsUrl).port), 'ann', { files, platform })
  await ann.connect()
  for (const room of ['tea', 'milk']) await ann.ask.rooms.create({ room })
  const bytes = noise(3_000_000)
  const out = ann.send('tea', {}, { attach: [aFile(bytes)] })
  await when(out.state, (state) => state.at === 'uploading' && state.done > 0)
  proxy.blackhole()
  await until('it is tried again and again', async () => {
    timers.fire(PATIENCE)
    return seen.asked.filter(({ method }) => method === 'HEAD').length > 1
  })
  t.equal(out.state.current.at, 'uploading')
  await ann.send('milk', 'meanwhile').sent
  proxy.cut()
  proxy.heal()
  await out.sent
  await requireFiles(t, ann, [bytes])
  t.equal(seen.asked.filter(({ method }) => method === 'POST').length, 1)
})

/** As nginx does it unless it is told otherwise, with fewer bytes. Resolves with its address. */
async function proxyOfShortBodies(t: Test, broker: TestBroker, most: number): Promise<string> {
  const { port } = new URL(broker.wsUrl)
  const server = http.createServer((request, response) => {
    if (Number(request.headers['content-length'] ?? 0) > most)
      return void response.writeHead(413, { 'content-type': 'text/html' }).end('<h1>413 Request Entity Too Large</h1>')
    const { url, method, headers } = request
    const passed = http.request({ host: '127.0.0.1', port, path: url, method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    request.pipe(passed)
  })
  return openOrigin(t, server)
}

t.test('a proxy that takes no long requests is sent shorter ones', async (t) => {
  const broker = await startTestBroker(t, { media: MEDIA })
  const seen = new SeenRequests()
  const files = seen.transfers({ url: await proxyOfShortBodies(t, broker, 100_000) })
  const ann = chatAt(t, broker, Number(new URL(broker.wsUrl).port), 'ann', { files })
  await ann.connect()
  await ann.ask.rooms.create({ room: 'tea' })
  const bytes = noise(600_000)
  await ann.send('tea', {}, { attach: [aFile(bytes)] }).sent
  await requireFiles(t, ann, [bytes])
  t.equal(seen.asked.filter(({ method }) => method === 'HEAD').length, 1, 'it was refused once')
})

async function bytesKept(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true })
  return names.filter((name) => /files\/.+/.test(name))
}

/** A broker in a process of its own, which serves WebSocket. */
async function brokerProcess(t: Test): Promise<{ broker: BrokerProcess; url: string }> {
  const port = await freePort()
  const broker = await BrokerProcess.make(t, [`listen.http=${port}`, 'limits.rates=off', 'media.shared=true'])
  await broker.start()
  return { broker, url: `http://127.0.0.1:${port}` }
}

function chatOf(t: Test, { broker, url }: { broker: BrokerProcess; url: string }, options: Partial<ChatOptions> = {}) {
  const auth = { getToken: () => broker.token('ann') }
  const files = new SeenRequests().transfers()
  const chat = createChat({ url, auth, user: 'ann', files, ...options }, { socket: webSocket })
  t.teardown(() => chat.close())
  return chat
}

t.test('a broker that is killed and started again', async (t) => {
  const place = await brokerProcess(t)
  const seen = new SeenRequests()
  const chat = chatOf(t, place, { files: seen.transfers() })
  await chat.connect()
  await chat.ask.rooms.create({ room: 'tea' })
  const all = Array.from({ length: 4 }, () => noise(1_500_000))
  const outs: Outgoing[] = []
  for (const bytes of all) {
    const out = chat.send('tea', {}, { attach: [aFile(bytes)] })
    outs.push(out)
    await when(out.state, (state) => state.at === 'uploading' && state.done > 0)
    await place.broker.kill()
    await place.broker.start()
    chat.retryNow()
  }
  await Promise.all(outs.map(({ sent }) => sent))
  await requireFiles(t, chat, all)
})

t.test('a program that is killed and started again, with its outbox in a directory', async (t) => {
  const place = await brokerProcess(t)
  const reader = chatOf(t, place)
  await reader.connect()
  await reader.ask.rooms.create({ room: 'tea' })
  const directory = t.testdir()
  const stored: string[] = []
  const args = [place.url, await place.broker.token('ann'), directory]
  const start = (run: number, most: number): ChildProcess => {
    const child = fork('dist/test/helpers/file-process.js', [...args, String(run), String(most)])
    endWithUs(child)
    return child
  }
  for (let run = 1; run <= 3; run++) {
    const child = start(run, 1000)
    const gone = once(child, 'exit')
    let left = random.between(2, 12)
    child.on('message', (text: string) => {
      stored.push(text)
      if (--left === 0) child.kill('SIGKILL')
    })
    await gone
  }
  const last = start(4, 3)
  const gone = once(last, 'exit')
  const told: string[] = []
  last.on('message', (text: string) => told.push(text))
  t.same(await gone, [0, null], 'nothing is left that holds the program')
  t.equal(told.pop(), 'done')
  const { messages } = await reader.ask.history({ room: 'tea', limit: 200 })
  const texts = messages.map((message) => ('gone' in message ? '' : message.text!))
  t.equal(new Set(texts).size, texts.length, 'nothing is twice')
  t.same(
    [...stored, ...told].filter((text) => !texts.includes(text)),
    [],
    'all that was stored is there',
  )
  const expected = texts.map((text) => numberedBytes(text, 200_000 + Number(text.split('-')[1])))
  await requireFiles(t, reader, expected)
  t.same(await bytesKept(directory), [], 'and nothing is left on the device')
})
