/** The quick starts of the SDK, as docs/sdk-start.md has them: pages in Chromium, programs on Node, and TypeScript as its newest defaults check it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { httpCalls, methods } from '../../client/index.js'
import { serveHttp, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { startChromium } from '../helpers/chromium.js'
import { endWithUs } from '../helpers/end-with-us.js'
import { httpUrl } from '../helpers/http.js'
import { textsOf } from '../helpers/outbox-app.js'
import { until } from '../helpers/patience.js'
import { personOf } from '../helpers/sdk/crowd.js'
import { openOrigin } from '../helpers/web-app.js'

serveHttp()
const PAGE = readFileSync('docs/sdk-start.md', 'utf8')
/** Lines of the chat in a browser. */
const MOST_LINES = 60

/** The files of a section, by name. */
function filesOf(section: string): Map<string, string> {
  const text = PAGE.split(/^## /m).find((part) => part.startsWith(`${section}\n`))!
  return new Map(
    [...text.matchAll(/`([\w./]+)`:\n\n```\w+\n([\s\S]*?)^```$/gm)].map(([, name, code]) => [name!, code!]),
  )
}

/** A directory as someone has it who installed the package, with the files of a section; their broker is `broker`. */
function directoryOf(t: Test, section: string, broker: TestBroker): string {
  const directory = t.testdir()
  mkdirSync(join(directory, 'node_modules'))
  symlinkSync(resolve('.'), join(directory, 'node_modules/topictalk'))
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  for (const [name, code] of filesOf(section)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), code.replaceAll('http://127.0.0.1:8080', httpUrl(broker)))
  }
  return directory
}

/** As `esbuild --bundle --servedir=www` does. Resolves with the address. */
async function servePage(t: Test, section: string, entry: string, allow: (origin: string) => Promise<TestBroker>) {
  let script = ''
  const server = http.createServer(({ url }, response) => {
    const isScript = url === `/${entry.replace(/\w+$/, 'js')}`
    response
      .writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' })
      .end(isScript ? script : filesOf(section).get('www/index.html'))
  })
  const url = await openOrigin(t, server)
  const broker = await allow(url)
  const { outputFiles } = await build({
    absWorkingDir: directoryOf(t, section, broker),
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    nodePaths: [resolve('node_modules'), resolve('test/node_modules')],
    write: false,
  })
  script = outputFiles[0]!.text
  return { url, broker }
}

const brokerFor = (t: Test) => (origin: string) => startTestBroker(t, { listen: { origins: [origin] } })

const shows = (page: Page, selector: string, text: string): Promise<unknown> =>
  page.waitForFunction(`document.querySelector('${selector}')?.textContent.includes(${JSON.stringify(text)})`)

t.test('a chat in a browser', async (t) => {
  const { url } = await servePage(t, 'A chat in a browser', 'chat.js', brokerFor(t))
  const lines = [...filesOf('A chat in a browser').values()].join('').trimEnd().split('\n').length
  t.ok(lines <= MOST_LINES, `${lines} lines`)
  const browser = await startChromium(t)
  const enter = async (user: string, button: string): Promise<Page> => {
    const page = await (await browser.newContext()).newPage()
    await page.goto(url)
    await page.fill('[name=user]', user)
    await page.fill('[name=password]', `${user} password`)
    await page.click(`text=${button}`)
    return page
  }
  const ann = await enter('ann', 'Register')
  const bob = await enter('bob', 'Register')
  for (const page of [ann, bob]) await page.waitForSelector('#chat:not([hidden])')
  const say = async (page: Page, text: string): Promise<void> => {
    await page.fill('[name=text]', text)
    await page.press('[name=text]', 'Enter')
  }
  // It is told to those who look by then, and again after a while.
  await until('bob sees that ann types', async () => {
    await ann.fill('[name=text]', 'hel')
    return (await bob.textContent('#typing')) === 'ann is typing'
  })
  await say(ann, 'hello')
  await shows(bob, '#messages', 'ann: hello')
  await ann.context().setOffline(true)
  await say(ann, 'from a tunnel')
  await shows(ann, '#messages', 'from a tunnel …')
  await ann.context().setOffline(false)
  await shows(bob, '#messages', 'from a tunnel')
  await ann.waitForFunction(`!document.querySelector('#messages').textContent.includes('…')`)
  t.equal(await bob.textContent('#messages'), 'ann: helloann: from a tunnel')
  await shows(await enter('ann', 'Log in'), '#messages', 'from a tunnel')
  await shows(await enter('carol', 'Log in'), '#state', 'password')
})

t.test('with React', async (t) => {
  const { url, broker } = await servePage(t, 'With React', 'app.jsx', brokerFor(t))
  await methods(httpCalls({ url: httpUrl(broker) })).auth.register({ user: 'ann', password: 'ann password' })
  const page = await (await startChromium(t)).newPage()
  await page.goto(url)
  await page.fill('[name=user]', 'ann')
  await page.fill('[name=password]', 'wrong')
  await page.click('button')
  await page.waitForSelector('[role=alert]')
  await page.fill('[name=password]', 'ann password')
  await page.click('button')
  await page.fill('[name=text]', 'hello')
  await page.click('text=Send')
  await shows(page, 'ol', 'hello')
  await (await personOf(broker, 'bob')).send({ room: 'lobby', text: 'to you, too' })
  await shows(page, 'ol', 'hello' + 'to you, too')
})

/** `node` with a file of a section. Resolves with its first line, and what else it says. */
async function run(t: Test, directory: string, file: string, env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [file], {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  endWithUs(child)
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout! })
  const said: string[] = []
  lines.on('line', (line) => said.push(line))
  await until(`${file} says something`, async () => said.length > 0)
  return { child, said }
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const exit = once(child, 'exit') as Promise<[number | null]>
  child.kill(signal)
  const [code] = await exit
  return code
}

t.test('a bot', async (t) => {
  const broker = await startTestBroker(t)
  const ann = await personOf(broker, 'ann')
  const { key } = await ann.bots.create({ bot: 'greeter' })
  await ann.rooms.join({ room: 'lobby' })
  const directory = directoryOf(t, 'A bot', broker)
  const start = () => run(t, directory, 'bot.js', { TOPICTALK_URL: httpUrl(broker), BOT_KEY: key.key })
  const says = (...texts: string[]): Promise<void> =>
    until(texts.join(), async () => (await textsOf({ ask: ann }, 'lobby')).join() === texts.join())
  const first = await start()
  t.same(first.said, ['greeter is there'])
  await ann.send({ room: 'lobby', text: 'Hello all' })
  await says('Hello all', 'Hello, ann!')
  t.equal(await ended(first.child, 'SIGTERM'), 0, 'closed, nothing keeps it running')
  await ann.send({ room: 'lobby', text: 'hello again' })
  await start()
  await says('Hello all', 'Hello, ann!', 'hello again', 'Hello, ann!')
})

t.test('a device', async (t) => {
  const broker = await startTestBroker(t)
  const ann = await personOf(broker, 'ann')
  const { key } = await ann.devices.register({ device: 'lamp' })
  const directory = directoryOf(t, 'A device', broker)
  await run(t, directory, 'lamp.js', { TOPICTALK_URL: broker.mqttUrl, DEVICE_KEY: key })
  const outcomeOf = async (to: number): Promise<object> => {
    const { id } = await ann.devices.command({ device: 'lamp', name: 'dim', params: { to } })
    let found: { state: string } | undefined
    await until('it is carried out', async () => {
      found = (await ann.devices.commands({ device: 'lamp' })).commands.find((one) => one.id === id)
      return found?.state !== 'pending'
    })
    return found!
  }
  t.match(await outcomeOf(3), { state: 'done', result: { level: 3 } })
  t.match(await outcomeOf(11), { state: 'failed', error: 'to: 0 to 10' })
})

t.test('in TypeScript', async (t) => {
  const broker = await startTestBroker(t)
  await methods(httpCalls({ url: httpUrl(broker) })).auth.register({ user: 'alice', password: 'alice-pw' })
  const directory = directoryOf(t, 'In TypeScript', broker)
  const node = (...args: string[]) => promisify(execFile)(process.execPath, args, { cwd: directory })
  const tsc = resolve('node_modules/typescript/bin/tsc')
  await node(tsc, '--init', '--module', 'nodenext', '--target', 'es2022')
  await node(tsc).catch(({ stdout }: { stdout: string }) => t.fail(stdout))
  const { stdout, stderr } = await node('chat.js')
  t.same([stdout, stderr], ['alice: Hello!\n', ''])
})
