/** A person logs in to the web app at an identity provider, in a browser, all the way there and back. */
import type { Page } from 'playwright-core'
import t from 'tap'
import { freePort } from '../helpers/free-port.js'
import { CLIENT, startProvider } from '../helpers/identity-provider.js'
import { findingsOf, WebApp, WebPage } from '../helpers/web-page.js'

/** What the provider asks, and its consent. */
async function confirm(page: Page, name: string): Promise<void> {
  await page.locator('input[name=login]').fill(name)
  await page.locator('input[name=password]').fill('x')
  await page.locator('button[type=submit]').click()
  await page.locator('button[type=submit]', { hasText: 'Continue' }).click()
}

t.test('by an identity provider', async (t) => {
  // The provider has to know the address of the broker, and the other way round.
  const port = await freePort()
  const redirectUri = `http://localhost:${port}/v1/auth/oidc/callback`
  const provider = await startProvider(t, redirectUri)
  const oidc = {
    issuer: provider.issuer,
    name: 'Example ID',
    clientId: CLIENT.id,
    clientSecret: CLIENT.secret,
    redirectUri,
  }
  const app = await WebApp.start(t, { auth: { oidc }, listen: { http: port }, limits: { rates: 'off' } })
  const context = await app.context()
  const page = await context.newPage()
  const begin = () => page.getByRole('button', { name: 'Log in with Example ID' }).click()

  await t.test('one logs in, sees what one came for, and stays logged in', async (t) => {
    await page.goto(`${app.url}/u/bob`)
    await page.getByRole('button', { name: 'Log in with Example ID' }).waitFor()
    t.same(await findingsOf(new WebPage(page)), [])
    await begin()
    await confirm(page, 'ann')
    await page.locator('.shell').waitFor()
    t.equal(page.url(), `${app.url}/u/bob`, 'and no code is left in the address')
    await page.getByRole('button', { name: 'Logged in as ann' }).waitFor()
    await page.reload()
    await page.locator('.shell').waitFor()
    t.same(await page.evaluate('Object.keys(sessionStorage)'), [], 'nothing of the way is kept')
  })

  await t.test('who refuses at the provider is told so, and may begin again', async () => {
    await page.getByRole('button', { name: 'Logged in as ann' }).click()
    await page.getByRole('button', { name: 'Log out' }).click()
    await context.clearCookies()
    await begin()
    await page.getByText('[ Cancel ]').click()
    await page.getByText('The login was not confirmed.').waitFor()
    await begin()
    await page.locator('input[name=login]').waitFor()
  })

  await t.test('an address with a code of somebody else does nothing, whatever the server offers', async (t) => {
    await page.route('**/v1/server', (route) => route.abort())
    await page.goto(`${app.url}/login?code=made-up`)
    await page.getByText('The login was not confirmed.').waitFor()
    t.equal(page.url(), `${app.url}/login`)
    await page.unroute('**/v1/server')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('button', { name: 'Log in with Example ID' }).waitFor()
  })

  await t.test('a provider that is gone is said on the page', async () => {
    await provider.stop()
    await app.broker.restart()
    await begin()
    await page.getByText('The server cannot do this at the moment.').waitFor()
  })
  t.same(app.troubles, [])
})
