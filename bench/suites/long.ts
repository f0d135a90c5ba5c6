/** A long log: how soon a broker with it is there again after a crash, and what a page anywhere in it costs. */
import { topicOf, userNames } from '../load/cells.js'
import type { Ask } from '../load/requests.js'
import { withWorkers } from '../load/worker.js'
import { residentBytes } from '../measure.js'
import { Meter, sharesOf } from '../meter.js'
import { callersOf, type Peer, withBroker } from '../peers/peer.js'
import { topictalk } from '../peers/topictalk.js'
import { type Options, SHARES, type Suite, type Values } from '../suite.js'

const MESSAGES = 10_000_000
/** What the longest log is compared with. */
const SHORT = 100_000
/** Each within its own rate. */
const WRITERS = 6

const ROOM = 'room-0'

export const long: Suite = {
  name: 'long',
  title: 'A log: a start after a crash, and pages of 50 messages anywhere in it (MQTT)',
  columns: [
    { key: 'startSeconds', label: 'start', unit: 'seconds' },
    { key: 'answersPerCpuSecond', label: 'pages/CPU-s', unit: 'count' },
    { key: 'answersPerSecond', label: 'pages/s', unit: 'count' },
    { key: 'fillSeconds', label: 'written in', unit: 'seconds' },
    { key: 'residentBytes', label: 'RSS', unit: 'bytes' },
    ...SHARES,
  ],
  main: { key: 'answersPerCpuSecond', better: 'more' },
  peers: [topictalk],
  tasks(options) {
    return [SHORT, MESSAGES].map((length) => {
      const messages = Math.max(WRITERS, Math.round(length * options.scale))
      return { cell: `${messages} messages`, measure: (peer: Peer) => measure(peer, messages, options) }
    })
  },
}

function measure(peer: Peer, messages: number, { seconds }: Options): Promise<Values | null> {
  return withBroker(peer, (broker) =>
    withWorkers(WRITERS, async (workers) => {
      const callers = await callersOf(peer, userNames(WRITERS))
      const each = Math.ceil(messages / WRITERS)
      const writing = { port: broker.port, topic: topicOf(0), messages: each }
      const fills = workers.map((worker, i) => worker.call('fill', { ...writing, ...callers[i]! }))
      const fillSeconds = Math.max(...(await Promise.all(fills)))
      const startSeconds = await broker.crash()
      const ask: Ask = {
        method: 'history',
        route: { verb: 'GET', path: `/v1/rooms/${ROOM}/messages` },
        params: { room: ROOM, limit: 50, view: 'raw' },
        random: ['before', messages],
      }
      const [worker] = workers
      const meter = await Meter.start([broker], [worker!])
      const request = { port: broker.port, httpPort: broker.wsPort, door: 'mqtt', callers, ask, seconds } as const
      const { answers } = await worker!.call('request', request)
      const usage = await meter.read()
      return {
        startSeconds,
        answersPerCpuSecond: answers / usage.brokerCpu,
        answersPerSecond: answers / usage.seconds,
        fillSeconds,
        residentBytes: residentBytes(broker.pid),
        ...sharesOf(usage),
      }
    }),
  )
}
