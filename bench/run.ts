/**
 * `npm run bench -- [suite…]`: TopicTalk as it is by default, with everything on, beside other brokers, each started in turn, in one run.
 * Seconds of CPU and ratios count, as the wall clock of a shared machine says little. Without a suite: throughput. `all`: every one.
 *
 *   --quick              about 3 seconds a cell in place of 20, and sizes a tenth of what they are
 *   --seconds N          measured in a cell, after a time to warm up
 *   --scale N            of numbers of clients and messages; 1 is 10,000 connections, 10,000 × 100 messages and so on
 *   --workers N          processes that make the load, where it can be split; default 1
 *   --cells TEXT         only cells whose name contains TEXT
 *   --peers A,B          only these brokers
 *   --rooms N --members N --window N    instead of a throughput cell's own
 *   --out FILE.json      results; a report and plots go beside them; default bench/results/<time>.json
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { PAYLOAD_BYTES } from './load/cells.js'
import { aedes } from './peers/aedes.js'
import { ejabberd } from './peers/ejabberd.js'
import { mosquitto } from './peers/mosquitto.js'
import { nats } from './peers/nats.js'
import type { Peer } from './peers/peer.js'
import { topictalk } from './peers/topictalk.js'
import { writeReport } from './report.js'
import type { Options, Row, Suite, Task } from './suite.js'
import { SUITES } from './suites/all.js'
import { printFailed, printHeader, printMissing, printRow } from './table.js'

const PEERS: readonly Peer[] = [topictalk, aedes, mosquitto, nats, ejabberd]
const RESULTS = fileURLToPath(new URL('../../bench/results', import.meta.url))

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    scale: { type: 'string' },
    workers: { type: 'string', default: '1' },
    cells: { type: 'string', default: '' },
    peers: { type: 'string' },
    rooms: { type: 'string' },
    members: { type: 'string' },
    window: { type: 'string' },
    out: { type: 'string' },
  },
})

const options: Options = {
  seconds: Number(flags.seconds ?? (flags.quick ? 3 : 20)),
  scale: Number(flags.scale ?? (flags.quick ? 0.1 : 1)),
  workers: Number(flags.workers),
  ...(flags.rooms && { rooms: Number(flags.rooms) }),
  ...(flags.members && { members: Number(flags.members) }),
  ...(flags.window && { window: Number(flags.window) }),
}
const peers = PEERS.filter(
  ({ name }) => !flags.peers || flags.peers.toLowerCase().split(',').includes(name.toLowerCase()),
)
const suites = chosen()
const rows: Row[] = []
for (const suite of suites) {
  const tasks = suite.tasks(options).filter(({ cell }) => cell.includes(flags.cells))
  if (tasks.length === 0) continue
  printHeader(suite)
  for (const task of tasks) await compare(suite, task)
}
await save()

function chosen(): Suite[] {
  const wanted = positionals.length === 0 ? ['throughput'] : positionals
  if (wanted.includes('all')) return [...SUITES]
  return wanted.map((name) => {
    const suite = SUITES.find((suite) => suite.name === name)
    if (!suite)
      throw new Error(`there is no suite ${name}; there are all, ${SUITES.map(({ name }) => name).join(', ')}`)
    return suite
  })
}

/** A broker that fails is named, and the run ends with code 1; the others go on. */
async function compare(suite: Suite, { cell, measure }: Task): Promise<void> {
  let ours: Row | undefined
  for (const peer of suite.oursOnly ? [topictalk] : peers) {
    try {
      const values = await measure(peer)
      if (!values) {
        printMissing(cell, peer.name)
        continue
      }
      const row = { suite: suite.name, cell, peer: peer.name, values }
      if (peer === topictalk) ours = row
      rows.push(row)
      printRow(suite, row, ours)
    } catch (error) {
      printFailed(cell, peer.name, error)
      process.exitCode = 1
    }
  }
}

async function save(): Promise<void> {
  const time = new Date().toISOString()
  const file = flags.out ?? join(RESULTS, `${time.replaceAll(':', '-')}.json`)
  await mkdir(dirname(file), { recursive: true })
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }
  const results = rows.map(({ values, ...row }) => ({ ...row, ...values }))
  await writeFile(
    file,
    `${JSON.stringify({ time, machine, ...options, payloadBytes: PAYLOAD_BYTES, results }, null, 2)}\n`,
  )
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ')
  await writeReport(file.replace(/\.json$/, ''), { time, command, machine, rows }, suites)
  console.log(`\n${file}`)
}
