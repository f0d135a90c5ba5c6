/** What a broker does beside its work: a backup, and a sweep that drops nearly all there is, while a bystander pings. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Histogram } from '../histogram.js'
import { topicOf, userNames } from '../load/cells.js'
import { pause } from '../load/crowd.js'
import type { Caller } from '../load/requests.js'
import { type Worker, withWorkers } from '../load/worker.js'
import { Meter, sharesOf } from '../meter.js'
import { callersOf, type Peer, type RunningPeer, withBroker } from '../peers/peer.js'
import { CLI, dataDirOf, topictalk, topictalkWith } from '../peers/topictalk.js'
import { type Options, SHARES, type Suite, type Values } from '../suite.js'
import { LATENCY_COLUMNS, quantiles } from './latency.js'

const MESSAGES = 1_000_000
/** Each with a writer of its own. */
const ROOMS = 6
/** What retention leaves of a room. */
const KEPT = 1000
const LOOK_MS = 500
/** Of calm, to compare with. */
const CALM_MS = 5000

export const upkeep: Suite = {
  name: 'upkeep',
  title:
    'Round trips of a bystander’s PINGREQ while nothing happens, a backup is made, and retention drops all but the newest',
  columns: [...LATENCY_COLUMNS, { key: 'seconds', label: 'took', unit: 'seconds' }, ...SHARES],
  main: { key: 'max', better: 'less' },
  peers: [topictalk],
  tasks({ scale }: Options) {
    const messages = Math.max(ROOMS * KEPT * 2, Math.round(MESSAGES * scale))
    const cell = (what: string, settings: readonly string[], disturb: Disturbance) => ({
      cell: `${messages} messages, ${what}`,
      measure: () => measure(topictalkWith(settings), messages, disturb),
    })
    return [
      cell('nothing', [], () => pause(CALM_MS)),
      cell('a backup', [], backUp),
      cell('retention', [`history.messages=${KEPT}`], awaitRetention),
    ]
  },
}

type Disturbance = (broker: RunningPeer, caller: Caller) => Promise<void>

function measure(peer: Peer, messages: number, disturb: Disturbance): Promise<Values | null> {
  return withBroker(peer, (broker) =>
    withWorkers(ROOMS, async (workers) => {
      const callers = await callersOf(peer, userNames(ROOMS + 1))
      await Promise.all(workers.map((worker, room) => fill(worker, broker, callers[room]!, room, messages / ROOMS)))
      const [bystander] = workers as [Worker]
      await bystander.call('startPinging', broker.port, callers[ROOMS]!)
      const meter = await Meter.start([broker], [bystander])
      await disturb(broker, callers[0]!)
      const usage = await meter.read()
      const pings = await bystander.call('stopPinging')
      return { ...quantiles(new Histogram().add(pings)), seconds: usage.seconds, ...sharesOf(usage) }
    }),
  )
}

function fill(worker: Worker, { port }: RunningPeer, caller: Caller, room: number, messages: number) {
  return worker.call('fill', { port, ...caller, topic: topicOf(room), messages: Math.round(messages) })
}

async function backUp({ dir }: RunningPeer): Promise<void> {
  const settings = ['--set', `node.dataDir=${dataDirOf(dir)}`]
  await promisify(execFile)(process.execPath, [CLI, 'backup', join(dir, 'backup'), ...settings], { cwd: dir })
}

/** A sweep comes once a minute. */
async function awaitRetention({ wsPort }: RunningPeer, { password }: Caller): Promise<void> {
  const room = topicOf(0).split('/')[1]!
  const url = `http://127.0.0.1:${wsPort}/v1/rooms/${room}/messages?after=0&limit=1`
  for (;;) {
    const answer = await fetch(url, { headers: { authorization: `Bearer ${password}` } })
    const { messages } = (await answer.json()) as { messages: { gone?: string }[] }
    if (messages[0]?.gone === 'retention') return
    await pause(LOOK_MS)
  }
}
