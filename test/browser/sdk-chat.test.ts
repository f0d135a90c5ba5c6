/** The SDK's client in a real browser, as a page imports it: one module, no library, under a strict policy. */
import t from 'tap'
import { bundle } from '../helpers/bundle.js'
import { startChromium } from '../helpers/chromium.js'
import { register, serveApp } from '../helpers/web-app.js'

const MAIN = `
  import { createChat } from '/sdk.js'
  window.chat = createChat({ url: location.origin, auth: { user: 'alice', password: 'alice-pw' }, device: 'page' })
  window.states = []
  chat.status.subscribe(({ state }) => states.push(state))
`

t.test('a page connects, asks, is told of a refusal, and leaves', async (t) => {
  const files = {
    '/': ['text/html', '<!doctype html><title>app</title><script type="module" src="/main.js"></script>'],
    '/main.js': ['text/javascript', MAIN],
    '/sdk.js': ['text/javascript', bundle(`export * from './dist/client/index.js'`)],
  } as const
  const app = await serveApp(t, files)
  await register(app, 'alice')
  const page = await (await (await startChromium(t)).newContext()).newPage()
  const troubles: string[] = []
  page.on('pageerror', ({ message }) => troubles.push(message))
  page.on('console', (line) => troubles.push(line.text()))
  await page.goto(app.url)
  await page.waitForFunction('window.chat')
  await page.evaluate('chat.connect()')
  t.equal(await page.evaluate('chat.user'), 'alice')
  await page.evaluate(`chat.ask.rooms.create({ room: 'tea' })`)
  const text = 'grüße 🫖'
  await page.evaluate(`chat.ask.send({ room: 'tea', text: '${text}' })`)
  const { messages } = (await page.evaluate(`chat.ask.history({ room: 'tea' })`)) as { messages: object[] }
  t.match(messages, [{ from: 'alice', text }])
  const refused = await page.evaluate(`chat.ask.history({ room: 'none' }).catch(({ code, field }) => [code, field])`)
  t.same(refused, ['not_found', 'room'])
  await page.evaluate('chat.close()')
  t.same(await page.evaluate('states'), ['connecting', 'syncing', 'online', 'closed'])
  t.same(troubles, [], 'nothing breaks the policy of the page')
})
