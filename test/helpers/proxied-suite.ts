/** What every load balancer of `deploy/` has to do for the nodes behind it. */
import { once } from 'node:events'
import https from 'node:https'
import net from 'node:net'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import type { Test } from 'tap'
import { type Overrides, request, startTestBroker, type TestBroker } from './broker.js'
import { CERTIFICATE, certificateFiles } from './certificate.js'
import { freePort } from './free-port.js'
import type { NodePorts, ProxyProcess } from './proxy-process.js'

export interface ProxyUnderTest {
  start(t: Test, nodes: readonly NodePorts[]): Promise<ProxyProcess>
  /** As an operator sets it for this balancer: how long a node that drains goes on accepting. */
  readonly drain: NonNullable<Overrides['node']>
  /** Resolves when it knows that the first node drains. */
  noticed(proxy: ProxyProcess): Promise<void>
}

/** Of the client, in front of the balancer, which has another one. */
const CLIENT_ADDRESS = '127.0.0.2'
/** More than a balancer that sends every second, or every third, elsewhere would get past. */
const TRIES = 12

export async function testProxy(t: Test, { start, drain, noticed }: ProxyUnderTest): Promise<void> {
  const nodes = [await startNode(t, drain), await startNode(t, drain)] as const
  const nobody = await freePort()
  const proxy = await start(t, [...nodes.map(portsOf), { 1883: nobody, 8883: nobody, 8080: nobody }])
  const connect = (url: string, id: string, options: IClientOptions = {}) =>
    connectThrough(t, nodes[0], url, { clientId: id, ...options })
  const at = (scheme: string, port: string) => `${scheme}://127.0.0.1:${proxy.port(port)}`

  for (const [name, scheme, port] of [
    ['TCP', 'mqtt', '1883'],
    ['TLS that ends at the balancer', 'mqtts', '8883'],
    ['TLS that ends at the node', 'mqtts', '8884'],
    ['WebSocket over TLS', 'wss', '443'],
  ] as const) {
    await t.test(`${name}: the broker sees the address of the client`, async (t) => {
      const client = await connect(`${at(scheme, port)}/mqtt`, port)
      const { result } = await request(client, 'ann', 'sessions.list')
      const via = scheme === 'wss' ? 'websocket' : 'mqtt'
      t.match(result.sessions, [{ session: port, connected: true, via, address: CLIENT_ADDRESS }])
      await client.endAsync()
    })
  }

  await t.test('HTTPS', async (t) => {
    const [response] = (await once(
      https.get(`${at('https', '443')}/healthz`, { ca: CERTIFICATE, agent: false }),
      'response',
    )) as [NodeJS.ReadableStream & { statusCode: number }]
    t.equal(response.statusCode, 200)
    response.resume()
  })

  const [first, second] = nodes
  const on = (node: TestBroker): string[] => Object.keys(node.running.aedes.clients)
  const TCP = at('mqtt', '1883')

  await t.test('a node that drains keeps its clients and gets no others', async (t) => {
    const both: MqttClient[] = []
    while (on(first).length < 2 || on(second).length < 2) both.push(await connect(TCP, `b${both.length}`))
    t.ok(both.length <= TRIES, 'both are used')
    const before = on(first)
    const hurry = new AbortController()
    const draining = first.running.drain(hurry.signal)
    await noticed(proxy)
    const had = on(second).length
    for (let i = 0; i < TRIES; i++) await connect(TCP, `late${i}`)
    t.equal(on(second).length, had + TRIES)
    t.equal((await connect(`${at('wss', '443')}/mqtt`, 'ws')).connected, true)
    t.ok(on(first).includes(before.at(-1)!), 'who is to leave last is there')
    hurry.abort()
    await draining
  })

  await t.test('one that is gone is passed over', async (t) => {
    await first.running.close()
    const had = on(second).length
    for (let i = 0; i < TRIES; i++) await connect(TCP, `after${i}`)
    t.equal(on(second).length, had + TRIES)
    t.equal((await connect(at('mqtts', '8884'), 'tls')).connected, true)
  })
}

/** Stands alone: what the balancer does is not about what nodes share. */
function startNode(t: Test, node: NonNullable<Overrides['node']>): Promise<TestBroker> {
  const { cert, key } = certificateFiles(t)
  const listen = { http: 0, mqtts: 0, tls: { cert, key }, proxyProtocol: true }
  return startTestBroker(t, { node, listen, auth: { jwt: { secret: 'the secret of all nodes, long enough' } } })
}

function portsOf({ running }: TestBroker): NodePorts {
  const port = (name: string): number => running.listeners.find((listener) => listener.name === name)!.port
  return { 1883: port('mqtt'), 8883: port('mqtts'), 8080: port('http') }
}

async function connectThrough(t: Test, issuer: TestBroker, url: string, options: IClientOptions): Promise<MqttClient> {
  const place = { localAddress: CLIENT_ADDRESS, ca: CERTIFICATE }
  const login = { username: 'ann', password: await issuer.token('ann'), reconnectPeriod: 0 }
  const settings = { ...login, ...place, wsOptions: place, ...options } as IClientOptions
  const { protocol, hostname: host, port } = new URL(url)
  // Over TCP, MQTT.js leaves the choice of its own address to the system.
  const socket = () => net.connect({ host, port: Number(port), localAddress: CLIENT_ADDRESS })
  const client = protocol === 'mqtt:' ? new mqtt.MqttClient(socket, settings) : mqtt.connect(url, settings)
  client.on('error', () => {})
  t.teardown(() => client.endAsync(true))
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve()).once('error', reject)
    client.once('close', () => reject(new Error(`${url}: closed before CONNACK`)))
  })
  return client
}
