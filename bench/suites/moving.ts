/** `topictalk migrate` of a large store: how long it takes, and how much memory. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import * as stored from '../load/stored.js'
import { cpuSeconds, peakBytes } from '../measure.js'
import { withBroker } from '../peers/peer.js'
import { redis } from '../peers/redis.js'
import { CLI, topictalk } from '../peers/topictalk.js'
import type { Suite, Values } from '../suite.js'

/** Records that are stored of each kind. */
const MIX: readonly [kind: stored.Stored, count: number][] = [
  [stored.MESSAGE, 1_000_000],
  [stored.MESSAGE_WITH_CID, 100_000],
  [stored.MEMBER, 200_000],
  [stored.SESSION, 50_000],
  [stored.RETAINED, 100_000],
  [stored.REFERENCE, 500_000],
]
const WATCH_EVERY_MS = 100

export const moving: Suite = {
  name: 'moving',
  title: '`topictalk migrate` of a data directory to Redis and back; each end is read once more, and compared',
  columns: [
    { key: 'records', label: 'records', unit: 'count' },
    { key: 'seconds', label: 'taken', unit: 'seconds' },
    { key: 'recordsPerSecond', label: 'records/s', unit: 'count' },
    { key: 'cpu', label: 'CPU each', unit: 'microseconds' },
    { key: 'peakBytes', label: 'peak RSS', unit: 'bytes' },
  ],
  main: { key: 'recordsPerSecond', better: 'more' },
  peers: [topictalk],
  // A cell each way, of the same store.
  tasks({ scale }) {
    return [false, true].map((back) => ({
      cell: back ? 'Redis to a data directory' : 'a data directory to Redis',
      measure: () => measure(scale, back),
    }))
  },
}

function measure(scale: number, back: boolean): Promise<Values | null> {
  return withBroker(redis, async ({ port }) => {
    const directory = await mkdtemp(join(tmpdir(), 'topictalk-bench-'))
    try {
      const [one, two] = [join(directory, 'one'), join(directory, 'two')]
      await fill(join(one, 'store'), scale)
      const there = await migrate(directory, one, `redis://127.0.0.1:${port}`)
      return back ? await migrate(directory, `redis://127.0.0.1:${port}`, two) : there
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
}

async function fill(location: string, scale: number): Promise<void> {
  const limits = { queueMessages: Number.MAX_SAFE_INTEGER, queueBytes: Number.MAX_SAFE_INTEGER }
  const store = await openLevelStore({ location, sync: false, limits })
  for (const [kind, count] of MIX) await stored.storeMany(store, kind, Math.round(count * scale))
  await store.close()
}

async function migrate(cwd: string, from: string, to: string): Promise<Values> {
  const start = performance.now()
  const child = spawn(process.execPath, [CLI, 'migrate', '--from', from, '--to', to], {
    cwd,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let [peak, cpu, said] = [0, 0, '']
  const watching = setInterval(() => {
    peak = Math.max(peak, peakBytes(child.pid!))
    cpu = cpuSeconds(child.pid!)
  }, WATCH_EVERY_MS)
  child.once('exit', () => clearInterval(watching))
  child.stdout.on('data', (text) => {
    said += text
  })
  const [code] = await once(child, 'close')
  const seconds = (performance.now() - start) / 1000
  const records = Number(/^moved (\d+) records/m.exec(said)?.[1])
  if (code !== 0 || !records) throw new Error(`topictalk migrate ended with ${code}: ${said}`)
  return { records, seconds, recordsPerSecond: records / seconds, cpu: (1e6 * cpu) / records, peakBytes: peak }
}
