/** In a tunnel: what is written without a network, a picture too, survives a reload, and arrives once, in order, however often the way is cut. */
import { randomBytes } from 'node:crypto'
import sharp from 'sharp'
import t from 'tap'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { WebApp } from '../helpers/web-page.js'

/** Too large for one request, as noise cannot be compressed. */
async function noise(): Promise<Buffer> {
  const [width, height] = [500, 400]
  return sharp(randomBytes(width * height * 3), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()
}

t.test('in a tunnel', async (t) => {
  const app = await WebApp.start(t)
  const port = Number(new URL(app.url).port)
  const proxy = await ByteProxy.start(t, () => port)
  app.url = `http://localhost:${proxy.port}`
  const alice = await app.enter('alice', '/r/lobby')
  const { page } = alice
  await page.getByRole('button', { name: 'Join' }).click()
  await alice.send('before')
  await alice.allSent(1)
  await page.evaluate('navigator.serviceWorker.ready.then(() => null)')
  await until('the worker serves the page', () => page.evaluate('navigator.serviceWorker.controller !== null'))

  proxy.refuse()
  await alice.send('one')
  await alice.send('two')
  await page.locator('.composer input[type=file]').setInputFiles({
    ...{ name: 'tunnel.png', mimeType: 'image/png', buffer: await noise() },
  })
  await page.locator('.tray-picture img').waitFor()
  await alice.send('a picture')
  for (const text of ['three', 'four', 'five']) await alice.send(text)
  const waiting = async (): Promise<boolean> => (await page.locator('.mark.clock').count()) === 6
  await until('all wait', waiting)
  const written = ['before', 'one', 'two', 'a picture', 'three', 'four', 'five']
  t.same(await alice.texts(), written)

  await page.reload()
  await until('all wait after the reload', waiting)
  t.same(await alice.texts(), written)
  await page.getByRole('button', { name: 'Enlarge: tunnel.png' }).locator('img.loaded').waitFor()
  t.pass('the picture is shown from the device')

  let cuts = 0
  page.on('request', (request) => {
    if (request.method() !== 'PATCH' || cuts === 3) return
    cuts++
    proxy.cut()
  })
  proxy.heal()
  // As a browser says when there is a network again.
  await page.evaluate("dispatchEvent(new Event('online'))")
  await alice.allSent(7)
  t.equal(cuts, 3)
  t.same(await alice.texts(), written)
  const { body } = await fetchFrom(app.broker, '/v1/rooms/lobby/messages', { as: 'alice' })
  const stored = body.messages.map(({ text, attachments = [] }: { text: string; attachments?: unknown[] }) => [
    text,
    attachments.length,
  ])
  t.same(
    stored,
    written.map((text) => [text, text === 'a picture' ? 1 : 0]),
  )
  // What the browser says of connections that are cut is no trouble.
  const troubles = app.troubles.filter((line) => !line.startsWith('WebSocket connection to'))
  t.same(troubles, [])
})
