/** How the two come in: one who makes a room, and one who has a link into it; and what they make known of themselves. */
import type { Test } from 'tap'
import { codeOf } from '../authenticator-app.js'
import { until } from '../patience.js'
import { passwordOf } from '../web-page.js'
import { Person } from './person.js'
import { ROOM, type Story } from './story.js'

/** One red pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==',
  'base64',
)

export async function comeIn(t: Test, story: Story): Promise<void> {
  const { app } = story

  await t.test('alice makes an account, and a room', async (t) => {
    story.alice = await Person.visit(app, 'alice', app.url)
    const { alice } = story
    await alice.page.getByRole('link', { name: 'Create an account' }).click()
    await alice.identify(passwordOf('alice'))
    await alice.isIn()
    await alice.choose('New', 'New room')
    await alice.dialog.getByLabel('Name').fill('Tea time')
    await alice.dialog.getByLabel('Address of the room').fill(ROOM)
    await alice.dialog.getByLabel('What it is about').fill('Kettles')
    await alice.dialog.getByLabel('Who is invited').check()
    await alice.press('Create', alice.dialog)
    await alice.header.getByText('1 member · Kettles').waitFor()
    t.equal(new URL(alice.page.url()).pathname, `/r/${ROOM}`)
  })

  await t.test('bob has a link into it, and no account yet', async () => {
    const { alice } = story
    await alice.about('Invitations')
    await alice.press('Create a link', alice.panel)
    const address = await alice.panel.getByRole('textbox', { name: 'Link' }).inputValue()
    story.bob = await Person.visit(app, 'bob', address)
    const { bob } = story
    await bob.page.getByRole('link', { name: 'Create an account' }).click()
    await bob.identify(passwordOf('bob'))
    await bob.page.getByText('Somebody gave you a link').waitFor()
    await bob.press('Join')
    await bob.composer.waitFor()
    await alice.header.getByText('2 members').waitFor()
    await bob.header.getByText('2 members').waitFor()
    await alice.page.goBack()
    await alice.panel.getByRole('button', { name: /^Members/ }).click()
    await alice.panel.getByRole('button', { name: /bob/ }).getByText('online').waitFor({ state: 'attached' })
    await alice.closePanels()
  })

  await t.test('what alice says of herself is seen by bob, who does nothing', async () => {
    const { alice, bob } = story
    await alice.send('Welcome, Bob')
    await bob.sees('Welcome, Bob')
    await bob.about(/^Members/)
    await bob.panel.getByRole('button', { name: /alice/ }).click()
    await alice.openSettings('Profile')
    const { page } = alice
    const name = page.getByRole('textbox', { name: 'Name', exact: true })
    await name.fill('Alice Liddell')
    await name.press('Enter')
    await bob.row('Welcome, Bob').locator('.author', { hasText: 'Alice Liddell' }).waitFor()
    await page.locator('input[type=file]').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: PNG })
    await bob.row('Welcome, Bob').locator('.avatar img').waitFor()
    await page.getByLabel('What you are doing').fill('pouring')
    await alice.press('Set the status')
    await bob.panel.getByText('online · pouring').waitFor()
    await page.getByLabel('Show me as away').check()
    await bob.panel.getByText('away · pouring').waitFor()
    await page.getByLabel('Show me as away').uncheck()
    await bob.panel.getByText('online · pouring').waitFor()
  })

  await t.test('they become contacts', async () => {
    const { alice, bob } = story
    await bob.press('Add to contacts', bob.panel)
    await alice.openSettings('People')
    await alice.press('Accept: bob')
    await bob.panel.getByRole('button', { name: 'Remove from contacts' }).waitFor()
    await alice.page.getByRole('button', { name: 'Remove: bob' }).waitFor()
    await bob.closePanels()
  })

  await t.test('alice takes a second factor, with which she logs in elsewhere, and ends that', async (t) => {
    const { alice } = story
    await alice.openSettings('Security')
    await alice.press('Set it up')
    await alice.page
      .getByRole('region', { name: 'Second factor' })
      .getByLabel('Current password')
      .fill(passwordOf('alice'))
    await alice.page.keyboard.press('Enter')
    const secret = (await alice.page.locator('.settings-row code').innerText()).replaceAll(' ', '')
    await alice.page.getByLabel('Code that the app shows').fill(codeOf(secret))
    await alice.press('Turn it on')
    await alice.press('I have kept them')
    const elsewhere = await Person.visit(app, 'alice', app.url)
    await elsewhere.identify(passwordOf('alice'))
    // Each code is good once.
    await elsewhere.page.locator('input[name=code]').fill(codeOf(secret, 1))
    await elsewhere.page.locator('button[type=submit]').click()
    await elsewhere.isIn()
    await until('both are connected', async () => {
      const { sessions } = await story.ask('alice', 'GET', '/sessions')
      return sessions.filter(({ connected }: { connected: boolean }) => connected).length === 2
    })
    await alice.openSettings('Devices')
    await alice.press('Log out Web app')
    await alice.press('Log out', alice.dialog)
    await elsewhere.page.locator('input[name=password]').waitFor()
    t.ok(await alice.page.locator('.shell').isVisible())
    await elsewhere.page.context().close()
  })
}
