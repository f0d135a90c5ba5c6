import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import type { Result } from '../../bench/measure.js'

const RUN = fileURLToPath(new URL('../../bench/run.js', import.meta.url))

t.test('the benchmark runs, and writes numbers', async (t) => {
  const out = join(t.testdir(), 'results.json')
  const tiny = ['--peers', 'topictalk', '--rooms', '2', '--members', '3', '--seconds', '1', '--out', out]
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, ...tiny, '--cells', 'pairs'])
  const { results } = JSON.parse(await readFile(out, 'utf8')) as { results: Result[] }
  t.strictSame(
    results.map(({ cell, peer }) => `${peer}, ${cell}`),
    ['TopicTalk, pairs QoS 0', 'TopicTalk, pairs QoS 1'],
  )
  for (const { deliveries, published, seconds, brokerCpu, loadCpu, deliveriesPerCpuSecond, residentBytes } of results) {
    const numbers = [deliveries, published, seconds, brokerCpu, loadCpu, deliveriesPerCpuSecond, residentBytes]
    t.ok(
      numbers.every((number) => Number.isFinite(number) && number > 0),
      JSON.stringify(numbers),
    )
  }
  t.match(stdout, /pairs QoS 0 .*\d+k/)
})
