/** Types and code of every entry of the package resolve alike, as applications with ES modules see it. */
import { spawnSync } from 'node:child_process'
import t from 'tap'

t.test('attw finds nothing in the package', async (t) => {
  const to = t.testdir()
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', to]
  const [{ filename }] = JSON.parse(spawnSync('npm', pack, { encoding: 'utf8' }).stdout) as [{ filename: string }]
  const args = ['--no-install', 'attw', `${to}/${filename}`, '--profile', 'esm-only', '--no-color']
  const { status, stdout, stderr } = spawnSync('npx', args, { encoding: 'utf8' })
  t.equal(status, 0, stdout + stderr)
})
