/** The timeline moves when the reader moves it, and by nothing else: measured in pixels. */
import type { Page } from 'playwright-core'
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp } from '../helpers/web-page.js'

/** Pixels from the top of the timeline to that of the message with this text. */
function topOf(page: Page, text: string): Promise<number> {
  return page.evaluate(`{
    const row = [...document.querySelectorAll('.message')].find((one) => one.querySelector('.message-text')?.textContent === '${text}')
    row ? row.getBoundingClientRect().top - document.querySelector('.timeline').getBoundingClientRect().top : NaN
  }`)
}

const scrollBy = (page: Page, pixels: number): Promise<unknown> =>
  page.evaluate(`document.querySelector('.timeline').scrollBy({ top: ${pixels}, behavior: 'instant' })`)

/** Pixels that are left below, in a frame that was painted. */
const below = (page: Page): Promise<number> =>
  page.evaluate(`new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
    const { scrollTop, scrollHeight, clientHeight } = document.querySelector('.timeline')
    done(scrollHeight - clientHeight - scrollTop)
  })))`)

/** The text of the message at the top of what is shown. */
const topText = (page: Page): Promise<string> =>
  page.evaluate(`{
    const top = document.querySelector('.timeline').getBoundingClientRect().top
    const row = [...document.querySelectorAll('.message')].find((one) => one.getBoundingClientRect().top >= top)
    row.querySelector('.message-text').textContent
  }`)

t.test('messages that come for the first time have their place, which moves nothing else', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  const bob = await app.client('bob')
  await bob.ask.rooms.create({ room: 'tea' })
  for (let n = 1; n <= 3; n++) await bob.ask.send({ room: 'tea', text: `message ${n}` })
  const alice = await app.enter('alice')
  const { page } = alice
  // Lines of what happened come after the messages.
  await page.evaluate("localStorage.setItem('topictalk:lines', 'off')")
  // The browser has nothing of the room.
  await page.goto('about:blank')
  await fetchFrom(app.broker, '/v1/rooms/tea/join', { method: 'POST', as: 'alice', body: {} })
  let release = () => {}
  const isReleased = new Promise<void>((resolve) => (release = resolve))
  await page.routeWebSocket(/mqtt/, (socket) => {
    const server = socket.connectToServer()
    let isHeld = false
    server.onMessage((bytes) => {
      isHeld ||= Buffer.from(bytes as Buffer).includes('message 3')
      if (isHeld) void isReleased.then(() => socket.send(bytes))
      else socket.send(bytes)
    })
  })
  await page.goto(`${app.url}/r/tea`)
  const skeleton = page.locator('.timeline-skeleton p')
  await skeleton.first().waitFor()
  const [appear] = (await page.evaluate(
    "document.querySelector('.timeline-skeleton').getAnimations().map(({ effect }) => effect.getTiming().delay)",
  )) as number[]
  t.equal(appear, 300, 'ms until it is seen')
  t.ok((await skeleton.count()) > 3)
  t.match(await page.locator('.timeline').getAttribute('aria-busy'), 'true')
  t.same(await findingsOf(alice), [])
  const boxes = () =>
    page.evaluate(
      `JSON.stringify(['.room-header', '.timeline', '.composer'].map((one) => document.querySelector(one).getBoundingClientRect()))`,
    )
  t.ok((await below(page)) <= 1, 'there is nothing to scroll')
  const before = await boxes()
  await page.evaluate(`{
    globalThis.shifts = []
    new PerformanceObserver((list) => shifts.push(...list.getEntries().map(({ value }) => value))).observe({ type: 'layout-shift' })
  }`)
  release()
  await alice.sees('message 3')
  await skeleton.first().waitFor({ state: 'detached' })
  t.equal(await boxes(), before, 'the header, the timeline and the composer stand where they stood')
  t.equal(await page.evaluate('shifts.reduce((sum, one) => sum + one, 0)'), 0, 'nothing was shifted')
  t.same(app.troubles, [])
})

t.test('a timeline of 400 messages', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  const bob = await app.client('bob')
  await bob.ask.rooms.create({ room: 'tea' })
  for (let n = 1; n <= 400; n++)
    await bob.ask.send({ room: 'tea', text: n % 7 ? `message ${n}` : `message ${n}, longer`.repeat(n % 5 || 1) })
  const alice = await app.enter('alice', '/r/tea')
  const { page } = alice
  await page.getByRole('button', { name: 'Join' }).click()
  await alice.sees('message 400')

  await t.test('it begins at the end, and follows', async () => {
    // Rows that came after the frame have their place with the next one.
    await until('it is at the end', async () => (await below(page)) <= 1)
    await bob.send('tea', 'while at the end').sent
    await alice.sees('while at the end')
    await until('it follows', async () => (await below(page)) <= 1)
  })

  await t.test('rows that are loaded above move nothing, all the way to the beginning', async (t) => {
    for (let rounds = 0; rounds < 60 && !(await page.locator('.beginning').isVisible()); rounds++) {
      await scrollBy(page, -700)
      const text = await topText(page)
      const before = await topOf(page, text)
      const rows = await page.locator('.message').count()
      // Whatever is loaded comes into this round, or the next.
      await page.evaluate('new Promise((done) => setTimeout(done, 120))')
      const moved = Math.abs((await topOf(page, text)) - before)
      if (moved > 1)
        t.fail(`${text} moved by ${moved} px, from ${rows} rows to ${await page.locator('.message').count()}`)
    }
    await alice.sees('message 1')
    t.ok((await page.locator('.message').count()) <= 480 + 10, 'the window is bounded')
  })

  await t.test('what comes while one reads moves nothing, and is counted', async (t) => {
    await scrollBy(page, 300)
    const text = await topText(page)
    const before = await topOf(page, text)
    for (const n of [1, 2, 3]) await bob.send('tea', `news ${n}`).sent
    await page.getByRole('button', { name: /newest message|new messages? below/ }).waitFor()
    t.equal(await topOf(page, text), before)
  })

  await t.test('an edit of a message above moves nothing', async (t) => {
    await scrollBy(page, 2000)
    const text = await topText(page)
    const before = await topOf(page, text)
    const shown: number = await page.evaluate(`{
      const top = document.querySelector('.timeline').getBoundingClientRect().top
      const above = [...document.querySelectorAll('.message')].filter((one) => one.getBoundingClientRect().bottom < top)
      Number(above.at(-1).dataset.seq)
    }`)
    await bob.room('tea').edit(shown, `edited ${'and much longer '.repeat(60)}`).sent
    await alice.sees('edited and much longer')
    t.ok(Math.abs((await topOf(page, text)) - before) <= 1, `moved by ${(await topOf(page, text)) - before} px`)
  })

  await t.test('one button leads back to the newest message', async () => {
    await page.getByRole('button', { name: /newest message|new messages? below/ }).click()
    await alice.sees('news 3')
    await until('it is at the end', async () => (await below(page)) <= 1)
  })

  await t.test('who scrolls to the end as the list changes stays there', async () => {
    await scrollBy(page, -300)
    await page.locator('.jump').waitFor()
    // In the midst of the change: the browser tells of the scrolling later.
    await page.evaluate(`{
      const { insertBefore } = Node.prototype
      const list = document.querySelector('.timeline')
      Node.prototype.insertBefore = function (node, before) {
        const inserted = insertBefore.call(this, node, before)
        if (node instanceof Element && node.matches('.reactions')) {
          Node.prototype.insertBefore = insertBefore
          list.scrollTop = list.scrollHeight
        }
        return inserted
      }
    }`)
    const shown: number = await page.evaluate(`{
      const top = document.querySelector('.timeline').getBoundingClientRect().top
      const row = [...document.querySelectorAll('.message')].find((one) => one.getBoundingClientRect().top >= top)
      Number(row.dataset.seq)
    }`)
    await bob.room('tea').react(shown, '👍').sent
    await page.locator('.reactions').waitFor({ state: 'attached' })
    await until('it is at the end', async () => (await below(page)) <= 1)
    await page.locator('.jump').waitFor({ state: 'detached' })
  })

  await t.test('what becomes higher above, as the reader scrolls, moves nothing else', async (t) => {
    await scrollBy(page, -300)
    await page.locator('.jump').waitFor()
    const text = await topText(page)
    const before = await topOf(page, text)
    await page.evaluate(`{
      const list = document.querySelector('.timeline')
      document.querySelector('.message').style.paddingTop = '100px'
      list.scrollTop -= 10
    }`)
    await below(page)
    t.ok(Math.abs((await topOf(page, text)) - before - 10) <= 1, `moved by ${(await topOf(page, text)) - before} px`)
    await page.locator('.jump').click()
    await until('it is at the end', async () => (await below(page)) <= 1)
    await page.evaluate("document.querySelector('.message').style.paddingTop = ''")
    await until('it is at the end', async () => (await below(page)) <= 1)
  })

  await t.test('a higher composer, or a lower window, leaves the end in sight', async () => {
    await alice.composer.fill('one\ntwo\nthree\nfour\nfive')
    await until('it is at the end', async () => (await below(page)) <= 1)
    await page.setViewportSize({ width: 700, height: 400 })
    await until('it is at the end', async () => (await below(page)) <= 1)
    await page.setViewportSize({ width: 1280, height: 720 })
    await alice.composer.fill('')
  })

  await t.test('what one sends oneself is shown, from wherever one is', async () => {
    await scrollBy(page, -3000)
    await alice.send('my own word')
    await alice.sees('my own word')
    await until('it is at the end', async () => (await below(page)) <= 1)
  })

  await t.test('a link to a message shows it in the middle, and the rest on both sides', async (t) => {
    await page.goto(`${app.url}/r/tea/200`)
    await alice.sees('message 200')
    const middle = await topOf(page, 'message 200')
    const height: number = await page.evaluate(`document.querySelector('.timeline').clientHeight`)
    t.ok(middle > height * 0.2 && middle < height * 0.8, `at ${middle} of ${height} px`)
    // Those that are far above may go as more come below.
    const last = async () => (await alice.texts()).at(-1)
    const lastBefore = await last()
    let text = ''
    let before = 0
    // A list that changes in the same frame may take the first step back.
    await until('more is loaded', async () => {
      if ((await last()) !== lastBefore) return true
      await scrollBy(page, 100_000)
      text = await topText(page)
      before = await topOf(page, text)
      return false
    })
    t.ok(Math.abs((await topOf(page, text)) - before) <= 1, 'the end of what was loaded stays where it was')
    await scrollBy(page, 4000)
    await alice.sees('message 240')
  })

  const toLatest = (): Promise<void> =>
    until('it is at the end', async () => {
      const left = await below(page)
      // With the frame that was painted it is known whether there is a button.
      const isOffered = await page.evaluate(`{
        const button = document.querySelector('.jump')
        button?.click()
        button !== null
      }`)
      return left <= 1 && !isOffered
    })

  await t.test('what was asked for stands out, and «back» leads to where one was', async () => {
    await bob.send('tea', `see ${app.url}/r/tea/20`).sent
    for (const n of [1, 2, 3, 4, 5]) await bob.send('tea', `below the link ${n}`).sent
    await toLatest()
    await alice.sees('below the link 5')
    await toLatest()
    const link = page.locator('.message-text a', { hasText: '/r/tea/20' })
    await scrollBy(page, -100)
    const text = await topText(page)
    const before = await topOf(page, text)
    await link.click()
    await page.locator('[data-asked]', { hasText: 'message 20' }).waitFor()
    await page.goBack()
    await until('the reader is where they were', async () => Math.abs((await topOf(page, text)) - before) <= 1)
    await page.goForward()
    await alice.sees('message 20')
  })

  await t.test('the same message can be asked for again', async () => {
    await scrollBy(page, 600)
    await page.locator('[data-asked]').waitFor({ state: 'detached' })
    await bob.send('tea', `once more ${app.url}/r/tea/20`).sent
    await toLatest()
    await page.locator('.message-text a', { hasText: '/r/tea/20' }).last().click()
    await page.locator('[data-asked]', { hasText: 'message 20' }).waitFor()
  })

  await t.test('what is answered, and not in sight, is shown as it is now', async () => {
    await toLatest()
    await bob.room('tea').reply(30, 'an answer').sent
    const quote = page.locator('.message', { hasText: 'an answer' }).locator('.quote')
    await quote.getByText('message 30').waitFor()
    await bob.room('tea').edit(30, 'another word').sent
    await quote.getByText('another word').waitFor()
    await bob.room('tea').remove(30).sent
    await quote.getByText('Message deleted').waitFor()
  })

  await t.test('a long message has its beginning, and the rest below it when it is asked for', async (t) => {
    await toLatest()
    await bob.send('tea', Array.from({ length: 60 }, (_, n) => `line ${n + 1}`).join('\n')).sent
    const row = page.locator('.message', { hasText: 'line 29' })
    await row.waitFor()
    await until('it is at the end', async () => (await below(page)) <= 1)
    t.notMatch(await row.innerText(), 'line 31')
    const before = (await row.boundingBox())!.y
    await row.getByRole('button', { name: 'Show all' }).click()
    await row.getByText('line 60').waitFor()
    t.ok(Math.abs((await row.boundingBox())!.y - before) <= 1, 'it stays where it was')
    await toLatest()
  })

  await t.test('of a message that is not there it is said, and of one that was deleted, in its place', async () => {
    await bob.room('tea').remove(25).sent
    await bob.send('tea', `${app.url}/r/tea/25 ${app.url}/r/tea/99999`).sent
    await toLatest()
    const links = page.locator('.message-text a', { hasText: /25$|99999$/ })
    await links.first().click()
    await page.locator('.gone[data-asked]').waitFor()
    await page.goBack()
    await links.last().click()
    await page.locator('.banner', { hasText: 'That message is not here' }).waitFor()
  })

  await t.test('a day leads to the calendar, and that to the first message of a day', async () => {
    await page.locator('.to-date').last().click()
    await page.locator('.date-picker').waitFor({ state: 'attached' })
    await page.evaluate("document.querySelector('.date-picker').dispatchEvent(new Event('change', { bubbles: true }))")
    await page.waitForURL('**/r/tea/1')
    await page.locator('[data-asked]', { hasText: 'message 1' }).waitFor()
  })
  t.same(app.troubles, [])
})
