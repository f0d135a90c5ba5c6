/** The broker inside an application: the example of docs/embedding.md as it is, and what it leaves to the application. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import mqtt, { type MqttClient } from 'mqtt'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import { type BrokerOptions, completeConfig, type RunningBroker, startBroker } from '../../broker/index.js'
import { httpCalls, methods } from '../../client/index.js'
import { Inbox } from '../helpers/broker.js'

async function connect(t: Test, url: string, username: string, password: string): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url, { username, password, clientId: username, reconnectPeriod: 0 })
  t.teardown(() => client.endAsync(true))
  return client
}

t.test('the example of the documentation', async (t) => {
  const env = { ...process.env, PORT: '0', MQTT_PORT: '0', DATA_DIR: t.testdir() }
  const program = spawn(process.execPath, ['docs/examples/embedded.mjs'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => program.kill('SIGKILL'))
  const exited = once(program, 'exit')
  const lines = createInterface({ input: program.stdout })
  const urls = JSON.parse((await once(lines, 'line'))[0]) as Record<'mqtt' | 'ws' | 'http', string>
  const get = async (path: string) => (await (await fetch(urls.http + path)).json()) as Record<string, unknown>

  const login = async (user: string) => (await get(`/login?user=${user}`))['token'] as string
  const [alice, bob] = [await login('alice'), await login('bob')]
  const overTcp = await connect(t, urls.mqtt, 'alice', alice)
  const overWebSocket = await connect(t, urls.ws, 'bob', bob)
  t.same(await get('/online'), { online: 2 }, 'the plugin counts clients')

  const inbox = new Inbox(overTcp)
  await overTcp.subscribeAsync('rooms/lobby/messages', { qos: 1 })
  await overWebSocket.publishAsync('rooms/lobby/messages', 'hello', { qos: 1 })
  await overWebSocket.publishAsync('rooms/lobby/messages', 'x'.repeat(2000), { qos: 1 })
  const asBob = methods(httpCalls({ url: urls.http, token: () => bob }))
  t.equal((await asBob.send({ room: 'lobby', text: 'over HTTP' })).seq, 2, 'what the hook refused has no number')
  await inbox.wait(2)
  t.same(
    inbox.json().map(({ from, text }) => [from, text]),
    [
      ['bob', 'hello'],
      ['bob', 'over HTTP'],
    ],
  )
  t.same(await get('/other'), { error: 'nothing at /other' }, 'other paths are those of the application')

  program.kill('SIGTERM')
  t.same(await exited, [0, null], 'it ends by itself')
})

/** An application with a server that is open, and a broker on it. */
async function embed(t: Test, options: BrokerOptions & { server: http.Server }): Promise<RunningBroker> {
  const { server } = options
  const listen = { mqtt: null, http: null }
  const log = { level: 'silent' }
  const rooms = { list: [{ id: 'lobby', access: 'public' }] }
  const config = completeConfig({ node: { dataDir: t.testdir() }, listen, log, rooms }, { portless: true })
  const broker = await startBroker(config, options)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    await broker.close()
    server.closeAllConnections()
    server.close()
  })
  return broker
}

const at = (server: http.Server, path: string): string => `127.0.0.1:${(server.address() as AddressInfo).port}${path}`

t.test("upgrades at other paths are the application's; at the broker's end it has its server back", async (t) => {
  const server = http.createServer((_request, response) => response.end('the application'))
  server.on('upgrade', (request, socket) => {
    if (request.url === '/own') socket.end('HTTP/1.1 418 own\r\nconnection: close\r\n\r\n')
  })
  const broker = await embed(t, { server })
  const refused = (path: string) =>
    new Promise<number | undefined>((resolve) => {
      const socket = new WebSocket(`ws://${at(server, path)}`)
      socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
      socket.on('open', () => resolve(101)).on('error', () => {})
    })
  const text = async (path: string) => (await fetch(`http://${at(server, path)}`)).text()
  t.equal(await refused('/own'), 418)
  t.equal(await text('/v1x'), 'the application')
  t.match(await text('/v1/rooms'), /"code":"unauthorized"/)
  await broker.close()
  t.equal(await text('/v1/rooms'), 'the application')
})

t.test('on a server without listeners every path is the broker’s, and an unknown one is answered', async (t) => {
  const server = http.createServer()
  await embed(t, { server })
  t.equal((await fetch(`http://${at(server, '/healthz')}`)).status, 200)
  t.equal((await fetch(`http://${at(server, '/nothing')}`)).status, 404)
})

t.test('hooks as functions refuse, and one with a name that is none is an error', async (t) => {
  const config = completeConfig({ node: { dataDir: t.testdir() }, listen: { mqtt: 0, http: null } })
  const hooks = { authenticat: () => true } as object
  await t.rejects(startBroker(config, { hooks }), { name: 'ConfigError', message: /hooks: unknown export authenticat/ })
})

t.test('what the application publishes is said by the system', async (t) => {
  const server = http.createServer()
  const broker = await embed(t, { server, hooks: { authenticate: ({ user }) => user !== 'mallory' } })
  const call = methods(httpCalls({ url: `http://${at(server, '')}` }))
  const { token } = await call.auth.register({ user: 'alice', password: 'alice-password' })
  const alice = await connect(t, `ws://${at(server, '/mqtt')}`, 'alice', token)
  const inbox = new Inbox(alice)
  await alice.subscribeAsync('rooms/lobby/messages', { qos: 1 })
  broker.aedes.publish({ topic: 'rooms/lobby/messages', payload: 'We close in ten minutes.' } as never, () => {})
  await inbox.wait(1)
  t.match(inbox.json(), [{ from: 'system', text: 'We close in ten minutes.' }])
})
