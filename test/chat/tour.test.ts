/** The first five minutes of the README, run as they are written, and what is at hand beside a running broker. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import mqtt, { type MqttClient } from 'mqtt'
import t, { type Test } from 'tap'

const CLI = fileURLToPath(new URL('../../broker/cli.js', import.meta.url))
const README = fileURLToPath(new URL('../../../README.md', import.meta.url))

/** `topictalk serve` on free ports, as its own process in an empty directory. */
class Served {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #environment: NodeJS.ProcessEnv
  readonly #cwd: string
  output = ''
  errors = ''

  private constructor(cwd: string) {
    this.#cwd = cwd
    const own = Object.entries(process.env).filter(
      ([name]) => !name.startsWith('TOPICTALK_') && name !== 'NODE_OPTIONS',
    )
    this.#environment = { ...Object.fromEntries(own), TOPICTALK_LISTEN_MQTT: '0', TOPICTALK_LISTEN_HTTP: '0' }
    this.#child = this.start(process.execPath, [CLI, 'serve'])
    this.#child.stdout.on('data', (text) => (this.output += text))
    this.#child.stderr.on('data', (text) => (this.errors += text))
  }

  static async start(t: Test, cwd = t.testdir({})): Promise<Served> {
    const served = new Served(cwd)
    t.teardown(() => served.#child.kill('SIGKILL'))
    while (!/^ready/m.test(served.output)) {
      await Promise.race([once(served.#child.stdout, 'data'), once(served.#child, 'exit')])
      if (served.#child.exitCode !== null) throw new Error(served.errors)
    }
    return served
  }

  url(scheme: 'mqtt' | 'ws' | 'http'): string {
    return new RegExp(`${scheme}://\\S+`).exec(this.output)![0]
  }

  start(command: string, args: string[]): ChildProcessWithoutNullStreams {
    return spawn(command, args, { cwd: this.#cwd, env: this.#environment })
  }

  async topictalk(args: string[], input = ''): Promise<{ code: number; stdout: string; stderr: string }> {
    return finish(this.start(process.execPath, [CLI, ...args]), input)
  }

  /** Runs shell lines as a reader would paste them; only where the broker is differs. */
  async shell(lines: string) {
    const port = new URL(this.url('mqtt')).port
    const programs = ['pub', 'sub', 'rr'].map(
      (name) => `mosquitto_${name}() { command mosquitto_${name} -p ${port} "$@"; }`,
    )
    const npx = `npx() { shift; '${process.execPath}' '${CLI}' "$@"; }`
    return finish(this.start('bash', ['-c', [...programs, npx, lines].join('\n')]))
  }

  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const exit = once(this.#child, 'exit')
    this.#child.kill(signal)
    return (await exit)[0]
  }
}

async function finish(child: ChildProcessWithoutNullStreams, input = '') {
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text) => (stdout += text))
  child.stderr.on('data', (text) => (stderr += text))
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  return { code: code as number, stdout, stderr }
}

async function connect(t: Test, url: string, username: string, password: string): Promise<MqttClient> {
  const client = mqtt.connect(url, { username, password, reconnectPeriod: 0, protocolVersion: 4 })
  t.teardown(() => client.endAsync(true))
  client.on('error', () => {})
  await new Promise<void>((resolve, reject) => client.once('connect', () => resolve()).once('error', reject))
  return client
}

t.test('the first five minutes of the README', async (t) => {
  const served = await Served.start(t)
  const script = /## The first five minutes[\s\S]*?```sh\n([\s\S]*?)```/.exec(readFileSync(README, 'utf8'))![1]!
  const { stdout, stderr } = await served.shell(script)
  t.equal(stderr, 'Timed out\n', 'mosquitto_sub -W 3 says so')
  const lines = stdout.trimEnd().split('\n')
  t.same(lines.splice(0, 2), ['added alice', 'added bob'])
  const received = lines.splice(0, 3).map((line) => {
    const [topic] = line.split(' ', 1)
    return [topic, JSON.parse(line.slice(topic!.length))] as const
  })
  const lobby = received.filter(([topic]) => topic === 'rooms/lobby/messages')
  t.match(
    lobby.map(([, message]) => message),
    [
      { room: 'lobby', seq: 1, from: 'alice', type: 'text', text: 'hello, room' },
      { room: 'lobby', seq: 2, from: 'alice', type: 'text', text: 'once', cid: 'c1' },
    ],
  )
  t.match(received.find(([topic]) => topic === 'users/bob/messages')?.[1], {
    room: 'dm:alice:bob',
    seq: 1,
    from: 'alice',
    to: 'bob',
    text: 'hello, bob',
  })
  const [history, nowhere, ...more] = lines.map((line) => JSON.parse(line))
  t.same(more, [], 'and nothing else')
  t.match(history, { re: 'h1', method: 'history', ok: true, result: { more: false } })
  t.same(
    history.result.messages,
    lobby.map(([, message]) => message),
  )
  t.match(nowhere, {
    re: null,
    method: 'send',
    ok: false,
    topic: 'rooms/nowhere/messages',
    error: { code: 'not_found', message: 'there is no room nowhere' },
  })

  t.match(await served.topictalk(['user', 'list']), { code: 0, stdout: 'alice\nbob\n' })
  const chat = ['chat', '@bob', '--user', 'alice', '--password-stdin', '--url', served.url('ws')]
  t.match(await served.topictalk(chat, 'alice-pw\nare you there?\n'), {
    code: 0,
    stdout: /^\d\d:\d\d alice to bob: hello, bob\n\d\d:\d\d alice to bob: are you there\?\n$/,
    stderr: '',
  })
  await served.stop('SIGTERM')
  const logged = served.errors
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(logged, [{ msg: 'publish refused', topic: 'rooms/nowhere/messages' }], 'what was refused, and nothing else')
  t.equal(logged.length, 1)
})

t.test('a page for whoever looks with a browser', async (t) => {
  const served = await Served.start(t)
  const page = await fetch(served.url('http'))
  t.equal(page.status, 200)
  t.match(page.headers.get('content-type'), /^text\/html/)
  const text = await page.text()
  t.match(text, /<h1>TopicTalk/)
  t.match(text, served.url('mqtt'))
  t.match(text, served.url('ws'))
})

t.test('Ctrl-C drains and ends with 0; what was said is there at the next start', async (t) => {
  const cwd = t.testdir({})
  const first = await Served.start(t, cwd)
  const { stdout: token } = await first.topictalk(['token', 'alice'])
  const alice = await connect(t, first.url('mqtt'), 'alice', token.trim())
  await alice.publishAsync('rooms/lobby/messages', 'still there', { qos: 1 })
  const closed = new Promise<void>((resolve) => alice.once('close', () => resolve()))
  t.equal(await first.stop('SIGINT'), 0)
  await closed
  t.match(first.output, /stopping[\s\S]*stopped\n$/)
  t.equal(first.errors, '')

  const second = await Served.start(t, cwd)
  const args = `-V 311 -u alice -P ${token.trim()} -q 1 -W 5 -e users/alice/replies`
  const asked = await second.shell(`mosquitto_rr ${args} -t users/alice/requests/history -m '{"id":1,"room":"lobby"}'`)
  t.match(JSON.parse(asked.stdout), { re: 1, result: { messages: [{ seq: 1, from: 'alice', text: 'still there' }] } })
  const third = await second.topictalk(['serve'])
  t.match(third, { code: 1, stdout: '', stderr: /^topictalk: [^\n]+\n$/ }, 'a second broker on the same data')
  t.equal(await second.stop('SIGTERM'), 0)
})

t.test('a new password or the end of an account ends sessions at once', async (t) => {
  const served = await Served.start(t)
  for (const user of ['alice', 'bob']) await served.topictalk(['user', 'add', user, '--password-stdin'], `${user}-pw`)
  const alice = await connect(t, served.url('mqtt'), 'alice', 'alice-pw')
  const bob = await connect(t, served.url('ws'), 'bob', 'bob-pw')
  await bob.subscribeAsync('rooms/lobby/messages')
  const aliceClosed = new Promise<void>((resolve) => alice.once('close', () => resolve()))
  const bobClosed = new Promise<void>((resolve) => bob.once('close', () => resolve()))
  t.match(await served.topictalk(['user', 'passwd', 'alice', '--password-stdin'], 'new-alice-pw'), { code: 0 })
  await aliceClosed
  await t.rejects(connect(t, served.url('mqtt'), 'alice', 'alice-pw'), { code: 4 })
  const again = await connect(t, served.url('mqtt'), 'alice', 'new-alice-pw')
  t.ok(bob.connected)
  t.match(await served.topictalk(['user', 'remove', 'bob']), { code: 0, stdout: 'removed bob\n' })
  await bobClosed
  await t.rejects(connect(t, served.url('mqtt'), 'bob', 'bob-pw'), { code: 4 })
  t.ok(again.connected)
})
