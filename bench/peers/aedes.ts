/** Bare Aedes, as its documentation starts it: in memory, no checks. Run as a script it is the broker itself. */
import http from 'node:http'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { Aedes } from 'aedes'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { Peer } from './peer.js'

const SCRIPT = fileURLToPath(import.meta.url)

export const aedes: Peer = {
  name: 'Aedes',
  secret: null,
  password: null,
  async command({ port, wsPort }) {
    return { file: process.execPath, args: [SCRIPT, String(port), String(wsPort)] }
  },
}

async function serve(port: number, wsPort: number): Promise<void> {
  const broker = await Aedes.createBroker()
  net.createServer({ noDelay: true }, (socket) => broker.handle(socket)).listen(port, '127.0.0.1')
  const server = http.createServer()
  new WebSocketServer({ server, handleProtocols: () => 'mqtt' }).on('connection', (socket, request) => {
    broker.handle(createWebSocketStream(socket), request)
  })
  server.listen(wsPort, '127.0.0.1')
}

if (process.argv[1] === SCRIPT) await serve(Number(process.argv[2]), Number(process.argv[3]))
