/**
 * Pictures of the web app, for people to look at: `npm run screens -- DIRECTORY [LOOK]`. Each page at each size, light and dark, and from the
 * right to the left. Without a directory: those of the documentation, in `docs/screens`.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { completeConfig, startBroker } from '../../broker/index.js'
import { fill, measure, passwordOf } from './people.js'

const SIZES = {
  phone: { width: 360, height: 740 },
  tablet: { width: 768, height: 1024 },
  desk: { width: 1280, height: 800 },
}

/** What is pictured, and how one comes there from the list of rooms. `kettle`: the key of the device. */
const PAGES: Readonly<Record<string, (page: Page, url: string, kettle: string) => Promise<unknown>>> = {
  list: async () => {},
  room: async (page, url) => {
    await page.goto(`${url}/r/tea`)
    await page.getByText('loose lid').last().waitFor()
  },
  direct: async (page, url) => {
    await page.goto(`${url}/u/layla`)
    await page.getByText('شكرًا').last().waitFor()
  },
  chinese: async (page, url) => {
    await page.goto(`${url}/u/wei`)
    await page.getByText('会议室').last().waitFor()
  },
  thread: async (page, url) => {
    await page.goto(`${url}/r/tea`)
    await page.locator('.replies').click()
    await page.locator('.panel .message-text').nth(2).waitFor()
  },
  closed: async (page, url) => {
    await page.goto(`${url}/r/long`)
    await page.locator('.message').first().waitFor()
  },
  stranger: async (page, url) => {
    await page.goto(`${url}/r/nothing-here`)
    await page.locator('.empty .button').last().waitFor()
  },
  menu: async (page) => headerButton(page, 0).click(),
  new: async (page) => {
    await headerButton(page, 2).click()
    await page.getByRole('menuitem').nth(2).click()
  },
  find: async (page) => {
    await headerButton(page, 2).click()
    await page.getByRole('menuitem').nth(1).click()
    await page.locator('.result').first().waitFor()
  },
  switcher: async (page) => {
    await page.keyboard.press('Control+k')
    await page.getByRole('option').first().waitFor()
  },
  search: async (page, url) => {
    await page.goto(`${url}/r/tea`)
    await page.locator('.message').first().waitFor()
    await page.keyboard.press('Control+Shift+F')
    await page.locator('.panel input').first().fill('order*')
    await page.locator('.found').first().waitFor()
  },
  devices: async (page, url) => {
    await page.goto(`${url}/devices`)
    await page.locator('.device-parts .result').first().waitFor()
  },
  device: async (page, url, kettle) => {
    await page.goto(`${url}/d/kettle`)
    await page.locator('.facts dd').first().waitFor()
    await measure(url, kettle)
    await page.locator('.chart').first().waitFor()
  },
  account: async (page) => headerButton(page, 3).click(),
  offline: async (page, url) => {
    await page.goto(`${url}/u/bob`)
    await page.locator('.message').first().waitFor()
    await page.context().setOffline(true)
    await page.locator('textarea').fill('Written in the tunnel')
    await page.keyboard.press('Enter')
  },
}

/** Above the rooms: menu, search, new, account. */
const headerButton = (page: Page, at: number) => page.locator('.rooms-pane .pane-header .button').nth(at)

const LOOKS: Readonly<Record<string, BrowserContextOptions & { size: keyof typeof SIZES }>> = {
  'phone-light': { size: 'phone', hasTouch: true },
  'phone-dark': { size: 'phone', colorScheme: 'dark' },
  'phone-rtl': { size: 'phone', locale: 'ar' },
  'phone-zh': { size: 'phone', locale: 'zh-CN' },
  'tablet-light': { size: 'tablet' },
  'desk-light': { size: 'desk' },
  'desk-dark': { size: 'desk', colorScheme: 'dark' },
  'desk-rtl': { size: 'desk', locale: 'ar' },
}

/** Those in the documentation, by look. */
const DOCUMENTED: Readonly<Record<string, readonly string[]>> = {
  'desk-light': ['room', 'search', 'device'],
  'desk-dark': ['thread', 'switcher'],
  'desk-rtl': ['direct'],
  'phone-light': ['list', 'room'],
  'phone-dark': ['offline'],
  'phone-zh': ['chinese'],
}

const [given, only = ''] = process.argv.slice(2)
const directory = given ?? join('docs', 'screens')
const dataDir = await mkdtemp(join(tmpdir(), 'topictalk-screens-'))
const listen = { mqtt: null, http: 0 }
const broker = await startBroker(completeConfig({ node: { dataDir }, listen, log: { level: 'warn' } }))
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium' })
try {
  const url = `http://localhost:${broker.listeners[0]!.port}`
  const kettle = await fill(url)
  await mkdir(directory, { recursive: true })
  for (const [look, { size, ...options }] of Object.entries(LOOKS))
    if (look.includes(only) && (given || DOCUMENTED[look]))
      await take({ browser, url, kettle }, look, { viewport: SIZES[size], ...options })
} finally {
  await browser.close()
  await broker.close()
  await rm(dataDir, { recursive: true })
}

interface Studio {
  readonly browser: Browser
  readonly url: string
  /** The key of the device. */
  readonly kettle: string
}

async function take({ browser, url, kettle }: Studio, look: string, options: BrowserContextOptions): Promise<void> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  page.on('console', (line) => console.log(look, line.text()))
  page.on('pageerror', (error) => console.log(look, error.message))
  const isWanted = (name: string): boolean => given !== undefined || (DOCUMENTED[look]?.includes(name) ?? false)
  const shoot = async (name: string): Promise<void> => {
    if (isWanted(name)) await page.screenshot({ path: join(directory, `${look}-${name}.png`) })
  }
  await page.goto(`${url}/register`)
  await page.locator('.other-way a').waitFor()
  await shoot('register')
  await page.goto(`${url}/login`)
  await page.locator('.other-way a').nth(1).waitFor()
  await shoot('login')
  await page.locator('input[name=username]').fill('alice')
  await page.locator('input[name=password]').fill(passwordOf('alice'))
  await page.keyboard.press('Enter')
  await page.locator('.shell').waitFor()
  for (const [name, go] of Object.entries(PAGES).filter(([name]) => isWanted(name))) {
    await page.goto(url)
    await page.locator('.room-row').first().waitFor({ state: 'attached' })
    await go(page, url, kettle)
    await page.evaluate('document.fonts.ready')
    await page.waitForTimeout(name === 'offline' ? 2600 : 250)
    await shoot(name)
  }
  await context.close()
}
