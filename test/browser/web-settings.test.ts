/** The settings of the web app: each saves itself, says so, and is what the broker then says to others. */
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import t from 'tap'
import { codeOf } from '../helpers/authenticator-app.js'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, passwordOf, WebApp } from '../helpers/web-page.js'

const PARTS = ['profile', 'appearance', 'notifications', 'privacy', 'people', 'security', 'sessions', 'data']
/** One pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='

/** Before the server can have answered any of them. */
const REMOVE_BOTH = `document.querySelectorAll('[aria-label="Remove: tea"], [aria-label="Remove: hatter"]')
  .forEach((one) => one.click())`
/** Saves one name after the other, the next one before the server can have answered. */
const SAVE_BOTH = `(async () => {
  const input = document.querySelector('.settings-add input')
  const shown = async () => {
    for (let turn = 0; turn < 10; turn++) await null
  }
  for (const text of ['Alice', 'Alice Liddell']) {
    input.value = text
    input.dispatchEvent(new InputEvent('input', { bubbles: true }))
    await shown()
    input.form.requestSubmit()
    await shown()
  }
})()`

/** Of the user who was logged in. */
async function hasNothing(page: Page): Promise<boolean> {
  const databases = await page.evaluate('indexedDB.databases().then((all) => all.length)')
  const noted = await page.evaluate('Object.keys(localStorage).length')
  return databases === 0 && noted === 0 && (await page.context().cookies()).length === 0
}

t.test('settings', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  const alice = await app.enter('alice', '/settings')
  const { page } = alice
  await app.register('bob')
  const asked = async (user: string, path: string, body?: object, method = body ? 'POST' : 'GET') =>
    (await fetchFrom(app.broker, path, { method, as: user, ...(body && { body }) })).body
  const open = async (part: string, on: Page = page): Promise<void> => {
    await on.goto(`${app.url}/settings/${part}`)
    await on.locator('.settings-part h2').waitFor()
    await on.locator('.settings-part .loading').waitFor({ state: 'detached' })
  }
  const saved = () => page.locator('.save-state', { hasText: 'Saved' }).first().waitFor()
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click()

  await t.test('all parts are reached by links, and by keyboard', async (t) => {
    const links = page.locator('.settings-link')
    await links.first().waitFor()
    t.equal(await links.count(), PARTS.length)
    await page.getByRole('link', { name: 'Your data' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Delete the account' }).waitFor()
    t.equal(new URL(page.url()).pathname, '/settings/data')
    for (const part of PARTS) {
      await open(part)
      t.same(await findingsOf(alice), [], part)
    }
    await page.goto(`${app.url}/settings/nothing`)
    await page.getByText('There is nothing at this address').waitFor()
  })

  await t.test('on a phone the parts and each of them are two screens', async (t) => {
    await page.setViewportSize({ width: 360, height: 740 })
    await page.goto(`${app.url}/settings`)
    await page.getByRole('link', { name: 'Privacy' }).click()
    await page.getByLabel('Who may write to me').waitFor()
    t.equal(await page.locator('.settings-nav').isVisible(), false)
    t.equal(await page.evaluate('document.activeElement.textContent'), 'Privacy', 'the focus goes on')
    t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'nothing is wider than the screen')
    await page.getByRole('button', { name: 'Back' }).click()
    await page.getByRole('link', { name: 'Privacy' }).waitFor()
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  await t.test('the profile and a picture are what others see', async (t) => {
    await open('profile')
    await page.evaluate(SAVE_BOTH)
    await until('the last one is kept', async () => (await asked('bob', '/v1/users/alice')).name === 'Alice Liddell')
    await saved()
    await page.getByRole('textbox', { name: 'About you' }).fill('Down the hole.')
    await page.getByLabel('Emoji').focus()
    await until(
      'what one leaves is saved',
      async () => (await asked('bob', '/v1/users/alice')).fields.about !== undefined,
    )
    const chooser = page.locator('input[type=file]')
    await chooser.setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: Buffer.from('no picture') })
    await page.getByText('This cannot be read as a picture.').waitFor()
    await chooser.setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: Buffer.from(PNG, 'base64') })
    await page.locator('.settings-picture .avatar img').waitFor()
    t.match(await asked('bob', '/v1/users/alice'), {
      name: 'Alice Liddell',
      avatar: /^data:image\/webp;base64,/,
      fields: { about: 'Down the hole.' },
    })
    await page.locator('.rooms-pane .avatar img').waitFor()
  })

  await t.test('a status is set, shown, and cleared', async (t) => {
    await open('profile')
    const status = async () => (await asked('alice', '/v1/presence?users=alice')).presences[0].status
    await page.getByLabel('What you are doing').fill('tea')
    await page.getByLabel('Until').selectOption('hour')
    await press('Set the status')
    await saved()
    await until('it is set', async () => (await status()) === 'tea')
    await page.getByLabel('What you are doing').fill('cake')
    await press('Clear it')
    await until('it is cleared', async () => (await status()) === null)
    await page.getByRole('button', { name: 'Clear it', disabled: true }).waitFor()
    t.equal(await page.getByLabel('What you are doing').inputValue(), 'cake', 'what is being written stays')
    await page.getByLabel('Show me as away').check()
    await until(
      'alice is away',
      async () => (await asked('alice', '/v1/presence?users=alice')).presences[0].state === 'away',
    )
    await page.getByLabel('Show me as away').uncheck()
  })

  await t.test('privacy and notifications are kept', async (t) => {
    await open('privacy')
    await page.getByLabel('Who may invite me to rooms').selectOption('contacts')
    await saved()
    await open('notifications')
    await page.getByLabel('In rooms').selectOption('mentions')
    await saved()
    for (const word of ['tea', 'rabbit', 'hatter']) {
      await page.getByLabel('Word or phrase').fill(word)
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: `Remove: ${word}` }).waitFor()
    }
    await page.evaluate(REMOVE_BOTH)
    for (const name of ['Remove: tea', 'Remove: hatter'])
      await page.getByRole('button', { name }).waitFor({ state: 'detached' })
    t.match(await asked('alice', '/v1/privacy'), { invites: 'contacts', messages: 'everyone' })
    t.same(await asked('alice', '/v1/notifications/settings'), {
      rooms: 'mentions',
      direct: 'all',
      keywords: ['rabbit'],
    })
    await open('notifications')
    t.equal(await page.getByLabel('In rooms').inputValue(), 'mentions')
  })

  await t.test('language, colours and the Enter key are of this browser', async (t) => {
    await asked('alice', '/v1/rooms', { room: 'lines' })
    await open('appearance')
    const part = page.locator('.settings-part')
    await part.getByLabel('Appearance').selectOption('dark')
    t.equal(await page.locator('html').getAttribute('data-theme'), 'dark')
    await part.getByLabel('Enter key').selectOption('line')
    await part.getByLabel('Language').selectOption('ar')
    await page.getByRole('heading', { name: 'المظهر' }).waitFor()
    t.equal(await page.locator('html').getAttribute('dir'), 'rtl')
    await part.getByLabel('اللغة').selectOption('en')
    await page.goto(`${app.url}/r/lines`)
    await alice.composer.fill('one')
    await page.keyboard.press('Enter')
    await page.keyboard.type('two')
    t.equal(await alice.composer.inputValue(), 'one\ntwo')
    await page.keyboard.press('Control+Enter')
    await alice.allSent(1)
  })

  await t.test('contacts are asked for, accepted and removed; people are blocked and unblocked', async (t) => {
    // The policy of the page would complain of it, too.
    await asked(
      'bob',
      '/v1/profile',
      { avatar: 'https://elsewhere.example/spy.png', fields: { about: 'A hatter.' } },
      'PATCH',
    )
    await asked('bob', '/v1/contacts', { user: 'alice' })
    await open('people')
    await page.locator('.settings-row .avatar', { hasText: 'B' }).waitFor()
    await press('Accept: bob')
    await page.getByRole('button', { name: 'Remove: bob' }).waitFor()
    t.match(await asked('bob', '/v1/contacts'), { contacts: [{ user: 'alice', state: 'contact' }] })
    t.same(await findingsOf(alice), [])
    await page.getByLabel('Ask somebody to be a contact').fill('nobody-here')
    await press('Ask')
    await page.getByText('There is no such user.').waitFor()
    await page.getByLabel('User name', { exact: true }).fill('bob')
    await press('Block')
    await page.getByRole('button', { name: 'Unblock: bob' }).waitFor()
    await press('Unblock: bob')
    await page.getByText('You block nobody.').waitFor()
    await press('Remove: bob')
    await page.getByText('You have no contacts yet.').waitFor()
    await page.locator('ul:focus').waitFor({ state: 'attached' })
    await page.goto(`${app.url}/u/bob`)
    await page.getByTitle('About this person').click()
    await page.locator('.panel').getByText('A hatter.').waitFor()
  })

  await t.test('a new password ends other devices, and not the tabs of this browser', async () => {
    const tab = await page.context().newPage()
    await tab.goto(app.url)
    await tab.locator('.shell').waitFor()
    const elsewhere = await app.enter('alice')
    await open('security')
    await page.getByLabel('Current password').fill('wrong-pw')
    await page.getByLabel('New password').fill('another-pw-alice')
    await press('Change the password')
    await page.getByText('This is not your password.').waitFor()
    await page.getByLabel('Current password').fill(passwordOf('alice'))
    await press('Change the password')
    await page.getByText('The new password is set.').waitFor()
    await elsewhere.page.locator('input[name=password]').waitFor()
    const room = await asked('alice', '/v1/rooms', { room: 'after' })
    for (const one of [page, tab]) await one.getByRole('link', { name: new RegExp(`^${room.room}`) }).waitFor()
    await elsewhere.page.context().close()
    await tab.close()
  })

  await t.test('a second factor is set up with a QR code, and turned off', async (t) => {
    await open('security')
    await page.getByRole('button', { name: 'Set it up' }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.type('another-pw-alice')
    await page.keyboard.press('Enter')
    await page.getByRole('img', { name: 'QR code of the key' }).waitFor()
    t.same(await findingsOf(alice), [])
    const secret = (await page.locator('.settings-row code').innerText()).replaceAll(' ', '')
    await page.keyboard.type('000000')
    await page.keyboard.press('Enter')
    await page.getByText('The code is wrong, or was used before.').waitFor()
    await page.getByLabel('Code that the app shows').fill(codeOf(secret))
    await press('Turn it on')
    await page.locator('.recovery-codes li').first().waitFor()
    t.equal(await page.locator('.recovery-codes li').count(), 10)
    t.same(await findingsOf(alice), [])
    const [code = ''] = await page.locator('.recovery-codes code').allInnerTexts()
    await press('I have kept them')
    await page.locator('.settings-step:focus').waitFor()
    await page.getByText('10 recovery codes are left.').waitFor()
    await press('Turn it off')
    await page.locator('.settings-step').getByLabel('Current password').fill('another-pw-alice')
    await page.getByLabel('Code of your authenticator app').fill(code)
    await press('Turn it off')
    await page.getByRole('button', { name: 'Set it up' }).click()
    const password = 'another-pw-alice'
    await page.getByRole('region', { name: 'Second factor' }).getByLabel('Current password').fill(password)
    await page.keyboard.press('Enter')
    await page.getByLabel('Code that the app shows').waitFor()
    const elsewhere = await asked('alice', '/v1/auth/totp', { password })
    const { recoveryCodes } = await asked('alice', '/v1/auth/totp/confirm', { code: codeOf(elsewhere.secret) })
    await page.getByLabel('Code that the app shows').fill('000000')
    await press('Turn it on')
    await page.getByText('This did not work.').waitFor()
    await asked('alice', '/v1/auth/totp/remove', { password, code: recoveryCodes[0] })
  })

  const logInElsewhere = async () => {
    const other = await (await app.context()).newPage()
    await other.goto(app.url)
    await other.locator('input[name=username]').fill('alice')
    await other.locator('input[name=password]').fill('another-pw-alice')
    await other.locator('button[type=submit]').click()
    await other.locator('.shell').waitFor()
    return other
  }
  const areListed = (count: number) =>
    until('they are connected', async () => (await asked('alice', '/v1/sessions')).sessions.length === count)

  await t.test('another device is logged out', async (t) => {
    const other = await logInElsewhere()
    await areListed(2)
    await open('sessions')
    await page.getByText('This device, this tab').waitFor()
    await press('Log out Web app')
    await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click()
    await other.locator('input[name=password]').waitFor()
    await until('it is gone', async () => (await page.locator('.settings-row').count()) === 1)
    t.ok(await page.locator('.shell').isVisible(), 'this one is still here')
    await other.context().close()
  })

  await t.test('all others are logged out at once, and what is left is this device', async (t) => {
    const others = [await logInElsewhere(), await logInElsewhere()]
    const tab = await page.context().newPage()
    await tab.goto(app.url)
    await tab.locator('.shell').waitFor()
    await areListed(4)
    await open('sessions')
    await press('Log out all others')
    await page.getByRole('dialog').getByRole('button', { name: 'Log out all others' }).click()
    for (const other of others) await other.locator('input[name=password]').waitFor()
    await areListed(2)
    await until('they are not listed', async () => (await page.locator('.settings-row').count()) === 2)
    const rows = await page.locator('.settings-row').allTextContents()
    t.ok(
      rows.every((row) => row.includes('This device')),
      rows.join(),
    )
    t.equal(await page.getByRole('button', { name: 'Log out all others' }).count(), 0, 'there are none')
    await tab.reload()
    await tab.locator('.shell').waitFor()
    await tab.close()
    for (const other of others) await other.context().close()
  })

  await t.test('a copy of the data is downloaded', async (t) => {
    await open('data')
    await press('Prepare the file')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ])
    const zip = await readFile(await download.path())
    t.equal(zip.toString('latin1', 0, 2), 'PK')
    await page.getByRole('button', { name: 'Prepare the file' }).waitFor()
  })

  await t.test(
    'the account is deleted by who types its name and has its password, and nothing is left here',
    async (t) => {
      await open('data')
      const button = page.getByRole('button', { name: 'Delete my account' })
      await page.getByLabel('Your password').fill('wrong-pw')
      t.ok(await button.isDisabled())
      await page.getByLabel('Type alice to go on').fill('alice')
      await button.click()
      await page.getByText('This is not your password.').waitFor()
      await page.getByLabel('Your password').fill('another-pw-alice')
      await button.click()
      await page.locator('input[name=username]').waitFor()
      await until('the browser has nothing of it', async () => {
        const databases = await page.evaluate('indexedDB.databases().then((all) => all.length)')
        return databases === 0 && (await page.evaluate("localStorage.getItem('topictalk:user')")) === null
      })
      t.equal((await fetchFrom(app.broker, '/v1/users/alice', { as: 'bob' })).status, 404)
    },
  )

  await t.test('an administrator makes links, to register and to set a new password', async (t) => {
    await app.register('root')
    await fetchFrom(app.broker, '/v1/accounts/root/roles', {
      method: 'PUT',
      as: 'boss',
      roles: ['admin'],
      body: { roles: ['admin'] },
    })
    const root = await app.enter('root', '/settings')
    await root.page.getByRole('link', { name: 'This server' }).click()
    const [invite, reset] = [
      root.page.locator('.settings-section').nth(0),
      root.page.locator('.settings-section').nth(1),
    ]
    await invite.getByRole('button', { name: 'Make a link' }).click()
    t.match(await invite.locator('code').innerText(), /^http:\/\/localhost:\d+\/register#tti\./)
    await reset.getByLabel('User name').fill('nobody-here')
    await reset.getByRole('button', { name: 'Make a link' }).click()
    await reset.getByText('There is no such user.').waitFor()
    await reset.getByLabel('User name').fill('bob')
    await reset.getByRole('button', { name: 'Make a link' }).click()
    const address = await reset.locator('code').innerText()
    t.same(await findingsOf(root), [])
    const other = await (await app.context()).newPage()
    await other.goto(address)
    await other.locator('input[name=password]').fill('bobs-new-pw')
    await other.locator('button[type=submit]').click()
    await other.getByText('Your new password is set.').waitFor()
    await open('sessions', root.page)
    await root.page.getByRole('button', { name: 'Log out everywhere' }).click()
    await root.page.getByRole('dialog').getByRole('button', { name: 'Log out everywhere' }).click()
    await root.page.locator('input[name=password]').waitFor()
    await until('the browser has nothing of it', () => hasNothing(root.page))
  })
  t.same(app.troubles, [])
})

t.test('a new password is set though the connection has to be made anew meanwhile', async (t) => {
  const app = await WebApp.start(t, { auth: { tokenTtl: '5s' } })
  const { page } = await app.enter('alice', '/settings/security')
  const tab = await page.context().newPage()
  await tab.goto(app.url)
  await tab.locator('.shell').waitFor()
  await tab.evaluate(`new Promise((held) => {
    const until = new Promise((resolve) => (globalThis.letGo = resolve))
    void navigator.locks.request('topictalk-cookie', () => {
      held()
      return until
    })
  })`)
  await page.getByLabel('Current password').fill(passwordOf('alice'))
  await page.getByLabel('New password').fill('another-pw-alice')
  await page.getByRole('button', { name: 'Change the password' }).click()
  const waiting = (mode: string) =>
    until(`what waits for the cookie, ${mode}`, () =>
      page.evaluate(`navigator.locks.query().then(({ pending }) =>
        pending.some(({ name, mode }) => name === 'topictalk-cookie' && mode === '${mode}'))`),
    )
  await waiting('exclusive')
  // The token is to be renewed, which waits, and then ends, and with it the connection.
  await waiting('shared')
  await page.locator('.banner').waitFor()
  await tab.evaluate('letGo()')
  await page.getByText('The new password is set.').waitFor()
  const room = await fetchFrom(app.broker, '/v1/rooms', { method: 'POST', as: 'alice', body: { room: 'after' } })
  t.equal(room.status, 201)
  for (const one of [page, tab]) await one.getByRole('link', { name: /^after/ }).waitFor()
})
