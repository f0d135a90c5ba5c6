/** What two people do with messages in the web app: react, reply, talk in a thread, edit, delete. */
import type { Locator } from 'playwright-core'
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp, type WebPage } from '../helpers/web-page.js'

/** Ms for which a finger rests on a message until its menu opens. */
const LONG_PRESS = 500

/** The row of the message with this text, in the room. */
const rowOf = ({ page }: WebPage, text: string): Locator => page.locator('#room .message', { hasText: text }).first()

/** Chooses from the menu of a message, as a mouse does. */
async function choose(web: WebPage, text: string, item: string): Promise<void> {
  await rowOf(web, text).hover()
  await rowOf(web, text).getByRole('button', { name: 'More' }).click()
  await web.page.getByRole('menuitem', { name: item, exact: true }).click()
}

t.test('two people, and what they do with messages', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  const bob = await app.enter('bob')
  await fetchFrom(app.broker, '/v1/rooms', { method: 'POST', as: 'bob', body: { room: 'tea', name: 'Tea' } })
  const alice = await app.enter('alice', '/r/tea')
  await alice.page.getByRole('button', { name: 'Join' }).click()
  await bob.page.goto(`${app.url}/r/tea`)
  await bob.send('The kettle is on')
  await bob.send('Who brings milk?')
  await alice.sees('Who brings milk?')

  await t.test('a reaction is one tap, shown to the other, and taken back by another tap', async (t) => {
    const row = rowOf(alice, 'The kettle')
    await row.hover()
    await row.getByRole('button', { name: 'React', exact: true }).click()
    await alice.page.getByRole('menu', { name: 'React' }).waitFor()
    t.same(await findingsOf(alice), [], 'those that are given most')
    await alice.page.getByRole('menuitem', { name: 'React with 👍' }).click()
    const seen = rowOf(bob, 'The kettle').getByRole('button', { name: '👍, 1 person' })
    await seen.click()
    await row.getByRole('button', { name: '👍, 2 people' }).waitFor()
    t.equal(await seen.count(), 0)
    await row.getByRole('button', { name: 'Who?' }).click()
    const dialog = alice.page.getByRole('dialog', { name: 'Who reacted' })
    await dialog.getByText('bob').waitFor()
    t.same(await findingsOf(alice), [])
    await dialog.getByRole('button', { name: 'Close' }).click()
    await rowOf(bob, 'The kettle').getByRole('button', { name: '👍, 2 people' }).click()
    await row.getByRole('button', { name: '👍, 1 person' }).waitFor()
  })

  await t.test(
    'a reply shows what it answers, as that is now, and leads there; it is kept over a reload',
    async (t) => {
      await rowOf(alice, 'milk').hover()
      await rowOf(alice, 'milk').getByRole('button', { name: 'Reply', exact: true }).click()
      await alice.page.locator('.about', { hasText: 'Who brings milk?' }).waitFor()
      t.ok(await alice.page.evaluate(`document.activeElement.matches('.composer textarea')`), 'one writes on')
      const line = (await alice.page.locator('.about-text').boundingBox())!
      const cross = (await alice.page.locator('.about .button').boundingBox())!
      t.ok(cross.x >= line.x + line.width && cross.y < line.y + line.height, 'the cross stands beside the text')
      await alice.composer.fill('I do')
      t.same(await findingsOf(alice), [])
      await alice.page.reload()
      await alice.page.locator('.about', { hasText: 'Who brings milk?' }).waitFor()
      await alice.writes('I do')
      await alice.composer.press('Enter')
      const quote = rowOf(bob, 'I do').locator('.quote')
      await quote.filter({ hasText: 'Who brings milk?' }).waitFor()
      t.equal(await alice.page.locator('.about').count(), 0)
      await choose(bob, 'Who brings milk?', 'Edit')
      t.equal(await bob.composer.inputValue(), 'Who brings milk?')
      await bob.composer.fill('Who brings cream?')
      await bob.composer.press('Enter')
      await quote.filter({ hasText: 'Who brings cream?' }).waitFor()
      await rowOf(alice, 'I do').locator('.quote', { hasText: 'Who brings cream?' }).click()
      await until('the address names it', async () => /\/r\/tea\/\d+$/.test(alice.page.url()))
      await alice.page.goBack()
    },
  )

  await t.test('an emoji is put where the caret is, and one goes on writing behind it', async (t) => {
    await alice.composer.fill('tea time')
    for (let i = 0; i < 5; i++) await alice.composer.press('ArrowLeft')
    await alice.page.getByRole('button', { name: 'Emoji' }).click()
    await alice.page.getByPlaceholder('Search, in English').waitFor()
    t.same(await findingsOf(alice), [])
    await alice.page.getByPlaceholder('Search, in English').fill('thumbs')
    await alice.page.getByRole('button', { name: '👍 thumbs up' }).click()
    await until('it is there', async () => (await alice.composer.inputValue()) === 'tea👍 time')
    await alice.page.keyboard.type('!')
    t.equal(await alice.composer.inputValue(), 'tea👍! time')
    await alice.composer.fill('')
  })

  await t.test('an edit says that it was one, and what it was before', async (t) => {
    await rowOf(alice, 'Who brings cream?').getByText('edited').waitFor()
    await choose(alice, 'Who brings cream?', 'Earlier versions')
    const dialog = alice.page.getByRole('dialog', { name: 'Versions of this message' })
    await dialog.locator('.message-text').first().waitFor()
    t.same(await dialog.locator('.message-text').allInnerTexts(), ['Who brings cream?', 'Who brings milk?'])
    await alice.page.keyboard.press('Escape')
  })

  await t.test('Up in an empty composer edits the last own message; Escape gives back what was written', async (t) => {
    await bob.composer.fill('half a')
    await choose(bob, 'The kettle', 'Edit')
    await bob.composer.fill('The kettle is off')
    await bob.composer.press('Escape')
    t.equal(await bob.composer.inputValue(), 'half a')
    await bob.composer.fill('')
    await bob.composer.press('ArrowUp')
    t.equal(await bob.composer.inputValue(), 'Who brings cream?')
    await bob.composer.press('Escape')
    t.equal(await bob.composer.inputValue(), '')
    t.equal(await rowOf(bob, 'The kettle is on').count(), 1)
  })

  await t.test('what was changed and not sent is asked about before another message is chosen', async (t) => {
    await choose(bob, 'The kettle', 'Edit')
    await bob.composer.fill('The kettle is off')
    await choose(bob, 'Who brings cream?', 'Edit')
    const dialog = bob.page.getByRole('dialog', { name: 'Discard what you have changed?' })
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    t.equal(await bob.composer.inputValue(), 'The kettle is off')
    await rowOf(bob, 'Who brings cream?').hover()
    await rowOf(bob, 'Who brings cream?').getByRole('button', { name: 'Reply', exact: true }).click()
    await dialog.getByRole('button', { name: 'Discard' }).click()
    await bob.page.locator('.about', { hasText: 'Who brings cream?' }).waitFor()
    await bob.composer.press('Escape')
  })

  await t.test('who copies a message is told so', async (t) => {
    await bob.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await choose(bob, 'The kettle', 'Copy text')
    await bob.page.locator('.banner').getByText('Copied').waitFor()
    t.equal(await bob.page.evaluate('navigator.clipboard.readText()'), 'The kettle is on')
  })

  await t.test('a thread has its replies, a draft and an address of its own', async (t) => {
    await rowOf(alice, 'The kettle').hover()
    await rowOf(alice, 'The kettle').getByRole('button', { name: 'Reply in a thread' }).click()
    const panel = alice.page.getByRole('complementary', { name: 'Thread' })
    await panel.locator('.message-text', { hasText: 'The kettle is on' }).waitFor()
    await panel.locator('textarea').fill('not for the room')
    await alice.page.reload()
    await panel.locator('.message-text', { hasText: 'The kettle is on' }).waitFor()
    await alice.writes('not for the room', panel.locator('textarea'))
    t.equal(await alice.composer.first().inputValue(), '')
    await panel.locator('textarea').press('Enter')
    await panel.locator('.message-text', { hasText: 'not for the room' }).waitFor()
    t.equal(await rowOf(alice, 'not for the room').count(), 0)
    await rowOf(bob, 'The kettle')
      .getByRole('button', { name: /1 reply/ })
      .click()
    await bob.page.locator('.panel .message-text', { hasText: 'not for the room' }).waitFor()
    t.same(await findingsOf(bob), [])
    const seq = await bob.page.locator('.panel .message', { hasText: 'not for the room' }).getAttribute('data-seq')
    const answer = { text: 'quite so', thread: 1, replyTo: Number(seq) }
    await fetchFrom(app.broker, '/v1/rooms/tea/messages', { method: 'POST', as: 'bob', body: answer })
    await alice.page.locator('.panel').press('Escape')
    await panel.waitFor({ state: 'detached' })
    await alice.page.goto(`${app.url}/r/tea/${seq}`)
    const asked = panel.locator('.message[data-asked]', { hasText: 'not for the room' })
    await asked.waitFor()
    await asked.waitFor({ state: 'detached' })
    await panel.locator('.quote', { hasText: 'not for the room' }).click()
    await asked.waitFor()
    t.match(alice.page.url(), new RegExp(`/r/tea/${seq}$`), 'the room stays where it is')
    t.equal(await alice.page.locator('.banner').count(), 0, 'it is nowhere said to be gone')
    await bob.page.goBack()
  })

  await t.test('who answers has read what is on the screen, however short it was there', async (t) => {
    const ask = async (as: string, method: string, path: string, body?: object) =>
      (await fetchFrom(app.broker, `/v1/${path}`, { method, as, ...(body && { body }) })).body
    await ask('alice', 'POST', 'rooms', { room: 'sugar' })
    await ask('bob', 'POST', 'rooms/sugar/join')
    const { seq } = await ask('alice', 'POST', 'rooms/sugar/messages', { text: 'Who has the sugar?' })
    await ask('bob', 'PUT', `rooms/sugar/threads/${seq}/following`)
    await ask('alice', 'POST', 'rooms/sugar/messages', { text: 'Not me', thread: seq })
    const unread = async (): Promise<unknown> =>
      (await ask('bob', 'GET', 'threads')).threads.find((one: { room: string }) => one.room === 'sugar').unread
    t.equal(await unread(), 1)
    const page = await bob.page.context().newPage()
    // For that it is never there long enough.
    await page.addInitScript(`{
      const { setTimeout } = window
      window.setTimeout = (act, ms, ...rest) => setTimeout(act, ms === 500 ? 1_000_000 : ms, ...rest)
    }`)
    await page.goto(`${app.url}/r/sugar`)
    await page.getByRole('button', { name: /1 reply/ }).click()
    await page.locator('.panel .message-text', { hasText: 'Not me' }).waitFor()
    await page.locator('.panel textarea').fill('Me neither')
    await page.locator('.panel textarea').press('Enter')
    await page.locator('.panel .message-text', { hasText: 'Me neither' }).waitFor()
    await until('the thread is read', async () => (await unread()) === 0)
    await page.close()
  })

  await t.test('a thread is known to be followed, of however many', async () => {
    const ask = async (method: string, path: string, body?: object) =>
      (await fetchFrom(app.broker, `/v1/rooms${path}`, { method, as: 'bob', ...(body && { body }) })).body
    await ask('POST', '', { room: 'bread' })
    for (let n = 0; n < 101; n++) {
      const { seq } = await ask('POST', '/bread/messages', { text: `Loaf ${n}` })
      await ask('PUT', `/bread/threads/${seq}/following`)
    }
    const seq = await rowOf(bob, 'The kettle').getAttribute('data-seq')
    await ask('PUT', `/tea/threads/${seq}/following`)
    await rowOf(bob, 'The kettle')
      .getByRole('button', { name: /2 replies/ })
      .click()
    await bob.page.getByRole('button', { name: 'Stop following' }).waitFor()
    await bob.page.goBack()
  })

  await t.test('the threads of a room are listed page by page, and gone through with the arrow keys', async (t) => {
    const { page } = alice
    const ask = (path: string, body: object) =>
      fetchFrom(app.broker, `/v1/rooms${path}`, { method: 'POST', as: 'alice', body })
    await ask('', { room: 'jam', name: 'Jam' })
    for (let n = 1; n <= 21; n++) {
      const { seq } = (await ask('/jam/messages', { text: `Jar ${n}` })).body
      await ask('/jam/messages', { text: 'Full', thread: seq })
    }
    await page.goto(`${app.url}/r/jam`)
    await page.locator('#room').getByRole('button', { name: 'Menu of Jam' }).click()
    await page.getByRole('menuitem', { name: 'Threads' }).click()
    const list = page.getByRole('list', { name: 'Threads' })
    await list.getByRole('button', { name: 'Jar 21' }).waitFor()
    t.equal(await list.getByRole('listitem').count(), 20)
    t.same(await findingsOf(alice), [])
    await page.getByRole('complementary').getByRole('button', { name: 'More' }).click()
    await list.getByRole('button', { name: /Jar 1\D/ }).waitFor()
    t.equal(await list.locator('[tabindex="0"]').count(), 1, 'it is one stop of the Tab key')
    await list.getByRole('button', { name: 'Jar 21' }).focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    const thread = page.locator('.panel .message-text', { hasText: 'Jar 20' })
    await thread.waitFor()
    // Pressed again before the browser has gone back.
    const press = (name: string): string => `document.querySelector('.panel [aria-label=${name}]').click()`
    await page.evaluate(`${press('Back')}, ${press('Back')}`)
    await list.waitFor()
    await page.goForward()
    await thread.waitFor()
    t.same(await findingsOf(alice), [], 'a panel that was opened from another one')
    await page.evaluate(`${press('Close')}, ${press('Close')}`)
    await page.locator('.panel').waitFor({ state: 'detached' })
    t.equal(page.url(), `${app.url}/r/jam`)
    await page.goForward()
    await list.waitFor()
    t.equal(await page.locator('.panel').getByRole('button', { name: 'Back' }).isVisible(), false)
    await page.goForward()
    await thread.waitFor()
    await page.locator('.panel').getByRole('button', { name: 'Close' }).click()
    await page.locator('.panel').waitFor({ state: 'detached' })
  })

  await t.test('a message is deleted for everyone after a question; only own ones, except by moderators', async (t) => {
    await alice.page.goto(`${app.url}/r/tea`)
    await rowOf(alice, 'Who brings cream?').hover()
    await rowOf(alice, 'Who brings cream?').getByRole('button', { name: 'More' }).click()
    t.equal(await alice.page.getByRole('menuitem', { name: 'Delete' }).count(), 0)
    t.same(await findingsOf(alice), [])
    await alice.page.keyboard.press('Escape')
    await choose(bob, 'I do', 'Delete')
    await bob.page.getByRole('dialog', { name: 'Delete this message?' }).getByRole('button', { name: 'Delete' }).click()
    await alice.page.locator('.message.gone').waitFor()
    await choose(bob, 'Who brings cream?', 'Delete')
    await bob.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    t.equal(await rowOf(alice, 'Who brings cream?').count(), 1)
  })

  await t.test('all of it by keyboard', async () => {
    const row = rowOf(bob, 'Who brings cream?')
    await row.focus()
    await bob.page.keyboard.press('Enter')
    await bob.page.getByRole('menuitem', { name: 'React with 👍' }).focus()
    await bob.page.keyboard.press('Enter')
    await row.getByRole('button', { name: '👍, 1 person' }).waitFor()
    await bob.page.keyboard.press('Enter')
    await bob.page.getByRole('menuitem', { name: 'Reply', exact: true }).focus()
    await bob.page.keyboard.press('Enter')
    await bob.page.locator('.about').waitFor()
    await bob.page.keyboard.type('by keys')
    await bob.page.keyboard.press('Enter')
    await alice.sees('by keys')
  })

  await t.test('what the broker refuses is undone, and why is said beside the message', async () => {
    await fetchFrom(app.broker, '/v1/rooms/tea', { method: 'PATCH', as: 'bob', body: { write: 'moderators' } })
    await rowOf(alice, 'by keys').hover()
    await rowOf(alice, 'by keys').getByRole('button', { name: 'React', exact: true }).click()
    await alice.page.getByRole('menuitem', { name: 'Other reaction' }).click()
    await alice.page.getByPlaceholder('Search, in English').fill('slight')
    await alice.page.getByRole('button', { name: '🙂 slight smile' }).click()
    await rowOf(alice, 'by keys').getByText('Reaction not sent').waitFor()
    await rowOf(alice, 'by keys').getByRole('button', { name: 'Dismiss' }).click()
    await rowOf(alice, 'by keys').getByText('Reaction not sent').waitFor({ state: 'detached' })
  })
  t.same(app.troubles, [])
})

t.test('with a finger: a rest on a message opens its menu, a scroll does not', async (t) => {
  const app = await WebApp.start(t)
  const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }
  const alice = await app.enter('alice', '/', phone)
  await fetchFrom(app.broker, '/v1/rooms', { method: 'POST', as: 'alice', body: { room: 'tea', name: 'Tea' } })
  await alice.page.goto(`${app.url}/r/tea`)
  await alice.composer.fill('under the thumb')
  await alice.page.getByRole('button', { name: 'Send' }).click()
  await alice.allSent(1)
  const box = (await alice.page.locator('.message .bubble').boundingBox())!
  const finger = await alice.page.context().newCDPSession(alice.page)
  const at = { x: box.x + 20, y: box.y + 12 }
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: { x: number; y: number }[]) =>
    finger.send('Input.dispatchTouchEvent', { type, touchPoints: points })
  const rest = await alice.holdTimers(LONG_PRESS)
  await touch('touchStart', [at])
  await touch('touchMove', [{ x: at.x, y: at.y + 60 }])
  await rest.fire()
  await touch('touchEnd', [])
  t.equal(await alice.page.getByRole('menu').count(), 0)
  await touch('touchStart', [at])
  await rest.fire()
  await alice.page.getByRole('menu').waitFor()
  await rest.release()
  await touch('touchEnd', [])
  t.same(await findingsOf(alice), [])
  await alice.page.getByRole('menuitem', { name: 'React with 😂' }).click()
  await alice.page.getByRole('button', { name: '😂, 1 person' }).waitFor()
  t.same(app.troubles, [])
})
