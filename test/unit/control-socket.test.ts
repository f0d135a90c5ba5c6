import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type AdminCommands, callAdmin, serveAdmin } from '../../broker/admin/control-socket.js'
import { Refusal } from '../../schemas/errors.js'

const COMMANDS: AdminCommands = {
  echo: async (params) => params,
  nothing: async () => undefined,
  refuse: async () => {
    throw new Refusal('conflict', 'the user alice exists', { field: 'id' })
  },
  break: async () => {
    throw new TypeError('the inside of a bug')
  },
}

/** A directory with a short name: the path of a socket has about 100 bytes. */
function directory(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tt-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

async function setup(t: Test, commands: AdminCommands = COMMANDS, dataDir = directory(t)) {
  const bugs: unknown[] = []
  const server = await serveAdmin(dataDir, commands, (error) => bugs.push(error))
  t.teardown(() => server.close())
  return { dataDir, server, bugs, socket: join(dataDir, 'admin.sock') }
}

/** Sends bytes as they are, and reads until the broker hangs up. */
async function talk(path: string, text: string): Promise<string> {
  const socket = net.connect({ path })
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk) => (answer += chunk))
  socket.end(text)
  await once(socket, 'close')
  return answer
}

t.test('a command gets its parameters and gives its result', async (t) => {
  const { dataDir } = await setup(t)
  t.same(await callAdmin(dataDir, 'echo', { name: 'älice', n: [1, null] }), { name: 'älice', n: [1, null] })
  t.equal(await callAdmin(dataDir, 'nothing'), null)
})

t.test('a refusal arrives with code, message and field', async (t) => {
  const { dataDir, bugs } = await setup(t)
  const refusal = await callAdmin(dataDir, 'refuse').catch((error) => error)
  t.ok(refusal instanceof Refusal)
  t.match(refusal, { code: 'conflict', message: 'the user alice exists', field: 'id' })
  t.same(bugs, [])
})

t.test('a bug is told to the broker and not to the client', async (t) => {
  const { dataDir, bugs } = await setup(t)
  const refusal = (await callAdmin(dataDir, 'break').catch((error) => error)) as Refusal
  t.equal(refusal.code, 'internal')
  t.notMatch(refusal.message, /inside of a bug/)
  t.match(bugs, [{ message: 'the inside of a bug' }])
})

t.test('an unknown command is refused, inherited names too', async (t) => {
  const { dataDir } = await setup(t)
  await t.rejects(callAdmin(dataDir, 'user.fly'), { code: 'not_implemented' })
  await t.rejects(callAdmin(dataDir, 'toString'), { code: 'not_implemented' })
})

t.test('without a broker the answer is not_running', async (t) => {
  const { dataDir, server, socket } = await setup(t)
  await server.close()
  t.notOk(existsSync(socket))
  t.equal(await callAdmin(dataDir, 'echo'), 'not_running')
  t.equal(await callAdmin(join(dataDir, 'nowhere'), 'echo'), 'not_running')
})

t.test('the socket is for its owner alone', async (t) => {
  const { socket } = await setup(t)
  t.equal(statSync(socket).mode & 0o777, 0o600)
})

t.test('a socket left behind by a killed broker is replaced', async (t) => {
  const dataDir = directory(t)
  const path = join(dataDir, 'admin.sock')
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script])
  t.ok(existsSync(path))
  t.equal(await callAdmin(dataDir, 'echo'), 'not_running')
  await setup(t, COMMANDS, dataDir)
  t.same(await callAdmin(dataDir, 'echo', {}), {})
})

t.test('a second broker on the same data directory is refused, and the first goes on', async (t) => {
  const { dataDir } = await setup(t)
  await t.rejects(serveAdmin(dataDir, {}), { code: 'conflict', message: /another broker/ })
  t.same(await callAdmin(dataDir, 'echo', { still: 'here' }), { still: 'here' })
})

t.test('a path too long for a socket has a stand-in in a private directory', async (t) => {
  const deep = join(directory(t), 'd'.repeat(60), 'e'.repeat(60))
  mkdirSync(deep, { recursive: true })
  await setup(t, COMMANDS, deep)
  t.notOk(existsSync(join(deep, 'admin.sock')))
  t.same(await callAdmin(deep, 'echo', { far: 'away' }), { far: 'away' })
  const folder = join(tmpdir(), `topictalk-${process.getuid!()}`)
  t.equal(statSync(folder).mode & 0o777, 0o700)
})

t.test('what is no request is refused, and the next line is heard', async (t) => {
  const { socket } = await setup(t)
  const answers = (await talk(socket, 'hello\n[]\n{"command":"echo","params":7}\n')).trim().split('\n')
  t.match(
    answers.map((line) => JSON.parse(line)),
    [
      { ok: false, error: { code: 'bad_request' } },
      { ok: false, error: { code: 'bad_request' } },
      { ok: true, result: 7 },
    ],
  )
})

t.test('a line without end is refused before it fills the memory', async (t) => {
  const { socket } = await setup(t)
  t.match(JSON.parse(await talk(socket, 'x'.repeat(70_000))), { ok: false, error: { code: 'too_large' } })
})

t.test('close waits for the running command and its answer', async (t) => {
  let finish = () => {}
  let started = () => {}
  const running = new Promise<void>((resolve) => (started = resolve))
  const { dataDir, server } = await setup(t, {
    slow: () =>
      new Promise((resolve) => {
        finish = () => resolve('done')
        started()
      }),
  })
  const answer = callAdmin(dataDir, 'slow')
  await running
  const closed = server.close()
  finish()
  t.equal(await answer, 'done')
  await closed
})

t.test('close does not wait for clients that say nothing', async (t) => {
  const { server, socket } = await setup(t)
  const idle = net.connect({ path: socket }).on('error', () => {})
  await once(idle, 'connect')
  const gone = once(idle, 'close')
  await server.close()
  await gone
})

t.test('a broker that dies before it answers is unavailable', async (t) => {
  const dataDir = directory(t)
  const server = net.createServer((socket) => socket.destroy()).listen({ path: join(dataDir, 'admin.sock') })
  t.teardown(() => server.close())
  await once(server, 'listening')
  await t.rejects(callAdmin(dataDir, 'echo'), { code: 'unavailable' })
})
