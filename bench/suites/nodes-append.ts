/** What it costs the nodes, and what it costs Redis, to accept a message. */
import { topicOf, userName, userNames } from '../load/cells.js'
import { type Worker, withWorkers } from '../load/worker.js'
import { Meter, sharesOf } from '../meter.js'
import { type Peer, passwordsFor } from '../peers/peer.js'
import { withNodes } from '../peers/redis.js'
import { topictalk, topictalkWith } from '../peers/topictalk.js'
import type { Suite, Values } from '../suite.js'
import { LAYOUTS, type Layout, PEERS_ON_REDIS, SHARES_ON_REDIS } from './nodes.js'

const MESSAGES = 50_000
/** Of all messages, before those that are measured. */
const WARM_UP = 0.2
/** Its thread follows behind: how much of its work falls into the time that is measured depends on the layout. */
const WITHOUT_SEARCH = topictalkWith(['search.enabled=false'])

export const nodesAppend: Suite = {
  name: 'nodes-append',
  title:
    'Messages accepted at QoS 1 by nodes on one Redis, which syncs each commit; one publisher for each node, nobody listens',
  columns: [
    { key: 'messagesPerSecond', label: 'messages/s', unit: 'count' },
    { key: 'nodeCpu', label: 'nodes, CPU/message', unit: 'microseconds' },
    { key: 'redisCpu', label: 'Redis, CPU/message', unit: 'microseconds' },
    ...SHARES_ON_REDIS,
  ],
  main: { key: 'messagesPerSecond', better: 'more' },
  peers: PEERS_ON_REDIS,
  tasks({ scale }) {
    const messages = Math.round(MESSAGES * scale)
    return LAYOUTS.map((layout) => ({ cell: layout.name, measure: (peer) => measure(peer, layout, messages) }))
  },
}

function measure(peer: Peer, { count, onRedis }: Layout, messages: number): Promise<Values | null> {
  return withNodes(peer === topictalk ? WITHOUT_SEARCH : peer, count, onRedis, ({ nodes, redis }) =>
    withWorkers(count, async (workers) => {
      const passwords = await passwordsFor(peer, userNames(count))
      const fill = (worker: Worker, i: number, messages: number): Promise<number> => {
        const user = userName(i)
        const password = passwords?.[user] ?? null
        return worker.call('fill', { port: nodes[i]!.port, user, password, topic: topicOf(i), messages })
      }
      const fillAll = (messages: number) => Promise.all(workers.map((worker, i) => fill(worker, i, messages)))
      await fillAll(Math.round(messages * WARM_UP))
      const meter = await Meter.start(nodes, workers, redis)
      const seconds = Math.max(...(await fillAll(messages)))
      const usage = await meter.read()
      const total = count * messages
      return {
        messagesPerSecond: total / seconds,
        nodeCpu: (1e6 * usage.brokerCpu) / total,
        redisCpu: (1e6 * usage.redisCpu) / total,
        ...sharesOf(usage),
      }
    }),
  )
}
