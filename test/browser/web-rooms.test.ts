/** The list of rooms in the web app, and the menu of each: by mouse, by touch and by keyboard. */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { findingsOf, WebApp } from '../helpers/web-page.js'

t.test('the list of rooms', async (t) => {
  const app = await WebApp.start(t)
  const ask = (as: string, method: string, path: string, body: object = {}) =>
    fetchFrom(app.broker, `/v1${path}`, { method, as, body })
  await app.register('bob')
  const alice = await app.enter('alice')
  const { page } = alice
  const row = (room: string) => page.locator(`[data-room="${room}"] .room-row`)
  const names = (): Promise<string[]> => page.locator('.room-row-title .line').allInnerTexts()
  const choose = (name: string | RegExp) => page.getByRole('menuitem', { name }).click()
  const filter = (name: string) => page.getByRole('radio', { name }).check()
  for (const room of ['tea', 'milk']) {
    await ask('bob', 'POST', '/rooms', { room })
    await ask('alice', 'POST', `/rooms/${room}/join`)
    await ask('bob', 'POST', `/rooms/${room}/messages`, { text: `of ${room}` })
  }
  await ask('bob', 'POST', '/rooms/@alice/messages', { text: 'hello' })
  await row('dm:alice:bob').waitFor()
  await row('milk').getByText('of milk').waitFor()

  await t.test('shows what is unread, people, or rooms', async (t) => {
    t.same(await names(), ['bob', 'milk', 'tea'])
    t.same(await findingsOf(alice), [])
    await filter('People')
    t.same(await names(), ['bob'])
    await filter('Rooms')
    t.same(await names(), ['milk', 'tea'])
    await filter('Unread')
    t.same(await names(), ['bob', 'milk', 'tea'])
  })

  await t.test('the right button opens the menu of a room, which marks it as read', async (t) => {
    await row('milk').click({ button: 'right' })
    await page.getByRole('menu').waitFor()
    t.same(await findingsOf(alice), [], 'the menu')
    t.equal(await page.locator('.menu-item').count(), await page.locator('.menu-item > .icon').count())
    await choose('Mark as read')
    await row('milk').waitFor({ state: 'detached' })
    await filter('All')
    await row('milk').waitFor()
  })

  await t.test('the menu key opens it, too, and the focus is back in the row', async (t) => {
    await row('tea').focus()
    await page.keyboard.press('Shift+F10')
    await page.getByRole('menuitem', { name: 'Keep at the top' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('menu').waitFor({ state: 'detached' })
    t.match(await page.evaluate('document.activeElement.textContent'), /tea/)
    await page.keyboard.press('Shift+F10')
    await choose('Keep at the top')
    await row('tea').getByText('at the top').waitFor({ state: 'attached' })
    // Not while the pointer is over the list.
    await page.mouse.move(900, 300)
    await page.locator('.room-list > li').first().filter({ hasText: 'tea' }).waitFor()
  })

  await t.test('its button mutes it', async () => {
    await row('milk').hover()
    await page.getByRole('button', { name: 'Menu of milk' }).click()
    await choose('Mute: 1 hour')
    await row('milk').getByText('muted').waitFor({ state: 'attached' })
  })

  await t.test('what is hidden is found among the hidden, and shown again', async (t) => {
    await row('milk').click({ button: 'right' })
    await choose('Hide')
    await row('milk').waitFor({ state: 'detached' })
    await filter('Hidden')
    t.same(await names(), ['milk'])
    await row('milk').click({ button: 'right' })
    await choose('Do not hide')
    await page.getByText('None of these').waitFor()
    await filter('All')
    await row('milk').waitFor()
  })

  await t.test('the menu of the header marks the room as unread, and leaves it', async (t) => {
    await row('tea').click()
    await alice.sees('of tea')
    await row('tea').getByText('unread message').waitFor({ state: 'detached' })
    await page.locator('.room-header').getByRole('button', { name: 'Menu of tea' }).click()
    await page.getByRole('menuitem', { name: 'Mark as unread' }).waitFor()
    t.equal(await page.locator('.menu-item').count(), await page.locator('.menu-item > .icon').count())
    t.match(await page.locator('.menu-item.apart').allInnerTexts(), ['Mark as unread'])
    await choose('Mark as unread')
    await row('tea')
      .getByText(/unread/)
      .waitFor({ state: 'attached' })
    t.equal(new URL(page.url()).pathname, '/')
    await row('tea').click()
    await page.locator('.room-header').getByRole('button', { name: 'Menu of tea' }).click()
    await choose('Leave the room')
    t.same(await findingsOf(alice), [], 'the question')
    await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click()
    await row('tea').waitFor({ state: 'detached' })
  })

  await t.test('who leaves another room stays where they are', async (t) => {
    await row('dm:alice:bob').click()
    await alice.sees('hello')
    await ask('alice', 'POST', '/rooms', { room: 'sugar' })
    await row('sugar').click({ button: 'right' })
    await choose('Leave the room')
    await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click()
    await row('sugar').waitFor({ state: 'detached' })
    t.equal(new URL(page.url()).pathname, '/u/bob')
  })

  await t.test('a long press opens it on a phone, and follows nothing', async (t) => {
    const phone = await page.context().newPage()
    await phone.setViewportSize({ width: 360, height: 740 })
    await phone.goto(app.url)
    const milk = phone.locator('[data-room=milk] .room-row')
    const { x, y } = (await milk.boundingBox())!
    const session = await phone.context().newCDPSession(phone)
    await session.send('Input.synthesizeTapGesture', {
      x: Math.round(x + 60),
      y: Math.round(y + 20),
      // Longer than the press has to be, also where the page is slow to notice that.
      duration: 2000,
      gestureSourceType: 'touch',
    })
    await phone.getByRole('menuitem', { name: 'Unmute' }).click()
    await milk.getByText('muted').waitFor({ state: 'detached' })
    t.equal(new URL(phone.url()).pathname, '/')
  })
  await t.test('that one is mentioned looks like a count, beside it', async (t) => {
    await ask('bob', 'POST', '/rooms', { room: 'coffee' })
    await ask('alice', 'POST', '/rooms/coffee/join')
    await ask('bob', 'POST', '/rooms/coffee/messages', { text: 'Is @alice there?', mentions: ['@alice'] })
    await row('coffee').getByText('1 mention').waitFor({ state: 'attached' })
    const looks = `(() => [...document.querySelectorAll('[data-room=coffee] .badge')].map((one) => {
      const { color, backgroundColor, borderRadius } = getComputedStyle(one)
      return [color, backgroundColor, borderRadius]
    }))()`
    const [mention, count] = await page.evaluate<string[][]>(looks)
    t.same(mention, count)
  })

  t.same(app.troubles, [])
})
