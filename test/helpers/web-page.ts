/** The web app in Chromium: people at a test broker, each with a browser context of their own, and what went wrong in their pages. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import type { Test } from 'tap'
import type { BrokerOptions } from '../../broker/broker.js'
import { type Chat, createChat } from '../../client/index.js'
import { type Overrides, startTestBroker, type TestBroker } from './broker.js'
import { startChromium } from './chromium.js'
import { httpUrl } from './http.js'
import { until } from './patience.js'
import { webSocket } from './web-socket.js'

export const passwordOf = (user: string): string => `${user}-pw-${user}`

/** Ms until what is waited for in a page counts as lost: longer than a busy machine needs. */
const PATIENCE = 60_000

/** Logged by the browser for each answer that is not 2xx, also where that is what is tested. */
const FAILED_LOAD = /^Failed to load resource/

export class WebVisits {
  /** Where pages are opened: of the broker, or of what stands before it. */
  url: string
  readonly #browser: Browser
  /** What pages complained of: exceptions, errors of the console, what their policy stopped. */
  readonly troubles: string[] = []

  /** Of the app of any server. */
  constructor(url: string, browser: Browser) {
    // Cookies of a login need a name of this machine.
    this.url = url.replace('127.0.0.1', 'localhost')
    this.#browser = browser
  }

  /** A new profile, whose pages are watched. */
  async context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.#browser.newContext({ locale: 'en-GB', ...options })
    context.on('weberror', (error) => this.troubles.push(String(error.error())))
    context.on('console', (line) => {
      if (line.type() === 'error' && !FAILED_LOAD.test(line.text())) this.troubles.push(line.text())
    })
    context.setDefaultTimeout(PATIENCE)
    return context
  }

  async register(user: string): Promise<void> {
    const body = JSON.stringify({ user, password: passwordOf(user) })
    await fetch(`${this.url}/v1/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
  }

  /** A page in which this user, who is registered first, has logged in, at this path. */
  async enter(user: string, path = '/', options: BrowserContextOptions = {}): Promise<WebPage> {
    await this.register(user)
    const page = await (await this.context(options)).newPage()
    await page.goto(`${this.url}${path}`)
    await page.locator('input[name=username]').fill(user)
    await page.locator('input[name=password]').fill(passwordOf(user))
    await page.locator('button[type=submit]').click()
    await page.locator('.shell').waitFor()
    return new WebPage(page)
  }
}

/** The same, of a broker of the test. */
export class WebApp extends WebVisits {
  readonly broker: TestBroker
  readonly #t: Test

  private constructor(t: Test, broker: TestBroker, browser: Browser) {
    super(httpUrl(broker), browser)
    this.#t = t
    this.broker = broker
  }

  /** Closed with the test, which should end with `troubles` empty. */
  static async start(t: Test, overrides: Overrides = {}, options: BrokerOptions = {}): Promise<WebApp> {
    return new WebApp(t, await startTestBroker(t, overrides, options), await startChromium(t))
  }

  /** Another device of this user, who is registered first: without a page, connected. */
  async client(user: string): Promise<Chat> {
    await this.register(user)
    const chat = createChat({ url: this.url, auth: { user, password: passwordOf(user) } }, { socket: webSocket })
    this.#t.teardown(() => chat.close())
    await chat.connect()
    return chat
  }
}

/** What a person does in a page, and sees. */
export class WebPage {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  get composer(): Locator {
    return this.page.locator('.composer textarea')
  }

  async send(text: string): Promise<void> {
    await this.composer.fill(text)
    await this.composer.press('Enter')
  }

  /** Waits for a message with this text. */
  async sees(text: string): Promise<void> {
    const message = this.page.locator('.message-text', { hasText: text }).first()
    await message.waitFor().catch(async (cause) => {
      const there = JSON.stringify([...(await this.texts()), await this.composer.allInnerTexts()])
      throw new Error(`there is no message ${JSON.stringify(text)}, but ${there}`, { cause })
    })
  }

  /** The texts of the messages that are shown, in order. */
  texts(): Promise<string[]> {
    return this.page.locator('.message-text').allInnerTexts()
  }

  /** What tells the rows of the messages apart, in order. */
  rows(): Promise<string[]> {
    return this.page.evaluate("[...document.querySelectorAll('.message')].map((row) => row.dataset.row)")
  }

  /** Waits until this is what stands in the composer: a draft is read after the messages. */
  async writes(text: string, composer: Locator = this.composer): Promise<void> {
    await until(`${JSON.stringify(text)} is being written`, async () => (await composer.inputValue()) === text)
  }

  /** The path that is shown. The address that Playwright knows may be that of a moment ago. */
  path(): Promise<string> {
    return this.page.evaluate('location.pathname')
  }

  /** Timers of so many ms that are set in the page from now on are over when `fire` is called; `release` lets later ones run again. */
  async holdTimers(ms: number): Promise<{ fire(): Promise<void>; release(): Promise<void> }> {
    await this.page.evaluate(`{
      const { setTimeout, clearTimeout } = window
      const held = new Map()
      let last = 0
      window.setTimeout = (act, ms, ...rest) => {
        if (ms !== ${ms}) return setTimeout(act, ms, ...rest)
        held.set(--last, () => act(...rest))
        return last
      }
      window.clearTimeout = (timer) => held.delete(timer) || clearTimeout(timer)
      window.heldTimers = {
        fire() {
          for (const [timer, act] of [...held]) if (held.delete(timer)) act()
        },
        release: () => (window.setTimeout = setTimeout),
      }
    }`)
    return {
      fire: () => this.page.evaluate('heldTimers.fire()'),
      release: () => this.page.evaluate('void heldTimers.release()'),
    }
  }

  /** Waits until the page has drawn what it was told, and has done what follows from that. */
  async settled(): Promise<void> {
    await this.page.evaluate(
      'new Promise((done) => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(() => setTimeout(done)))))',
    )
  }

  /** Asks for a connection at once. The button goes if the app has just connected by itself. */
  async tryNow(): Promise<void> {
    const button = this.page.getByRole('button', { name: 'Try now' })
    const click = (): Promise<boolean> =>
      button.click({ timeout: 2000 }).then(
        () => true,
        () => false,
      )
    await until('it connects', async () => !(await button.isVisible()) || click())
  }

  /** Waits until so many own messages are shown, and all of them were sent. Evaluating in the page as it waits would be against its policy. */
  async allSent(count: number): Promise<void> {
    const counted = (of: string) => this.page.locator(`.message.own ${of}`).count()
    await until(`${count} messages are sent`, async () => {
      const [sent, all] = await Promise.all([counted('.mark.sent'), counted('.message-meta')])
      return sent === count && all === count
    })
  }
}

let axe: Promise<string> | null = null

/** What is half faded in has too little contrast: while axe looks, all is as it is when its animation has ended. */
const STILL = '* { animation-delay: 0s !important; animation-duration: 0s !important; transition: none !important }'

/** What axe has to say of the page as it is, one line for each finding. */
export async function findingsOf({ page }: WebPage): Promise<string[]> {
  axe ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  await page.evaluate(await axe)
  const run = `(async () => {
    const still = new CSSStyleSheet()
    still.replaceSync(${JSON.stringify(STILL)})
    document.adoptedStyleSheets.push(still)
    try {
      return await axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
    } finally {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== still)
    }
  })()`
  const { violations } = (await page.evaluate(run)) as {
    violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[]
  }
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  )
}
