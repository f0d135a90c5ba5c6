/** What counts as read in the web app: what somebody has seen, and nothing that came while nobody could. */
import type { Page } from 'playwright-core'
import t from 'tap'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { until } from '../helpers/patience.js'
import { findingsOf, passwordOf, WebApp, WebPage } from '../helpers/web-page.js'

/** Whether the line above what was missed is on the screen. */
const isMarkShown = (page: Page): Promise<boolean> =>
  page.evaluate(`{
    const list = document.querySelector('.timeline').getBoundingClientRect()
    const mark = document.querySelector('.new-since')?.getBoundingClientRect()
    mark !== undefined && mark.top >= list.top && mark.bottom <= list.bottom
  }`)

/** Resolves when the app has looked, once more, whether somebody sees what is in the list as it is now. */
const LOOKED = `new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
  document.hasFocus = () => {
    delete document.hasFocus
    setTimeout(done)
    return document.hasFocus()
  }
  dispatchEvent(new Event('focus'))
})))`

t.test('reading', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  const bob = await app.client('bob')
  await bob.ask.rooms.create({ room: 'tea' })
  let head = 0
  const say = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) ({ seq: head } = await bob.ask.send({ room: 'tea', text: `message ${head + 1}` }))
  }
  await say(100)
  const proxy = await ByteProxy.start(t, () => Number(new URL(app.url).port))
  const url = `http://localhost:${proxy.port}`
  await app.register('alice')
  const page = await (await app.context()).newPage()
  const alice = new WebPage(page)
  await page.goto(`${url}/r/tea`)
  await page.locator('input[name=username]').fill('alice')
  await page.locator('input[name=password]').fill(passwordOf('alice'))
  await page.locator('button[type=submit]').click()
  const phone = await app.client('alice')
  /** As another device of alice is told. */
  const read = (): number => phone.rooms.current.find(({ room }) => room === 'tea')?.read ?? 0
  const readsAll = () => until('all of it is read', async () => read() === head)
  await page.getByRole('button', { name: 'Join' }).click()
  await alice.sees(`message ${head}`)
  await readsAll()

  const seesWhatWasMissed = async (before: number): Promise<void> => {
    await until('the mark is shown', () => isMarkShown(page))
    await alice.sees(`message ${before + 1}`)
    await until('what is on the screen is read', async () => read() > before)
    t.ok(read() < head, `read up to ${read()} of ${head}`)
    t.ok(await isMarkShown(page), 'the list has not moved')
    await page.getByRole('button', { name: /newest message|new messages? below/ }).click()
    await readsAll()
  }

  await t.test('after a reload it begins where the reader left off, however much was missed', async (t) => {
    const before = head
    await page.goto('about:blank')
    await say(180)
    await page.goto(`${url}/r/tea`)
    await page.locator('.jump').getByText('99+').waitFor()
    t.same(await findingsOf(alice), [])
    await seesWhatWasMissed(before)
  })

  await t.test('and so it does after a time without a connection', async () => {
    const before = head
    proxy.refuse()
    await page.locator('.banner').waitFor()
    await say(80)
    proxy.heal()
    // It may have a connection by itself before somebody could press it.
    await page.evaluate("document.querySelector('.banner button')?.click()")
    await seesWhatWasMissed(before)
  })

  await t.test('what was missed is fetched by the next connection, if this one ends before it was', async () => {
    const before = head
    await page.goto('about:blank')
    await say(80)
    let cuts = 0
    await page.routeWebSocket(/mqtt/, (socket) => {
      const server = socket.connectToServer()
      let isCut = false
      socket.onMessage((bytes) => {
        const isAsked = Buffer.from(bytes as Buffer).includes('requests/history')
        if (isAsked && cuts++ === 0) isCut = true
        if (isCut) void Promise.all([socket.close(), server.close()])
        else server.send(bytes)
      })
    })
    await page.goto(`${url}/r/tea`)
    await seesWhatWasMissed(before)
    t.ok(cuts > 1, 'it was asked for again')
    await page.unrouteAll()
  })

  await t.test('what is marked as unread stays so when the page is looked at again, until more comes', async (t) => {
    await phone.room('tea').markUnread(head - 1)
    const unread = page.getByRole('link', { name: /^tea/ }).getByText('2 unread messages')
    await unread.waitFor()
    await page.evaluate("dispatchEvent(new Event('focus'))")
    // Longer than it takes to have read.
    await page.evaluate('new Promise((done) => setTimeout(done, 700))')
    t.equal(await unread.count(), 1)
    await say(1)
    await readsAll()
  })

  await t.test('without a connection it begins with what the browser has, if that is not what is unread', async () => {
    await page.goto('about:blank')
    await say(200)
    await page.goto(url)
    await page.getByRole('link', { name: /^tea/ }).getByText('unread messages').waitFor()
    let isCut = true
    await page.routeWebSocket(/mqtt/, (socket) => void (isCut ? socket.close() : socket.connectToServer()))
    // Where there are no WebSockets it has other ways.
    await page.route(/\/v1\//, (route) => (isCut ? route.abort() : route.continue()))
    await page.goto(`${url}/r/tea`)
    await alice.sees(`message ${head}`)
    isCut = false
    await page.unrouteAll()
    await say(1)
    await alice.sees(`message ${head}`)
    phone.room('tea').read()
    await readsAll()
  })

  await t.test('the address of a reply in a thread shows what is beside it, which is read', async () => {
    await page.goto(url)
    const { seq } = await bob.ask.send({ room: 'tea', text: 'a reply', thread: head })
    head = seq
    await say(1)
    await page.goto(`${url}/r/tea/${seq}`)
    await alice.sees(`message ${head}`)
    await readsAll()
  })

  await t.test('the address of a message that is not there yet shows the newest ones, and follows', async () => {
    await page.goto(`${url}/r/tea/${head + 50}`)
    await alice.sees(`message ${head}`)
    // Else it may be there before it was looked for.
    await page.locator('.banner', { hasText: 'not here any more' }).waitFor()
    await say(60)
    await alice.sees(`message ${head}`)
    await readsAll()
  })
  /** What comes meanwhile is not read, though the app had every occasion to do so. */
  const readsNothing = async (): Promise<void> => {
    const counted = async () => Number(/^\((\d+)\)/.exec(await page.title())?.[1] ?? 0)
    const before = await counted()
    await say(1)
    await page.locator('.message', { hasText: `message ${head}` }).waitFor({ state: 'attached' })
    await until('it is counted', async () => (await counted()) === before + 1)
    await page.evaluate(LOOKED)
    await say(1)
    // Had it been read, it would not count any more when the next one comes.
    await until('both are counted', async () => (await counted()) === before + 2)
  }

  await t.test('what comes while a panel lies over the room is not read before that is closed', async () => {
    await page.setViewportSize({ width: 390, height: 740 })
    await page.goto(`${url}/r/tea`)
    await alice.sees(`message ${head}`)
    await readsAll()
    await page.locator('.room-title').click()
    const panel = page.getByRole('complementary')
    await panel.getByRole('heading', { name: 'About this room' }).waitFor()
    await readsNothing()
    await panel.getByRole('button', { name: 'Back' }).click()
    await readsAll()
  })

  await t.test('nor is what comes while a dialog does', async () => {
    await page.setViewportSize({ width: 1280, height: 720 })
    await page.keyboard.press('Control+k')
    await page.getByRole('dialog').waitFor()
    await readsNothing()
    await page.keyboard.press('Escape')
    await readsAll()
  })
  const others = app.troubles.filter((trouble) => !trouble.startsWith('WebSocket connection to'))
  t.same(others, [], 'no page has complained of more than the connection')
})
