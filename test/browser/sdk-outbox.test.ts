/** The outbox of a page, in IndexedDB: pages that are loaded again, tabs beside each other, tabs that are gone. */
import type { BrowserContext, Page } from 'playwright-core'
import t from 'tap'
import { createChat } from '../../client/index.js'
import { bundle } from '../helpers/bundle.js'
import { startChromium } from '../helpers/chromium.js'
import { OUTBOX_ROOMS, requireAllOnce, textsOf } from '../helpers/outbox-app.js'
import { until } from '../helpers/patience.js'
import { Random } from '../helpers/random.js'
import { register, serveApp } from '../helpers/web-app.js'
import { webSocket } from '../helpers/web-socket.js'

const random = Random.from('OUTBOX_SEED')
t.comment(`OUTBOX_SEED=${random.seed}`)

const MAIN = `
  import { createChat } from '/sdk.js'
  const auth = { user: 'ann', password: 'ann-pw' }
  window.chat = createChat({ url: location.origin, auth, device: 'page', store: 'auto' })
  const rooms = ${JSON.stringify(OUTBOX_ROOMS)}
  window.sendMany = async (run) => {
    for (let n = 1; ; n++) {
      const text = run + '-' + n
      const out = chat.send(rooms[n % rooms.length], text)
      await out.stored
      told(text)
      // The broker takes no more than its rates allow.
      if (chat.outbox.current.length > 30) await out.sent
    }
  }
`

const browser = await startChromium(t)
const app = await serveApp(t, {
  '/': ['text/html', '<!doctype html><title>app</title><script type="module" src="/main.js"></script>'],
  '/main.js': ['text/javascript', MAIN],
  '/sdk.js': ['text/javascript', bundle(`export * from './dist/client/index.js'`)],
})
await register(app, 'ann')
const auth = { user: 'ann', password: 'ann-pw' }
/** Beside the pages. */
const reader = createChat({ url: app.url, auth }, { socket: webSocket })
t.teardown(() => reader.close())
await reader.connect()
for (const room of [...OUTBOX_ROOMS, 'reloaded', 'shared', 'left', 'frozen']) await reader.ask.rooms.create({ room })

/** A profile, with what its pages tell. */
async function profile(): Promise<{ context: BrowserContext; told: string[]; troubles: string[] }> {
  const context = await browser.newContext()
  const told: string[] = []
  const troubles: string[] = []
  await context.exposeBinding('told', (_source, text: string) => void told.push(text))
  context.on('weberror', (error) => troubles.push(String(error.error())))
  return { context, told, troubles }
}

async function load(page: Page): Promise<void> {
  await page.goto(app.url)
  await page.waitForFunction('window.chat')
}

async function newPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage()
  await load(page)
  return page
}

const send = (page: Page, room: string, text: string): Promise<unknown> =>
  page.evaluate(`chat.send('${room}', '${text}').stored`)

const waits = (page: Page): Promise<unknown> => page.evaluate('chat.outbox.current.map(({ input }) => input.text)')

/** Connected, and nothing waits any more. */
const drain = (page: Page): Promise<unknown> =>
  page.evaluate(`chat.connect().then(async () => {
    for await (const items of chat.outbox) if (items.length === 0) return
  })`)

t.test('what was stored is there when the page is loaded again, and goes out in order', async (t) => {
  const { context, troubles } = await profile()
  const page = await newPage(context)
  for (const text of ['1', '2', '3']) await send(page, 'reloaded', text)
  await load(page)
  await send(page, 'reloaded', '4')
  await page.evaluate(`new Promise((done) => {
    const look = ({ length }) => length === 4 && done()
    chat.outbox.subscribe(look)
    look(chat.outbox.current)
  })`)
  t.same(await waits(page), ['1', '2', '3', '4'])
  await drain(page)
  t.same(await textsOf(reader, 'reloaded'), ['1', '2', '3', '4'])
  await load(page)
  await drain(page)
  t.same(await textsOf(reader, 'reloaded'), ['1', '2', '3', '4'], 'and they are sent once')
  t.same(troubles, [])
  await context.close()
})

t.test('a tab leaves alone what another one has written, until that is gone', async (t) => {
  const { context, troubles } = await profile()
  const one = await newPage(context)
  await send(one, 'shared', 'of one')
  const other = await newPage(context)
  await send(other, 'shared', 'of other')
  await drain(other)
  t.same(await textsOf(reader, 'shared'), ['of other'])
  t.same(await waits(one), ['of one'])
  await one.close()
  await until('the other tab sends it', async () => (await textsOf(reader, 'shared')).length === 2)
  t.same(await textsOf(reader, 'shared'), ['of other', 'of one'])
  t.same(troubles, [])
  await context.close()
})

t.test('a tab takes over what one has left that came later, and keeps what it reads from then on', async (t) => {
  const { context, troubles } = await profile()
  const one = await newPage(context)
  await drain(one)
  const other = await newPage(context)
  await drain(other)
  const last = await newPage(context)
  await send(last, 'left', 'by the last')
  await last.close()
  await until('another tab sends it', async () => (await textsOf(reader, 'left')).length === 1)
  const keeps = (page: Page, room: string): Promise<unknown> =>
    page.evaluate(`new Promise((resolve) => {
      indexedDB.open('topictalk:' + location.host + ':ann').onsuccess = ({ target: { result } }) => {
        result.transaction('rooms').objectStore('rooms').getAllKeys().onsuccess = (event) => {
          result.close()
          resolve(event.target.result.flat().includes('${room}'))
        }
      }
    })`)
  await until('it is kept', async () => (await keeps(other, 'left')) === true)
  await one.close()
  await reader.ask.rooms.create({ room: 'later' })
  await until('the other tab keeps it', async () => (await keeps(other, 'later')) === true)
  t.same(troubles, [])
  await context.close()
})

t.test('what left into a network that was dead is stored once', async (t) => {
  const { context } = await profile()
  const page = await newPage(context)
  await page.evaluate('chat.connect()')
  await context.setOffline(true)
  for (const text of ['1', '2']) await send(page, 'frozen', text)
  await context.setOffline(false)
  await load(page)
  await drain(page)
  t.same(await textsOf(reader, 'frozen'), ['1', '2'])
  await context.close()
})

t.test('a page that is loaded again and again while it sends', async (t) => {
  const { context, told, troubles } = await profile()
  const page = await newPage(context)
  for (let run = 1; run <= 5; run++) {
    const before = told.length
    const enough = random.between(1, 60)
    await page.evaluate(`{ chat.connect().catch(() => {}); void sendMany(${run}).catch(() => {}) }`)
    await until('some are stored', async () => told.length - before >= enough)
    await load(page)
  }
  await drain(page)
  await requireAllOnce(t, reader, told)
  t.same(troubles, [])
  await context.close()
})
