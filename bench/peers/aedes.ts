/**
 * Bare Aedes, as its documentation starts it: in memory, no checks; or with its persistence and its emitter over Redis, as several nodes have
 * it. Run as a script it is the broker itself.
 */
import http from 'node:http'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { Aedes, type AedesOptions } from 'aedes'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { Peer } from './peer.js'

const SCRIPT = fileURLToPath(import.meta.url)

export const aedes: Peer = {
  name: 'Aedes',
  secret: null,
  password: null,
  async command({ port, wsPort, redis = '' }) {
    return { file: process.execPath, args: [SCRIPT, String(port), String(wsPort), redis] }
  },
}

async function serve(port: number, wsPort: number, redis: string): Promise<void> {
  const broker = await Aedes.createBroker(redis ? await storedIn(redis) : {})
  net.createServer({ noDelay: true }, (socket) => broker.handle(socket)).listen(port, '127.0.0.1')
  const server = http.createServer()
  new WebSocketServer({ server, handleProtocols: () => 'mqtt' }).on('connection', (socket, request) => {
    broker.handle(createWebSocketStream(socket), request)
  })
  server.listen(wsPort, '127.0.0.1')
}

/** Neither package is needed, or loaded, without Redis. */
async function storedIn(redis: string): Promise<AedesOptions> {
  const { hostname: host, port } = new URL(redis)
  const [emitter, persistence] = await Promise.all(
    ['mqemitter-redis', 'aedes-persistence-redis'].map(async (name) => (await import(name)).default),
  )
  const options = { host, port: Number(port) }
  return { mq: emitter(options), persistence: persistence(options) }
}

if (process.argv[1] === SCRIPT) await serve(Number(process.argv[2]), Number(process.argv[3]), process.argv[4]!)
