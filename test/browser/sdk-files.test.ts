/** Files that a page sends and shows: kept in IndexedDB over a reload, taken over by another tab, also where the broker has another origin. */
import http from 'node:http'
import type { BrowserContext, Page, Request } from 'playwright-core'
import sharp from 'sharp'
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { bundle } from '../helpers/bundle.js'
import { startChromium } from '../helpers/chromium.js'
import '../helpers/http.js'
import { chatAt } from '../helpers/outbox-app.js'
import { until } from '../helpers/patience.js'
import { filesOf, SeenRequests } from '../helpers/sdk-files.js'
import { filesOnDisk } from '../helpers/uploads.js'
import { openOrigin } from '../helpers/web-app.js'

const MAIN = `
  import { createChat, fileTransfers } from '/sdk.js'
  const { url, token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
  window.chat = createChat({ url, auth: { token }, user: 'ann', store: 'auto', files: fileTransfers() })
  // Each byte says where it is.
  window.aFile = (size) => new File([Uint8Array.from({ length: size }, (_, at) => at % 251)], 'many.bin')
  window.drained = async () => {
    await chat.connect()
    for await (const items of chat.outbox) if (items.length === 0) return
  }
`

const browser = await startChromium(t)
const sdk = await bundle(`export * from './dist/client/index.js'`)
/** Its pages are of another origin than the broker. */
const origin = await openOrigin(
  t,
  http.createServer(({ url }, response) => {
    const isScript = url?.endsWith('.js') === true
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    if (isScript) response.end(url === '/sdk.js' ? sdk : MAIN)
    else response.end('<!doctype html><title>app</title><script type="module" src="/main.js"></script>')
  }),
)
const broker = await startTestBroker(t, { listen: { origins: [origin] }, media: { shared: true } })
const url = broker.wsUrl.replace('ws', 'http').replace('/mqtt', '')
const address = `${origin}/#${new URLSearchParams({ url, token: await broker.token('ann') })}`
/** Beside the pages. */
const reader = chatAt(t, broker, Number(new URL(url).port), 'ann', { files: new SeenRequests().transfers() })
await reader.connect()
for (const room of ['reloaded', 'shared', 'begun', 'canceled', 'shown']) await reader.ask.rooms.create({ room })

async function newPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage()
  await page.goto(address)
  await page.waitForFunction('window.chat')
  return page
}

const expected = (size: number): Buffer => Buffer.from(Uint8Array.from({ length: size }, (_, at) => at % 251))

t.test('a page that is loaded again goes on with the upload', async (t) => {
  const context = await browser.newContext()
  const page = await newPage(context)
  const asked: Request[] = []
  page.on('request', (request) => void (request.url().includes('/v1/uploads') && asked.push(request)))
  const loaded = page.waitForEvent('load')
  await page.evaluate(`{
    chat.connect()
    const out = chat.send('reloaded', 'all of it', { attach: [aFile(4_000_000)] })
    out.stored.then(() => out.state.subscribe(({ done }) => done > 0 && location.reload()))
  }`)
  await loaded
  await page.waitForFunction('window.chat')
  await page.evaluate('drained()')
  const [files] = await filesOf(reader, 'reloaded')
  t.ok(files![0]!.equals(expected(4_000_000)))
  const methods = asked.map((request) => request.method()).filter((method) => method !== 'OPTIONS')
  t.equal(methods.filter((method) => method === 'POST').length, 1)
  const head = methods.indexOf('HEAD')
  t.ok(head > 0 && Number(asked[head + 1]?.headers()['upload-offset']) > 0, 'where it was')
  const kept = await page.evaluate(`new Promise((done) => {
    indexedDB.open('topictalk:${new URL(url).host}:ann').onsuccess = ({ target }) => {
      target.result.transaction('files').objectStore('files').count().onsuccess = (event) => done(event.target.result)
    }
  })`)
  t.equal(kept, 0, 'nothing is left on the device')
  await context.close()
})

t.test('a tab that takes over a message finds its files', async (t) => {
  const context = await browser.newContext()
  const one = await newPage(context)
  await one.evaluate(`chat.send('shared', 'of one', { attach: [aFile(100_000), aFile(10)] }).stored`)
  await one.close()
  const other = await newPage(context)
  await context.setOffline(true)
  await other.evaluate(`{
    chat.connect().catch(() => {})
    new Promise((done) => chat.outbox.subscribe(({ length }) => length === 1 && done()))
  }`)
  const sizes = await other.evaluate(`chat.outbox.current[0].attachments.map(({ size }) => size)`)
  t.same(sizes, [100_000, 10], 'they can be shown before')
  await context.setOffline(false)
  await other.evaluate('drained()')
  const [files] = await filesOf(reader, 'shared')
  t.same(files, [expected(100_000), expected(10)])
  await context.close()
})

t.test('a tab that is there goes on with what another one has begun to upload', async (t) => {
  const context = await browser.newContext()
  const one = await newPage(context)
  await one.evaluate(`chat.send('begun', 'of one', { attach: [aFile(4_000_000)] }).stored`)
  const other = await newPage(context)
  const asked: Request[] = []
  other.on('request', (request) => void (request.url().includes('/v1/uploads') && asked.push(request)))
  await other.evaluate('chat.connect()')
  t.equal(await other.evaluate('chat.outbox.current.length'), 0)
  // Nothing but the first part of it leaves this tab.
  let parts = 0
  await one.route('**/v1/uploads/*', async (route) => {
    if (route.request().method() !== 'PATCH' || parts++ === 0) await route.continue()
  })
  await one.evaluate(`new Promise((done) => {
    chat.outbox.current[0].state.subscribe((state) => state.done > 0 && done())
    chat.connect()
  })`)
  await one.close()
  await until('the other tab sends it', async () => (await filesOf(reader, 'begun')).length === 1)
  t.ok((await filesOf(reader, 'begun'))[0]![0]!.equals(expected(4_000_000)))
  const methods = asked.map((request) => request.method()).filter((method) => method !== 'OPTIONS')
  t.equal(methods[0], 'HEAD')
  t.notOk(methods.includes('POST'))
  await context.close()
})

t.test('what is canceled in the middle leaves nothing at a broker of another origin', async (t) => {
  const context = await browser.newContext()
  const page = await newPage(context)
  const before = (await filesOnDisk(broker)).length
  const canceled = await page.evaluate(`(async () => {
    await chat.connect()
    const out = chat.send('canceled', {}, { attach: [aFile(3_000_000)] })
    await new Promise((done) => out.state.subscribe((state) => state.done > 0 && done()))
    return out.cancel()
  })()`)
  t.equal(canceled, true)
  await until('it is removed', async () => (await filesOnDisk(broker)).length === before)
  await context.close()
})

t.test('an image of a message is shown by a link, and its bytes are read', async (t) => {
  const background = { r: 20, g: 200, b: 20 }
  const png = await sharp({ create: { width: 800, height: 400, channels: 3, background } })
    .png()
    .toBuffer()
  const attach = [new Blob([new Uint8Array(png)], { type: 'image/png' })]
  await reader.send('shown', {}, { attach }).sent
  const context = await browser.newContext()
  const page = await newPage(context)
  const shown = await page.evaluate(`(async () => {
    await chat.connect()
    const { messages } = await chat.ask.history({ room: 'shown' })
    const [attachment] = messages[0].attachments
    const show = async (options) => {
      const image = new Image()
      image.crossOrigin = 'anonymous'
      image.src = await chat.files.url(attachment, options)
      await image.decode()
      return image.naturalWidth
    }
    const blob = await chat.files.blob(attachment)
    return [await show(), await show({ thumbnail: true }), blob.type, blob.size === attachment.size]
  })()`)
  t.same(shown, [800, 480, 'image/png', true])
  await context.close()
})
