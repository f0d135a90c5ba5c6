/**
 * `npm run bench -- [suite…]`: TopicTalk as it is by default, with everything on, beside other brokers, each started in turn, in one run.
 * Seconds of CPU and ratios count, as the wall clock of a shared machine says little. `--help` lists suites and options (flags.ts).
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFlags, UsageError, usage, type Wanted } from './flags.js'
import { PAYLOAD_BYTES } from './load/cells.js'
import { aedes } from './peers/aedes.js'
import { ejabberd } from './peers/ejabberd.js'
import { mosquitto } from './peers/mosquitto.js'
import { nats } from './peers/nats.js'
import type { Peer } from './peers/peer.js'
import { topictalk } from './peers/topictalk.js'
import { writeReport } from './report.js'
import type { Row, Suite, Task } from './suite.js'
import { SUITES } from './suites/all.js'
import { printFailed, printHeader, printMissing, printRow } from './table.js'

const PEERS: readonly Peer[] = [topictalk, aedes, mosquitto, nats, ejabberd]
const RESULTS = fileURLToPath(new URL('../../bench/results', import.meta.url))

const wanted = asked()
const { options, suites, peers } = wanted
const rows: Row[] = []
let found = 0
let ran = 0
for (const suite of suites) {
  const tasks = suite.tasks(options).filter(({ cell }) => cell.includes(wanted.cells))
  const able = peers.filter((peer) => !suite.peers || suite.peers.includes(peer))
  found += tasks.length
  if (tasks.length === 0 || able.length === 0) continue
  ran += tasks.length
  printHeader(suite)
  for (const task of tasks) await compare(suite, able, task)
}
const names = suites.map(({ name }) => name).join(', ')
if (ran > 0) await save()
else if (found === 0) giveUp(`nothing was measured: no cell of ${names} contains ${wanted.cells}`)
else giveUp(`nothing was measured: ${peers.map(({ name }) => name).join(', ')} cannot do ${names}`)

function asked(): Wanted {
  try {
    const wanted = readFlags(process.argv.slice(2), SUITES, PEERS)
    if (wanted) return wanted
    console.log(usage(SUITES, PEERS))
    process.exit()
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    giveUp(`${error.message}; see npm run bench -- --help`)
  }
}

function giveUp(why: string): never {
  console.error(`bench: ${why}`)
  process.exit(1)
}

/** A broker that fails is named, and the run ends with code 1; the others go on. */
async function compare(suite: Suite, able: readonly Peer[], { cell, measure }: Task): Promise<void> {
  let ours: Row | undefined
  for (const peer of able) {
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
  const file = wanted.out ?? join(RESULTS, `${time.replaceAll(':', '-')}.json`)
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
