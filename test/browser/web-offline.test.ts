/** The web app without a connection: what is written is shown, waits, and arrives once, in order. */
import t from 'tap'
import { CALL_TIMEOUT } from '../../client/requests/calls.js'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { WebApp } from '../helpers/web-page.js'

t.test('without a connection', async (t) => {
  const app = await WebApp.start(t)
  const alice = await app.enter('alice')
  await fetchFrom(app.broker, '/v1/rooms', { method: 'POST', as: 'alice', body: { room: 'tea' } })
  await alice.page.getByRole('link', { name: /^tea/ }).click()
  await alice.send('before')
  await alice.allSent(1)
  const context = alice.page.context()
  const written = ['one', 'two', 'three', 'four', 'five']

  await t.test('it says so after a while, and goes on', async (t) => {
    await context.setOffline(true)
    for (const text of written) await alice.send(text)
    // A row is there when the device has read what stands before it.
    await until('all are shown', async () => (await alice.texts()).length === 1 + written.length)
    t.same(await alice.texts(), ['before', ...written], 'in order')
    t.equal(await alice.page.locator('.mark.clock').count(), written.length)
    await alice.page.locator('.banner').getByText('No connection').waitFor()
    await alice.page.locator('.banner').getByText('5 messages wait').waitFor()
    t.equal(await alice.composer.isEnabled(), true)
    const wide = alice.page.viewportSize()!
    const boxOf = async (of: string) => (await alice.page.locator(of).boundingBox())!
    const [banner, list] = [await boxOf('.banner'), await boxOf('.rooms-pane')]
    t.ok(banner.x >= list.x + list.width, 'it hides nothing of the list')
    await alice.page.setViewportSize({ width: 360, height: 740 })
    await alice.page.locator('.room-header').getByRole('button', { name: 'Back' }).click()
    await alice.page.locator('.room-row').waitFor()
    const [below, row] = [await boxOf('.banner'), await boxOf('.room-row')]
    t.ok(below.y >= row.y + row.height, 'nor on a phone')
    await alice.page.locator('.room-row').click()
    const { height } = await boxOf('.banner p')
    t.ok(height < 30, `it is one line there: ${height}`)
    await alice.page.setViewportSize(wide)
  })

  await t.test('back in the network, each message arrives once, in the same row', async (t) => {
    const rows = await alice.rows()
    await context.setOffline(false)
    await alice.allSent(6)
    await alice.page.locator('.banner').waitFor({ state: 'detached' })
    t.same(await alice.texts(), ['before', ...written])
    const now = await alice.rows()
    t.same(now, rows)
    const { body } = await fetchFrom(app.broker, '/v1/rooms/tea/messages', { as: 'alice' })
    t.same(
      body.messages.map(({ text }: { text: string }) => text),
      ['before', ...written],
    )
  })

  await t.test('what waits survives a reload, and so does what is being written', async (t) => {
    await context.setOffline(true)
    await alice.send('six')
    await alice.composer.fill('half a sent')
    await until('it waits', async () => (await alice.page.locator('.mark.clock').count()) === 1)
    await context.setOffline(false)
    await alice.page.reload()
    await alice.sees('six')
    await alice.allSent(7)
    t.same(await alice.texts(), ['before', ...written, 'six'])
    t.equal(await alice.composer.inputValue(), 'half a sent')
    await alice.composer.fill('')
    await alice.composer.press('ArrowUp')
    await alice.composer.fill('half a six')
    await alice.composer.press('Enter')
    await alice.sees('half a six')
  })

  await t.test('what cannot be asked for says so, in a panel and in a dialog, and can be asked for again', async () => {
    const { page } = alice
    const message = page.locator('#room .message', { hasText: 'six' })
    await page.locator('#room').getByRole('button', { name: 'Menu of tea' }).click()
    await page.clock.install()
    await context.setOffline(true)
    await page.getByRole('menuitem', { name: 'Threads' }).click()
    await message.hover()
    await message.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Earlier versions' }).click()
    await page.clock.fastForward(CALL_TIMEOUT)
    const dialog = page.getByRole('dialog', { name: 'Versions of this message' })
    await dialog.getByRole('button', { name: 'Try again' }).waitFor()
    await context.setOffline(false)
    await dialog.getByText('half a six').waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.panel').getByRole('button', { name: 'Try again' }).click()
    await page.locator('.panel .empty').waitFor()
  })

  await t.test('of a room that the browser has nothing of, there is no way to the newest message', async (t) => {
    await alice.page.evaluate('navigator.serviceWorker.ready.then(() => true)')
    await context.setOffline(true)
    await alice.page.goto(`${app.url}/r/elsewhere`)
    await alice.page.locator('.timeline-skeleton p').first().waitFor()
    t.equal(await alice.page.locator('.jump').count(), 0)
    await context.setOffline(false)
    await alice.page.getByText('There is no such room').waitFor()
  })

  t.same(app.troubles, [])
})
