import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'

/** Below the ports that systems give to outgoing connections (Linux: from 32768, others: from 49152), and above what services use. */
const FIRST = 10_000
const END = 32_768

/**
 * A port that is free at this moment, for what has to have the same one again after a restart. The system gives such a port to nobody, so
 * that no connection of another test takes it meanwhile, and no client that knocks at a port where nobody listens is connected to itself.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const server = net.createServer()
    server.listen(randomInt(FIRST, END), '127.0.0.1')
    const free = await once(server, 'listening').catch(() => null)
    if (!free) continue
    const { port } = server.address() as net.AddressInfo
    server.close()
    await once(server, 'close')
    return port
  }
  throw new Error('no port is free')
}
