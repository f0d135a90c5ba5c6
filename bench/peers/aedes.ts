/** Bare Aedes, as its documentation starts it: in memory, no checks. Run as a script it is the broker itself. */
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { Aedes } from 'aedes'
import type { Peer } from './peer.js'

const SCRIPT = fileURLToPath(import.meta.url)

export const aedes: Peer = {
  name: 'Aedes',
  secret: null,
  async command({ port }) {
    return { file: process.execPath, args: [SCRIPT, String(port)] }
  },
}

async function serve(port: number): Promise<void> {
  const broker = await Aedes.createBroker()
  net.createServer({ noDelay: true }, (socket) => broker.handle(socket)).listen(port, '127.0.0.1')
}

if (process.argv[1] === SCRIPT) await serve(Number(process.argv[2]))
