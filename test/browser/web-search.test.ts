/** Searching messages, mentions, saved messages and followed threads in the web app. */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp } from '../helpers/web-page.js'

t.test('what was said is found again', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  const bob = await app.client('bob')
  for (const room of ['tea', 'den']) await bob.ask.rooms.create({ room })
  const first = await bob.send('tea', 'Green <b>tea</b> is hot').sent
  for (let n = 0; n < 30; n++) await bob.send('tea', `cup of tea ${n}`).sent
  await bob.send('den', 'Ich trinke TÉA, 我喜欢北京的茶').sent
  await app.register('alice')
  for (const room of ['tea', 'den'])
    await fetchFrom(app.broker, `/v1/rooms/${room}/join`, { method: 'POST', as: 'alice', body: {} })
  const alice = await app.enter('alice', '/r/tea', { viewport: { width: 1280, height: 800 } })
  const { page } = alice
  await alice.composer.waitFor()
  const panel = page.getByRole('complementary', { name: 'Search messages' })
  const field = panel.getByRole('searchbox', { name: 'Words in messages' })
  const found = panel.locator('.found')
  const marks = () => panel.locator('mark').allInnerTexts()

  await t.test('by the words, which are marked; more of it when it is asked for', async (t) => {
    await page.getByRole('button', { name: 'Search messages' }).click()
    await panel.getByText('Search your messages').waitFor()
    t.same(await findingsOf(alice), [], 'nothing searched yet')
    await field.fill('tea')
    await panel.getByText('The newest 20 messages').waitFor()
    t.same(await findingsOf(alice), [], 'what is found')
    await panel.getByRole('button', { name: 'More' }).click()
    await panel.getByText('32 messages', { exact: true }).waitFor()
    t.equal(await found.count(), 32)
    t.same(new Set(await marks()), new Set(['tea', 'TÉA']))
    t.match(await found.last().innerText(), /Green <b>tea<\/b> is hot/, 'what people write is no markup')
  })

  await t.test('in scripts without spaces, phrases, beginnings; and what is not found is said', async (t) => {
    await field.fill('北京')
    await panel.getByText('1 message', { exact: true }).waitFor()
    await until('the characters are marked', async () => (await marks()).join() === '北京')
    await field.fill('"is hot" gre*')
    await panel.getByText('1 message', { exact: true }).waitFor()
    await until('what fits is marked', async () => (await marks()).join() === 'Gre,is hot')
    await field.fill('coffee')
    await panel.getByRole('heading', { name: 'No message has all of these words' }).waitFor()
    t.same(await findingsOf(alice), [], 'nothing found')
    await field.fill('a b c d e f g h i j k l m n o p q r')
    await panel.getByText('A search takes up to 16 words').waitFor()
  })

  await t.test('in one room, of one person, of some days', async (t) => {
    await field.fill('tea')
    await panel.getByText('Filters', { exact: true }).click()
    await panel.getByLabel('In', { exact: true }).selectOption('den')
    await panel.getByText('1 message', { exact: true }).waitFor()
    await panel.getByLabel('From', { exact: true }).fill('@alice')
    await panel.getByRole('heading', { name: 'No message' }).waitFor()
    await panel.getByLabel('From', { exact: true }).fill('bob')
    await panel.getByText('1 message', { exact: true }).waitFor()
    await panel.getByLabel('To day').fill('2020-01-01')
    await panel.getByRole('heading', { name: 'No message' }).waitFor()
    t.same(await findingsOf(alice), [], 'the filters')
    await panel.getByRole('button', { name: 'Clear filters' }).click()
    await panel.getByText('The newest 20 messages').waitFor()
  })

  await t.test('a message that is found is shown in its room, and the panel stays', async (t) => {
    await field.fill('green')
    await panel.locator('mark', { hasText: 'Green' }).waitFor()
    await found.first().getByRole('link').click()
    await page.locator(`.message[data-seq="${first.seq}"]`).waitFor()
    t.equal(new URL(page.url()).pathname, `/r/tea/${first.seq}`)
    t.equal(await field.inputValue(), 'green')
    await page.reload()
    await panel.locator('mark').waitFor()
    t.equal(await field.inputValue(), 'green', 'a reload keeps what is searched')
    await page.keyboard.press('Escape')
    await panel.waitFor({ state: 'detached' })
  })

  await t.test('on a phone it lies over the room; back leads to what was found', async (t) => {
    await page.setViewportSize({ width: 360, height: 740 })
    await page.keyboard.press('Control+Shift+F')
    await field.fill('green')
    await panel.locator('mark', { hasText: 'Green' }).waitFor()
    await found.first().getByRole('link').click()
    await panel.waitFor({ state: 'detached' })
    await page.goBack()
    await panel.locator('mark').waitFor()
    t.equal(await field.inputValue(), 'green')
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360)
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  const open = async (item: RegExp): Promise<void> => {
    await page.getByRole('button', { name: 'Menu', exact: true }).click()
    await page.getByRole('menuitem', { name: item }).click()
  }

  await t.test('mentions come together, also one that comes while they are shown', async (t) => {
    await open(/^Mentions/)
    await page.getByText('Nobody has mentioned you yet').waitFor()
    t.same(await findingsOf(alice), [], 'no mentions')
    await bob.send('den', { text: '@alice come over', mentions: ['@alice'] }).sent
    const row = page.locator('.found', { hasText: 'come over' })
    await row.getByText('Not read yet').waitFor({ state: 'attached' })
    t.same(await findingsOf(alice), [], 'a mention')
    await page.getByRole('button', { name: 'Menu', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Mentions (1)' }).waitFor()
    await page.keyboard.press('Escape')
    await row.getByRole('link').click()
    await alice.sees('come over')
    await row.getByText('Not read yet').waitFor({ state: 'detached' })
  })

  await t.test('saved messages are listed, and saved no more when that is asked for', async (t) => {
    await open(/^Saved/)
    await page.getByText('You have saved nothing yet').waitFor()
    await page.evaluate('history.back()')
    await page.getByText('You have saved nothing yet').waitFor({ state: 'detached' })
    const save = { method: 'PUT', as: 'alice', body: { note: 'for later' } }
    t.equal((await fetchFrom(app.broker, `/v1/saved/tea/${first.seq}`, save)).status, 200)
    await open(/^Saved/)
    await page.locator('.found', { hasText: 'is hot' }).getByText('for later').waitFor()
    t.same(await findingsOf(alice), [], 'a saved message')

    const saved = page.locator('.found', { hasText: 'is hot' })
    const note = saved.getByRole('textbox', { name: 'Note' })
    const noteNow = async () => (await fetchFrom(app.broker, '/v1/saved', { as: 'alice' })).body.saved[0].note
    await saved.getByRole('button', { name: 'Change the note' }).click()
    t.equal(await note.inputValue(), 'for later')
    t.same(await findingsOf(alice), [], 'a note that is being changed')
    await note.press('Home')
    await page.keyboard.type('not now, ')
    await note.press('Escape')
    await saved.getByText('for later', { exact: true }).waitFor()
    t.equal(await noteNow(), 'for later', 'given up')
    // The button has the focus again.
    await saved.locator('button[aria-label="Change the note"]:focus').waitFor()
    await page.keyboard.press('Enter')
    await note.fill('  for <b>tomorrow</b> ')
    await note.press('Enter')
    await saved.getByText('for <b>tomorrow</b>', { exact: true }).waitFor()
    t.equal(await noteNow(), 'for <b>tomorrow</b>')
    await saved.getByRole('button', { name: 'Change the note' }).click()
    await note.fill('')
    await saved.getByRole('button', { name: 'Save', exact: true }).click()
    await saved.getByRole('button', { name: 'Add a note' }).waitFor()
    t.equal(await noteNow(), null)
    // Who has gone on before it is saved.
    await saved.getByRole('button', { name: 'Add a note' }).click()
    await note.fill('later still')
    await page.evaluate(`{
      document.querySelector('form.found-note').requestSubmit()
      document.querySelector('.composer textarea').focus()
    }`)
    await saved.getByText('later still', { exact: true }).waitFor()
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(() => setTimeout(done, 100))))')
    t.equal(await page.evaluate('document.activeElement.localName'), 'textarea', 'the focus stays there')
    await page.getByRole('button', { name: 'Remove from saved' }).click()
    await page.getByText('You have saved nothing yet').waitFor()
  })

  await t.test('threads that are followed say what is new in them', async (t) => {
    const follow = { method: 'PUT', as: 'alice', body: {} }
    await fetchFrom(app.broker, `/v1/rooms/tea/threads/${first.seq}/following`, follow)
    await bob.send('tea', { text: 'a reply', thread: first.seq }).sent
    await open(/^Followed/)
    await page.locator('.found', { hasText: 'is hot' }).getByText('1 new reply').waitFor()
    t.same(await findingsOf(alice), [], 'followed threads')
    const url = page.url()
    await page.locator('.found-link', { hasText: 'is hot' }).click()
    const thread = page.getByRole('complementary', { name: 'Thread' })
    await thread.locator('.message-text', { hasText: 'a reply' }).waitFor()
    t.match(page.url(), new RegExp(`/r/tea/${first.seq}$`), 'the message stands in its room')
    await page.goBack()
    await page.locator('.found', { hasText: 'is hot' }).waitFor()
    t.equal(page.url(), url, 'both are one step')
    await page.setViewportSize({ width: 600, height: 800 })
    await page.locator('.found-link', { hasText: 'is hot' }).click()
    await thread.locator('.message-text', { hasText: 'a reply' }).waitFor()
    await thread.getByRole('button', { name: 'Back' }).click()
    await page.locator('.found', { hasText: 'is hot' }).waitFor()
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  t.same(app.troubles, [])
})
