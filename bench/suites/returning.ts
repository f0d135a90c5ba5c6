/** All clients come back at once after a crash of the broker. */
import { Histogram } from '../histogram.js'
import { userNames } from '../load/cells.js'
import { withWorkers } from '../load/worker.js'
import { residentBytes } from '../measure.js'
import { Meter, sharesOf } from '../meter.js'
import { type Peer, passwordsFor, withBroker } from '../peers/peer.js'
import { topictalk } from '../peers/topictalk.js'
import { inWhole, type Options, SHARES, type Suite, type Values } from '../suite.js'
import { quantiles } from './latency.js'

const CLIENTS = 20_000
const PER_ROOM = 100
const CONCURRENCY = 200
const BYSTANDER = 'bystander'

export const returning: Suite = {
  name: 'returning',
  title:
    'A crash, and everyone comes back at the same moment: sessions that are kept, subscribed to rooms of 100 (QoS 1)',
  columns: [
    { key: 'allInSeconds', label: 'all in', unit: 'seconds' },
    { key: 'connectsPerSecond', label: 'CONNECT/s', unit: 'count' },
    { key: 'connectsPerCpuSecond', label: 'CONNECT/CPU-s', unit: 'count' },
    { key: 'p99', label: 'p99 of a ping', unit: 'milliseconds' },
    { key: 'max', label: 'longest', unit: 'milliseconds' },
    { key: 'startSeconds', label: 'start', unit: 'seconds' },
    { key: 'residentBytes', label: 'RSS', unit: 'bytes' },
    ...SHARES,
  ],
  main: { key: 'allInSeconds', better: 'less' },
  peers: [topictalk],
  tasks({ scale }: Options) {
    const clients = inWhole(PER_ROOM, CLIENTS * scale)
    return [{ cell: `${clients} clients`, measure: (peer) => measure(peer, clients) }]
  },
}

function measure(peer: Peer, clients: number): Promise<Values | null> {
  return withBroker(peer, (broker) =>
    withWorkers(2, async ([herd, other]) => {
      const passwords = await passwordsFor(peer, [...userNames(clients), BYSTANDER])
      const everyone = { port: broker.port, transport: 'tcp', first: 0, end: clients, keep: true, passwords } as const
      await herd!.call('connect', { ...everyone, concurrency: CONCURRENCY })
      await herd!.call('subscribe', { perRoom: PER_ROOM })
      await herd!.call('expectLoss')
      const startSeconds = await broker.crash()
      await herd!.call('leave')
      await other!.call('startPinging', broker.port, { user: BYSTANDER, password: passwords![BYSTANDER]! })
      const meter = await Meter.start([broker], [herd!])
      const allInSeconds = await herd!.call('connect', { ...everyone, concurrency: clients })
      const usage = await meter.read()
      const pings = await other!.call('stopPinging')
      return {
        allInSeconds,
        connectsPerSecond: clients / allInSeconds,
        connectsPerCpuSecond: clients / usage.brokerCpu,
        ...quantiles(new Histogram().add(pings)),
        startSeconds,
        residentBytes: residentBytes(broker.pid),
        ...sharesOf(usage),
      }
    }),
  )
}
