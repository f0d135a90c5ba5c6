/** What the terminal chat does when it is killed, stopped, cut off or squeezed: on a real terminal, and in pipes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { BrokerProcess } from '../helpers/broker-process.js'
import { CLI } from '../helpers/command.js'
import { until } from '../helpers/patience.js'
import { addressOf, chatting } from '../helpers/terminal-chat.js'
import { PROMPT, Tmux } from '../helpers/tmux.js'

t.test('the terminal is left as it was: at the end, at a signal, and while it is stopped', async (t) => {
  const broker = await startTestBroker(t)
  const folder = t.testdir({ 'fault.mjs': "process.on('SIGUSR2', () => { throw new Error('a fault') })" })
  const env = { TOPICTALK_PASSWORD: await broker.token('alice'), NODE_OPTIONS: `--import ${join(folder, 'fault.mjs')}` }
  const alice = await Tmux.start(t, { env })
  const state = async (): Promise<string> => {
    await alice.press('C-l')
    await alice.enter('clear; stty -a; echo state')
    const screen = await alice.until(/^state$[\s\S]*shell\$/m)
    return screen + (await alice.modes())
  }
  const begin = async (): Promise<void> => {
    await alice.enter(`${process.execPath} ${CLI} chat lobby --user alice --url ${broker.mqttUrl}`)
    await alice.until(/lobby>/)
  }
  const before = await state()
  await begin()
  await alice.enter('said')
  await alice.until(/ 1 \d\d:\d\d alice: said/)
  await alice.enter('/quit')
  await alice.until(new RegExp(`alice: said\\n${PROMPT.replace('$', '\\$')}`))
  t.equal(await state(), before, 'after /quit')
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const) {
    await begin()
    process.kill(await alice.child(), signal)
    await alice.until(/(Terminated|Hangup|Quit|Error: a fault)[\s\S]*shell\$/)
    t.equal(await state(), before, signal === 'SIGUSR2' ? 'after an error that nobody caught' : `after ${signal}`)
  }
  await begin()
  for (const stop of [() => alice.press('C-z'), async () => process.kill(await alice.child(), 'SIGTSTP')]) {
    await stop()
    await alice.until(/Stopped[\s\S]*shell\$/)
    t.equal((await state()).replace(/\n.*Stopped.*/, ''), before, 'while it is stopped')
    await alice.enter('fg')
    await alice.until(/alice: said[\s\S]*lobby>/)
  }
  await alice.enter('again')
  await alice.until(/alice: again/)
})

t.test('what was given another size while it was stopped fits into it', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice', { columns: 110, rows: 20 })
  await alice.enter(`${'a word '.repeat(12)}and the end`)
  await alice.until(/alice: a word[\s\S]* and the end +│/)
  await alice.press('C-z')
  await alice.until(/Stopped[\s\S]*shell\$/)
  await alice.resize(50, 10)
  await alice.enter('fg')
  // Within its columns, and down to its last row.
  const screen = await alice.until(/1 \d\d:\d\d alice: a word a word[\s\S]* and the end\n[\s\S]* lobby .*\nlobby>\s*$/)
  t.equal(screen.trimEnd().split('\n').length, 10)
})

t.test('in lines too the terminal is left as it was', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Tmux.start(t, { env: { TOPICTALK_PASSWORD: await broker.token('alice') } })
  const state = async (): Promise<string> => {
    await alice.enter('clear; stty -a; echo state')
    return alice.until(/^state$[\s\S]*shell\$/m)
  }
  const before = await state()
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGTSTP'] as const) {
    await alice.enter(`clear; ${process.execPath} ${CLI} chat lobby --user alice --url ${broker.mqttUrl} --plain`)
    await alice.enter(`before ${signal}`)
    await alice.until(new RegExp(`alice: before ${signal}`))
    process.kill(await alice.child(), signal)
    await alice.until(/(Terminated|Hangup|Quit|Stopped)[\s\S]*shell\$/)
    t.equal(await state(), before, signal)
  }
  await alice.enter('fg')
  await alice.enter('again')
  await alice.until(/alice: again/)
})

t.test('when its terminal is closed it is hung up, and does not crash', async (t) => {
  const broker = await startTestBroker(t)
  for (const flag of ['', '--plain']) {
    const file = join(t.testdir({}), 'code')
    const alice = await Tmux.start(t, { env: { TOPICTALK_PASSWORD: await broker.token('alice') } })
    const chat = `${process.execPath} ${CLI} chat lobby --user alice --url ${broker.mqttUrl} ${flag}`
    // The shell outlives its terminal, so that it can tell.
    await alice.enter(`trap : HUP; ${chat}; echo $? > ${file}`)
    await alice.enter('there')
    await alice.until(/alice: there/)
    await alice.close()
    let code = ''
    await until('the exit code', async () => (code = await readFile(file, 'utf8').catch(() => '')).endsWith('\n'))
    t.equal(code, '129\n', flag)
  }
})

t.test('what was sent offline, and what was begun, is there again after kill -9', async (t) => {
  const broker = await BrokerProcess.make(t, [])
  await broker.start()
  const address = { url: broker.url, token: await broker.token('alice') }
  const more = `--store ${join(t.testdir({}), 'chat')}`
  const alice = await chatting(t, address, 'alice', {}, more)
  await alice.enter('before')
  await alice.until(/1 \d\d:\d\d alice: before/)
  await broker.kill()
  await alice.until(/offline, again at/)
  await alice.enter('while away')
  await alice.until(/alice: while away\n +waits for a connection/)
  await alice.type('a thought that')
  await alice.until(/lobby> a thought that/)
  await alice.enter('')
  await alice.until(/alice: a thought that\n +waits/)
  await alice.type('half a line')
  await alice.until(/lobby> half a line/)
  process.kill(await alice.child(), 'SIGKILL')
  await alice.until(/Killed/)
  await broker.start()
  const again = await chatting(t, address, 'alice', {}, more)
  const screen = await again.until(/3 \d\d:\d\d alice: a thought that\n(?! +waits)[\s\S]*lobby> half a line\s*$/)
  t.equal(screen.match(/while away/g)!.length, 1)
  const other = await chatting(t, address, 'alice', {}, more)
  await other.until(/nothing is kept: [\s\S]* is in use/)
  await broker.kill()
  await other.until(/offline, again at/)
  await other.enter('not kept')
  await other.enter('/quit')
  await other.until(/lost at the end: 1/)
})

t.test('a terminal of no size does no harm', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice')
  for (const [columns, rows] of [
    [1, 1],
    [3, 2],
    [11, 5],
  ] as const) {
    await alice.resize(columns, rows)
    await alice.enter(`at ${columns} by ${rows}`)
    await alice.press('PPage', 'Tab', 'C-l')
  }
  await alice.resize(80, 20)
  await alice.until(/alice: at 1 by 1[\s\S]*alice: at 3 by 2[\s\S]*alice: at 11 by 5[\s\S]*lobby>\s*$/)
})

t.test('when nobody reads its output any more it ends, without a word', async (t) => {
  const broker = await startTestBroker(t)
  const { url, token } = await addressOf(broker, 'alice')
  const args = [CLI, 'chat', 'lobby', '--user', 'alice', '--url', url]
  const child = spawn(process.execPath, args, { env: { PATH: process.env['PATH'], TOPICTALK_PASSWORD: token } })
  t.teardown(() => child.kill('SIGKILL'))
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += chunk))
  child.stdin.write('one\n')
  await once(child.stdout, 'data')
  child.stdout.destroy()
  child.stdin.write('two\nthree\n')
  const [code, signal] = await once(child, 'exit')
  t.same([code, signal, errors], [0, null, ''])
})
