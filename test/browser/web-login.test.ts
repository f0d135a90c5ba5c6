/** Who is logged in in a browser, and what is left there of who has logged out. */
import type { Page } from 'playwright-core'
import t from 'tap'
import { codeOf } from '../helpers/authenticator-app.js'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp, WebPage } from '../helpers/web-page.js'

const databases = (page: Page): Promise<string[]> =>
  page.evaluate('indexedDB.databases().then((all) => all.map(({ name }) => name))')

/** What the app has noted in this browser. */
const noted = (page: Page): Promise<string[]> => page.evaluate('Object.keys(localStorage)')

async function logOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Logged in as alice' }).click()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Password').waitFor()
}

t.test('logging out', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  const { page } = await app.enter('alice', '/r/tea')
  const alice = new WebPage(page)
  const context = page.context()
  await fetchFrom(app.broker, '/v1/rooms', { method: 'POST', as: 'alice', body: { room: 'tea' } })
  await alice.send('a secret')
  await alice.allSent(1)

  const isGone = async (): Promise<boolean> =>
    (await databases(page)).length + (await noted(page)).length + (await context.cookies()).length === 0
  const comesBack = async (): Promise<boolean> => {
    await page.evaluate("localStorage.setItem('topictalk:user', 'alice')")
    await page.reload()
    await page.locator('.shell, input[name=password]').first().waitFor()
    return page.locator('.shell').isVisible()
  }
  const enterAgain = async (): Promise<void> => {
    await page.locator('input[name=username]').fill('alice')
    await page.locator('input[name=password]').fill('alice-pw-alice')
    await page.locator('button[type=submit]').click()
    await page.locator('[data-room="tea"] .room-row').click()
    await alice.sees('a secret')
  }

  await t.test('nothing of the user stays in the browser, or is shown to the next one', async (t) => {
    await page.evaluate("sessionStorage.setItem('topictalk:reply:alice/milk/', '7')")
    await page.keyboard.press('Control+Shift+F')
    await page.getByRole('searchbox', { name: 'Words in messages' }).fill('private words')
    await until('it is kept', async () =>
      JSON.stringify(await page.evaluate('history.state')).includes('private words'),
    )
    // The panel is a step that one can come back to.
    await page.evaluate("history.pushState({}, '')")
    await logOut(page)
    await until('all of it is gone', isGone)
    t.equal(page.url(), `${app.url}/`)
    t.same(await page.evaluate('[history.state, ...Object.keys(sessionStorage)]'), [null])
    await app.register('bob')
    await page.locator('input[name=username]').fill('bob')
    await page.locator('input[name=password]').fill('bob-pw-bob')
    await page.locator('button[type=submit]').click()
    await page.getByRole('button', { name: 'Logged in as bob' }).waitFor()
    await page.goBack()
    await page.getByText('You are not a member of this room').waitFor()
    t.equal(await page.getByRole('complementary').count(), 0, 'no panel of alice')
    await page.getByRole('button', { name: 'Logged in as bob' }).click()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Password').waitFor()
    await enterAgain()
  })

  await t.test('a tab does not go on as another user, who has logged in where it was not told of', async (t) => {
    const body = JSON.stringify({ user: 'bob', password: 'bob-pw-bob', cookie: true })
    const request = `{ method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(body)} }`
    t.equal(await page.evaluate(`fetch('/v1/auth/login', ${request}).then(({ status }) => status)`), 200)
    await page.reload()
    await page.getByLabel('Password').waitFor()
    t.notOk(await page.locator('.shell').isVisible())
    await enterAgain()
  })

  await t.test('a page that could not renew its login since it was loaded ends it, too', async () => {
    await page.route('**/v1/auth/token', (route) => route.abort())
    await page.reload()
    await alice.sees('a secret')
    await page.unroute('**/v1/auth/token')
    await logOut(page)
    await until('all of it is gone', isGone)
    await enterAgain()
  })

  await t.test('without a network it is carried out later, and nobody comes back before', async (t) => {
    await page.route('**/v1/auth/**', (route) => route.abort())
    await logOut(page)
    await until('what was kept is gone', async () => (await databases(page)).length === 0)
    t.same(await noted(page), ['topictalk:logout'])
    t.equal((await context.cookies()).length, 1, 'only the broker can take it away')
    t.notOk(await comesBack(), 'not even by what the app notes')
    await page.unroute('**/v1/auth/**')
    await page.evaluate("dispatchEvent(new Event('online'))")
    await until('all of it is gone', isGone)
    // Whom a page has noted is shown until the broker says that they are not logged in: there is nothing of theirs to see.
    await page.evaluate("localStorage.setItem('topictalk:user', 'alice')")
    await page.reload()
    await page.getByLabel('Password').waitFor()
    await page.evaluate('localStorage.clear()')
    await page.reload()
    await enterAgain()
  })

  await t.test('it is said what would be lost', async () => {
    await context.setOffline(true)
    await alice.send('never sent')
    await page.getByRole('button', { name: 'Logged in as alice' }).click()
    await page.getByText('1 message was not sent: it is lost if you log out.').waitFor()
  })

  t.same(app.troubles, [])
})

t.test('coming in', async (t) => {
  const app = await WebApp.start(t, { auth: { registration: 'invite', throttle: { attempts: 3 } } })
  const context = await app.context()
  const page = await context.newPage()
  const look = async (path: string): Promise<void> => {
    await page.goto('about:blank')
    await page.goto(`${app.url}${path}`)
  }
  const fill = (name: string, text: string) => page.locator(`input[name=${name}]`).fill(text)
  const submit = () => page.locator('button[type=submit]').click()
  const isIn = (user: string) => page.getByRole('button', { name: `Logged in as ${user}` }).waitFor()
  const leave = async (user: string): Promise<void> => {
    await page.getByRole('button', { name: `Logged in as ${user}` }).click()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.locator('input[name=password]').waitFor()
  }
  const asAdmin = async (path: string, body: object) =>
    (await fetchFrom(app.broker, path, { method: 'POST', as: 'root', roles: ['admin'], body })).body

  await t.test('a form that is not filled in says what is missing, where it is missing', async (t) => {
    const isSaid = async (name: string, text: string): Promise<void> => {
      await submit()
      await page.getByRole('alert').getByText(text).waitFor()
      await until(`${name} has the focus`, async () => (await page.evaluate('document.activeElement.name')) === name)
      t.equal(await page.getByRole('alert').count(), 1)
    }
    await look('/login')
    await isSaid('username', 'Enter your user name.')
    await fill('username', 'zoe')
    await page.getByRole('alert').waitFor({ state: 'detached' })
    await isSaid('password', 'Enter a password.')
    await look('/register')
    await page.locator('input[name=invite]').waitFor()
    await fill('username', 'zoe')
    await fill('password', 'zoe-pw-zoe')
    await isSaid('invite', 'Enter your invitation.')
    await look('/reset')
    await isSaid('token', 'Enter the link or the code you were given.')
  })

  await t.test('an invitation link is all that a new person needs', async (t) => {
    const { invite } = await asAdmin('/v1/auth/invites', {})
    await look(`/register#${invite}`)
    await page.getByText('You were invited to this server.').waitFor()
    t.same(await findingsOf(new WebPage(page)), [])
    await fill('username', 'carol')
    await fill('password', 'carol-pw-carol')
    await submit()
    await isIn('carol')
    t.equal(page.url(), `${app.url}/`, 'the invitation is not in the address any more')
    await leave('carol')
    await look(`/register#${invite}`)
    await fill('username', 'dave')
    await fill('password', 'dave-pw-dave')
    await submit()
    await page.getByText('This invitation is not good, or not any more.').waitFor()
    await page.locator('input[name=invite]').waitFor()
    const { invite: another } = await asAdmin('/v1/auth/invites', {})
    await page.goto(`${app.url}/register#${another}`)
    await page.locator('input[name=invite]').waitFor({ state: 'detached' })
    await page.getByText('You were invited to this server.').waitFor()
  })

  await t.test('what the server allows is asked again when it was not reached', async (t) => {
    const offer = page.getByRole('link', { name: 'Create an account' })
    const again = page.getByRole('button', { name: 'Try again' })
    await page.route('**/v1/server', (route) => route.abort())
    await look('/login')
    await again.waitFor()
    t.same(await findingsOf(new WebPage(page)), [])
    await page.unroute('**/v1/server')
    await page.evaluate("dispatchEvent(new Event('online'))")
    await offer.waitFor()
    t.equal(await again.count(), 0)
  })

  await t.test('without one it is asked for, as a link or its code', async () => {
    const { invite } = await asAdmin('/v1/auth/invites', {})
    await look('/register')
    await fill('username', 'dave')
    await fill('password', 'dave-pw-dave')
    await fill('invite', `${app.url}/register#${invite}`)
    await submit()
    await isIn('dave')
    await leave('dave')
  })

  await t.test('a second factor is asked for when the password was right', async (t) => {
    const { body: authenticator } = await fetchFrom(app.broker, '/v1/auth/totp', {
      method: 'POST',
      as: 'carol',
      body: { password: 'carol-pw-carol' },
    })
    const code = codeOf(authenticator.secret)
    await fetchFrom(app.broker, '/v1/auth/totp/confirm', { method: 'POST', as: 'carol', body: { code } })
    await look('/login')
    await fill('username', 'carol')
    await fill('password', 'carol-pw-carol')
    await submit()
    await page.locator('input[name=code]').waitFor()
    t.same(await page.locator('[role=alert]').count(), 0, 'nothing was wrong so far')
    t.same(await findingsOf(new WebPage(page)), [])
    await fill('code', code)
    await submit()
    await page.getByText('The code is wrong, or was used before.').waitFor()
    await fill('code', codeOf(authenticator.secret, 1))
    await submit()
    await isIn('carol')
    await leave('carol')
  })

  await t.test('who has forgotten the password is told whom to ask, and sets a new one with the link', async (t) => {
    await look('/login')
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await page.getByText('Ask the people who run this server').waitFor()
    t.same(await findingsOf(new WebPage(page)), [])
    const { token } = await asAdmin('/v1/auth/resets', { user: 'dave' })
    await look(`/reset#${token}`)
    await fill('password', 'x')
    await submit()
    await page.getByText('This password is not accepted').waitFor()
    await page.locator('input[name=password]:focus').waitFor()
    await fill('password', 'another-pw')
    await submit()
    await page.getByText('Your new password is set.').waitFor()
    await fill('username', 'dave')
    await fill('password', 'another-pw')
    await submit()
    await isIn('dave')
    await look(`/reset#${token}`)
    await fill('password', 'a-third-pw')
    await submit()
    await page.getByText('This link was used before').waitFor()
    await page.locator('input[name=token]').waitFor()
    const { token: another } = await asAdmin('/v1/auth/resets', { user: 'dave' })
    await page.goto(`${app.url}/reset#${another}`)
    await page.locator('input[name=token]').waitFor({ state: 'detached' })
    await fill('password', 'a-third-pw')
    await submit()
    await fill('username', 'dave')
    await fill('password', 'a-third-pw')
    await submit()
    await isIn('dave')
    await leave('dave')
  })

  await t.test('wrong passwords are said, and after some of them how long to wait', async () => {
    await look('/login')
    await fill('username', 'dave')
    await fill('password', 'wrong')
    await submit()
    await page.getByText('The name or the password is wrong.').waitFor()
    const wait = page.getByText(/Too many tries. Try again in \d+ seconds./)
    await until('there were too many', async () => {
      await submit()
      await page.locator('[role=alert]').waitFor()
      return wait.isVisible()
    })
  })
  t.same(app.troubles, [])
})
