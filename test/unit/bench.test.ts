import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { Histogram } from '../../bench/histogram.js'
import { cpuSeconds, residentBytes } from '../../bench/measure.js'
import { endWithUs } from '../helpers/end-with-us.js'

const RUN = fileURLToPath(new URL('../../bench/run.js', import.meta.url))

t.test('the benchmark runs, and writes numbers, a report and plots', async (t) => {
  const dir = t.testdir()
  const tiny = ['--peers', 'topictalk', '--rooms', '2', '--members', '3', '--seconds', '1']
  const out = ['--out', join(dir, 'results.json')]
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, ...tiny, ...out, '--cells', 'pairs'])
  const { results } = JSON.parse(await readFile(join(dir, 'results.json'), 'utf8'))
  t.strictSame(
    results.map(({ cell, peer }: { cell: string; peer: string }) => `${peer}, ${cell}`),
    ['QoS 0 TCP', 'QoS 1 TCP', 'QoS 0 WebSocket', 'QoS 1 WebSocket'].map((way) => `TopicTalk, pairs ${way}`),
  )
  for (const { deliveries, published, seconds, brokerCpu, loadCpu, deliveriesPerCpuSecond, residentBytes } of results) {
    const numbers = [deliveries, published, seconds, brokerCpu, loadCpu, deliveriesPerCpuSecond, residentBytes]
    t.ok(
      numbers.every((number) => Number.isFinite(number) && number > 0),
      JSON.stringify(numbers),
    )
  }
  t.match(stdout, /pairs QoS 0 TCP +TopicTalk +\d/)
  t.match(await readFile(join(dir, 'results.md'), 'utf8'), /\| pairs QoS 1 WebSocket \| TopicTalk \| \d/)
  t.match(await readFile(join(dir, 'results-throughput.svg'), 'utf8'), /^<svg .*<rect .*<\/svg>\n$/s)
})

t.test('nodes on one Redis are measured apart from it', async (t) => {
  const out = join(t.testdir(), 'results.json')
  const brief = ['--scale', '0.01', '--cells', '2 nodes', '--out', out]
  await promisify(execFile)(process.execPath, [RUN, 'nodes-append', ...brief])
  const { results } = JSON.parse(await readFile(out, 'utf8'))
  t.strictSame(
    results.map(({ peer }: { peer: string }) => peer),
    ['TopicTalk', 'Aedes'],
  )
  for (const { messagesPerSecond, nodeCpu, redisCpu } of results)
    t.ok(
      messagesPerSecond > 0 && nodeCpu > 0 && redisCpu >= 0,
      JSON.stringify({ messagesPerSecond, nodeCpu, redisCpu }),
    )
})

t.test('what the bench cannot do is one line that says what it can', async (t) => {
  const fails = (...args: string[]) =>
    promisify(execFile)(process.execPath, [RUN, ...args]).then(
      () => t.fail('it did something'),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    )
  for (const [args, why] of [
    [['fast'], /^bench: there is no suite fast; there are throughput, .*; see npm run bench -- --help\n$/],
    [['--peers', 'topictalk,other'], /^bench: there is no broker other; there are TopicTalk, .*\n$/],
    [['--cells', 'none'], /^bench: nothing was measured: no cell of throughput contains none\n$/],
    [['reads', '--peers', 'aedes'], /^bench: nothing was measured: Aedes cannot do reads\n$/],
    [['--seconds', 'long'], /^bench: --seconds: expected a number above 0, not long; see .*\n$/],
    [['--speed', '3'], /^bench: Unknown option '--speed'; see .*\n$/],
  ] as const)
    t.match(await fails(...args), { code: 1, stdout: '', stderr: why })
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, '--help'])
  for (const word of ['throughput', 'growth', 'mosquitto', '--seconds N']) t.match(stdout, word)
})

t.test('a process is measured while others that it starts come and go', async (t) => {
  const child = spawn('sh', ['-c', 'echo; while :; do /bin/true; done'], { stdio: ['ignore', 'pipe', 'ignore'] })
  endWithUs(child)
  await once(child.stdout, 'data')
  for (let i = 0; i < 500; i++) for (const measured of [cpuSeconds, residentBytes]) measured(child.pid!)
  t.ok(residentBytes(child.pid!) > 0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.throws(() => cpuSeconds(child.pid!), { code: 'ENOENT' }, 'but not when it is gone itself')
})

t.test('a histogram knows quantiles to within 1.6 %, and adds up', (t) => {
  const [low, high] = [new Histogram(), new Histogram()]
  for (let us = 1; us <= 1_000_000; us++) (us % 2 ? low : high).record(us)
  const both = new Histogram().add(low.toData()).add(high.toData())
  t.equal(both.total, 1_000_000)
  t.equal(both.max, 1_000_000)
  for (const share of [0.00001, 0.5, 0.99, 0.999, 1]) {
    const exact = share * 1_000_000
    const found = both.quantile(share)
    t.ok(found >= exact && found <= exact * 1.016, `${share}: ${found}`)
  }
  t.equal(new Histogram().quantile(0.99), 0, 'nothing has no latency')
  t.end()
})
