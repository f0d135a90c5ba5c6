/** Server-sent events and HTTP in place of a WebSocket, in a real browser: of a page of another origin, whose browser hides what it need not see. */
import http from 'node:http'
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { bundle } from '../helpers/bundle.js'
import { startChromium } from '../helpers/chromium.js'
import { personOf } from '../helpers/sdk/crowd.js'
import { UpgradeBlocker } from '../helpers/upgrade-blocker.js'
import { openOrigin } from '../helpers/web-app.js'

const MAIN = `
  import { createChat, eventStream } from '/sdk.js'
  window.begin = (url, token) => {
    window.chat = createChat({ url, auth: { token }, fallback: eventStream })
    window.texts = []
    chat.room('tea').timeline().items.subscribe((items) => { window.texts = items.map(({ message }) => message.text) })
    chat.status.subscribe(({ state }) => state === 'waiting' && chat.retryNow())
    chat.connect()
  }
`

t.test(
  'a page of another origin, behind a proxy that blocks WebSockets, sends and is told what others send',
  async (t) => {
    const sdk = await bundle(`export { createChat, eventStream } from './dist/client/index.js'`)
    const files: Record<string, [type: string, text: string]> = {
      '/': ['text/html', '<!doctype html><title>app</title><script type="module" src="/main.js"></script>'],
      '/main.js': ['text/javascript', MAIN],
      '/sdk.js': ['text/javascript', sdk],
    }
    const server = http.createServer(({ url = '' }, response) => {
      const [type, text] = files[url] ?? ['text/plain', '']
      response.writeHead(200, { 'content-type': type }).end(text)
    })
    const origin = await openOrigin(t, server)
    const broker = await startTestBroker(t, { listen: { origins: [origin] } })
    const blocker = await UpgradeBlocker.start(t, () => Number(new URL(broker.wsUrl).port))
    const bob = await personOf(broker, 'bob')
    await bob.rooms.create({ room: 'tea' })
    const page = await (await (await startChromium(t)).newContext()).newPage()
    await page.goto(origin)
    await page.waitForFunction('window.begin')
    await page.evaluate(`begin('http://127.0.0.1:${blocker.port}', '${await broker.token('alice')}')`)
    await page.waitForFunction(`chat.status.current.state === 'online'`)
    t.equal(blocker.refused, 3)
    await page.evaluate(`chat.ask.rooms.join({ room: 'tea' })`)
    await bob.send({ room: 'tea', text: 'grüße 🫖' })
    await page.waitForFunction(`texts.length === 1`)
    await page.evaluate(`chat.send('tea', 'from the page').sent`)
    await page.waitForFunction(`texts.length === 2`)
    t.same(await page.evaluate('texts'), ['grüße 🫖', 'from the page'])
    await page.evaluate('chat.close()')
    t.equal(await page.evaluate('chat.status.current.state'), 'closed')
  },
)
