/** What lands on the disk of who installs the package: all that is run, with types, and nothing of the tests. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const root = resolve('.')

t.test('the package has the broker, the SDK, their types and documents, and no tests', async (t) => {
  const packed = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' })
  t.equal(packed.status, 0, packed.stderr)
  const [{ files }] = JSON.parse(packed.stdout) as [{ files: { path: string }[] }]
  const paths = new Set(files.map(({ path }) => path))
  const expected = [
    'dist/broker/cli.js',
    'dist/broker/broker.d.ts',
    'dist/client/methods.js',
    'dist/client/methods.d.ts',
  ]
  for (const path of [...expected, 'schemas/json/openapi.json', 'config.yaml', 'CHANGELOG.md', 'README.md'])
    t.ok(paths.has(path), path)
  t.notOk([...paths].some((path) => /^dist\/(test|bench)\/|\.tsbuildinfo/.test(path)))
})

t.test('a package or clone without a build is never handed on', async (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
  t.match(scripts, { prepack: 'node scripts/prepare.mjs', prepare: 'node scripts/prepare.mjs --build' })
})

t.test('an application in TypeScript sees the types of the SDK and of the broker', async (t) => {
  const app = t.testdir({
    'package.json': JSON.stringify({ type: 'module' }),
    'tsconfig.json': JSON.stringify({
      compilerOptions: { module: 'NodeNext', target: 'ES2022', strict: true, noEmit: true, skipLibCheck: true },
    }),
  })
  mkdirSync(join(app, 'node_modules'))
  symlinkSync(root, join(app, 'node_modules', 'topictalk'), 'dir')
  const compile = (source: string) => {
    writeFileSync(join(app, 'app.ts'), source)
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', app], { encoding: 'utf8' })
    return status === 0 ? 'compiles' : stdout
  }
  const imports = `
    import { httpCalls } from 'topictalk/dist/client/http-calls.js'
    import { methods } from 'topictalk/dist/client/methods.js'
    import { startBroker } from 'topictalk/dist/broker/broker.js'
    import { completeConfig } from 'topictalk/dist/broker/config/config.js'
    const broker = await startBroker(completeConfig({}))
    const port: number = broker.listeners[0]!.port
    const alice = methods(httpCalls({ url: 'http://127.0.0.1:' + port, token: () => 't' }))
  `
  t.equal(compile(`${imports} const seq: number = (await alice.send({ room: 'tea', text: 'hi' })).seq`), 'compiles')
  t.match(compile(`${imports} await alice.rooms.create({ rom: 'tea' })`), /'rom' does not exist/)
})
