/** The web app by keyboard alone, with input methods, and for screen readers. */
import t from 'tap'
import { findingsOf, passwordOf, WebApp, WebPage } from '../helpers/web-page.js'

/** Ms for which messages are gathered before they are said. */
const GATHER = 1000

t.test('by keyboard', async (t) => {
  const app = await WebApp.start(t)
  const bob = await app.client('bob')
  await bob.ask.rooms.create({ room: 'tea' })
  for (const n of [1, 2, 3]) await bob.send('tea', `said ${n}`).sent
  const page = await (await app.context()).newPage()
  const alice = new WebPage(page)
  const focused = (): Promise<string> =>
    page.evaluate(`document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent`)
  /** Presses Tab until this has the focus. */
  const tabTo = async (name: RegExp): Promise<void> => {
    for (let presses = 0; presses < 30; presses++) {
      if (name.test(await focused())) return
      await page.keyboard.press('Tab')
    }
    throw new Error(`Tab does not lead to ${name}, but to ${await focused()}`)
  }

  await t.test('one registers, finds a room, joins and writes', async (t) => {
    await page.goto(`${app.url}/register`)
    await page.getByLabel('User name').focus()
    await page.keyboard.type('alice')
    await page.keyboard.press('Tab')
    await page.keyboard.type(passwordOf('alice'))
    t.same(await findingsOf(alice), [], 'the page of registration')
    await page.keyboard.press('Enter')
    await page.getByText('Nothing here yet').waitFor()
    await page.keyboard.press('Tab')
    t.equal(await focused(), 'Skip to the conversation')
    await tabTo(/^Find a room/)
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: /tea/ }).waitFor()
    t.equal(await page.evaluate('document.activeElement.type'), 'search', 'the dialog begins at its field')
    t.same(await findingsOf(alice), [], 'the dialog')
    await tabTo(/tea/)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Join' }).waitFor()
    t.same(await findingsOf(alice), [], 'a room one is not in')
    await tabTo(/^Join$/)
    await page.keyboard.press('Enter')
    await alice.sees('said 3')
    t.match(await focused(), /^Message to tea/, 'who joins may write at once')
    await page.keyboard.type('hello')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('all')
    await page.keyboard.press('Enter')
    await alice.allSent(1)
    t.same(await alice.texts(), ['said 1', 'said 2', 'said 3', 'hello\nall'])
    t.same(await findingsOf(alice), [], 'a room')
  })

  await t.test('the messages are one stop, in which the arrow keys move', async (t) => {
    // What is beside the field comes before it.
    for (let presses = 0; presses < 30 && !/hello/.test(await focused()); presses++)
      await page.keyboard.press('Shift+Tab')
    t.match(await focused(), /hello/)
    await page.keyboard.press('ArrowUp')
    t.match(await focused(), /said 3/)
    await page.keyboard.press('Home')
    t.match(await focused(), /said 1/)
    await page.keyboard.press('End')
    t.match(await focused(), /hello/)
    t.equal(await page.locator('.timeline [data-entry][tabindex="0"]').count(), 1)
  })

  await t.test('Escape closes a dialog, and the focus is back where it was', async (t) => {
    await page.getByRole('button', { name: 'New', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('End')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'New room' }).waitFor()
    t.same(await findingsOf(alice), [], 'the dialog of a new room')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    t.equal(await focused(), 'New')
  })

  await t.test('Enter does not send what an input method is composing', async (t) => {
    await alice.composer.focus()
    const session = await page.context().newCDPSession(page)
    await session.send('Input.imeSetComposition', { text: 'にほ', selectionStart: 2, selectionEnd: 2 })
    const enter = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13 }
    await session.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...enter })
    await session.send('Input.dispatchKeyEvent', { type: 'keyUp', ...enter })
    t.equal((await alice.texts()).length, 4)
    await session.send('Input.insertText', { text: '日本' })
    // Some say it by the code of the key alone.
    await session.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', key: 'Enter', windowsVirtualKeyCode: 229 })
    t.equal((await alice.texts()).length, 4)
    t.equal(await alice.composer.inputValue(), '日本')
    await page.keyboard.press('Enter')
    await alice.sees('日本')
  })

  await t.test('what others write is said in a place of its own, and the list is not live', async (t) => {
    await bob.send('tea', 'is it said?').sent
    await page.getByRole('status').getByText('bob: is it said?').waitFor({ state: 'attached' })
    t.equal(await page.getByRole('log').getAttribute('aria-live'), 'off')
    const gathering = await alice.holdTimers(GATHER)
    for (const n of [1, 2, 3]) await bob.send('tea', `many ${n}`).sent
    await alice.sees('many 3')
    await alice.settled()
    await gathering.fire()
    await page.getByRole('status').getByText('3 new messages', { exact: true }).waitFor({ state: 'attached' })
    await gathering.release()
  })

  await t.test('nothing is found on the pages in Arabic, in the dark, on a phone', async (t) => {
    await page.getByRole('button', { name: 'Logged in as alice' }).click()
    await page.getByLabel('Appearance').selectOption('dark')
    await page.getByLabel('Language').selectOption('ar')
    await page.locator('html[dir=rtl][lang=ar]').waitFor()
    t.same(await findingsOf(alice), [], 'the account')
    await page.keyboard.press('Escape')
    t.same(await findingsOf(alice), [], 'a room')
    await page.setViewportSize({ width: 360, height: 740 })
    t.same(await findingsOf(alice), [], 'a room on a phone')
    await page.goto(app.url)
    await page.locator('.room-row').first().waitFor()
    t.same(await findingsOf(alice), [], 'the list on a phone')
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360, 'nothing is wider than the screen')
  })
  t.same(app.troubles, [])
})
