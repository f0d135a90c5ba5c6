/** Rooms and their members in the web app: what each role sees and does, and what becomes of it for the others. */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp, type WebPage } from '../helpers/web-page.js'

/** A red dot. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==',
  'base64',
)

/** Before the server can have answered any of them. */
const DENY_ALL = `document.querySelectorAll('.panel option[value=deny]').forEach(({ parentElement: select }) => {
  select.value = 'deny'
  select.dispatchEvent(new Event('change', { bubbles: true }))
})`

t.test('a room and its members', async (t) => {
  const app = await WebApp.start(t)
  const status = async (as: string, method: string, path: string, body?: object): Promise<number> =>
    (await fetchFrom(app.broker, `/v1${path}`, { method, as, ...(body && { body }) })).status
  const say = (as: string, text: string): Promise<number> => status(as, 'POST', '/rooms/tea/messages', { text })
  const panelOf = ({ page }: WebPage) => page.getByRole('complementary')
  /** Shows a panel from the one about the room. */
  const open = async (who: WebPage, name: string | RegExp): Promise<void> => {
    if (!who.page.url().endsWith('/r/tea')) await who.page.goto(`${app.url}/r/tea`)
    await who.page.locator('.room-title').click()
    await panelOf(who).getByRole('heading', { name: 'About this room' }).waitFor()
    if (name !== '') await panelOf(who).getByRole('button', { name }).click()
  }
  for (const user of ['carol', 'dave']) await app.register(user)
  const alice = await app.enter('alice')
  const bob = await app.enter('bob')
  const { page } = alice
  const panel = panelOf(alice)
  const dialog = page.getByRole('dialog')
  await status('alice', 'POST', '/rooms', { room: 'tea', name: 'Tea time', topic: 'Kettles' })
  for (const user of ['bob', 'carol', 'dave']) await status(user, 'POST', '/rooms/tea/join')

  await t.test('the title of a room opens what it is, and the way to its members', async (t) => {
    await open(alice, '')
    await panel.getByText('Kettles').waitFor()
    await panel.getByText('4 members').waitFor()
    await panel.getByText('Who may do what').click()
    t.same(await findingsOf(alice), [], 'about the room')
    await panel.getByRole('button', { name: /^Members/ }).click()
    await panel.getByRole('button', { name: /dave/ }).waitFor()
    t.equal(await panel.getByRole('listitem').count(), 4)
    await panel.getByRole('button', { name: 'Invite people' }).waitFor()
    t.same(await findingsOf(alice), [], 'the members')
    await panel.getByLabel('Search the members').fill('car')
    await panel.getByRole('button', { name: /dave/ }).waitFor({ state: 'detached' })
    await panel.getByRole('button', { name: /carol/ }).waitFor()
  })

  await t.test('an owner gives a role, with which more is offered', async (t) => {
    await open(alice, /^Members/)
    await panel.getByRole('button', { name: /bob/ }).click()
    await panel.getByLabel('Role in this room').selectOption('moderator')
    await panel.getByText(/^Moderator · since/).waitFor()
    t.same(await findingsOf(alice), [], 'a person')
    await page.goBack()
    await panel.getByRole('button', { name: /bob.*Moderator/ }).waitFor()
    await open(bob, '')
    await panelOf(bob).getByRole('button', { name: 'Banned and muted' }).waitFor()
    t.equal(await panelOf(bob).getByRole('button', { name: 'Settings' }).count(), 0, 'not what takes a higher role')
    await panelOf(bob)
      .getByRole('button', { name: /^Members/ })
      .click()
    await panelOf(bob).getByRole('button', { name: /alice/ }).click()
    await panelOf(bob).getByRole('button', { name: 'Block' }).waitFor()
    t.equal(await panelOf(bob).getByRole('button', { name: 'Ban from the room' }).count(), 0, 'not on who is above')
  })

  await t.test('who is mentioned from there stands in what is being written', async (t) => {
    await alice.composer.fill('Ask')
    await open(alice, /^Members/)
    await panel.getByRole('button', { name: /dave/ }).click()
    await panel.getByRole('button', { name: 'Mention' }).click()
    await panel.getByRole('heading', { name: 'Members' }).waitFor()
    t.equal(await alice.composer.inputValue(), 'Ask @dave ')
    await alice.composer.fill('')
  })

  await t.test('who is muted cannot write until that is ended', async (t) => {
    await open(alice, /^Members/)
    await panel.getByRole('button', { name: /carol/ }).click()
    await panel.getByRole('button', { name: 'Mute in this room' }).click()
    t.same(await findingsOf(alice), [], 'the dialog')
    await dialog.getByRole('button', { name: 'Mute in this room' }).click()
    await panel.getByText('Muted in this room until').waitFor()
    t.equal(await say('carol', 'may I?'), 403)
    await open(alice, 'Banned and muted')
    await panel.getByRole('button', { name: 'Unmute: carol' }).click()
    await panel.getByText('Nobody is muted').waitFor()
    t.equal(await say('carol', 'I may.'), 201)
  })

  await t.test('who is banned is told why, and stays out until that is ended', async (t) => {
    await open(alice, /^Members/)
    await panel.getByRole('button', { name: /dave/ }).click()
    await panel.getByRole('button', { name: 'Ban from the room' }).click()
    await dialog.getByLabel('Reason').fill('Coffee')
    await dialog.getByRole('button', { name: 'Ban from the room' }).click()
    await panel.getByText('Not a member of this room').waitFor()
    t.equal(await status('dave', 'POST', '/rooms/tea/join'), 403)
    await open(alice, 'Banned and muted')
    await panel.getByText('Coffee').waitFor()
    t.same(await findingsOf(alice), [], 'bans')
    await panel.getByRole('button', { name: 'Unban: dave' }).click()
    await panel.getByText('Nobody is banned').waitFor()
    t.equal(await status('dave', 'POST', '/rooms/tea/join'), 200)
  })

  await t.test('a report comes to the moderators, who decide', async (t) => {
    await say('dave', 'Buy my coffee')
    await open(alice, 'Reports')
    await panel.getByText('Nothing is reported').waitFor()
    await status('carol', 'POST', '/reports', { room: 'tea', seq: 2, reason: 'spam', text: 'again' })
    await panel.getByText('Reported by carol').waitFor()
    await panel.getByText('Buy my coffee').waitFor()
    const badge = page.locator('.room-header').getByRole('button', { name: 'Reports: 1 is open' })
    await badge.waitFor()
    t.same(await findingsOf(alice), [], 'reports')
    await panel.getByRole('button', { name: 'Delete the message' }).click()
    await dialog.getByRole('button', { name: 'Delete the message' }).click()
    await panel.getByText('Nothing is reported').waitFor()
    await page.locator('.timeline').getByText('Message deleted').waitFor()
    await badge.waitFor({ state: 'detached' })
  })

  await t.test('what was loaded of a long list stays when more comes', async (t) => {
    const rows = panel.locator('.page-list').getByRole('listitem')
    const report = async (): Promise<number> => {
      const said = { method: 'POST', as: 'dave', body: { text: 'Buy my coffee' } }
      const { seq } = (await fetchFrom(app.broker, '/v1/rooms/tea/messages', said)).body as { seq: number }
      return status('carol', 'POST', '/reports', { room: 'tea', seq, reason: 'spam' })
    }
    for (let n = 1; n <= 30; n++) await report()
    await open(alice, 'Reports')
    await panel.locator('.page-end').getByRole('button').click()
    await until('all of them are shown', async () => (await rows.count()) === 30)
    t.equal(await report(), 201)
    await until('and the new one', async () => (await rows.count()) === 31)
  })

  await t.test('a person is asked to be a contact, reported, and blocked', async () => {
    await open(bob, /^Members/)
    await panelOf(bob).getByRole('button', { name: /dave/ }).click()
    await panelOf(bob).getByRole('button', { name: 'Add to contacts' }).click()
    await panelOf(bob).getByRole('button', { name: 'Take back the contact request' }).waitFor()
    await panelOf(bob).getByRole('button', { name: 'Report' }).click()
    await bob.page.getByRole('dialog').getByLabel('What is wrong?').selectOption('harassment')
    await bob.page.getByRole('dialog').getByRole('button', { name: 'Send the report' }).click()
    await bob.page.getByRole('status').getByText('The report was sent.').waitFor({ state: 'attached' })
    await panelOf(bob).getByRole('button', { name: 'Block' }).click()
    await bob.page.getByRole('dialog').getByRole('button', { name: 'Block' }).click()
    await panelOf(bob).getByText('You block this person.').waitFor()
    await panelOf(bob).getByRole('button', { name: 'Unblock' }).click()
    await panelOf(bob).getByRole('button', { name: 'Block' }).waitFor()
  })

  await t.test('each setting is saved by itself, with what is wrong at its field', async (t) => {
    await open(alice, 'Settings')
    t.same(await findingsOf(alice), [], 'the settings')
    await panel.getByLabel('Name').fill('Coffee time')
    await panel.getByRole('button', { name: 'Save: Name' }).click()
    await page.locator('.room-title', { hasText: 'Coffee time' }).waitFor()
    await panel.getByLabel('Picture').setInputFiles({ name: 'tea.png', mimeType: 'image/png', buffer: PICTURE })
    await page.locator('.room-header .avatar img').waitFor()
    await panel.getByLabel('Most members').fill('many')
    await panel.getByRole('button', { name: 'Save: Most members' }).click()
    await panel.getByText('This is no number that is possible here.').waitFor()
    await panel.getByLabel('Who writes').selectOption('moderators')
    await page.evaluate(DENY_ALL)
    await until('all of them are kept', async () => {
      const { body } = await fetchFrom(app.broker, '/v1/rooms/tea', { as: 'alice' })
      const { write, policies } = body as { write: string; policies: { links?: string; files?: string } | null }
      return write === 'moderators' && policies?.links === 'deny' && policies.files === 'deny'
    })
    t.equal(await say('carol', 'hello?'), 403)
  })

  await t.test('the only owner cannot leave, is told why, and deletes the room by its address', async (t) => {
    await open(alice, 'Leave the room')
    await dialog.getByRole('button', { name: 'Leave' }).click()
    await panel.getByText('You are the only owner', { exact: false }).waitFor()
    await panel.getByRole('button', { name: 'Settings' }).click()
    const remove = panel.getByRole('button', { name: 'Delete the room' })
    t.ok(await remove.isDisabled())
    await panel.getByLabel('Type tea to delete it').fill('tea')
    await remove.click()
    await page.getByText('Nothing here yet').waitFor()
    t.equal(await status('alice', 'GET', '/rooms/tea'), 404)
  })
  t.same(app.troubles, [])
})
