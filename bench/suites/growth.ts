/** Hours of the same: does the memory of a broker grow, or its latency? Clients come and go beside the pairs that talk. */
import { Histogram } from '../histogram.js'
import { cellsOf, userNames } from '../load/cells.js'
import { assemble } from '../load/split.js'
import { withWorkers } from '../load/worker.js'
import { residentBytes } from '../measure.js'
import { Meter, sharesOf } from '../meter.js'
import { type Peer, passwordsFor, withBroker } from '../peers/peer.js'
import { type Options, SHARES, type Suite, type Values } from '../suite.js'
import { quantiles } from './latency.js'

const SHAPE = { name: 'pairs 100 × 2', rooms: 100, members: 2 }
/** Messages a second. */
const RATE = 2000
/** Minutes for each second that is asked for: 20 seconds are 10 minutes. */
const MINUTES = 0.5
const QUARTERS = 4
/** Clients that come, and go, in each slice of a quarter: none of those who talk. */
const VISITORS = { first: SHAPE.rooms * SHAPE.members, end: SHAPE.rooms * SHAPE.members + 500 }
const SLICES = 5

export const growth: Suite = {
  name: 'growth',
  title: `Memory and latency over time: pairs at ${RATE} messages/s, and clients that come and go`,
  columns: [
    { key: 'minutes', label: 'minutes', unit: 'count' },
    { key: 'messages', label: 'messages', unit: 'count' },
    ...['first', 'second', 'third', 'last'].map((name, i) => ({
      key: `rss${i}`,
      label: `RSS, ${name} quarter`,
      unit: 'bytes' as const,
    })),
    { key: 'perMessage', label: 'growth/message, last half', unit: 'bytes' },
    { key: 'p99First', label: 'p99, first quarter', unit: 'milliseconds' },
    { key: 'p99Last', label: 'p99, last quarter', unit: 'milliseconds' },
    ...SHARES,
  ],
  main: { key: 'p99Last', better: 'less' },
  tasks(options) {
    return cellsOf([SHAPE])
      .filter(({ qos, transport }) => qos === 1 && transport === 'tcp')
      .map((cell) => ({ cell: `${cell.name} ${RATE}/s`, measure: (peer: Peer) => measure(peer, cell, options) }))
  },
}

function measure(peer: Peer, cell: ReturnType<typeof cellsOf>[number], { seconds }: Options): Promise<Values | null> {
  const minutes = seconds * MINUTES
  return withBroker(peer, (broker) =>
    withWorkers(2, async ([talking, coming]) => {
      const passwords = await passwordsFor(peer, userNames(VISITORS.end))
      const visit = {
        port: broker.port,
        transport: 'tcp',
        first: VISITORS.first,
        end: VISITORS.end,
        concurrency: 50,
        passwords,
      } as const
      await assemble(peer, [broker], [talking!], [cell])
      const meter = await Meter.start([broker], [talking!])
      const resident: number[] = []
      const latencies: Histogram[] = []
      let messages = 0
      let half = 0
      for (let quarter = 0; quarter < QUARTERS; quarter++) {
        const heard = new Histogram()
        const sizes: number[] = []
        for (let slice = 0; slice < SLICES; slice++) {
          const [paced] = await Promise.all([
            talking!.call('pace', { rate: RATE, seconds: (60 * minutes) / QUARTERS / SLICES }),
            coming!.call('connect', visit),
          ])
          await coming!.call('leave')
          heard.add(paced.latencies)
          messages += paced.sent
          sizes.push(residentBytes(broker.pid))
        }
        latencies.push(heard)
        resident.push(sizes.reduce((sum, size) => sum + size) / SLICES)
        if (quarter === QUARTERS / 2 - 1) half = messages
      }
      const usage = await meter.read()
      return {
        minutes: usage.seconds / 60,
        messages,
        ...Object.fromEntries(resident.map((size, i) => [`rss${i}`, size])),
        perMessage: (resident.at(-1)! - resident[QUARTERS / 2 - 1]!) / (messages - half),
        p99First: quantiles(latencies[0]!).p99!,
        p99Last: quantiles(latencies.at(-1)!).p99!,
        ...sharesOf(usage),
      }
    }),
  )
}
