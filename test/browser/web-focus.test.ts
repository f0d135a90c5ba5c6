/** Where the focus is, in the web app, when the button or the row that had it can do nothing more, or goes. */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp } from '../helpers/web-page.js'

/** Messages of a page of the saved ones, as the broker gives them. */
const PAGE = 50
const SAVED = 2 * PAGE + 5

/** That of the text of the button, and that of what the system has disabled. */
const COLORS = `(() => {
  const colorOf = (element) => getComputedStyle(element).color
  const gray = document.body.appendChild(document.createElement('span'))
  gray.style.color = 'GrayText'
  return [colorOf(document.activeElement), colorOf(gray)]
})()`

t.test('the focus', async (t) => {
  const app = await WebApp.start(t)
  const alice = await app.enter('alice')
  const { page } = alice
  const put = async (method: string, path: string, body: object): Promise<void> => {
    const answer = await fetchFrom(app.broker, `/v1${path}`, { method, as: 'alice', body })
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`)
  }
  await put('POST', '/rooms', { room: 'tea', name: 'Tea' })
  for (let seq = 1; seq <= SAVED; seq++) {
    await put('POST', '/rooms/tea/messages', { text: `said ${seq}` })
    await put('PUT', `/saved/tea/${seq}`, {})
  }
  const panel = page.getByRole('complementary')
  const rows = panel.getByRole('listitem')
  const openSaved = async (): Promise<void> => {
    await page.goto(`${app.url}/r/tea`)
    await page.getByRole('button', { name: 'Menu', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Saved messages' }).click()
    await rows.nth(PAGE - 1).waitFor()
  }
  const focused = (): Promise<string> => page.evaluate('document.activeElement.textContent')
  const focusIs = (what: string, is: RegExp): Promise<void> => until(what, async () => is.test(await focused()))
  const closesByKey = async (): Promise<void> => {
    await page.keyboard.press('Escape')
    await panel.waitFor({ state: 'detached' })
  }

  await t.test('goes to the first row of the next page of a list, and Escape closes the panel meanwhile', async (t) => {
    await openSaved()
    for (const have of [PAGE, 2 * PAGE]) {
      await panel.getByRole('button', { name: 'More' }).focus()
      await page.keyboard.press('Enter')
      await focusIs('the first new row', new RegExp(`said ${SAVED - have}$`))
    }
    t.equal(await rows.count(), SAVED)
    t.equal(await panel.getByRole('button', { name: 'More' }).count(), 0, 'the end')
    t.same(await findingsOf(alice), [])
    await closesByKey()
    await openSaved()
    await panel.getByRole('button', { name: 'More' }).focus()
    await page.keyboard.press('Enter')
    await closesByKey()
  })

  await t.test('stays in a list from which its row goes', async (t) => {
    await openSaved()
    const remove = rows.nth(1).getByRole('button', { name: 'Remove from saved messages' })
    await remove.focus()
    await page.keyboard.press('Enter')
    await focusIs('the row that has its place', new RegExp(`said ${SAVED - 2}$`))
    t.equal(await rows.count(), PAGE - 1)
    await closesByKey()
  })

  await t.test('goes from a file that is taken out to the next one, and from the last one to the text', async (t) => {
    const files = ['one.txt', 'two.txt'].map((name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(name) }))
    await page.locator('input[type=file]').setInputFiles(files)
    for (const name of ['one.txt', 'two.txt']) {
      await page.getByRole('button', { name: `Remove ${name}` }).focus()
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: `Remove ${name}` }).waitFor({ state: 'detached' })
      if (name === 'one.txt') t.equal(await page.evaluate(`document.activeElement.closest('li') !== null`), true)
    }
    t.equal(await page.evaluate(`document.activeElement.tagName`), 'TEXTAREA')
  })

  await t.test('goes from the button that saves a setting to its field', async (t) => {
    await page.locator('.room-title').click()
    await panel.getByRole('button', { name: 'Settings' }).click()
    await panel.getByLabel('What it is about').fill('Kettles')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await panel.getByRole('button', { name: 'Save: What it is about' }).waitFor({ state: 'detached' })
    await until('the field', () => page.evaluate(`document.activeElement.value === 'Kettles'`))
    await page.keyboard.press('Escape')
    await panel.getByRole('heading', { name: 'About this room' }).waitFor()
    t.pass('Escape leads back')
  })

  await t.test('stays at a button that is answered, and at one that can do nothing then', async (t) => {
    await page.goto(`${app.url}/settings/people`)
    await app.register('bob')
    const name = page.getByLabel('User name')
    await name.fill('bob')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: /^Unblock/ }).waitFor()
    await until('the field is empty', async () => (await name.inputValue()) === '')
    t.match(await focused(), /Block/)
    t.equal(await page.evaluate(`document.activeElement.getAttribute('aria-disabled')`), 'true')
    await page.keyboard.press('Enter')
    t.equal(await page.getByRole('button', { name: /^Unblock/ }).count(), 1)
    t.equal(await page.getByRole('alert').count(), 0, 'nothing was sent')
    await page.emulateMedia({ forcedColors: 'active' })
    const [shown, gray] = (await page.evaluate(COLORS)) as [string, string]
    t.equal(shown, gray, 'with the colours of the system it is seen, too')
  })
})
