/** Some subscribers stop reading. Do the others notice, and does the broker's memory grow? */
import { disturbedColumns, disturbedValues, GROWN } from '../disturbed.js'
import { type Cell, cellsOf, type Shape } from '../load/cells.js'
import { assemble } from '../load/split.js'
import { withWorkers } from '../load/worker.js'
import { residentBytes } from '../measure.js'
import { Meter, peakWhile, sharesOf } from '../meter.js'
import { type Peer, withBroker } from '../peers/peer.js'
import { type Options, SHARES, type Suite, type Values } from '../suite.js'

const MEMBERS = 100
/** 1 %. */
const FROZEN = MEMBERS / 100

/**
 * The kernel takes some megabytes for a socket that nobody reads, before the broker has to: at these rates that is over within 20 seconds.
 * What a broker adds to 64,000 bytes has to fit as well.
 */
const SHAPES: readonly (Shape & { readonly rate: number })[] = [
  { name: '4 kB', rooms: 1, members: MEMBERS, payloadBytes: 4_000, rate: 100 },
  { name: '64 kB', rooms: 1, members: MEMBERS, payloadBytes: 64_000, rate: 10 },
]

export const frozen: Suite = {
  name: 'frozen',
  title: `1 % of ${MEMBERS} subscribers frozen: latency of the others before and after, in one run`,
  columns: [...disturbedColumns(['before', 'after']), GROWN, ...SHARES],
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
      await assemble(peer, [broker], [worker!], [cell])
      await worker!.call('pace', { rate, seconds: 1 })
      const before = await worker!.call('pace', { rate, seconds })
      const memory = residentBytes(broker.pid)
      await worker!.call('freeze', FROZEN)
      const meter = await Meter.start([broker], [worker!])
      const [after, peak] = await peakWhile(broker, async () => {
        // The first half fills what lies between the broker and the frozen ones.
        await worker!.call('pace', { rate, seconds })
        return worker!.call('pace', { rate, seconds })
      })
      return {
        ...disturbedValues(before, after),
        grown: peak - memory,
        ...sharesOf(await meter.read()),
      }
    }),
  )
}
