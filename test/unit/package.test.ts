/** What lands on the disk of who installs the package: all that is run, with types, nothing of the tests, and entries that resolve. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'

const root = resolve('.')

interface Packed {
  filename: string
  files: { path: string }[]
}

/** Packs what is built into a directory of the test. */
function pack(t: Test): { tarball: string; files: Packed['files'] } {
  const to = t.testdir()
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', to]
  const packed = spawnSync('npm', args, { encoding: 'utf8' })
  if (packed.status !== 0) throw new Error(packed.stderr)
  const [{ filename, files }] = JSON.parse(packed.stdout) as [Packed]
  return { tarball: join(to, filename), files }
}

t.test('the package has the broker, the SDK, their types and documents, and no tests', async (t) => {
  const { tarball, files } = pack(t)
  const paths = new Set(files.map(({ path }) => path))
  const expected = [
    'dist/broker/cli.js',
    'dist/broker/index.js',
    'dist/broker/index.d.ts',
    'dist/client/index.js',
    'dist/client/index.d.ts',
    'dist/schemas/index.js',
    'dist/schemas/index.d.ts',
  ]
  for (const path of [
    ...expected,
    'schemas/json/openapi.json',
    'deploy/haproxy/haproxy.cfg',
    'config.yaml',
    'CHANGELOG.md',
    'README.md',
  ])
    t.ok(paths.has(path), path)
  t.notOk([...paths].some((path) => /^dist\/(test|bench)\/|\.tsbuildinfo/.test(path)))
  const publint = spawnSync('npx', ['--no-install', 'publint', '--strict', tarball], { encoding: 'utf8' })
  t.match(publint.stdout, /All good!/, publint.stdout + publint.stderr)
})

t.test('a package or clone without a build is never handed on', async (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
  t.match(scripts, { prepack: 'node scripts/prepare.mjs', prepare: 'node scripts/prepare.mjs --build' })
})

/** A directory where `topictalk` can be imported, and what compiling a source there says. */
function application(t: Test, compilerOptions: object = {}): { compile: (source: string) => string } {
  const options = { module: 'NodeNext', target: 'ES2022', strict: true, noEmit: true, skipLibCheck: true }
  const app = t.testdir({
    'package.json': JSON.stringify({ type: 'module' }),
    'tsconfig.json': JSON.stringify({ compilerOptions: { ...options, resolveJsonModule: true, ...compilerOptions } }),
  })
  mkdirSync(join(app, 'node_modules'))
  symlinkSync(root, join(app, 'node_modules', 'topictalk'), 'dir')
  const compile = (source: string): string => {
    writeFileSync(join(app, 'app.ts'), source)
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', app], { encoding: 'utf8' })
    return status === 0 ? 'compiles' : stdout
  }
  return { compile }
}

t.test('an application in TypeScript sees the types of the broker, of the SDK and of the contract', async (t) => {
  const { compile } = application(t)
  const imports = `
    import { completeConfig, startBroker } from 'topictalk'
    import { httpCalls, methods } from 'topictalk/client'
    import { type MessageOutput, topics } from 'topictalk/schemas'
    import openapi from 'topictalk/schemas/json/openapi.json' with { type: 'json' }
    const broker = await startBroker(completeConfig({}))
    const port: number = broker.listeners[0]!.port
    broker.aedes.on('client', ({ id }) => console.log(id, topics.user('alice', 'events'), openapi.info.title))
    const alice = methods(httpCalls({ url: 'http://127.0.0.1:' + port, token: () => 't' }))
  `
  t.equal(compile(`${imports} const seq: number = (await alice.send({ room: 'tea', text: 'hi' })).seq`), 'compiles')
  t.match(compile(`${imports} await alice.rooms.create({ rom: 'tea' })`), /'rom' does not exist/)
})

t.test('programs, pages with React, apps and devices have entries with types', async (t) => {
  const { compile } = application(t, { lib: ['ES2022', 'DOM'] })
  const imports = `
    import { createChat, eventStream } from 'topictalk/client'
    import { connectDevice } from 'topictalk/client/device'
    import { createChat as createNodeChat } from 'topictalk/client/node'
    import { useLive, useTimeline } from 'topictalk/client/react'
    import { createChat as createAppChat, type KeyValueStorage } from 'topictalk/client/react-native'
    const auth = { token: 't' }
    export const page = createChat({ url: 'https://host', auth, fallback: eventStream })
    export const program = createNodeChat({ url: 'mqtts://host', auth, store: './chat', tls: { ca: 'pem' } })
    export const typing = (): readonly string[] => useLive(page.room('tea').typing)
    export const keys = (): string[] => useTimeline(page.room('tea'), { size: 20 }).items.map(({ key }) => key)
    declare const storage: KeyValueStorage
    const AppState = { currentState: 'active', addEventListener: () => ({ remove: () => {} }) }
    export const app = createAppChat({ url: 'https://host', auth }, { AppState, storage })
    export const device = connectDevice({ url: 'mqtt://host', auth, buffer: { messages: 10, drop: 'newest' } })
  `
  t.equal(compile(imports), 'compiles')
  t.match(compile(`${imports} device.telemetry(1, 2)`), /'number' is not assignable to parameter of type 'string'/)
})

t.test('the client and the contract are typed without the types of Node', async (t) => {
  const { compile } = application(t, { types: [], lib: ['ES2022', 'DOM'] })
  const source = `
    import { type MqttConnection, methods, mqttCalls } from 'topictalk/client'
    import { COMMANDS, parseTopic } from 'topictalk/schemas'
    export const alice = (client: MqttConnection) => methods(mqttCalls({ client, user: 'alice' }))
    export const known = [Object.keys(COMMANDS), parseTopic('rooms/tea/messages').kind]
  `
  t.equal(compile(source), 'compiles')
})

// Deprecated: to be removed in the version after 0.1.
t.test('paths that were named before there were entries can still be imported', async (t) => {
  const { compile } = application(t)
  const source = `
    import { completeConfig } from 'topictalk/dist/broker/config.js'
    import { startBroker } from 'topictalk/dist/broker/broker.js'
    import { httpCalls } from 'topictalk/dist/client/http-calls.js'
    import { methods } from 'topictalk/dist/client/methods.js'
    import { mqttCalls } from 'topictalk/dist/client/mqtt-calls.js'
    export { completeConfig, httpCalls, methods, mqttCalls, startBroker }
  `
  t.equal(compile(source), 'compiles')
})
