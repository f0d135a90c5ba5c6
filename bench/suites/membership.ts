/** The event loop seen from outside: pings of a bystander while a large room is made, joined, written to and left. */
import { Histogram } from '../histogram.js'
import { userNames } from '../load/cells.js'
import type { Phase } from '../load/membership.js'
import type { Caller } from '../load/requests.js'
import { withWorkers } from '../load/worker.js'
import { callersOf, type Peer, withBroker } from '../peers/peer.js'
import { topictalk } from '../peers/topictalk.js'
import type { Options, Suite, Values } from '../suite.js'
import { LATENCY_COLUMNS, quantiles } from './latency.js'

const MEMBERS = 100_000
const MESSAGES = 1_000
const PHASES = ['nothing', 'create', 'join', 'write', 'leave']

export const membership: Suite = {
  name: 'membership',
  title: 'Round trips of a bystander’s PINGREQ while a room is created, joined, written to and left',
  columns: [...LATENCY_COLUMNS, { key: 'seconds', label: 'took', unit: 'seconds' }],
  main: { key: 'max', better: 'less' },
  peers: [topictalk],
  tasks({ scale }: Options) {
    const members = Math.max(10, Math.round(MEMBERS * scale))
    let run: Promise<readonly Phase[] | null> | null = null
    return PHASES.map((name) => ({
      cell: `${members} members, ${name}`,
      // One run has all phases.
      async measure(peer: Peer): Promise<Values | null> {
        const phases = await (run ??= measure(peer, members))
        const phase = phases?.find((phase) => phase.phase === name)
        return phase ? { ...quantiles(new Histogram().add(phase.pings)), seconds: phase.seconds } : null
      },
    }))
  },
}

function measure(peer: Peer, members: number): Promise<readonly Phase[] | null> {
  return withBroker(peer, (broker) =>
    withWorkers(1, async ([worker]) => {
      const callers = await callersOf(peer, userNames(members + 1))
      const [bystander, ...people] = callers as [Caller, ...Caller[]]
      const ports = { port: broker.port, httpPort: broker.wsPort }
      return worker!.call('membership', { ...ports, people, bystander, messages: MESSAGES })
    }),
  )
}
