/**
 * Runs the compiled tests, each file in a process of its own, as `node FILE` does, but bundled (tests/bundle.mjs). `tap run` would do it too, but
 * it loads a module hook into every process, and into every process that one starts, to note which files it imports: for a broker, 1.4 s of
 * CPU each time.
 *
 *     npm test                         all of them
 *     npm test -- chat/rooms unit/     the files whose path has one of these in it
 *     npm test -- --store=redis        brokers of tests have a Redis server each (test/helpers/test-store.ts), but those of cluster/, which have their own
 *     npm test -- --minutes=40         no file is begun later: those that are left out are named, and the run has failed
 *     npm test -- --may-leave-out      unless it was said that they may be
 *
 * On a terminal, what passes is a line, and of a file that fails all is shown but the checks that passed. Elsewhere (CI, a pipe) the output is
 * TAP 14 with every check, each file a subtest.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { bundle } from './tests/bundle.mjs'
import { withSources } from './tests/positions.mjs'

const ROOT = join('dist', 'test')
const CLI = join('dist', 'broker', 'cli.js')
const NO_DOMAINS = resolve('scripts', 'tests', 'no-domains.cjs')
/**
 * Files at a time. On two cores, as a third of the time that files take they wait: for a lease that ends, a server that takes over, a client
 * that tries again.
 */
const JOBS = 3
/** Those that take longest, and would else be waited for at the end. */
const BEGUN_FIRST = [
  'chat/authorisation',
  'cluster/redis-webhooks',
  'protocol/model',
  'contract/redis-failover',
  'chat/command-line',
  'chat/terminal-screen',
  'chat/sdk-outbox-faults',
  'chat/sdk-files-faults',
  'chat/search-index',
  'unit/bench',
].map((name) => `${name}.test.js`)
/** Seconds for one file: only what hangs reaches it, also on a machine that is ten times as slow as another. */
const TIMEOUT = 600
/**
 * So many files that failed beside others are run again, alone, as what fails by a machine that stood still says nothing of a change. One that
 * passes then is named as unsteady: a race of the test or of the product, to be mended first. Seeds are fixed, so that what fails by them fails again.
 */
const MOST_AGAIN = 2
/** Seconds in which a file that has reached it says what it was at, before its process is killed. */
const GRACE = 30
/** Lines of a failed file that are repeated at the end. */
const MOST_SHOWN = 60

const onTerminal = process.stdout.isTTY === true

const { values: options, positionals: wanted } = parseArgs({
  options: {
    store: { type: 'string' },
    minutes: { type: 'string' },
    'may-leave-out': { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const until = Number(options.minutes ?? Number.POSITIVE_INFINITY) * 60
if (Number.isNaN(until)) throw new TypeError(`--minutes=${options.minutes} is no number`)
/** Tests of several nodes start the servers that these share. */
const storeOf = (file) => (options.store && !file.startsWith('cluster/') ? { TEST_STORE: options.store } : {})
const all = readdirSync(ROOT, { recursive: true })
  .filter((file) => file.endsWith('.test.js'))
  .map((file) => file.replaceAll('\\', '/'))
  .sort()
for (const file of BEGUN_FIRST) if (!all.includes(file)) throw new Error(`BEGUN_FIRST has ${file}, which is not there`)
const files = all.filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
const running = new Set()
const results = []

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    for (const child of running) child.kill(signal)
    process.exit(1)
  })

// Each run has its own: another one may be under way.
const bundles = mkdtempSync(join('dist', 'tests-'))
process.once('exit', () => rmSync(bundles, { recursive: true, force: true }))
await bundle(
  Object.fromEntries([['cli', CLI], ...files.map((file) => [withoutEnding(file), join(ROOT, file)])]),
  bundles,
)
const queue = [...files.filter(isLong), ...files.filter((file) => !isLong(file))]
if (!onTerminal) console.log('TAP version 14')
await Promise.all(Array.from({ length: JOBS }, (_, job) => work(job === 0)))
const unsteady = await tryAgain(results.filter(({ failure }) => failure))
report()

/** One job begins at the end: nodes that wait for each other run beside browsers, which keep more than one core busy. */
async function work(fromEnd) {
  while (queue.length > 0 && process.uptime() < until) {
    const file = fromEnd ? queue.pop() : queue.shift()
    const result = await runFile(file)
    results.push(result)
    console.log(onTerminal ? asLine(result) : asSubtest(result))
  }
}

/** Resolves to those of the failed files that pass alone. */
async function tryAgain(failed) {
  if (failed.length > MOST_AGAIN || process.uptime() >= until) return []
  const passed = []
  for (const first of failed) {
    console.log(`# again, alone: ${first.file}`)
    const { failure } = await runFile(first.file)
    if (!failure) passed.push(first)
  }
  return passed
}

function asLine({ file, failure, seconds, output }) {
  const line = `${String(results.length).padStart(3)}/${files.length} ${file} ${seconds.toFixed(1)} s`
  return failure ? `${withoutPassed(output)}\n${line} FAILED: ${failure}` : line
}

function asSubtest({ file, failure, seconds, output }) {
  const name = join(ROOT, file)
  const inside = output
    .trimEnd()
    .replace(/^TAP version 14\n/, '')
    .replace(/^(?=.)/gm, '    ')
  const point = `${failure ? 'not ok' : 'ok'} ${results.length} - ${name} # time=${Math.round(seconds * 1000)}ms`
  return `# Subtest: ${name}\n${inside}\n${point}${failure ? `\n  ---\n  failure: ${JSON.stringify(failure)}\n  ...` : ''}\n`
}

function isLong(file) {
  return BEGUN_FIRST.includes(file)
}

function withoutEnding(file) {
  return file.replace(/\.js$/, '')
}

/** Resolves when the process is gone and all it said is read. */
function runFile(file) {
  const started = performance.now()
  const child = spawn(process.execPath, ['--require', NO_DOMAINS, join(bundles, file)], {
    env: { ...process.env, ...storeOf(file), TAP_TIMEOUT: String(TIMEOUT), TEST_CLI: resolve(bundles, 'cli.js') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  let tap = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    tap += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  const killer = setTimeout(() => child.kill('SIGKILL'), (TIMEOUT + GRACE) * 1000)
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(killer)
      running.delete(child)
      const counts = countsOf(tap)
      const failure = failureOf(code, signal, counts)
      const leftOut = tap.split('\n').filter((line) => / # (SKIP|TODO)\b/i.test(line))
      const seconds = (performance.now() - started) / 1000
      resolve({ file, output: failure ? withSources(output, bundles) : output, counts, failure, leftOut, seconds })
    })
  })
}

/** The last line of a file that has come to its end: `# { total: 23, pass: 22, skip: 1 }`. */
function countsOf(tap) {
  const [, total] = [...tap.matchAll(/^# \{ (total: .*) \}$/gm)].at(-1) ?? []
  return total ? Object.fromEntries(total.split(', ').map((part) => part.split(': '))) : null
}

function failureOf(code, signal, counts) {
  if (signal) return `ended by ${signal}`
  if (code !== 0) return `exit code ${code}`
  if (!counts) return 'it ended without a result'
  if (counts.fail) return `${counts.fail} failed`
  return null
}

function withoutPassed(output) {
  return output
    .split('\n')
    .filter((line) => !/^ *ok \d+/.test(line))
    .join('\n')
}

/** What failed in a file, with where and why; of a file that reported nothing, the end of what it said. */
function failedParts(output) {
  const lines = output.split('\n')
  const parts = []
  for (let at = lines.findIndex(isFailure); at >= 0 && parts.length < MOST_SHOWN; ) {
    const end = lines.findIndex((line, index) => index > at && /^ *(not )?ok \d|^ *# Subtest|^ *\d+\.\.\d+/.test(line))
    parts.push(...lines.slice(at, end < 0 ? undefined : end))
    at = end < 0 ? -1 : lines.findIndex((line, index) => index >= end && isFailure(line))
  }
  return (parts.length > 0 ? parts : lines.slice(-MOST_SHOWN)).slice(0, MOST_SHOWN)
}

function isFailure(line) {
  return /^ *not ok \d/.test(line)
}

function asComment(lines) {
  return lines.map((line) => `#   ${line}`).join('\n')
}

function inShort({ file, failure, output }) {
  return `${file}: ${failure}${onTerminal ? '' : `\n${asComment(failedParts(output))}`}`
}

function report() {
  const sums = {}
  for (const { counts } of results)
    for (const [name, count] of Object.entries(counts ?? {})) sums[name] = (sums[name] ?? 0) + Number(count)
  const total = Object.entries(sums).map(([name, sum]) => `${name}: ${sum}`)
  const slowest = results.toSorted((a, b) => b.seconds - a.seconds).slice(0, 10)
  if (!onTerminal) console.log(`1..${results.length}`)
  console.log(`# slowest: ${slowest.map(({ file, seconds }) => `${file} ${Math.round(seconds)} s`).join(', ')}`)
  for (const { file, leftOut } of results)
    for (const line of leftOut) console.log(`# left out in ${file}: ${line.trim()}`)
  for (const file of queue) console.log(`# LEFT OUT after ${options.minutes} minutes: ${file}`)
  const failed = results.filter((result) => result.failure && !unsteady.includes(result))
  // Again at the end, as that is the part of a long log which people and CI look at.
  for (const result of unsteady) console.log(`# UNSTEADY, it passed alone: ${inShort(result)}`)
  for (const result of failed) console.log(`# FAILED ${inShort(result)}`)
  console.log(`# ${results.length} files in ${Math.round(process.uptime())} s\n# { ${total.join(', ')} }`)
  const isPartial = queue.length > 0 && !options['may-leave-out']
  if (isPartial) console.log(`# FAILED: ${queue.length} of ${files.length} files were left out`)
  if (failed.length > 0 || results.length === 0 || isPartial) process.exitCode = 1
}
