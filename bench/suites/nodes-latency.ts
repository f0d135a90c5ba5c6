/** Latency where the members of a pair are connected to different nodes. */
import { cellsOf } from '../load/cells.js'
import { withNodes } from '../peers/redis.js'
import type { Suite } from '../suite.js'
import { LATENCY_COLUMNS, latencyOf } from './latency.js'
import { LAYOUTS, PEERS_ON_REDIS, SHARES_ON_REDIS } from './nodes.js'

const CELLS = cellsOf([{ name: 'pairs 100 × 2', rooms: 100, members: 2 }]).filter(
  ({ qos, transport }) => qos === 1 && transport === 'tcp',
)
/** Messages a second, of all speakers together. */
const RATES = [500, 2000]

export const nodesLatency: Suite = {
  name: 'nodes-latency',
  title: 'Latency at fixed rates over nodes on one Redis, from the intended time of sending',
  columns: [...LATENCY_COLUMNS, { key: 'lost', label: 'not delivered', unit: 'share' }, ...SHARES_ON_REDIS],
  main: { key: 'p99', better: 'less' },
  peers: PEERS_ON_REDIS,
  tasks: (options) =>
    CELLS.flatMap((cell) =>
      RATES.flatMap((rate) =>
        LAYOUTS.map(({ name, count, onRedis }) => ({
          cell: `${cell.name} ${rate}/s, ${name}`,
          measure: (peer) => withNodes(peer, count, onRedis, (nodes) => latencyOf(peer, nodes, cell, rate, options)),
        })),
      ),
    ),
}
