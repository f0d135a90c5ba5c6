/**
 * `npm run bench`: deliveries per CPU-second of the broker process, TopicTalk beside bare Aedes and mosquitto, in one run. Seconds of CPU
 * and ratios, as the wall clock of a shared machine says little.
 *
 *   --quick              about 3 seconds a cell in place of 20
 *   --seconds N          measured, after a quarter of that to warm up
 *   --cells TEXT         only cells whose name contains TEXT
 *   --peers A,B          only these brokers
 *   --rooms N --members N --window N    instead of the cell's own
 *   --out FILE           results as JSON; default bench/results/<time>.json
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CELLS, type Cell, PAYLOAD_BYTES, userOf } from './cells.js'
import type { LoadCommand, LoadReport, LoadSample } from './load.js'
import { cpuSeconds, type Result, residentBytes } from './measure.js'
import { aedes } from './peers/aedes.js'
import { mosquitto } from './peers/mosquitto.js'
import { freePort, type Peer, passwordsFor, RunningPeer } from './peers/peer.js'
import { topictalk } from './peers/topictalk.js'
import { printHeader, printRow } from './table.js'

const PEERS: readonly Peer[] = [topictalk, aedes, mosquitto]
const LOAD = fileURLToPath(new URL('./load.js', import.meta.url))
const RESULTS = fileURLToPath(new URL('../../bench/results', import.meta.url))

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    cells: { type: 'string', default: '' },
    peers: { type: 'string' },
    rooms: { type: 'string' },
    members: { type: 'string' },
    window: { type: 'string' },
    out: { type: 'string' },
  },
})

const seconds = Number(flags.seconds ?? (flags.quick ? 3 : 20))
const results: Result[] = []
const peers = PEERS.filter(
  ({ name }) => !flags.peers || flags.peers.toLowerCase().split(',').includes(name.toLowerCase()),
)
printHeader(
  peers.map(({ name }) => name),
  { seconds, payload: PAYLOAD_BYTES },
)
for (const cell of CELLS.filter(({ name }) => name.includes(flags.cells)).map(withFlags)) {
  const row: (Result | null)[] = []
  for (const peer of peers) row.push(await measure(peer, cell))
  printRow(cell, row)
  results.push(...row.filter((result) => result !== null))
}
await save(results)

function withFlags(cell: Cell): Cell {
  const given = { rooms: flags.rooms, members: flags.members, window: flags.window }
  const numbers = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, Number(value)]]))
  return { ...cell, ...Object.fromEntries(numbers) }
}

/** Null where the broker is not installed. */
async function measure(peer: Peer, cell: Cell): Promise<Result | null> {
  const dir = await mkdtemp(join(tmpdir(), 'topictalk-bench-'))
  const context = { port: await freePort(), dir }
  try {
    const command = await peer.command(context)
    if (!command) return null
    const broker = await RunningPeer.start(command, context)
    try {
      return await underLoad(peer, cell, broker)
    } finally {
      await broker.stop()
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function underLoad(peer: Peer, cell: Cell, broker: RunningPeer): Promise<Result> {
  const users = Array.from({ length: cell.rooms * cell.members }, (_, i) => userOf({ members: 1 }, i, 0))
  const load = fork(LOAD)
  try {
    await ask(load, { start: { port: broker.port, cell, passwords: await passwordsFor(peer, users) } })
    tell(load, 'publish')
    await pause(seconds / 4)
    const start = await sample(load, broker)
    await pause(seconds)
    const end = await sample(load, broker)
    const brokerCpu = end.brokerCpu - start.brokerCpu
    const deliveries = end.deliveries - start.deliveries
    return {
      cell: cell.name,
      peer: peer.name,
      deliveries,
      published: end.published - start.published,
      seconds: end.at - start.at,
      brokerCpu,
      loadCpu: end.cpu - start.cpu,
      deliveriesPerCpuSecond: Math.round(deliveries / brokerCpu),
      residentBytes: residentBytes(broker.pid),
    }
  } finally {
    load.kill('SIGKILL')
  }
}

async function sample(load: ChildProcess, broker: RunningPeer) {
  const { deliveries, published, cpu } = (await ask(load, 'sample')) as LoadSample
  return { deliveries, published, cpu, brokerCpu: cpuSeconds(broker.pid), at: performance.now() / 1000 }
}

function tell(load: ChildProcess, command: LoadCommand): void {
  load.send(command)
}

async function ask(load: ChildProcess, command: LoadCommand): Promise<LoadReport> {
  const ended = new AbortController()
  const died = once(load, 'exit', { signal: ended.signal }).then(() => {
    throw new Error('the load ended early; the reason is above')
  })
  died.catch(() => {})
  tell(load, command)
  const [report] = (await Promise.race([once(load, 'message'), died])) as [LoadReport]
  ended.abort()
  return report
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}

async function save(results: readonly Result[]): Promise<void> {
  const time = new Date().toISOString()
  const file = flags.out ?? join(RESULTS, `${time.replaceAll(':', '-')}.json`)
  await mkdir(dirname(file), { recursive: true })
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }
  await writeFile(
    file,
    `${JSON.stringify({ time, machine, seconds, payloadBytes: PAYLOAD_BYTES, results }, null, 2)}\n`,
  )
  console.log(`\n${file}`)
}
