/** Brokers that share a Redis server, which syncs every commit. */
import { installed } from './installed.js'
import { type Peer, type RunningPeer, withBroker } from './peer.js'

/** Every installation has the server under this name, too, and goes by the name that it is called by. */
const PROGRAM = 'redis-check-rdb'

/** The server itself. */
export const redis: Pick<Peer, 'command'> = {
  async command({ port, dir }) {
    const file = installed(PROGRAM)
    if (!file) return null
    const config = { port, bind: '127.0.0.1', dir, appendonly: 'yes', appendfsync: 'always', loglevel: 'warning' }
    const directives = Object.entries(config).flatMap(([name, value]) => [`--${name}`, String(value)])
    return { file, argv0: 'redis-server', args: [...directives, '--save', ''], ports: [port] }
  },
}

export interface Nodes {
  readonly nodes: readonly RunningPeer[]
  /** Null: the one node stores by itself. */
  readonly redis: RunningPeer | null
}

/** One broker without Redis, or some over one, for the time of `use`; null where something is not installed. */
export function withNodes<T>(peer: Peer, count: number, onRedis: boolean, use: (nodes: Nodes) => Promise<T>) {
  if (!onRedis) return withBroker(peer, (node) => use({ nodes: [node], redis: null }))
  return withBroker(redis, (server) => {
    const start = (nodes: readonly RunningPeer[]): Promise<T | null> =>
      nodes.length === count
        ? use({ nodes, redis: server })
        : withBroker(peer, (node) => start([...nodes, node]), `redis://127.0.0.1:${server.port}`)
    return start([])
  })
}
