/** Two people talk in the web app: from the first visit to logging out. */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { findingsOf, passwordOf, WebApp, WebPage } from '../helpers/web-page.js'

t.test('two people talk', async (t) => {
  const app = await WebApp.start(t, { server: { name: 'The Office' } })
  const bob = await app.enter('bob')

  await t.test('who is new creates an account, finds a room, and says hello', async (t) => {
    const page = await (await app.context()).newPage()
    await page.goto(app.url)
    t.equal(await page.title(), 'The Office')
    await page.getByRole('link', { name: 'Create an account' }).click()
    await page.getByLabel('User name').fill('alice')
    await page.getByLabel('Password').fill(passwordOf('alice'))
    await page.getByRole('button', { name: 'Create an account' }).click()
    const alice = new WebPage(page)
    await page.getByText('Nothing here yet').waitFor()
    t.same(await findingsOf(alice), [])
    await page.locator('.empty').getByRole('button', { name: 'Find a room' }).click()
    await page.getByRole('link', { name: /lobby/ }).click()
    await page.getByRole('button', { name: 'Join' }).click()
    await alice.send('Hello, is anybody here?')
    await alice.allSent(1)
    t.equal(new URL(page.url()).pathname, '/r/lobby')
    await page.context().close()
  })

  const alice = await app.enter('alice', '/r/lobby')

  await t.test('an invited reader sees what was said, and answers live', async () => {
    await bob.page.goto(`${app.url}/r/lobby`)
    await bob.page.getByRole('button', { name: 'Join' }).click()
    await bob.sees('Hello, is anybody here?')
    await bob.send('I am.\nAnd the kettle is on: https://example.com/tea')
    await alice.sees('And the kettle is on')
    await alice.page.getByRole('link', { name: 'https://example.com/tea', exact: true }).waitFor()
  })

  await t.test('a conversation begins with its first message, and is counted where it is not read', async (t) => {
    await bob.page.getByRole('button', { name: 'New', exact: true }).click()
    await bob.page.getByRole('menuitem', { name: 'Write to someone' }).click()
    await bob.page.getByLabel('Who do you want').fill('ali')
    await bob.page.getByRole('link', { name: /alice/ }).click()
    await bob.page.getByText('This is where it begins').waitFor()
    t.same(await findingsOf(bob), [])
    t.equal(await bob.page.getByRole('button', { name: 'To the newest message' }).count(), 0)
    await bob.send('Lunch?')
    await bob.send('At twelve?')
    const row = alice.page.getByRole('link', { name: /^bob/ })
    await row.getByText('2 unread messages').waitFor()
    await row.click()
    await alice.page.locator('.new-since').waitFor()
    t.same(await alice.texts(), ['Lunch?', 'At twelve?'])
    await row.getByText('unread messages').waitFor({ state: 'detached' })
    t.equal(await alice.page.locator('.new-since').count(), 1, 'the mark of what is new stays')
    t.equal(await alice.page.title(), 'bob · The Office')
  })

  await t.test('presence is said in words, to contacts', async () => {
    // The second who asks accepts the first.
    const ask = (as: string, user: string) =>
      fetchFrom(app.broker, '/v1/contacts', { method: 'POST', as, body: { user } })
    await ask('alice', 'bob')
    await ask('bob', 'alice')
    await alice.page.locator('.room-header').getByText('online').last().waitFor()
  })

  await t.test('who types is named', async () => {
    await bob.composer.pressSequentially('hm')
    await alice.page.locator('.typing', { hasText: 'bob is typing…' }).waitFor()
  })

  await t.test('a reload changes nothing, and asks for no password', async (t) => {
    await alice.page.reload()
    await alice.sees('At twelve?')
    t.same(await alice.texts(), ['Lunch?', 'At twelve?'])
  })

  await t.test('a page that is loaded again calls people what they are called now', async () => {
    const call = (name: string) => fetchFrom(app.broker, '/v1/profile', { method: 'PATCH', as: 'bob', body: { name } })
    const { page } = alice
    await page.goto(`${app.url}/r/lobby`)
    await alice.sees('And the kettle is on')
    await call('Robert')
    await page.reload()
    await page.locator('.room-header').waitFor()
    await page.locator('.message .author', { hasText: 'Robert' }).first().waitFor()
    await page.locator('.room-row-title', { hasText: 'Robert' }).waitFor()
    await call('bob')
    await page.reload()
    await page.locator('.room-row-title', { hasText: 'bob' }).waitFor()
  })

  await t.test('a wrong password is told, and so is a name that is taken', async () => {
    const page = await (await app.context()).newPage()
    await page.goto(`${app.url}/login`)
    await page.getByLabel('User name').fill('bob')
    await page.getByLabel('Password').fill('wrong')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('The name or the password is wrong.').waitFor()
    await page.getByRole('link', { name: 'Create an account' }).click()
    await page.getByLabel('User name').fill('bob')
    await page.getByLabel('Password').fill('another long one')
    await page.keyboard.press('Enter')
    await page.getByText('This name is taken.').waitFor()
    await page.getByLabel('User name').fill('zoe')
    await page.getByLabel('Password').fill('short')
    await page.keyboard.press('Enter')
    await page.getByText('choose one of six characters or more').waitFor()
    await page.context().close()
  })

  await t.test('logging out ends it in all tabs, and nothing is left to see', async (t) => {
    const other = await alice.page.context().newPage()
    await other.goto(app.url)
    await other.locator('.room-row').first().waitFor()
    await alice.page.getByRole('button', { name: 'Logged in as alice' }).click()
    await alice.page.getByRole('button', { name: 'Log out' }).click()
    for (const page of [alice.page, other]) await page.getByLabel('Password').waitFor()
    await other.reload()
    await other.getByLabel('Password').waitFor()
    t.notMatch(await other.locator('body').innerText(), /Lunch|bob/)
    t.same(await alice.page.context().cookies(), [])
  })

  t.same(app.troubles, [], 'no page has complained')
})
