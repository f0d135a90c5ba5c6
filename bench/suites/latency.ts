/** Latency at fixed rates, from when a message should have left. */
import { Histogram } from '../histogram.js'
import { type Cell, cellsOf, type Shape } from '../load/cells.js'
import { assemble, split } from '../load/split.js'
import { withWorkers } from '../load/worker.js'
import { Meter, sharesOf } from '../meter.js'
import { type Peer, withBroker } from '../peers/peer.js'
import type { Nodes } from '../peers/redis.js'
import { type Column, type Options, SHARES, type Suite, type Values } from '../suite.js'

/** Messages a second, of all speakers together. */
const SHAPES: readonly (Shape & { readonly rates: readonly number[] })[] = [
  { name: 'fan-out 1 × 100', rooms: 1, members: 100, rates: [10, 100] },
  { name: 'pairs 100 × 2', rooms: 100, members: 2, rates: [500, 2000, 5000] },
]

export const LATENCY_COLUMNS: readonly Column[] = [
  { key: 'p50', label: 'p50', unit: 'milliseconds' },
  { key: 'p99', label: 'p99', unit: 'milliseconds' },
  { key: 'p999', label: 'p99.9', unit: 'milliseconds' },
  { key: 'max', label: 'max', unit: 'milliseconds' },
]

export const latency: Suite = {
  name: 'latency',
  title: 'Latency at fixed rates, from the intended time of sending',
  columns: [...LATENCY_COLUMNS, { key: 'lost', label: 'not delivered', unit: 'share' }, ...SHARES],
  main: { key: 'p99', better: 'less' },
  tasks(options) {
    return SHAPES.flatMap(({ rates, ...shape }) =>
      cellsOf([shape]).flatMap((cell) =>
        rates.map((rate) => ({
          cell: `${cell.name} ${rate}/s`,
          measure: (peer: Peer) => measure(peer, cell, rate, options),
        })),
      ),
    )
  },
}

/** Seconds at the same rate beforehand, whose latencies do not count. */
const WARM_UP = 1

function measure(peer: Peer, cell: Cell, rate: number, options: Options): Promise<Values | null> {
  return withBroker(peer, (broker) => latencyOf(peer, { nodes: [broker], redis: null }, cell, rate, options))
}

export function latencyOf(
  peer: Peer,
  { nodes, redis }: Nodes,
  cell: Cell,
  rate: number,
  { seconds, workers: count }: Options,
): Promise<Values> {
  const parts = split(cell, count)
  return withWorkers(parts.length, async (workers) => {
    await assemble(peer, nodes, workers, parts)
    const pace = (seconds: number) =>
      Promise.all(workers.map((worker) => worker.call('pace', { rate: rate / workers.length, seconds })))
    await pace(WARM_UP)
    const meter = await Meter.start(nodes, workers, redis)
    const paced = await pace(seconds)
    const latencies = new Histogram()
    for (const part of paced) latencies.add(part.latencies)
    const expected = paced.reduce((total, part) => total + part.expected, 0)
    return { ...quantiles(latencies), lost: 1 - latencies.total / expected, ...sharesOf(await meter.read()) }
  })
}

/** In milliseconds. */
export function quantiles(latencies: Histogram): { p50: number; p99: number; p999: number; max: number } {
  const ms = (share: number): number => latencies.quantile(share) / 1000
  return { p50: ms(0.5), p99: ms(0.99), p999: ms(0.999), max: latencies.max / 1000 }
}
