/** The web app on a phone: the list and the room are two screens, and what cannot be sent is not lost. */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { WebApp } from '../helpers/web-page.js'

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }

/** Of the text of each field. */
const SIZES = `[...document.querySelectorAll('select, textarea, input:not([type=radio], [type=checkbox], [type=file])')]
  .map((field) => parseFloat(getComputedStyle(field).fontSize))`

/** Pixels above and below the line of the composer. */
const SPACE = `(() => {
  const area = document.querySelector('.composer textarea')
  const { paddingTop, lineHeight } = getComputedStyle(area)
  return [parseFloat(paddingTop), area.clientHeight - parseFloat(paddingTop) - parseFloat(lineHeight)]
})()`

t.test('on a phone', async (t) => {
  const app = await WebApp.start(t)
  const alice = await app.enter('alice', '/', PHONE)
  const { page } = alice
  const rooms = (room: string, method: string, body: object) =>
    fetchFrom(app.broker, `/v1/rooms${room}`, { method, as: 'alice', body })
  await rooms('', 'POST', { room: 'tea' })
  const send = async (text: string): Promise<void> => {
    await alice.composer.fill(text)
    await page.getByRole('button', { name: 'Send' }).tap()
  }

  await t.test('a room takes the place of the list, and the way back is that of the browser', async (t) => {
    await page.getByRole('link', { name: /^tea/ }).tap()
    await alice.composer.waitFor()
    t.equal(await page.locator('.room-list').isVisible(), false)
    await page.goBack()
    await page.locator('.room-list').waitFor()
    t.equal(await alice.composer.isVisible(), false)
    await page.goForward()
    await page.getByRole('button', { name: 'Back' }).tap()
    await page.locator('.room-list').waitFor()
    t.equal(new URL(page.url()).pathname, '/')
  })

  await t.test(
    'from a link into a room, back leads to the list; what is pressed is as large as a fingertip, and no field so small that phones zoom in',
    async (t) => {
      await page.goto(`${app.url}/r/tea`)
      await alice.composer.waitFor()
      const small = async (): Promise<void> => {
        const sizes = (await page.evaluate(SIZES)) as number[]
        t.ok(sizes.length > 0 && Math.min(...sizes) >= 16, String(sizes))
      }
      await small()
      const pressed = '.button, select, textarea, input:not([type=radio], [type=checkbox], [type=file])'
      const lowest = async (least: number): Promise<void> => {
        const all = await page.locator(pressed).filter({ visible: true }).all()
        const heights = await Promise.all(all.map(async (one) => (await one.boundingBox())?.height ?? 0))
        // Some are gone by then.
        const boxes = heights.filter((height) => height > 0)
        t.ok(boxes.length >= least && Math.min(...boxes) >= 44, String(boxes))
      }
      await lowest(4)
      await page.goto(`${app.url}/settings/profile`)
      await page.getByLabel('Until').waitFor()
      await lowest(6)
      await small()
      await page.goto(`${app.url}/r/tea`)
      await alice.composer.waitFor()
      await page.getByRole('button', { name: 'Back' }).tap()
      await page.locator('.room-list').waitFor()
    },
  )

  await t.test('keys that nobody has there are not offered', async (t) => {
    await page.getByRole('button', { name: 'Menu', exact: true }).tap()
    await page.getByRole('menuitem', { name: 'Devices' }).waitFor()
    t.equal(await page.getByRole('menuitem', { name: 'Keyboard shortcuts' }).count(), 0)
    await page.keyboard.press('Escape')
  })

  await t.test('Enter begins a line, and the button sends', async (t) => {
    await page.goto(`${app.url}/r/tea`)
    await alice.composer.fill('one')
    await alice.composer.press('Enter')
    await page.keyboard.type('two')
    await page.getByRole('button', { name: 'Send' }).tap()
    await alice.allSent(1)
    t.same(await alice.texts(), ['one\ntwo'])
  })

  await t.test('the one line of the composer stands in its middle; what leads to a day is large enough', async (t) => {
    const [above, below] = (await page.evaluate(SPACE)) as [number, number]
    t.ok(Math.abs(above - below) < 1, `${above} pixels above, ${below} below`)
    t.ok((await page.locator('.to-date').first().boundingBox())!.height >= 24)
  })

  await t.test('from the right to the left the button for emoji stands where lines end, beside the text', async (t) => {
    const arabic = await app.enter('alice', '/r/tea', { ...PHONE, locale: 'ar' })
    const directed = (direction: string): Promise<void> =>
      arabic.page.locator(`.composer textarea:dir(${direction})`).waitFor()
    await directed('rtl')
    await arabic.composer.fill('left to right')
    await directed('ltr')
    const boxOf = async (of: string) => (await arabic.page.locator(of).boundingBox())!
    const [area, button] = [await boxOf('.composer textarea'), await boxOf('.write-place > .button')]
    t.ok(area.x >= button.x + button.width, `${area.x} and ${button.x}`)
    await arabic.page.context().close()
  })

  await t.test('what is refused says why, and is sent again, or thrown away', async (t) => {
    await rooms('/tea', 'PATCH', { policies: { links: 'deny' } })
    await send('see https://example.com')
    const failed = page.locator('.send-failed')
    await failed.getByText('Links are not allowed here.').waitFor()
    await rooms('/tea', 'PATCH', { policies: null })
    await failed.getByRole('button', { name: 'Try again' }).tap()
    await alice.allSent(2)
    await rooms('/tea', 'PATCH', { policies: { links: 'deny' } })
    await send('and https://example.org')
    await failed.getByRole('button', { name: 'Delete' }).tap()
    await page.locator('.message', { hasText: 'example.org' }).waitFor({ state: 'detached' })
    t.same(await alice.texts(), ['one\ntwo', 'see https://example.com'])
  })
  t.same(app.troubles, [])
})
