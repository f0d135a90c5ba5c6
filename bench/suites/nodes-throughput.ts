/** Deliveries where the members of a room are spread over the nodes. */
import { cellsOf } from '../load/cells.js'
import { withNodes } from '../peers/redis.js'
import type { Suite } from '../suite.js'
import { LAYOUTS, PEERS_ON_REDIS, SHARES_ON_REDIS } from './nodes.js'
import { throughputOf } from './throughput.js'

const CELLS = cellsOf([
  { name: 'fan-out', rooms: 1, members: 500 },
  { name: 'pairs', rooms: 200, members: 2 },
]).filter(({ qos, transport }) => qos === 1 && transport === 'tcp')

export const nodesThroughput: Suite = {
  name: 'nodes-throughput',
  title:
    'Deliveries in a closed loop at QoS 1, the members of each room spread over nodes on one Redis (fan-out 1 × 500, pairs 200 × 2)',
  columns: [
    { key: 'deliveriesPerCpuSecond', label: 'deliveries/CPU-s of nodes', unit: 'count' },
    { key: 'deliveriesPerSecond', label: 'deliveries/s', unit: 'count' },
    { key: 'residentBytes', label: 'RSS of nodes', unit: 'bytes' },
    ...SHARES_ON_REDIS,
  ],
  main: { key: 'deliveriesPerCpuSecond', better: 'more' },
  peers: PEERS_ON_REDIS,
  tasks: (options) =>
    CELLS.flatMap((cell) =>
      LAYOUTS.map(({ name, count, onRedis }) => ({
        cell: `${cell.name}, ${name}`,
        measure: (peer) => withNodes(peer, count, onRedis, (nodes) => throughputOf(peer, nodes, cell, options)),
      })),
    ),
}
