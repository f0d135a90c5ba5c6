/** Messages that are pinned, forwarded, saved and reported, from their menu. */
import t from 'tap'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp } from '../helpers/web-page.js'

t.test('what others are to see, or oneself later', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  const bob = await app.client('bob')
  const phone = await app.client('alice')
  for (const room of ['tea', 'pot']) {
    await bob.ask.rooms.create({ room })
    await phone.ask.rooms.join({ room })
  }
  await bob.ask.rooms.setRole({ room: 'tea', user: 'alice', role: 'moderator' })
  for (let n = 1; n <= 80; n++) await bob.ask.send({ room: 'tea', text: `message ${n}.` })
  await phone.ask.read({ room: 'tea', seq: 80 })
  const alice = await app.enter('alice', '/r/tea')
  const { page } = alice
  await alice.sees('message 80.')
  const row = (text: string) => page.locator('.message', { hasText: text })
  const choose = async (text: string, item: string): Promise<void> => {
    await row(text).first().hover()
    await row(text).first().getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: item, exact: true }).click()
  }

  await t.test('what is pinned stands above the messages, and leads there', async (t) => {
    await choose('message 78.', 'Pin')
    const line = page.getByRole('button', { name: 'Pinned message: message 78.' })
    await line.waitFor()
    await bob.room('tea').pin(3).sent
    await page.reload()
    await line.waitFor()
    await page.getByRole('button', { name: 'All 2 pinned messages' }).click()
    await page
      .locator('.panel')
      .getByRole('link', { name: /message 3\./ })
      .click()
    await page.locator('[data-asked]', { hasText: 'message 3.' }).waitFor()
    t.same(await findingsOf(alice), [])
    await choose('message 3.', 'Unpin')
    await page.getByRole('button', { name: '1 pinned message', exact: true }).waitFor()
  })

  await t.test('a message is forwarded with a comment', async (t) => {
    await page.goto(`${app.url}/r/tea`)
    await alice.sees('message 80.')
    await choose('message 80.', 'Forward')
    await page.getByLabel('Search your conversations').fill('po')
    await page.getByRole('checkbox', { name: 'pot' }).check()
    t.same(await findingsOf(alice), [])
    await page.getByLabel('Comment').fill('look')
    const forward = page.getByRole('button', { name: 'Forward to 1' })
    const [dialog, button] = [await page.getByRole('dialog').boundingBox(), await forward.boundingBox()]
    t.ok(button!.y + button!.height <= dialog!.y + dialog!.height, 'the button is in sight')
    await forward.click()
    await until('both are there', async () => {
      const { messages } = await bob.ask.history({ room: 'pot', view: 'folded' })
      return messages.map((one) => ('gone' in one ? '' : one.text)).join() === 'message 80.,look'
    })
  })

  await t.test('one is saved, and one is reported', async (t) => {
    await choose('message 77.', 'Save for later')
    await page.getByText('it is in your saved messages').first().waitFor()
    const { saved } = await phone.ask.saved.list({})
    t.same(
      saved.map(({ seq }) => seq),
      [77],
    )
    await choose('message 76.', 'Report')
    await page.getByRole('dialog').getByRole('button', { name: 'Send the report' }).click()
    await until(
      'moderators know of it',
      async () => (await phone.ask.reports.list({ room: 'tea' })).reports.length === 1,
    )
  })
  t.same(app.troubles, [])
})
