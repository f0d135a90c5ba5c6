/** Pages of history, and sync, through both doors. */
import { topicOf, userNames } from '../load/cells.js'
import type { Ask } from '../load/requests.js'
import { withWorkers } from '../load/worker.js'
import { Meter, sharesOf } from '../meter.js'
import { callersOf, type Peer, withBroker } from '../peers/peer.js'
import { topictalk } from '../peers/topictalk.js'
import { type Options, SHARES, type Suite, type Values } from '../suite.js'

const MESSAGES = 20_000
/** Each has one request under way, so that none meets its own rate limit. */
const CALLERS = 16

const ROOM = 'room-0'

function asks(messages: number): { readonly name: string; readonly ask: Ask }[] {
  const history = (view: 'raw' | 'folded'): Ask => ({
    method: 'history',
    route: { verb: 'GET', path: `/v1/rooms/${ROOM}/messages` },
    inPath: { room: ROOM },
    params: { limit: 50, view },
    random: ['before', messages],
  })
  return [
    { name: 'history, 50 raw', ask: history('raw') },
    { name: 'history, 50 folded', ask: history('folded') },
    { name: 'sync, 20', ask: { method: 'sync', route: { verb: 'POST', path: '/v1/sync' }, params: { limit: 20 } } },
  ]
}

export const reads: Suite = {
  name: 'reads',
  title: `History (pages anywhere in a room) and sync; ${CALLERS} callers, one request of each under way`,
  columns: [
    { key: 'answersPerCpuSecond', label: 'answers/CPU-s', unit: 'count' },
    { key: 'answersPerSecond', label: 'answers/s', unit: 'count' },
    { key: 'bytesPerAnswer', label: 'bytes/answer', unit: 'bytes' },
    { key: 'refused', label: 'refused', unit: 'share' },
    ...SHARES,
  ],
  main: { key: 'answersPerCpuSecond', better: 'more' },
  peers: [topictalk],
  tasks(options) {
    const messages = Math.max(100, Math.round(MESSAGES * options.scale))
    return asks(messages).flatMap(({ name, ask }) =>
      (['http', 'mqtt'] as const).map((door) => ({
        cell: `${name}, ${door.toUpperCase()}`,
        measure: (peer: Peer) => measure(peer, door, ask, messages, options),
      })),
    )
  },
}

function measure(
  peer: Peer,
  door: 'http' | 'mqtt',
  ask: Ask,
  messages: number,
  options: Options,
): Promise<Values | null> {
  return withBroker(peer, (broker) =>
    withWorkers(1, async ([worker]) => {
      const callers = await callersOf(peer, userNames(CALLERS))
      const topic = topicOf(0)
      // A public room is joined by writing to it.
      for (const caller of callers) {
        await worker!.call('fill', { port: broker.port, ...caller, topic, messages: Math.ceil(messages / CALLERS) })
      }
      const meter = await Meter.start([broker], [worker!])
      const request = { port: broker.port, httpPort: broker.wsPort, door, callers, ask, seconds: options.seconds }
      const { answers, bytes, refused } = await worker!.call('request', request)
      const usage = await meter.read()
      return {
        answersPerCpuSecond: answers / usage.brokerCpu,
        answersPerSecond: answers / usage.seconds,
        bytesPerAnswer: bytes / answers,
        refused: refused / answers,
        ...sharesOf(usage),
      }
    }),
  )
}
