import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { Level } from 'level'
import t, { type Test } from 'tap'
import { chat } from '../../client/terminal/chat.js'
import { messageLine, parseInput } from '../../client/terminal/lines.js'
import { serveHttp, startTestBroker } from '../helpers/broker.js'
import { CLI } from '../helpers/command.js'

serveHttp()

interface Result {
  code: number | null
  stdout: string
  stderr: string
}

/** `topictalk` in an empty directory. */
function commandLine(t: Test) {
  const cwd = mkdtempSync(join(tmpdir(), 'tt-'))
  t.teardown(() => rmSync(cwd, { recursive: true, force: true }))
  // Neither our own settings, nor what tap loads into the processes it knows of.
  const meant = (name: string): boolean => !name.startsWith('TOPICTALK_') && name !== 'NODE_OPTIONS'
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => meant(name)))
  const start = (args: string[], more: Record<string, string> = {}) => {
    const child = spawn(process.execPath, [CLI, ...args], { cwd, env: { ...env, ...more } })
    t.teardown(() => child.kill('SIGKILL'))
    return child
  }
  const run = (args: string[], input = '', more: Record<string, string> = {}): Promise<Result> => {
    const child = start(args, more)
    child.stdin.end(input)
    return finish(child)
  }
  return { cwd, start, run }
}

async function finish(child: ChildProcessWithoutNullStreams): Promise<Result> {
  const result: Result = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (result.stdout += chunk))
  child.stderr.on('data', (chunk) => (result.stderr += chunk))
  const [code] = await once(child, 'close')
  return { ...result, code }
}

/** Starts a broker on free ports and waits until it says so. */
async function serve(start: (args: string[]) => ChildProcessWithoutNullStreams, ...settings: string[]) {
  const set = ['listen.mqtt=0', 'listen.http=0', ...settings].flatMap((setting) => ['--set', setting])
  const broker = start(['serve', ...set])
  let banner = ''
  await new Promise<void>((resolve, reject) => {
    broker.stdout.on('data', (chunk) => (banner += chunk).includes('ready') && resolve())
    broker.stderr.on('data', (chunk) => reject(new Error(String(chunk))))
  })
  const url = (scheme: string) => new RegExp(`${scheme}://\\S+`).exec(banner)![0]
  return { broker, banner, mqtt: url('mqtt'), ws: url('ws') }
}

/** Lines given one by one, and what is shown, to wait for. */
function terminal() {
  const input = new PassThrough()
  const shown: string[] = []
  const changes = new EventEmitter()
  const show = (line: string) => {
    shown.push(line)
    changes.emit('line')
  }
  return {
    // From now on: lines that are typed early wait.
    lines: createInterface({ input })[Symbol.asyncIterator](),
    type: (line: string) => input.write(`${line}\n`),
    hangUp: () => input.end(),
    print: show,
    printStatus: show,
    shown,
    async until(pattern: RegExp) {
      while (!shown.some((line) => pattern.test(line))) await once(changes, 'line')
    },
  }
}

t.test('a first user and a first message, beside a running broker', async (t) => {
  const { start, run, cwd } = commandLine(t)
  const { broker, banner, mqtt, ws } = await serve(start)
  t.match(banner, join(cwd, 'data'))
  t.match(banner, /topictalk user add alice --password-stdin/)
  t.match(banner, /mosquitto_pub .*-t rooms\/lobby\/messages/)

  t.match(await run(['user', 'add', 'alice', '--password-stdin'], 'alice-pw\n'), { code: 0, stdout: 'added alice\n' })
  const token = await run(['token', 'bob', '--ttl', '1h'])
  t.match(token, { code: 0, stdout: /^[\w-]+\.[\w-]+\.[\w-]+\n$/, stderr: /note: there is no user bob yet/ })
  t.match(await run(['token', 'alice', '--role', 'admni']), {
    code: 0,
    stderr: /note: nothing speaks of the role admni/,
  })
  t.match(await run(['token', 'alice', '--role', 'admin']), { code: 0, stderr: '' })

  const alice = await run(['chat', '--user', 'alice', '--url', mqtt], 'hi\nthere\n', { TOPICTALK_PASSWORD: 'alice-pw' })
  t.match(alice, { code: 0, stdout: /^\d\d:\d\d alice: hi\n\d\d:\d\d alice: there\n$/, stderr: '' })
  const bob = await run(
    ['chat', 'lobby', '--user', 'bob', '--url', ws, '--token', token.stdout.trim()],
    '@alice psst\n',
  )
  t.match(bob, { code: 0, stdout: /alice: hi\n.* alice: there\n.* bob to alice: psst\n$/ })

  const listed = JSON.parse((await run(['user', 'list', '--json'])).stdout)
  t.match(listed, [
    { id: 'alice', password: true },
    { id: 'bob', password: false },
  ])

  broker.kill('SIGTERM')
  t.match(await finish(broker), { code: 0, stdout: /stopped/, stderr: '' })
})

t.test('SIGTERM sends clients away in order, and another signal stops at once', async (t) => {
  const { start, run } = commandLine(t)
  t.match(await run(['status']), { code: 1, stdout: '', stderr: /^topictalk: node\.dataDir: no broker runs on .*\n$/ })
  t.match(await run(['health']), { code: 1, stdout: '', stderr: /^topictalk: node\.dataDir: no broker runs on .*\n$/ })
  const { broker, ws } = await serve(start, 'node.drain.delay=1h')
  t.match(await run(['health']), { code: 0, stdout: 'ok\n' })
  const draining = once(broker.stdout, 'data')
  broker.kill('SIGTERM')
  t.match(String(await draining), /^draining: .*\n$/)
  const status = async (path: string) => (await fetch(new URL(path, ws.replace('ws', 'http')))).status
  t.same([await status('/healthz'), await status('/readyz')], [200, 503])
  t.match(await run(['health']), { code: 0, stdout: 'draining\n' })
  const { stdout } = await run(['status'])
  t.match(
    stdout,
    /^store: embedded\nstate: the broker is about to stop\nnode 1: \S+ \(this\) {2}\d\S+ {2}0 connections {2}since 20\S+ {2}mqtt:/,
  )
  t.match(stdout, /\ncommits: \d+/)
  t.match(JSON.parse((await run(['status', '--json'])).stdout), { self: 1, nodes: [{ node: 1 }], store: 'embedded' })
  broker.kill('SIGINT')
  t.match(await finish(broker), { code: 0, stdout: 'stopped\n', stderr: '' })
})

t.test('without a broker, users are changed in the store itself', async (t) => {
  const { run } = commandLine(t)
  t.match(await run(['user', 'list']), { code: 1, stderr: /nothing has been stored yet/ })
  t.match(await run(['user', 'add', 'alice', '--password-stdin', '--role', 'admin'], 'alice-pw'), { code: 0 })
  t.match(await run(['user', 'add', 'Alice', '--password-stdin'], 'alice-pw'), {
    code: 1,
    stderr: /differ only by case/,
  })
  t.match(await run(['user', 'list']), { code: 0, stdout: 'alice  admin\n' })
  t.match(await run(['user', 'role', 'alice']), { code: 0, stdout: 'alice has the roles admin\n' })
  t.match(await run(['user', 'role', 'alice', 'notifier', 'publisher']), { stdout: /roles notifier, publisher\n$/ })
  t.match(await run(['user', 'suspend', 'alice', '--reason', 'away']), { code: 0, stdout: 'suspended alice\n' })
  t.match(await run(['user', 'list']), { stdout: 'alice  notifier  publisher  (suspended)\n' })
  t.match(JSON.parse((await run(['user', 'list', '--json'])).stdout), [{ suspended: { by: 'system', reason: 'away' } }])
  t.match(await run(['user', 'resume', 'alice']), { code: 0 })
  t.match(await run(['user', 'role', 'alice', '--none']), { stdout: 'alice has no role\n' })
  t.match(await run(['user', 'role', 'alice', 'x y']), { code: 1, stderr: /is not a role/ })
  t.match(await run(['user', 'passwd', 'alice', '--password-stdin'], 'other-pw'), { code: 0 })
  t.match(await run(['user', 'remove', 'alice']), { code: 0 })
  t.match(await run(['user', 'remove', 'alice']), { code: 1, stderr: 'topictalk: there is no user alice\n' })
})

t.test('what is wrong is one line and exit code 1', async (t) => {
  const { run, cwd } = commandLine(t)
  const taken = net.createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as net.AddressInfo
  writeFileSync(join(cwd, 'file'), '')
  writeFileSync(join(cwd, 'wrong.yaml'), 'listen:\n  mqt: 1\n')
  const faults: [string[], RegExp][] = [
    [['serve', '--set', `listen.mqtt=${port}`], /^topictalk: listen\.mqtt: port \d+ is already in use; .*\n$/],
    [['serve', '--set', 'node.dataDir=file/data'], /^topictalk: node\.dataDir: cannot write to .*\n$/],
    [['serve', '--set', 'node.dataDir=file'], /^topictalk: node\.dataDir: cannot write to .*\n$/],
    [['serve', '--config', 'wrong.yaml'], /^topictalk: .*listen\.mqt: unknown key; did you mean listen\.mqtt\?\n$/],
    [['config', 'check', '--config', 'wrong.yaml'], /^topictalk: .*listen\.mqt: unknown key.*\n$/],
    [['user', 'add', 'alice'], /^topictalk: there is no terminal to ask on; use --password-stdin\n$/],
    [['token', 'alice', '--role', 'x y'], /^topictalk: --role: "x y" is not a role\n$/],
    [['token', 'alice', '--ttl', 'soon'], /^topictalk: --ttl: expected a duration .*\n$/],
    [['chat', '--user', 'alice', '--token', 'x', '--url', 'mqtt://127.0.0.1:1'], /^topictalk: cannot connect to .*\n$/],
    [['audit', '--limit', 'x'], /^topictalk: --limit: expected a number .*\n$/],
    [['chat', 'lobby', '--user', 'a', '--token', 'x', '--cafile', 'no.pem'], /^topictalk: --cafile: cannot read .*\n$/],
    [['chat', 'no room', '--user', 'alice', '--token', 'x'], /^topictalk: no room is neither .*\n$/],
  ]
  for (const [args, stderr] of faults) t.match(await run(args), { code: 1, stdout: '', stderr }, args.join(' '))
  t.match(await run(['config', 'check']), { code: 0, stdout: /^ok: / })
})

t.test('a store of a format that is not known is refused with advice, and config check says so before', async (t) => {
  const { cwd, run } = commandLine(t)
  t.match(await run(['user', 'add', 'ann', '--password-stdin'], 'a password'), { code: 0 })
  t.equal((await run(['config', 'check'])).stderr, '')
  const level = new Level(join(cwd, 'data/store'))
  await level.put('!format', 'topictalk 99')
  await level.close()
  const advice =
    /data\/store: the store has format "topictalk 99", this version reads topictalk 1\. Start the version that wrote it, or start on a backup of an earlier one\n$/
  t.match(await run(['config', 'check']), { code: 0, stdout: /^ok/, stderr: advice })
  t.match(await run(['user', 'list']), { code: 1, stderr: advice })
  t.match(await run(['serve', '--set', 'listen.mqtt=0', '--set', 'listen.http=null']), { code: 1, stderr: advice })
})

t.test('a command in another directory says that it begins anew there', async (t) => {
  const { run, cwd } = commandLine(t)
  const added = await run(['user', 'add', 'alice', '--password-stdin'], 'alice-pw\n')
  t.match(added, { code: 0, stdout: 'added alice\n', stderr: /no broker runs on .*data, and nothing is there yet/ })
  t.match(await run(['user', 'list']), { code: 0, stderr: '' })
  rmSync(join(cwd, 'data', 'secret'), { force: true })
  t.match(await run(['token', 'alice']), { code: 0, stderr: /has no secret yet/ })
  t.match(await run(['token', 'alice']), { code: 0, stderr: '' })
})

t.test('the banner says what another terminal needs to find the data', async (t) => {
  const { start, cwd } = commandLine(t)
  const { banner } = await serve((args) => start(args, { TOPICTALK_NODE_DATA_DIR: join(cwd, 'elsewhere') }))
  t.match(banner, `user add alice --password-stdin --set node.dataDir=${join(cwd, 'elsewhere')}`)
})

t.test('a line typed while the broker is away is sent when it is back, once', async (t) => {
  const broker = await startTestBroker(t)
  const { port } = broker
  const password = await broker.token('alice')
  const screen = terminal()
  const options = { url: broker.mqttUrl, user: 'alice', password, room: 'lobby', ...screen }
  const chatting = chat(options)
  screen.type('before')
  await screen.until(/alice: before$/)
  await broker.running.close()
  await screen.until(/connection lost/)
  screen.type('while away')
  await screen.until(/will be sent/)
  await broker.restart({ listen: { mqtt: port } })
  await screen.until(/alice: while away$/)
  screen.hangUp()
  t.equal(await chatting, true)
  t.equal(screen.shown.filter((line) => line.endsWith('alice: while away')).length, 1)
})

t.test('a refused line is told, and the chat goes on', async (t) => {
  const broker = await startTestBroker(t)
  const screen = terminal()
  const password = await broker.token('alice')
  const chatting = chat({ url: broker.wsUrl, user: 'alice', password, room: 'lobby', ...screen })
  screen.type('@nobody hello')
  await screen.until(/^not sent: there is no user nobody \(hello\)$/)
  screen.type('/nonsense')
  await screen.until(/^no command \/nonsense/)
  screen.type('/who')
  await screen.until(/^alice$/)
  screen.type('/quit')
  t.equal(await chatting, false)
})

t.test('what others write cannot steer the terminal', async (t) => {
  const message = { room: 'lobby', seq: 1, ts: Date.now(), from: 'eve', text: '\u001b[2Jgone\u202e\nnext\u2028bob: hi' }
  t.match(messageLine(message), /^\d\d:\d\d eve: \ufffd\[2Jgone\ufffd\n {6}next\n {6}bob: hi$/)
})

t.test('what a person types', async (t) => {
  t.same(parseInput('hello @bob'), { kind: 'room', text: 'hello @bob' })
  t.same(parseInput('@bob  hi there'), { kind: 'direct', user: 'bob', text: 'hi there' })
  t.same(parseInput('//etc'), { kind: 'room', text: '/etc' })
  t.same(parseInput('/quit '), { kind: 'quit' })
  t.same(parseInput('   '), { kind: 'empty' })
})
