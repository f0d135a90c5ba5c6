/** What pages of the SDK know and send, with a network that fails, pages that are loaded again and frozen, and tabs beside each other. */
import http from 'node:http'
import type { Browser } from 'playwright-core'
import t, { type Test } from 'tap'
import { serveHttp, startTestBroker } from '../helpers/broker.js'
import { bundle } from '../helpers/bundle.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { startChromium } from '../helpers/chromium.js'
import { Random } from '../helpers/random.js'
import { check, settle } from '../helpers/sdk/checker.js'
import { Crowd } from '../helpers/sdk/crowd.js'
import { PAGE_CLIENT, PageClient } from '../helpers/sdk/page-client.js'
import { openOrigin } from '../helpers/web-app.js'

serveHttp()
const random = Random.from('SDK_SEED', 271_828)
t.comment(`SDK_SEED=${random.seed} repeats what is done`)

const browser = await startChromium(t)
const script = await bundle(PAGE_CLIENT)

/** Pages of an origin of their own, whose client connects through a proxy. */
async function start(t: Test, browser: Browser) {
  const limits = { rates: 'off' }
  let origin = ''
  const server = http.createServer(async ({ url = '' }, response) => {
    const [type, text] =
      url === '/client.js'
        ? ['text/javascript', script]
        : url === '/token'
          ? ['text/plain', await broker.token('alice')]
          : ['text/html', '<!doctype html><title>client</title><script type="module" src="/client.js"></script>']
    response.writeHead(200, { 'content-type': type }).end(text)
  })
  origin = await openOrigin(t, server)
  const broker = await startTestBroker(t, { limits, listen: { origins: [origin] } })
  const proxy = await ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
  const crowd = await Crowd.gather(random, broker)
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const troubles: string[] = []
  context.on('weberror', (error) => troubles.push(String(error.error())))
  const open = async (keeps: boolean): Promise<PageClient> =>
    PageClient.open(await context.newPage(), `${origin}/?port=${proxy.port}${keeps ? '&keeps' : ''}`)
  return { broker, proxy, crowd, open, troubles }
}

t.test('a page that is loaded again and frozen knows what the broker knows', async (t) => {
  const { broker, proxy, crowd, open, troubles } = await start(t, browser)
  const client = await open(true)
  const faults = {
    cut: () => proxy.cut(),
    blackhole: () => proxy.blackhole(),
    holdAnswers: () => proxy.holdAnswers(),
    restart: () => broker.restart(),
    load: () => client.load(),
    freeze: () => client.setLifecycle('frozen'),
  }
  const heal = async (): Promise<void> => {
    if (random.chance(0.3)) proxy.cut()
    proxy.heal()
    await client.setLifecycle('active')
  }
  await check(t, { random, crowd, client, faults, heal, rounds: 8 })
  t.same(troubles, [])
})

t.test('of two tabs, each knows what the broker knows', async (t) => {
  const { proxy, crowd, open, troubles } = await start(t, browser)
  const keeper = await open(true)
  const client = await open(false)
  const faults = {
    cut: () => proxy.cut(),
    'load one': () => client.load(),
    'freeze the other': () => keeper.setLifecycle('frozen'),
  }
  const heal = async (): Promise<void> => {
    proxy.heal()
    await keeper.setLifecycle('active')
  }
  await check(t, { random, crowd, client, faults, heal, rounds: 5 })
  await settle(t, crowd, keeper, 'the other one, too')
  t.same(troubles, [])
})
