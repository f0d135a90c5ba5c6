/** What accepting a message costs: against the members of a room who are away, and against the length of its log. */
import { topicOf, userNames } from '../load/cells.js'
import { SPEAKER } from '../load/herd.js'
import { withWorkers } from '../load/worker.js'
import { Meter, sharesOf } from '../meter.js'
import { type Peer, passwordsFor, withBroker } from '../peers/peer.js'
import { SHARES, type Suite, type Values } from '../suite.js'

const MEMBERS = [10, 1_000, 10_000]
const LENGTHS = [0, 10_000, 100_000]
const MEASURED = 10_000
/** Appends before those that are measured. */
const WARM_UP = 5_000
const CONCURRENCY = 200

export const append: Suite = {
  name: 'append',
  title: 'One message accepted at QoS 1, its members away: against room size and log length',
  columns: [
    { key: 'cpuPerMessage', label: 'broker CPU/message', unit: 'microseconds' },
    { key: 'messagesPerSecond', label: 'messages/s', unit: 'count' },
    ...SHARES,
  ],
  main: { key: 'cpuPerMessage', better: 'less' },
  tasks({ scale }) {
    const scaled = (size: number): number => Math.max(size && 10, Math.round(size * scale))
    const measured = Math.max(100, scaled(MEASURED))
    const warmUp = scaled(WARM_UP)
    return [
      ...MEMBERS.map(scaled).map((members) => ({
        cell: `${members} members`,
        measure: (peer: Peer) => measure(peer, { members, before: warmUp, measured }),
      })),
      ...LENGTHS.map(scaled).map((length) => ({
        cell: `log of ${length + warmUp}`,
        measure: (peer: Peer) => measure(peer, { members: 0, before: length + warmUp, measured }),
      })),
    ]
  },
}

interface Sizes {
  readonly members: number
  readonly before: number
  readonly measured: number
}

function measure(peer: Peer, { members, before, measured }: Sizes): Promise<Values | null> {
  return withBroker(peer, (broker) =>
    withWorkers(1, async ([worker]) => {
      const passwords = await passwordsFor(peer, [...userNames(members), SPEAKER])
      const port = broker.port
      if (members > 0) {
        const herd = { port, transport: 'tcp', first: 0, end: members, keep: true, passwords } as const
        await worker!.call('connect', { ...herd, concurrency: CONCURRENCY })
        await worker!.call('subscribe', { perRoom: members })
        await worker!.call('leave')
      }
      const speaker = { port, user: SPEAKER, password: passwords?.[SPEAKER] ?? null, topic: topicOf(0) }
      await worker!.call('fill', { ...speaker, messages: before })
      const meter = await Meter.start([broker], [worker!])
      const seconds = await worker!.call('fill', { ...speaker, messages: measured })
      const usage = await meter.read()
      return {
        cpuPerMessage: (1e6 * usage.brokerCpu) / measured,
        messagesPerSecond: measured / seconds,
        ...sharesOf(usage),
      }
    }),
  )
}
