/**
 * What the web app feels like on a slow phone: `npm run bench:web [-- MESSAGES]`. Chromium at a quarter of the speed of this machine, a broker
 * beside it, a room of so many messages (10,000). Prints a table.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setInterval as every } from 'node:timers/promises'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { completeConfig, startBroker } from '../../broker/index.js'
import { medianOf } from './median.js'
import { Person } from './person.js'

const THROTTLE = 4
const SWITCHES = 10
/** Ms between two steps to another room: what follows a step, such as reading, is over, as it is for who clicks by hand. */
const PAUSE = 1000
/** Ms for which messages come, or the room is scrolled. */
const DURATION = 10_000
/** Ms between two messages: 50 a second. */
const PACE = 20

/** In each page, from its beginning: tasks of more than 50 ms, and when the room could be written to. */
const WATCH = `
  window.tasks = []
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) tasks.push({ startTime, duration })
  }).observe({ type: 'longtask', buffered: true })
  const look = () => {
    if (document.querySelector('.composer textarea') && document.querySelector('.message-text')) window.readyAt = performance.now()
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)`

/** Whether messages fill the list, at its end or where what is new begins: this lays out the frame, as painting it would. */
const IS_SHOWN = `(() => {
  const list = document.querySelector('.timeline').getBoundingClientRect()
  const rows = [...document.querySelectorAll('.message')].map((row) => row.getBoundingClientRect())
  return rows.filter(({ top, bottom }) => bottom > list.top && top < list.bottom).length >= 10
})()`

interface Figure {
  readonly what: string
  readonly value: string
  readonly goal: string
}

const messages = Number(process.argv[2] ?? 10_000)
const dataDir = await mkdtemp(join(tmpdir(), 'topictalk-bench-web-'))
const config = { node: { dataDir }, listen: { mqtt: null, http: 0 }, log: { level: 'warn' }, limits: { rates: 'off' } }
const broker = await startBroker(completeConfig(config))
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium' })
try {
  const url = `http://localhost:${broker.listeners[0]!.port}`
  const [alice, bob] = [await Person.register(url, 'alice'), await Person.register(url, 'bob')]
  for (const room of ['tea', 'garden', 'long']) {
    await alice.ask('/rooms', { room })
    await bob.ask(`/rooms/${room}/join`, {})
    await bob.say(room, 30)
  }
  await bob.say('long', messages)
  const context = await browser.newContext({ viewport: { width: 412, height: 915 } })
  await context.addInitScript(WATCH)
  const page = await open(context, url, alice)
  const figures = [
    await interactive(page, url),
    await switches(page, url),
    await flood(page, bob),
    await scroll(page, url),
  ]
  console.log(`| at ${THROTTLE}× less speed | | goal |\n|---|---|---|`)
  for (const { what, value, goal } of figures) console.log(`| ${what} | ${value} | ${goal} |`)
} finally {
  await browser.close()
  await broker.close()
  await rm(dataDir, { recursive: true })
}

async function open(context: BrowserContext, url: string, { user, password }: Person): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${url}/r/tea`)
  await page.locator('input[name=username]').fill(user)
  await page.locator('input[name=password]').fill(password)
  await page.locator('button[type=submit]').click()
  await page.locator('.message-text').first().waitFor()
  const cdp = await context.newCDPSession(page)
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE })
  return page
}

/** A visit of who is logged in: from the request until there are messages, and a place to write. */
async function interactive(page: Page, url: string): Promise<Figure> {
  const times: number[] = []
  for (let visit = 0; visit < 5; visit++) {
    await page.goto(`${url}/r/tea`)
    await page.locator('.message-text').first().waitFor()
    await page.locator('.composer textarea').waitFor()
    times.push(await page.evaluate('readyAt'))
  }
  return { what: 'from the address to messages and a place to write', value: ms(medianOf(times)), goal: '2000 ms' }
}

/** Between two rooms that are known, from the click until the frame is painted that has a screen of messages of the other one. */
async function switches(page: Page, url: string): Promise<Figure> {
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.goto(`${url}/r/garden`)
  const times: number[] = []
  for (let at = 0; at < SWITCHES; at++) {
    const room = at % 2 === 0 ? 'tea' : 'garden'
    // Not the promise itself, which would be waited for. A message to itself comes after the frame that is made when it is sent.
    await page.evaluate(`void (window.switched = new Promise((resolve) => {
      addEventListener('click', () => {
        const from = performance.now()
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = () => resolve(performance.now() - from)
        const look = () => document.querySelector('.room-header h1')?.textContent.includes('${room}') && ${IS_SHOWN}
          ? port2.postMessage(null) : requestAnimationFrame(look)
        requestAnimationFrame(look)
      }, { capture: true, once: true })
    }))`)
    await page.getByRole('link', { name: new RegExp(`^${room}`) }).click()
    times.push(await page.evaluate('switched'))
    await page.waitForTimeout(PAUSE)
  }
  return { what: 'from one room to another that is known', value: ms(medianOf(times.slice(2))), goal: '50 ms' }
}

/** Others write 50 messages a second into the room that is shown. */
async function flood(page: Page, bob: Person): Promise<Figure> {
  await page.evaluate('tasks.length = 0')
  const until = Date.now() + DURATION
  for await (const _ of every(PACE)) {
    if (Date.now() > until) break
    void bob.say('garden', 1)
  }
  const longest = (await page.evaluate('Math.max(0, ...tasks.map(({ duration }) => duration))')) as number
  return { what: 'longest task while 50 messages a second arrive', value: ms(longest), goal: '100 ms' }
}

/** Up through the long room: frames that came late. */
async function scroll(page: Page, url: string): Promise<Figure> {
  await page.goto(`${url}/r/long`)
  await page.locator('.message-text').first().waitFor()
  await page.evaluate(`window.frames_ = []
    let last = performance.now()
    const tick = (now) => { frames_.push(now - last); last = now; requestAnimationFrame(tick) }
    requestAnimationFrame(tick)`)
  await page.mouse.move(800, 400)
  for (const until = Date.now() + DURATION; Date.now() < until; ) await page.mouse.wheel(0, -400)
  const frames = (await page.evaluate('frames_.sort((a, b) => a - b)')) as number[]
  const rows = (await page.evaluate("document.querySelectorAll('.message').length")) as number
  const late = frames.filter((frame) => frame > 50).length
  const value = `${ms(frames[Math.floor(frames.length * 0.95)] ?? 0)}, ${late} of ${frames.length} above 50 ms, ${rows} rows`
  return { what: `frames while ${messages} messages are scrolled: 95 %`, value, goal: '–' }
}

function ms(time: number): string {
  return `${Math.round(time)} ms`
}
