/** A connect storm, and the memory of connections that do nothing. */
import { TRANSPORT_NAMES, userNames } from '../load/cells.js'
import { pause } from '../load/crowd.js'
import type { Transport } from '../load/wire.js'
import { withWorkers } from '../load/worker.js'
import { residentBytes } from '../measure.js'
import { Meter, sharesOf } from '../meter.js'
import { type Peer, passwordsFor, withBroker } from '../peers/peer.js'
import { type Options, SHARES, type Suite, type Values } from '../suite.js'

const CONNECTIONS = 10_000
/** Connected before memory is read for the first time: what is paid once has been paid. */
const SETTLED = 500
/** Handshakes under way at a time. */
const CONCURRENCY = 500
/** After it memory has come to rest. */
const REST_MS = 2000

export const connections: Suite = {
  name: 'connections',
  title: 'Connecting, and idle memory per connection (token logins where the broker has them)',
  columns: [
    { key: 'bytesPerConnection', label: 'RSS/connection', unit: 'bytes' },
    { key: 'connectsPerSecond', label: 'CONNECT/s', unit: 'count' },
    { key: 'connectsPerCpuSecond', label: 'CONNECT/CPU-s', unit: 'count' },
    { key: 'allInSeconds', label: 'all in', unit: 'seconds' },
    { key: 'connections', label: 'connections', unit: 'count' },
    ...SHARES,
  ],
  main: { key: 'bytesPerConnection', better: 'less' },
  tasks(options) {
    return (['tcp', 'ws'] as const).map((transport) => ({
      cell: `connections ${TRANSPORT_NAMES[transport]}`,
      measure: (peer) => measure(peer, transport, options),
    }))
  },
}

function measure(peer: Peer, transport: Transport, { scale }: Options): Promise<Values | null> {
  const count = Math.max(1, Math.round(CONNECTIONS * scale))
  const end = SETTLED + count
  return withBroker(peer, (broker) =>
    withWorkers(1, async ([worker]) => {
      const users = userNames(end)
      const passwords = await passwordsFor(peer, users)
      const herd = { port: broker.portOf(transport), transport, passwords, concurrency: CONCURRENCY }
      await worker!.call('connect', { ...herd, first: 0, end: SETTLED })
      await pause(REST_MS)
      const before = residentBytes(broker.pid)
      const meter = await Meter.start([broker], [worker!])
      const allInSeconds = await worker!.call('connect', { ...herd, first: SETTLED, end })
      const usage = await meter.read()
      await pause(REST_MS)
      return {
        bytesPerConnection: (residentBytes(broker.pid) - before) / count,
        connectsPerSecond: count / allInSeconds,
        connectsPerCpuSecond: count / usage.brokerCpu,
        allInSeconds,
        connections: count,
        ...sharesOf(usage),
      }
    }),
  )
}
