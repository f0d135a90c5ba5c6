/** The web app as people need it: large text, colours of the system, little motion; and in two tabs, with and without a login that is kept. */
import { networkInterfaces } from 'node:os'
import type { Page } from 'playwright-core'
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, passwordOf, WebApp, WebPage } from '../helpers/web-page.js'

/** Parts that are cut, lie over one another, or out of the page. */
const MISPLACED = `(() => {
  const faults = []
  const rectOf = (one) => one.getBoundingClientRect()
  if (document.documentElement.scrollWidth > innerWidth) faults.push('the page is wider than the screen')
  const controls = [...document.querySelectorAll('button, a[href], textarea, input, select')].filter((one) => {
    const { width, height } = rectOf(one)
    return width > 0 && height > 0 && one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !one.matches('.skip-link')
  })
  for (const one of controls) {
    const { left, right } = rectOf(one)
    if (left < -1 || right > innerWidth + 1) faults.push('out of the page: ' + one.outerHTML.slice(0, 120))
    const within = rectOf(one)
    for (const other of controls) {
      if (one === other || one.contains(other) || other.contains(one)) continue
      const beside = rectOf(other)
      const width = Math.min(within.right, beside.right) - Math.max(within.left, beside.left)
      const height = Math.min(within.bottom, beside.bottom) - Math.max(within.top, beside.top)
      const isInList = one.closest('.room-list') && !other.closest('.room-list')
      const isScrolled = one.closest('.timeline, [role=log]') !== other.closest('.timeline, [role=log]')
      if (width > 1 && height > 1 && !isInList && !isScrolled && !other.closest('.room-list'))
        faults.push('over one another: ' + one.outerHTML.slice(0, 80) + ' and ' + other.outerHTML.slice(0, 80))
    }
  }
  for (const one of document.querySelectorAll('button, label, h1, h2, .message-text')) {
    const { overflowX, textOverflow } = getComputedStyle(one)
    if (one.scrollWidth > one.clientWidth + 2 && one.clientWidth > 0 && overflowX === 'hidden' && textOverflow !== 'ellipsis')
      faults.push('cut: ' + one.outerHTML.slice(0, 120))
  }
  return faults
})()`

const misplaced = (page: Page): Promise<string[]> => page.evaluate(MISPLACED)

t.test('needs', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  await app.register('alice')
  for (const room of ['tea', 'a-room-with-a-long-name'])
    await fetchFrom(app.broker, '/v1/rooms', { method: 'POST', as: 'alice', body: { room } })
  const body = { text: 'The kettle on the second floor is broken again, and the new one comes on Thursday.' }
  await fetchFrom(app.broker, '/v1/rooms/tea/messages', { method: 'POST', as: 'alice', body })

  for (const width of [360, 1280])
    await t.test(
      `at ${width} pixels and text of twice its size nothing is cut or lies over another thing`,
      async (t) => {
        const { page } = await app.enter('alice', '/', { viewport: { width, height: 740 } })
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        // The tools of the message under the pointer lie over what is beside it.
        await page.mouse.move(0, 0)
        for (const path of ['/', '/r/tea', '/settings/profile']) {
          await page.evaluate(`history.pushState({}, '', '${path}'); dispatchEvent(new PopStateEvent('popstate'))`)
          await page
            .locator(path === '/' ? '.room-row' : path === '/r/tea' ? '.message-text' : '.settings')
            .first()
            .waitFor()
          t.same(await misplaced(page), [], path)
        }
        await page.context().close()
      },
    )

  await t.test('in a page from the right, what is cut off of a text from the left is its end', async (t) => {
    const text =
      'The manual has a picture of the switch, and says on its last page which of the lids is the one that fits.'
    const ask = (path: string, body: object) =>
      fetchFrom(app.broker, `/v1/rooms${path}`, { method: 'POST', as: 'alice', body })
    await ask('', { room: 'pot', name: 'Pot', topic: text })
    await ask('/pot/messages', { text })
    await ask('/pot/messages', { text: 'Good.', replyTo: 1 })
    const { page } = await app.enter('alice', '/r/pot', { locale: 'ar', viewport: { width: 400, height: 740 } })
    await page.locator('.quote').waitFor()
    for (const [of, what] of [
      ['.quote > span', '.quote'],
      ['.room-header-texts p > bdi', '.room-header-texts'],
    ])
      t.ok(
        await page.evaluate(`(() => {
          const text = document.querySelector('${of}')
          const range = document.createRange()
          range.setStart(text.firstChild, 0)
          range.setEnd(text.firstChild, 3)
          const [first, around] = [range.getBoundingClientRect(), document.querySelector('${what}').getBoundingClientRect()]
          return text.scrollWidth > text.clientWidth && first.left >= around.left && first.right <= around.right
        })()`),
        `${what} begins with its beginning`,
      )
    await page.context().close()
  })

  await t.test('with colours of the system, what is chosen and what can be pressed has a border', async (t) => {
    const alice = await app.enter('alice', '/r/tea', { forcedColors: 'active' })
    await alice.sees('The kettle')
    const borders = (of: string): Promise<number> =>
      alice.page
        .locator(of)
        .first()
        .evaluate((one) => {
          const { borderTopWidth, outlineStyle, outlineWidth } = (
            globalThis as unknown as { getComputedStyle(of: unknown): Record<string, string> }
          ).getComputedStyle(one)
          return Math.max(
            Number.parseFloat(borderTopWidth ?? '0'),
            outlineStyle === 'none' ? 0 : Number.parseFloat(outlineWidth ?? '0'),
          )
        })
    for (const of of ['.pane-header .button', '.bubble', '.write-place', '.room-row[aria-current]'])
      t.ok((await borders(of)) >= 1, of)
    t.same(await findingsOf(alice), [])
    await alice.page.context().close()
  })

  await t.test('who wants little motion sees none', async (t) => {
    const { page } = await app.enter('alice', '/r/tea', { reducedMotion: 'reduce' })
    await page.locator('.message-text').first().waitFor()
    const moving = `document.getAnimations().filter(({ effect }) =>
      effect.getKeyframes().some((frame) => ['transform', 'translate', 'top', 'left', 'height'].some((name) => name in frame))).length`
    t.equal(await page.evaluate(moving), 0)
    const smooth = `[...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).scrollBehavior === 'smooth').length`
    t.equal(await page.evaluate(smooth), 0)
    await page.context().close()
  })

  await t.test('two tabs have one login, and what is written in either is in both, once', async (t) => {
    const first = await app.enter('alice', '/r/tea')
    const second = new WebPage(await first.page.context().newPage())
    await second.page.goto(`${app.url}/r/tea`)
    await second.sees('The kettle')
    await first.send('from the first')
    await second.sees('from the first')
    await second.send('from the second')
    await first.sees('from the second')
    for (const tab of [first, second]) {
      await tab.allSent(3)
      t.same((await tab.texts()).slice(-2), ['from the first', 'from the second'])
    }
    await second.page.goto(`${app.url}/`)
    await second.page.getByRole('button', { name: 'Logged in as alice' }).click()
    await second.page.getByRole('button', { name: 'Log out' }).click()
    await first.page.getByLabel('Password').waitFor()
    await first.page.context().close()
  })
  t.same(app.troubles, [])
})

/** Of this machine, as others see it. At a loopback address the broker takes a foreign name for an attack. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address
const skip = address === undefined && 'this machine has no address but its own'

t.test('over http from another machine each tab has a login of its own', { skip }, async (t) => {
  const app = await WebApp.start(t, { listen: { host: '0.0.0.0' }, limits: { rates: 'off' } })
  const url = `http://${address}:${new URL(app.url).port}`
  await app.register('alice')
  await app.register('bob')
  await fetchFrom(app.broker, '/v1/rooms', { method: 'POST', as: 'alice', body: { room: 'tea' } })
  const context = await app.context()
  const enter = async (user: string): Promise<WebPage> => {
    const page = await context.newPage()
    await page.goto(`${url}/r/tea`)
    await page.getByText('will not remember your login').waitFor()
    await page.locator('input[name=username]').fill(user)
    await page.locator('input[name=password]').fill(passwordOf(user))
    await page.locator('button[type=submit]').click()
    await page.locator('.shell').waitFor()
    return new WebPage(page)
  }
  const alice = await enter('alice')
  const bob = await enter('bob')
  await bob.page.getByRole('button', { name: 'Join' }).click()
  await bob.send('hello from another tab')
  await alice.sees('hello from another tab')
  await alice.send('hello')
  await bob.sees('hello')
  t.equal(await bob.page.evaluate('isSecureContext'), false)
  t.equal(await bob.page.getByRole('button', { name: 'Logged in as bob' }).count(), 1)
  await bob.page.reload()
  await bob.page.getByLabel('Password').waitFor()
  await until('alice is still there', async () => (await alice.page.locator('.shell').count()) === 1)
})
