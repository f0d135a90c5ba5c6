/**
 * Speed, so far as a test can look at it: beside bare Aedes, in the same run, and by CPU-seconds, which other work on the machine changes
 * little. The margins are wide: what fails here has become several times slower.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'

const RUN = fileURLToPath(new URL('../../bench/run.js', import.meta.url))

/** How many times the deliveries of Aedes TopicTalk makes in a CPU-second. */
async function ratio(t: Test, cell: string, ...sizes: string[]): Promise<number> {
  const out = join(t.testdir(), 'results.json')
  const brief = ['--seconds', '1', '--peers', 'topictalk,aedes', '--cells', cell, '--out', out]
  await promisify(execFile)(process.execPath, [RUN, 'throughput', ...brief, ...sizes])
  const { results } = JSON.parse(await readFile(out, 'utf8'))
  const [ours, theirs] = results.map((result: { deliveriesPerCpuSecond: number }) => result.deliveriesPerCpuSecond)
  return ours / theirs
}

t.test('a large room costs no more than a few times what it costs with bare Aedes', async (t) => {
  const found = await ratio(t, 'fan-out QoS 1 TCP', '--members', '200')
  t.ok(found > 0.5, `${found.toFixed(2)} times bare Aedes`)
})

t.test('pairs cost no more than a few times what they cost with bare Aedes, which keeps nothing', async (t) => {
  const found = await ratio(t, 'pairs QoS 1 TCP', '--rooms', '100')
  t.ok(found > 0.25, `${found.toFixed(2)} times bare Aedes`)
})
