/** One publisher sends a hundred times its share. Do the others notice? */
import { disturbedColumns, disturbedValues, GROWN } from '../disturbed.js'
import { type Cell, cellsOf } from '../load/cells.js'
import { assemble } from '../load/split.js'
import { withWorkers } from '../load/worker.js'
import { residentBytes } from '../measure.js'
import { Meter, peakWhile, sharesOf } from '../meter.js'
import { type Peer, withBroker } from '../peers/peer.js'
import { type Options, SHARES, type Suite, type Values } from '../suite.js'

const PAIRS = 50
/** Messages a second of each pair. */
const SHARE = 20
const TIMES = 100

export const greedy: Suite = {
  name: 'greedy',
  title: `${PAIRS} pairs at ${SHARE} messages/s, and one publisher at ${TIMES} times that: latency of the pairs without and with it`,
  columns: [
    ...disturbedColumns(['without', 'with']),
    { key: 'greedyPerSecond', label: 'its deliveries/s', unit: 'count' },
    GROWN,
    ...SHARES,
  ],
  main: { key: 'p99', better: 'less' },
  tasks(options) {
    return cellsOf([{ name: 'pairs', rooms: PAIRS, members: 2 }]).map((cell) => ({
      cell: cell.name,
      measure: (peer) => measure(peer, cell, options),
    }))
  },
}

function measure(peer: Peer, cell: Cell, { seconds }: Options): Promise<Values | null> {
  const rate = PAIRS * SHARE
  const one: Cell = { ...cell, rooms: 1, firstRoom: PAIRS }
  return withBroker(peer, (broker) =>
    withWorkers(2, async ([pairs, hog]) => {
      await assemble(peer, [broker], [pairs!, hog!], [cell, one])
      await pairs!.call('pace', { rate, seconds: 1 })
      const before = await pairs!.call('pace', { rate, seconds })
      const memory = residentBytes(broker.pid)
      const meter = await Meter.start([broker], [pairs!])
      const flood = hog!.call('pace', { rate: SHARE * TIMES, seconds })
      const [after, peak] = await peakWhile(broker, () => pairs!.call('pace', { rate, seconds }))
      const usage = await meter.read()
      return {
        ...disturbedValues(before, after),
        greedyPerSecond: (await flood).received / seconds,
        grown: peak - memory,
        ...sharesOf(usage),
      }
    }),
  )
}
