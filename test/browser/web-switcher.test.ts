/** Going from room to room by keyboard in the web app. */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp } from '../helpers/web-page.js'

t.test('from room to room by keyboard', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  await Promise.all(['alice', 'zoe', 'bob'].map((user) => app.register(user)))
  const ask = (as: string, method: string, path: string, body: object) =>
    fetchFrom(app.broker, path, { method, as, body })
  for (const [room, name] of [
    ['tea', 'Green tea'],
    ['den', '北京茶馆'],
    ['ops', 'Operations'],
  ]) {
    await ask('bob', 'POST', '/v1/rooms', { room, name })
    await ask('alice', 'POST', `/v1/rooms/${room}/join`, {})
    await ask('bob', 'POST', `/v1/rooms/${room}/messages`, { text: `hello ${room}` })
  }
  const alice = await app.enter('alice', '/', { viewport: { width: 1280, height: 800 } })
  const { page } = alice
  await page.locator('.room-row').nth(2).waitFor()
  const switcher = page.getByRole('dialog', { name: 'Go to' })
  const options = () => switcher.getByRole('option').locator('.result-title').allInnerTexts()
  const search = async (text: string): Promise<void> => {
    await page.keyboard.press('Control+k')
    await switcher.getByRole('combobox').fill(text)
  }

  await t.test('the switcher begins with what was active last, and goes where Enter says', async (t) => {
    await page.keyboard.press('Control+k')
    await switcher.waitFor()
    t.same(await options(), ['Operations', '北京茶馆', 'Green tea'])
    t.same(await findingsOf(alice), [], 'the switcher')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowUp')
    t.match(await switcher.locator('[aria-selected=true]').innerText(), /Green tea/)
    await page.keyboard.press('Enter')
    await until('the room is shown', async () => (await alice.path()) === '/r/tea')
    t.equal(await switcher.count(), 0)
  })

  await t.test('a beginning, first letters, a wrong letter, and any script will do', async (t) => {
    for (const [typed, expected] of [
      ['opr', []],
      ['oper', ['Operations']],
      ['opreations', ['Operations']],
      ['oparat', ['Operations']],
      ['gt', ['Green tea']],
      ['京茶', ['北京茶馆']],
    ] as const) {
      await search(typed)
      t.same(await options(), expected, typed)
      await page.keyboard.press('Escape')
      await page.locator('dialog').waitFor({ state: 'detached' })
    }
    await search('zoe')
    await switcher.getByRole('option', { name: /zoe/ }).click()
    await until('the conversation is shown', async () => (await alice.path()) === '/u/zoe')
  })

  await t.test('Alt and the arrow keys go through the list, with Shift to what is unread', async (t) => {
    await page.keyboard.press('Alt+ArrowDown')
    const shown = await alice.path()
    await page.keyboard.press('Alt+ArrowDown')
    t.not(await alice.path(), shown)
    await page.keyboard.press('Alt+ArrowUp')
    t.equal(await alice.path(), shown)
    await page.goto(`${app.url}/r/ops`)
    const unread = page.locator('.room-row.unread')
    await until(
      'the open room is read',
      async () => (await page.locator('.room-row.unread[href="/r/ops"]').count()) === 0,
    )
    await ask('bob', 'POST', '/v1/rooms/den/messages', { text: 'news' })
    await page.locator('.room-row.unread[href="/r/den"]').waitFor()
    await page.keyboard.press('Alt+Shift+ArrowDown')
    t.not(await alice.path(), '/r/ops')
    t.ok(await unread.count())
  })

  await t.test('Escape marks as read what was not looked at', async () => {
    await page.goto(`${app.url}/r/tea`)
    await alice.composer.waitFor()
    await page.evaluate("document.querySelector('.composer textarea').focus()")
    for (let n = 0; n < 60; n++) await ask('bob', 'POST', '/v1/rooms/tea/messages', { text: `line ${n}` })
    await page.locator('.room-row[href="/r/tea"]', { hasText: 'line 59' }).waitFor()
    await page.locator('.timeline').evaluate('(list) => list.scrollTo(0, 0)')
    await page.keyboard.press('Escape')
    await page.locator('.room-row.unread[href="/r/tea"]').waitFor({ state: 'detached' })
  })

  await t.test('a question mark shows the keys, but not where one writes', async (t) => {
    await alice.composer.press('?')
    t.equal(await alice.composer.inputValue(), '?')
    await page.locator('.room-row').first().focus()
    await page.keyboard.press('?')
    const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    await dialog.getByText('Search messages').waitFor()
    t.same(await findingsOf(alice), [], 'the shortcuts')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  })

  t.same(app.troubles, [])
})
