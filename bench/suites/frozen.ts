/** Some subscribers stop reading. Do the others notice, and does the broker's memory grow? */
import { Histogram } from '../histogram.js'
import { type Cell, cellsOf, type Shape } from '../load/cells.js'
import { assemble } from '../load/split.js'
import { withWorkers } from '../load/worker.js'
import { residentBytes } from '../measure.js'
import { Meter, peakWhile, sharesOf } from '../meter.js'
import { type Peer, withBroker } from '../peers/peer.js'
import { type Options, SHARES, type Suite, type Values } from '../suite.js'
import { quantiles } from './latency.js'

const MEMBERS = 200
/** 1 %. */
const FROZEN = MEMBERS / 100

/** The second is about 64 kB: what is added to it has to fit as well. */
const SHAPES: readonly (Shape & { readonly rate: number })[] = [
  { name: 'small', rooms: 1, members: MEMBERS, rate: 50 },
  { name: '64 kB', rooms: 1, members: MEMBERS, payloadBytes: 64_000, rate: 5 },
]

export const frozen: Suite = {
  name: 'frozen',
  title: `1 % of ${MEMBERS} subscribers frozen: latency of the others before and after, in one run`,
  columns: [
    { key: 'p99Before', label: 'p99 before', unit: 'milliseconds' },
    { key: 'p99', label: 'p99 after', unit: 'milliseconds' },
    { key: 'change', label: 'change', unit: 'share' },
    { key: 'lost', label: 'not delivered', unit: 'share' },
    { key: 'grown', label: 'RSS grown by', unit: 'bytes' },
    ...SHARES,
  ],
  main: { key: 'p99', better: 'less' },
  tasks(options) {
    return SHAPES.flatMap(({ rate, ...shape }) =>
      cellsOf([shape]).map((cell) => ({
        cell: cell.name,
        measure: (peer: Peer) => measure(peer, cell, rate, options),
      })),
    )
  },
}

function measure(peer: Peer, cell: Cell, rate: number, { seconds }: Options): Promise<Values | null> {
  return withBroker(peer, (broker) =>
    withWorkers(1, async ([worker]) => {
      await assemble(peer, broker, [worker!], [cell])
      await worker!.call('pace', { rate, seconds: 1 })
      const before = await worker!.call('pace', { rate, seconds })
      const memory = residentBytes(broker.pid)
      await worker!.call('freeze', FROZEN)
      const meter = await Meter.start(broker, [worker!])
      const [after, peak] = await peakWhile(broker, () => worker!.call('pace', { rate, seconds }))
      const latencies = new Histogram().add(after.latencies)
      const { p99: p99Before } = quantiles(new Histogram().add(before.latencies))
      const { p99 } = quantiles(latencies)
      return {
        p99Before,
        p99,
        change: p99 / p99Before - 1,
        lost: 1 - latencies.total / after.expected,
        grown: peak - memory,
        ...sharesOf(await meter.read()),
      }
    }),
  )
}
