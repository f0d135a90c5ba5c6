/** The ways into a room in the web app: an invitation, a link, a request. */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { findingsOf, passwordOf, WebApp, WebPage } from '../helpers/web-page.js'

t.test('ways into a room', async (t) => {
  const app = await WebApp.start(t)
  const ask = (as: string, method: string, path: string, body: object = {}) =>
    fetchFrom(app.broker, `/v1${path}`, { method, as, body })
  const alice = await app.enter('alice')
  const bob = await app.enter('bob')
  const { page } = alice
  const panel = page.getByRole('complementary')
  const open = async (room: string, name: string | RegExp): Promise<void> => {
    await page.goto(`${app.url}/r/${room}`)
    await page.locator('.room-title').click()
    await panel.getByRole('button', { name }).click()
  }
  await ask('alice', 'POST', '/rooms', { room: 'tea', name: 'Tea time', access: 'private' })
  await ask('alice', 'POST', '/rooms', { room: 'club', access: 'request' })
  await ask('alice', 'POST', '/rooms', { room: 'board', access: 'private' })

  await t.test('a room is made by its name alone, and leads on to inviting others', async (t) => {
    const erin = await app.enter('erin')
    const { page } = erin
    const list = (await page.locator('.rooms-pane').boundingBox())!
    const first = (await page.getByRole('heading', { name: 'Nothing here yet' }).boundingBox())!
    t.ok(first.x > list.x + list.width, 'what to begin with stands where there is space')
    t.same(await findingsOf(erin), [], 'nothing yet')
    await page.getByRole('button', { name: 'New room' }).click()
    const name = page.getByLabel('Name', { exact: true })
    const address = page.getByLabel('Address of the room')
    await name.fill(' Café am Fluß (Nr. 2) ')
    t.equal(await address.inputValue(), 'cafe-am-fluss-nr-2')
    await name.fill('会议室')
    t.match(await address.inputValue(), /^room-[a-z0-9]{8}$/)
    await name.fill('Book club')
    await name.press('Enter')
    await page.waitForURL('**/r/book-club')
    await page.getByRole('button', { name: 'Invite people' }).click()
    await page.getByRole('complementary').getByRole('button', { name: 'Create a link' }).waitFor()
    t.same(await findingsOf(erin), [], 'a room without messages')
    await page.getByRole('button', { name: 'New', exact: true }).click()
    await page.getByRole('menuitem', { name: 'New room' }).click()
    await address.fill('chess')
    await name.fill('Chess club')
    t.equal(await address.inputValue(), 'chess', 'an address that was written stays')
    await page.context().close()
  })

  await t.test('who is invited by name sees it above the list, and accepts', async (t) => {
    await open('tea', 'Invitations')
    await panel.getByLabel('Whom do you want to invite?').fill('bo')
    await panel.getByRole('button', { name: 'Invite: bob' }).click()
    await panel.getByRole('button', { name: 'Take back: bob' }).waitFor()
    t.same(await findingsOf(alice), [], 'inviting')
    await bob.page.getByText('Invited by alice').waitFor()
    t.same(await findingsOf(bob), [], 'an invitation')
    await bob.page.getByRole('button', { name: 'Join: Tea time' }).click()
    await bob.composer.waitFor()
    t.equal(new URL(bob.page.url()).pathname, '/r/tea')
    await panel.getByRole('button', { name: 'Invite: bob' }).waitFor()
  })

  await t.test('an invitation that was taken up where nobody heard of it is not taken back', async (t) => {
    await app.register('frank')
    let isDeaf = true
    await page.routeWebSocket(/mqtt/, (socket) => {
      const server = socket.connectToServer()
      server.onMessage((data) => (isDeaf && data.includes('"joined"')) || socket.send(data))
    })
    await open('tea', 'Invitations')
    await panel.getByLabel('Whom do you want to invite?').fill('fra')
    await panel.getByRole('button', { name: 'Invite: frank' }).click()
    await panel.getByRole('button', { name: 'Take back: frank' }).waitFor()
    t.equal((await ask('frank', 'POST', '/rooms/tea/join')).status, 200)
    await panel.getByRole('button', { name: 'Take back: frank' }).click()
    await panel.getByText('Is a member').waitFor()
    t.equal((await ask('frank', 'POST', '/rooms/tea/messages', { text: 'still here' })).status, 201)
    isDeaf = false
  })

  await t.test('who does not want to declines', async () => {
    await ask('alice', 'POST', '/rooms/board/invites', { user: 'bob' })
    await bob.page.getByRole('button', { name: 'Decline: board' }).click()
    await bob.page.getByText('Invited by').waitFor({ state: 'detached' })
  })

  await t.test('a link leads in who has no account yet, as often as it says', async (t) => {
    await open('tea', 'Invitations')
    await panel.getByLabel('How many people').selectOption('1')
    await panel.getByRole('button', { name: 'Create a link' }).click()
    const address = await panel.getByRole('textbox', { name: 'Link' }).inputValue()
    await panel.getByText('for 1 more person', { exact: false }).waitFor()
    t.same(await findingsOf(alice), [], 'links')
    const carol = new WebPage(await (await app.context()).newPage())
    await carol.page.goto(address)
    await carol.page.getByText('You were given a link into the room tea').waitFor()
    await carol.page.getByRole('link', { name: 'Create an account' }).click()
    await carol.page.locator('input[name=username]').fill('carol')
    await carol.page.locator('input[name=password]').fill(passwordOf('carol'))
    await carol.page.locator('button[type=submit]').click()
    await carol.page.getByText('Somebody gave you a link').waitFor()
    t.same(await findingsOf(carol), [], 'where a link leads')
    await carol.page.getByRole('button', { name: 'Join' }).click()
    await carol.composer.waitFor()
    t.equal(new URL(carol.page.url()).pathname, '/r/tea')
    const dave = await app.enter('dave', new URL(address).pathname + new URL(address).hash)
    await dave.page.getByRole('button', { name: 'Join' }).click()
    await dave.page.getByText('This link is not valid any more').waitFor()
    const another = (await ask('alice', 'POST', '/rooms/tea/links')).body.link
    await dave.page.goto(`${app.url}/join/tea#${another}`)
    await dave.page.getByRole('button', { name: 'Join' }).click()
    await dave.composer.waitFor()
  })

  await t.test('who asks waits, may take it back, and is let in', async (t) => {
    await open('club', 'Requests to join')
    await panel.getByText('Nobody asks to join').waitFor()
    const erin = await app.enter('erin', '/r/club')
    await erin.page.getByLabel('A word to them').fill('I bring biscuits')
    t.same(await findingsOf(erin), [], 'asking')
    await erin.page.getByRole('button', { name: 'Ask to join' }).click()
    await erin.page.getByText('You have asked to join').waitFor()
    await panel.getByText('I bring biscuits').waitFor()
    await page.locator('.room-header').getByRole('button', { name: 'Requests to join: 1 waits' }).waitFor()
    t.same(await findingsOf(alice), [], 'requests')
    await erin.page.getByRole('button', { name: 'Take back' }).click()
    await panel.getByText('Nobody asks to join').waitFor()
    await erin.page.getByRole('button', { name: 'Ask to join' }).click()
    await panel.getByRole('button', { name: 'Let in: erin' }).click()
    await erin.composer.waitFor()
    await panel.getByText('Nobody asks to join').waitFor()
  })
  t.same(app.troubles, [])
})
