/** Sessions that go to another node: because their client does, or because their node is gone. */
import { Histogram } from '../histogram.js'
import { userName, userNames } from '../load/cells.js'
import { withWorkers } from '../load/worker.js'
import { Meter, sharesOf } from '../meter.js'
import { type Peer, passwordsFor } from '../peers/peer.js'
import { type Nodes, withNodes } from '../peers/redis.js'
import { inWhole, type Options, type Suite, type Values } from '../suite.js'
import { quantiles } from './latency.js'
import { PEERS_ON_REDIS, SHARES_ON_REDIS } from './nodes.js'

const MOVES = 200
const CLIENTS = 5_000
const PER_ROOM = 100
const CONCURRENCY = 200
const NODES = 2
const BYSTANDER = 'bystander'

export const nodesLoss: Suite = {
  name: 'nodes-loss',
  title:
    'Sessions that are kept go to the other of two nodes on one Redis; each is subscribed to a room of 100 (QoS 1)',
  columns: [
    { key: 'allInSeconds', label: 'all in', unit: 'seconds' },
    { key: 'each', label: 'each', unit: 'milliseconds' },
    { key: 'connectsPerSecond', label: 'CONNECT/s', unit: 'count' },
    { key: 'p99', label: 'p99 of a ping beside', unit: 'milliseconds' },
    { key: 'max', label: 'longest', unit: 'milliseconds' },
    ...SHARES_ON_REDIS,
  ],
  main: { key: 'allInSeconds', better: 'less' },
  peers: PEERS_ON_REDIS,
  tasks({ scale }: Options) {
    const times = Math.max(10, Math.round(MOVES * scale))
    const clients = inWhole(PER_ROOM, CLIENTS * scale)
    return [
      { cell: `${times} moves, both nodes are up`, measure: (peer) => withNodes(peer, NODES, true, move(peer, times)) },
      ...[1, clients].map((count) => ({
        cell: `node killed, ${count === 1 ? 'a client returns' : `${count} clients return`}`,
        measure: (peer: Peer) => withNodes(peer, NODES, true, lose(peer, count)),
      })),
    ]
  },
}

/** One client, from node to node, while its former connection is still there. */
function move(peer: Peer, times: number) {
  return ({ nodes, redis }: Nodes): Promise<Values> =>
    withWorkers(1, async ([worker]) => {
      const user = userName(0)
      const password = (await passwordsFor(peer, [user]))?.[user] ?? null
      const ports = nodes.map(({ port }) => port)
      await worker!.call('moves', { ports, user, password, times: NODES })
      const meter = await Meter.start(nodes, [worker!], redis)
      const taken = await worker!.call('moves', { ports, user, password, times })
      const seconds = taken.reduce((total, ms) => total + ms, 0) / 1000
      return {
        allInSeconds: seconds,
        each: taken.toSorted((a, b) => a - b)[Math.floor(taken.length / 2)]!,
        connectsPerSecond: times / seconds,
        ...sharesOf(await meter.read()),
      }
    })
}

/** All come back at once to the node that is left, where somebody else is all the time. */
function lose(peer: Peer, clients: number) {
  return ({ nodes: [lost, left], redis }: Nodes): Promise<Values> =>
    withWorkers(2, async ([worker, other]) => {
      const passwords = await passwordsFor(peer, [...userNames(clients), BYSTANDER])
      const everyone = { transport: 'tcp', first: 0, end: clients, keep: true, passwords } as const
      await worker!.call('connect', { ...everyone, port: lost!.port, concurrency: CONCURRENCY })
      await worker!.call('subscribe', { perRoom: PER_ROOM })
      await worker!.call('expectLoss')
      await lost!.kill()
      await worker!.call('leave')
      await other!.call('startPinging', left!.port, { user: BYSTANDER, password: passwords?.[BYSTANDER] ?? null })
      const meter = await Meter.start([left!], [worker!], redis)
      const allInSeconds = await worker!.call('connect', { ...everyone, port: left!.port, concurrency: clients })
      const usage = await meter.read()
      const pings = await other!.call('stopPinging')
      return {
        allInSeconds,
        each: (1000 * allInSeconds) / clients,
        connectsPerSecond: clients / allInSeconds,
        ...quantiles(new Histogram().add(pings)),
        ...sharesOf(usage),
      }
    })
}
