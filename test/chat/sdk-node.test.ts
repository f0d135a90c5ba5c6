/** The SDK of programs on Node: WebSocket, TCP and TLS, directories, and nothing that keeps a process running. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { fetchOver } from '../../client/node/fetch-over.js'
import { createChat, type NodeChatOptions } from '../../client/node/index.js'
import { addressOf } from '../../client/node/sockets.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { CERTIFICATE, certificateFiles } from '../helpers/certificate.js'
import { freePort } from '../helpers/free-port.js'
import '../helpers/http.js'

const ROOMS = { list: [{ id: 'tea', access: 'public' as const }] }

async function everyWay(t: Test): Promise<{ broker: TestBroker; urls: string[]; cert: string }> {
  const files = certificateFiles(t)
  const broker = await startTestBroker(t, { listen: { mqtts: 0, https: 0, tls: files }, rooms: ROOMS })
  const portOf = (name: string): number => broker.running.listeners.find((one) => one.name === name)!.port
  const ways = { mqtt: 'mqtt', mqtts: 'mqtts', http: 'http', https: 'https' }
  const urls = Object.entries(ways).map(([scheme, name]) => `${scheme}://localhost:${portOf(name)}`)
  return { broker, urls, cert: files.cert }
}

function chatOf(t: Test, options: NodeChatOptions): ReturnType<typeof createChat> {
  const chat = createChat(options)
  t.teardown(() => chat.close())
  return chat
}

t.test('by each way a client sends, gets what others send, and asks', async (t) => {
  const { broker, urls } = await everyWay(t)
  const token = await broker.token('ann')
  for (const url of urls) {
    const chat = chatOf(t, { url, auth: { token }, tls: { ca: CERTIFICATE } })
    await chat.connect()
    t.equal(chat.user, 'ann')
    await chat.ask.rooms.join({ room: 'tea' })
    const { seq } = await chat.send('tea', `by ${url} ${'x'.repeat(50_000)}`).sent
    const { items } = chat.room('tea').timeline()
    for await (const shown of items)
      if (shown.some((item) => item.kind === 'message' && item.message.seq === seq)) break
    for await (const { list } of chat.room('tea').members) if (list.some(({ user }) => user === 'ann')) break
    await chat.close()
    t.pass(url)
  }
})

t.test('a server of several names is told which one is meant', async (t) => {
  const key = readFileSync(certificateFiles(t).key)
  const server = tls.createServer({ cert: CERTIFICATE, key })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  for (const scheme of ['mqtts', 'https']) {
    const chat = chatOf(t, { url: `${scheme}://localhost:${port}`, auth: { token: 't' }, tls: { ca: CERTIFICATE } })
    const came = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>
    chat.connect().catch(() => {})
    const [socket] = await came
    t.equal(socket.servername, 'localhost', scheme)
    socket.destroy()
    await chat.close()
  }
})

t.test('an answer that is none is an error of who asked', async (t) => {
  const key = readFileSync(certificateFiles(t).key)
  const server = tls.createServer({ cert: CERTIFICATE, key }, (socket) => {
    socket.on('error', () => {}).once('data', () => socket.end('HTTP/1.1 700 Odd\r\ncontent-length: 2\r\n\r\nhm'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  await t.rejects(fetchOver({ ca: CERTIFICATE })(`https://localhost:${port}`), RangeError)
})

t.test('what cannot be reached, or trusted, says why', async (t) => {
  const { broker, urls } = await everyWay(t)
  const auth = { token: await broker.token('ann') }
  const unknown = await freePort()
  const cases: [string, RegExp][] = [
    [urls.find((url) => url.startsWith('mqtts'))!, /self-signed certificate/],
    [urls.find((url) => url.startsWith('https'))!, /self-signed certificate/],
    [`mqtt://127.0.0.1:${unknown}`, /ECONNREFUSED/],
    [`http://127.0.0.1:${unknown}`, /ECONNREFUSED/],
  ]
  for (const [url, message] of cases) {
    const chat = chatOf(t, { url, auth })
    chat.connect().catch(() => {})
    for await (const status of chat.status) {
      if (status.state !== 'waiting') continue
      t.match(status, { why: 'network', error: { code: 'offline', message } }, url)
      break
    }
    await chat.close()
  }
})

t.test('over TCP what is sent without a connection arrives when there is one again, from a directory', async (t) => {
  const broker = await startTestBroker(t, { rooms: ROOMS })
  const proxy = await ByteProxy.start(t, () => broker.port)
  const options = { url: `mqtt://127.0.0.1:${proxy.port}`, auth: { token: await broker.token('ann') }, user: 'ann' }
  const store = t.testdir()
  const chat = chatOf(t, { ...options, store })
  await chat.connect()
  await chat.ask.rooms.join({ room: 'tea' })
  for (const fault of ['cut', 'refuse', 'holdAnswers'] as const) {
    proxy[fault]()
    const out = chat.send('tea', fault)
    if (fault === 'holdAnswers') proxy.cut()
    proxy.heal()
    chat.retryNow()
    await out.sent
  }
  proxy.refuse()
  await chat.send('tea', 'kept').stored
  await chat.close()
  t.equal((await readdir(store)).length, 1, 'a directory for the broker')
  proxy.heal()
  const next = chatOf(t, { ...options, store })
  await next.connect()
  for await (const waiting of next.outbox) if (waiting.length === 0) break
  const { messages } = await next.ask.history({ room: 'tea' })
  t.match(messages, [{ text: 'cut' }, { text: 'refuse' }, { text: 'holdAnswers' }, { text: 'kept' }])
})

t.test('a closed client does not keep its process running', async (t) => {
  const { broker, urls, cert } = await everyWay(t)
  const token = await broker.token('ann')
  const nowhere = `mqtt://127.0.0.1:${await freePort()}`
  const setUp = chatOf(t, { url: urls[0]!, auth: { token } })
  await setUp.connect()
  await setUp.ask.rooms.join({ room: 'tea' })
  const program = fileURLToPath(new URL('../helpers/node-chat-process.js', import.meta.url))
  for (const [index, url] of [...urls, nowhere].entries()) {
    const args = [program, url, url === nowhere ? 'wait' : token, `${t.testdirName}-${index}`, cert]
    const child = spawn(process.execPath, args, { stdio: 'inherit' })
    t.teardown(() => child.kill())
    const [code] = await once(child, 'exit')
    t.equal(code, 0, url)
  }
})

t.test('an address is that of the web, or of MQTT', async (t) => {
  t.equal(addressOf('https://chat.example.com'), 'wss://chat.example.com/mqtt')
  t.equal(addressOf('mqtt://chat.example.com'), 'mqtt://chat.example.com:1883')
  t.equal(addressOf('MQTTS://[::1]/'), 'mqtts://[::1]:8883')
  for (const url of [
    'mqtt://',
    'mqtt://a b',
    'mqtt://host/path',
    'mqtt://ann:pw@host',
    'mqtts://host:port',
    'tcp://host',
  ])
    t.throws(() => addressOf(url), { code: 'bad_request', field: 'url' }, url)
})

t.test('in which directory it keeps things, a program says', async (t) => {
  const options = { url: 'mqtt://localhost', auth: { token: 'x' } }
  t.throws(() => createChat({ ...options, store: 'auto' }), { code: 'bad_request', field: 'store' })
})
