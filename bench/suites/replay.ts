/** A backlog for sessions that are away, and their return. */
import { userNames } from '../load/cells.js'
import { SPEAKER } from '../load/herd.js'
import { withWorkers } from '../load/worker.js'
import { residentBytes } from '../measure.js'
import { Meter, sharesOf } from '../meter.js'
import { type Peer, passwordsFor, withBroker } from '../peers/peer.js'
import { inWhole, SHARES, type Suite, type Values } from '../suite.js'

const SESSIONS = 10_000
const MESSAGES = 100
const PER_ROOM = 100
const CONCURRENCY = 200

export const replay: Suite = {
  name: 'replay',
  title: `Offline sessions: ${MESSAGES} messages for each are accepted, then all come back (rooms of ${PER_ROOM}, QoS 1)`,
  columns: [
    { key: 'replayedPerSecond', label: 'replayed/s', unit: 'count' },
    { key: 'replayedPerCpuSecond', label: 'replayed/CPU-s', unit: 'count' },
    { key: 'replaySeconds', label: 'replay', unit: 'seconds' },
    { key: 'enqueueSeconds', label: 'enqueue', unit: 'seconds' },
    { key: 'enqueueCpu', label: 'enqueue CPU', unit: 'seconds' },
    { key: 'backlogBytes', label: 'RSS of the backlog', unit: 'bytes' },
    { key: 'missing', label: 'missing', unit: 'share' },
    ...SHARES,
  ],
  main: { key: 'replayedPerCpuSecond', better: 'more' },
  tasks(options) {
    const sessions = inWhole(PER_ROOM, SESSIONS * options.scale)
    return [{ cell: `${sessions} × ${MESSAGES}`, measure: (peer) => measure(peer, sessions) }]
  },
}

function measure(peer: Peer, sessions: number): Promise<Values | null> {
  const rooms = sessions / PER_ROOM
  return withBroker(peer, (broker) =>
    withWorkers(2, async ([herd, speaker]) => {
      const passwords = await passwordsFor(peer, [...userNames(sessions), SPEAKER])
      const everyone = { port: broker.port, transport: 'tcp', first: 0, end: sessions, keep: true, passwords } as const
      await herd!.call('connect', { ...everyone, concurrency: CONCURRENCY })
      await herd!.call('subscribe', { perRoom: PER_ROOM })
      await herd!.call('leave')
      const before = residentBytes(broker.pid)
      const enqueueing = await Meter.start([broker], [speaker!])
      const backlog = { port: broker.port, rooms, messages: MESSAGES, password: passwords?.[SPEAKER] ?? null }
      const enqueueSeconds = await speaker!.call('enqueue', backlog)
      const { brokerCpu: enqueueCpu } = await enqueueing.read()
      const backlogBytes = residentBytes(broker.pid) - before
      const count = sessions * MESSAGES
      const replaying = await Meter.start([broker], [herd!])
      const connecting = await herd!.call('connect', { ...everyone, concurrency: CONCURRENCY })
      const replaySeconds = connecting + (await herd!.call('drain', { count }))
      const usage = await replaying.read()
      const received = await herd!.call('received')
      return {
        replayedPerSecond: received / replaySeconds,
        replayedPerCpuSecond: received / usage.brokerCpu,
        replaySeconds,
        enqueueSeconds,
        enqueueCpu,
        backlogBytes,
        missing: 1 - received / count,
        ...sharesOf(usage),
      }
    }),
  )
}
