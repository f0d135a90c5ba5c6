/** Deliveries per CPU-second of the broker, in a closed loop: the wall clock of a shared machine says little. */
import { type Cell, cellsOf, type Shape } from '../load/cells.js'
import { pause } from '../load/crowd.js'
import { assemble, split } from '../load/split.js'
import { withWorkers } from '../load/worker.js'
import { residentBytes } from '../measure.js'
import { Meter, sharesOf } from '../meter.js'
import { type Peer, withBroker } from '../peers/peer.js'
import type { Nodes } from '../peers/redis.js'
import { type Options, SHARES, type Suite, type Values } from '../suite.js'

const SHAPES: readonly Shape[] = [
  { name: 'fan-out', rooms: 1, members: 500 },
  { name: 'small rooms', rooms: 20, members: 50 },
  { name: 'pairs', rooms: 200, members: 2 },
  { name: 'fan-in', rooms: 1, members: 1001, speakers: 1000, onlyLastListens: true, window: 1 },
]

export const throughput: Suite = {
  name: 'throughput',
  title:
    'Deliveries per CPU-second of the broker (fan-out 1 × 500, small rooms 20 × 50, pairs 200 × 2, fan-in 1,000 → 1)',
  columns: [
    { key: 'deliveriesPerCpuSecond', label: 'deliveries/CPU-s', unit: 'count' },
    { key: 'deliveriesPerSecond', label: 'deliveries/s', unit: 'count' },
    { key: 'publishedPerSecond', label: 'published/s', unit: 'count' },
    { key: 'residentBytes', label: 'RSS', unit: 'bytes' },
    ...SHARES,
  ],
  main: { key: 'deliveriesPerCpuSecond', better: 'more' },
  tasks(options) {
    const cells = cellsOf(SHAPES).map((cell) => resized(cell, options))
    return cells.map((cell) => ({ cell: cell.name, measure: (peer) => measure(peer, cell, options) }))
  },
}

/** At least: code is compiled, and who writes to a room has joined it. */
const WARM_UP_MS = 1000

function resized(cell: Cell, { rooms, members, window }: Options): Cell {
  const speakers = cell.speakers === 1 ? 1 : (members ?? cell.members) - 1
  return {
    ...cell,
    rooms: rooms ?? cell.rooms,
    members: members ?? cell.members,
    speakers,
    window: window ?? cell.window,
  }
}

function measure(peer: Peer, cell: Cell, options: Options): Promise<Values | null> {
  return withBroker(peer, (broker) => throughputOf(peer, { nodes: [broker], redis: null }, cell, options))
}

export function throughputOf(
  peer: Peer,
  { nodes, redis }: Nodes,
  cell: Cell,
  { seconds, workers: count }: Options,
): Promise<Values> {
  const parts = split(cell, count)
  return withWorkers(parts.length, async (workers) => {
    await assemble(peer, nodes, workers, parts)
    await Promise.all(workers.map((worker) => worker.call('loop')))
    await pause(Math.max(WARM_UP_MS, 250 * seconds))
    const meter = await Meter.start(nodes, workers, redis)
    await pause(1000 * seconds)
    const usage = await meter.read()
    return {
      deliveriesPerCpuSecond: Math.round(usage.deliveries / usage.brokerCpu),
      deliveriesPerSecond: Math.round(usage.deliveries / usage.seconds),
      publishedPerSecond: Math.round(usage.published / usage.seconds),
      residentBytes: nodes.reduce((total, { pid }) => total + residentBytes(pid), 0),
      deliveries: usage.deliveries,
      published: usage.published,
      seconds: usage.seconds,
      brokerCpu: usage.brokerCpu,
      loadCpu: usage.loadCpu,
      ...sharesOf(usage),
    }
  })
}
