/** `deploy/systemd/topictalk.service`: what systemd says of it, and that it lets the broker drain. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { completeConfig } from '../../broker/config/config.js'

const FILE = 'deploy/systemd/topictalk.service'
/** What `serve` takes to close, beside `node.drain`. */
const CLOSE = 30
/** Of 10, by `systemd-analyze security`. */
const MOST_EXPOSED = 2

const unit = readFileSync(FILE, 'utf8')
const analyze = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' })
const skip = analyze('--version').status !== 0 && 'systemd is not installed here'

t.test('it is valid', { skip }, async (t) => {
  // Node may be elsewhere here: systemd wants the programs to be there.
  const folder = t.testdir({})
  mkdirSync(join(folder, 'units'))
  const file = join(folder, 'units', 'topictalk.service')
  writeFileSync(file, unit.replace('/usr/bin/node', process.execPath))
  const { status, stdout, stderr } = analyze('verify', file)
  t.equal(status, 0)
  t.equal(stdout + stderr, '')
})

t.test('it gives the broker no more than it needs', { skip }, async (t) => {
  const { stdout } = analyze('security', '--offline=true', FILE)
  const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)!
  t.ok(Number(exposure) <= MOST_EXPOSED, `${exposure} of 10`)
})

t.test('a stop may take as long as the broker', async (t) => {
  const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)![1])
  const { delay, spread } = completeConfig({}).node.drain
  t.ok(seconds >= delay + spread + CLOSE)
  t.match(unit, /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m)
})
