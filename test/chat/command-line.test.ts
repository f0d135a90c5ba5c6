import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { Level } from 'level'
import t, { type Test } from 'tap'
import { createChat } from '../../client/node/index.js'
import { parseInput } from '../../client/terminal/input.js'
import { lineChat } from '../../client/terminal/line-chat.js'
import { messageLine } from '../../client/terminal/lines.js'
import { serveHttp, startTestBroker } from '../helpers/broker.js'
import { CERTIFICATE, certificateFiles } from '../helpers/certificate.js'
import { CLI } from '../helpers/command.js'
import { until } from '../helpers/patience.js'
import { Person } from '../helpers/people.js'

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
    changes,
    async until(pattern: RegExp) {
      await until(`${pattern}`, async () => shown.some((line) => pattern.test(line))).catch((error) => {
        throw new Error(`${error.message}:\n${shown.join('\n')}`)
      })
    },
  }
}

t.test('a first user and a first message, beside a running broker', async (t) => {
  const { start, run, cwd } = commandLine(t)
  const { broker, banner, mqtt, ws } = await serve(start)
  t.match(banner, /^TopicTalk .*\n\n {2}In a browser +http:\/\/127\.0\.0\.1:\d+\n/)
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
  const chatting = lineChat(options)
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
  const chatting = lineChat({ url: broker.wsUrl, user: 'alice', password, room: 'lobby', ...screen })
  screen.type('@nobody hello')
  await screen.until(/^not sent: there is no user nobody \(hello\)$/)
  screen.type('/nonsense')
  await screen.until(/^no command \/nonsense/)
  screen.type('/who')
  await screen.until(/^alice \(you\)$/)
  screen.type('/quit')
  t.equal(await chatting, false)
})

t.test('a line that nobody could take is no success', async (t) => {
  const broker = await startTestBroker(t)
  const options = { url: broker.mqttUrl, user: 'alice', password: await broker.token('alice'), room: 'lobby' }
  for (const [line, isAccepted] of [
    ['/upload /no/such', false],
    ['/etc/passwd has changed', false],
    ['//etc/passwd has changed', true],
  ] as const) {
    const pipe = terminal()
    const piping = lineChat({ ...options, ...pipe })
    pipe.type(line)
    pipe.hangUp()
    t.equal(await piping, isAccepted, line)
  }
})

t.test('more lines than the outbox takes wait for it', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off', payloadBytes: 200_000 } })
  const { port } = broker
  const pipe = terminal()
  const password = await broker.token('alice')
  const piping = lineChat({ url: broker.mqttUrl, user: 'alice', password, room: 'lobby', ...pipe })
  pipe.type('before')
  await pipe.until(/alice: before$/)
  await broker.running.close()
  await pipe.until(/connection lost/)
  // Some 6 MB.
  for (let i = 1; i <= 60; i++) pipe.type(`line ${i} ${'x'.repeat(100_000)}`)
  pipe.hangUp()
  await pipe.until(/will be sent/)
  await broker.restart({ listen: { mqtt: port } })
  t.equal(await piping, true)
  t.equal(pipe.shown.filter((line) => /alice: line \d+ x+$/.test(line)).length, 60)
})

t.test('in lines a person edits, reacts, answers, deletes, and changes the room', async (t) => {
  const broker = await startTestBroker(t)
  const bob = await broker.connect('bob')
  const screen = terminal()
  const chatting = lineChat({
    ...{ url: broker.mqttUrl, user: 'alice', password: await broker.token('alice'), room: 'lobby' },
    ...screen,
  })
  screen.type('helo')
  await screen.until(/alice: helo$/)
  screen.type('/edit hello')
  await screen.until(/alice changed #1: hello$/)
  await bob.publishAsync('rooms/lobby/messages', 'hi alice', { qos: 1 })
  await screen.until(/bob: hi alice$/)
  screen.type('/reply and to you, @bob')
  await screen.until(/alice: \(to #3 bob: hi alice\) and to you, @bob$/)
  screen.type('/react 👍')
  await screen.until(/^reactions to #3: 👍 1$/)
  screen.type('/react 👍')
  await screen.until(/^reactions to #3: none$/)
  screen.type('/delete #1')
  await screen.until(/alice deleted #1$/)
  screen.type('/history')
  await screen.until(/^#4 \d\d:\d\d alice: \(to #3 bob: hi alice\) and to you, @bob$/)
  screen.type('/create tea')
  await screen.until(/^\(tea\)$/)
  screen.type('cups')
  await screen.until(/alice: cups$/)
  screen.type('/rooms')
  await screen.until(/^lobby/)
  screen.type('/leave')
  await screen.until(/^left tea$/)
  await screen.until(/^\(lobby\)$/)
  screen.hangUp()
  t.equal(await chatting, true)
})

/** Receipts, and the index of searches, come a little later: it is asked for again until the answer is that. */
async function asked(screen: ReturnType<typeof terminal>, line: string, answer: RegExp): Promise<void> {
  do {
    screen.type(line)
    await once(screen.changes, 'line')
  } while (!screen.shown.some((one) => answer.test(one)))
}

t.test('in lines a person opens threads, pins, searches, is mentioned, and is invited', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = [terminal(), terminal()]
  const chats = await Promise.all(
    [alice, bob].map(async (screen, i) => {
      const user = ['alice', 'bob'][i]!
      const options = { url: broker.mqttUrl, user, password: await broker.token(user), room: 'lobby', isRead: true }
      return { done: lineChat({ ...options, ...screen }) }
    }),
  )
  alice.type('/create tea private')
  await alice.until(/^\(tea\)$/)
  alice.type('/invite bob')
  await bob.until(/^alice invites you into tea: \/join tea or \/decline tea$/)
  bob.type('/join tea')
  await bob.until(/^\(tea\)$/)
  bob.type('who wants some?')
  await alice.until(/bob: who wants some\?$/)
  alice.type('/thread #1')
  await alice.until(/^\(tea #1\)$/)
  await alice.until(/^#1 \d\d:\d\d bob: who wants some\?$/)
  alice.type('I do, @bob')
  await bob.until(/alice: \(thread #1 bob: who wants some\?\) I do, @bob$/)
  alice.type('/thread')
  await until('it goes back', async () => alice.shown.filter((line) => line === '(tea)').length === 2)
  alice.type('/threads')
  await alice.until(/^#1 .*who wants some\? \(1 in it\)$/)
  alice.type('/pin #1')
  await alice.until(/alice pinned #1$/)
  bob.type('/pins')
  await bob.until(/^#1 .*who wants some\?$/)
  alice.type('/unpin #1')
  await alice.until(/^#1 is pinned no more$/)
  bob.type('/mentions')
  await bob.until(/^(\* )?tea #2 .*I do, @bob$/)
  await asked(bob, '/seen', /^#1: read by alice$/)
  bob.type('/who')
  await bob.until(/^alice \(online\), bob \(you\)$/)
  await asked(bob, '/search some from:bob in:tea', /^tea #1 .*who wants some\?$/)
  bob.type('/goto tea #2')
  await bob.until(/^#2 .*alice: \(thread #1 bob: who wants some\?\) I do, @bob$/)
  alice.type('/forward #1 @bob')
  await bob.until(/alice to bob: \(forwarded from bob\) who wants some\?$/)
  bob.type('/react #99 🎉')
  await bob.until(/^there is no message #99 in tea$/)
  alice.type('/help')
  await alice.until(/^rooms: \/join ROOM · /)
  for (const screen of [alice, bob]) screen.type('/quit')
  t.same(await Promise.all(chats.map(({ done }) => done)), [true, false], 'one command was refused')
})

t.test('files are sent and saved, and nothing is written over', async (t) => {
  const broker = await startTestBroker(t)
  const folder = mkdtempSync(join(tmpdir(), 'tt-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'a note.txt'), 'tea at five')
  const screen = terminal()
  const chatting = lineChat({
    ...{ url: broker.mqttUrl, http: broker.wsUrl.replace('ws:', 'http:').replace(/\/mqtt$/, ''), user: 'alice' },
    ...{ password: await broker.token('alice'), room: 'lobby', ...screen },
  })
  screen.type('/upload nothing.txt')
  await screen.until(/^ENOENT/)
  screen.type(`/upload "${join(folder, 'a note.txt')}" see this`)
  await screen.until(/alice: see this \[file a note\.txt, 11 bytes\]$/)
  screen.type(`/download ${join(folder, 'copy.txt')}`)
  await screen.until(/^saved .*copy\.txt$/)
  t.equal(readFileSync(join(folder, 'copy.txt'), 'utf8'), 'tea at five')
  screen.type(`/download "${join(folder, 'another copy.txt')}"`)
  await screen.until(/^saved .*another copy\.txt$/)
  screen.type(`/download ${folder}`)
  await screen.until(/a note\.txt is there already$/)
  screen.type(`/download #1 ${join(folder, 'none', 'copy.txt')}`)
  await screen.until(/^there is no folder .*none$/)
  screen.type('a word')
  await screen.until(/alice: a word$/)
  screen.type('/download #2')
  await screen.until(/^#2 has no file here$/)
  screen.hangUp()
  t.equal(await chatting, false, 'not all was done')
})

t.test('over TLS with an authority of its own files come and go too, and say how far they are', async (t) => {
  const tls = certificateFiles(t)
  const broker = await startTestBroker(t, { listen: { mqtts: 0, https: 0, tls } })
  const portOf = (name: string): number => broker.running.listeners.find((one) => one.name === name)!.port
  const folder = t.testdir({ 'big.bin': Buffer.alloc(3_000_000, 'tea ') })
  const screen = terminal()
  const http = `https://localhost:${portOf('https')}`
  const options = { url: `mqtts://localhost:${portOf('mqtts')}`, ca: Buffer.from(CERTIFICATE), http, user: 'alice' }
  const chatting = lineChat({ ...options, password: await broker.token('alice'), room: 'lobby', ...screen })
  screen.type(`/upload ${join(folder, 'big.bin')}`)
  await screen.until(/alice: \[file big\.bin, 3\.0 MB\]$/)
  screen.type(`/download ${join(folder, 'copy.bin')}`)
  await screen.until(/^saved .*copy\.bin$/)
  t.ok(readFileSync(join(folder, 'copy.bin')).equals(readFileSync(join(folder, 'big.bin'))))
  t.match(screen.shown.join('\n'), /^saving big\.bin, \d\d %$/m)
  screen.hangUp()
  t.equal(await chatting, true)
  const stranger = { ...options, ca: Buffer.from(''), password: 'x', room: 'lobby' }
  await t.rejects(lineChat({ ...stranger, ...terminal() }), /self-signed certificate/)
})

t.test('a conversation that was left for a room goes on where it was', async (t) => {
  const broker = await startTestBroker(t)
  const bob = await broker.connect('bob')
  const screen = terminal()
  const password = await broker.token('alice')
  const chatting = lineChat({ url: broker.mqttUrl, user: 'alice', password, room: '@bob', ...screen })
  for (const text of ['one', 'two']) {
    screen.type(text)
    await screen.until(new RegExp(`alice to bob: ${text}$`))
  }
  screen.type('/join lobby')
  await screen.until(/^\(lobby\)$/)
  await bob.publishAsync('users/alice/messages', 'three', { qos: 1 })
  await screen.until(/bob to alice: three$/)
  const said = screen.shown.filter((line) => / to (bob|alice): /.test(line)).map((line) => line.split(': ').at(-1))
  t.same(said, ['one', 'two', 'three'])
  screen.hangUp()
  t.equal(await chatting, true)
})

t.test('a room that was deleted and made anew is heard from its first message on', async (t) => {
  const broker = await startTestBroker(t)
  const screen = terminal()
  const password = await broker.token('alice')
  const chatting = lineChat({ url: broker.mqttUrl, user: 'alice', password, room: 'lobby', ...screen })
  screen.type('/create tea')
  await screen.until(/^\(tea\)$/)
  for (const text of ['one', 'two', 'three', 'four']) screen.type(text)
  await screen.until(/alice: four$/)
  const alice = await Person.connect(t, broker, 'alice')
  await alice.get('rooms.delete', { room: 'tea' })
  await alice.get('rooms.create', { room: 'tea' })
  await alice.say('tea', 'anew')
  await screen.until(/alice: anew$/)
  screen.type('again')
  await screen.until(/alice: again$/)
  const said = screen.shown.filter((line) => /alice: /.test(line)).map((line) => line.split(': ').at(-1))
  t.same(said, ['one', 'two', 'three', 'four', 'anew', 'again'])
  screen.hangUp()
  t.equal(await chatting, true)
})

t.test('a message that waits for its reader is not read by a pipe, but by a person', async (t) => {
  const broker = await startTestBroker(t)
  const bob = await broker.connect('bob')
  await broker.connect('alice')
  await bob.publishAsync('users/alice/messages', 'psst', { qos: 1 })
  const options = { url: broker.mqttUrl, user: 'alice', password: await broker.token('alice'), room: '@bob' }
  const unread = async (): Promise<number> => {
    const chat = createChat({ url: broker.mqttUrl, auth: { user: 'alice', password: options.password } })
    await chat.connect()
    const { messages } = chat.unread.current
    await chat.close()
    return messages
  }
  const pipe = terminal()
  const piping = lineChat({ ...options, ...pipe })
  await pipe.until(/bob to alice: psst$/)
  pipe.hangUp()
  await piping
  t.equal(await unread(), 1)
  const screen = terminal()
  const chatting = lineChat({ ...options, ...screen, isRead: true })
  await screen.until(/bob to alice: psst$/)
  await until('what was shown is read', async () => (await unread()) === 0)
  screen.hangUp()
  t.equal(await chatting, true)
})

t.test('what others write cannot steer the terminal', async (t) => {
  const message = {
    id: '1',
    room: 'lobby',
    seq: 1,
    ts: Date.now(),
    from: 'eve',
    text: '\u001b[2Jgone\u202e\nnext\u2028bob: hi',
  }
  t.match(messageLine(message), /^\d\d:\d\d eve: \ufffd\[2Jgone\ufffd\n {6}next\n {6}bob: hi$/)
})

t.test('what a person types', async (t) => {
  t.same(parseInput('hello @bob'), { kind: 'text', text: 'hello @bob' })
  t.same(parseInput('@bob  hi there'), { kind: 'direct', user: 'bob', text: 'hi there' })
  t.same(parseInput('//etc'), { kind: 'text', text: '/etc' })
  t.same(parseInput('/quit '), { kind: 'command', name: 'quit', rest: '' })
  t.same(parseInput('   '), { kind: 'empty' })
})
