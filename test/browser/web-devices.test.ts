/** Devices in the web app: two people and a real device. */
import t from 'tap'
import { connectDevice } from '../../client/device/index.js'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp } from '../helpers/web-page.js'

t.test('a device is added, looked at, commanded and shared', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' }, presence: { offlineDelay: 0 } })
  const alice = await app.enter('alice', '/', { viewport: { width: 1280, height: 900 } })
  const { page } = alice
  const dialog = page.getByRole('dialog')
  let key = ''

  await t.test('adding one shows its key once, and how it connects', async (t) => {
    await page.getByRole('button', { name: 'Menu', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Devices' }).click()
    await page.getByText('No devices yet').waitFor()
    t.same(await findingsOf(alice), [], 'no devices')
    await page.getByRole('button', { name: 'Add a device' }).click()
    await dialog.getByLabel('Name for the login').fill('a lamp')
    await dialog.getByRole('button', { name: 'Add a device' }).click()
    await dialog.getByText('This cannot be the name of a device.').waitFor()
    await dialog.getByLabel('Name for the login').fill('lamp')
    await dialog.getByLabel('What it is called').fill('Lamp <b>one</b>')
    await dialog.getByRole('button', { name: 'Add a device' }).click()
    await dialog.getByText('This key is shown only now').waitFor()
    t.same(await findingsOf(alice), [], 'the key')
    key = await dialog.locator('code').first().innerText()
    t.match(key, /^ttk\./)
    t.match(await dialog.locator('code').last().innerText(), /^mosquitto_sub -h localhost -u lamp -P 'ttk\./)
    for (const _ of ['once', 'and once more']) await page.keyboard.press('Escape')
    await page.mouse.click(5, 5)
    t.equal(await dialog.locator('code').first().innerText(), key, 'it is closed by its button alone')
    await dialog.getByRole('button', { name: 'Close' }).click()
    await page
      .getByRole('link', { name: /Lamp <b>one<\/b>/ })
      .getByText('never connected')
      .waitFor()
    t.notMatch(await page.content(), key)
  })

  await t.test('what is copied into a shell is one word for each name', async (t) => {
    await page.getByRole('button', { name: 'Add a device' }).click()
    await dialog.getByLabel('Name for the login').fill('porch|one')
    await dialog.getByRole('button', { name: 'Add a device' }).click()
    t.match(
      await dialog.locator('code').last().innerText(),
      /-u 'porch\|one' -P '[^']+' -i 'porch\|one' -c -q 1 -t 'devices\/porch\|one\/commands'$/,
    )
    await dialog.getByRole('button', { name: 'Close' }).click()
    await fetchFrom(app.broker, '/v1/devices/porch%7Cone', { method: 'DELETE', as: 'alice' })
  })

  const lamp = connectDevice({ url: `mqtt://127.0.0.1:${app.broker.port}`, auth: { token: key } })
  t.teardown(() => lamp.close())
  lamp.onCommand('dim', (params) => {
    const { to } = params as { to: number }
    if (to > 10) throw new Error('to: 0 to 10')
    lamp.state({ level: to })
    return { level: to }
  })
  lamp.onCommand('blink', () => null)
  let polished = (): void => {}
  const polishing = new Promise<null>((resolve) => {
    polished = () => resolve(null)
  })
  lamp.onCommand('polish', () => polishing)
  const fact = (name: string) => page.locator('.facts > div', { hasText: name }).locator('dd')
  const series = (name: string) => page.locator('.series', { has: page.getByRole('heading', { name }) })

  await t.test('its state and what it measures are shown as it tells them', async (t) => {
    lamp.state({ level: 10, on: true, lamp: { hours: 7 } })
    await page.getByRole('link', { name: /Lamp/ }).getByText('online').waitFor()
    t.same(await findingsOf(alice), [], 'the list')
    await page.getByRole('link', { name: /Lamp/ }).click()
    await page.getByText('Nothing was measured').waitFor()
    t.same(await fact('level').innerText(), '10')
    t.same(await fact('on').innerText(), 'yes')
    t.same(await fact('lamp.hours').innerText(), '7')
    for (const watts of [4, 9, 6.5]) lamp.telemetry('watts', watts)
    await until(
      'the last value is shown',
      async () => (await series('watts').locator('.series-last bdi').innerText()) === '6.5',
    )
    t.match(
      await series('watts').getByRole('img').getAttribute('aria-label'),
      /watts: last 6.5, lowest [\d.]+, highest [\d.]+, \d values? from/,
    )
    await series('watts').getByText('Values').click()
    t.match(await series('watts').getByRole('row').nth(1).innerText(), /6.5$/)
    lamp.telemetry('mood', 'warm')
    await series('mood').getByText('warm').waitFor()
    t.same(await findingsOf(alice), [], 'the page of a device')
  })

  await t.test(
    'a very large, a very small and a very long value stay within their card, beside the time',
    async (t) => {
      const cases = [
        ['large', 1e300, '1E300'],
        ['tiny', -2.5e-9, '-2.5E-9'],
        ['small', 0.00042, '0.00042'],
        ['many', 123456789.12345, '123,456,789.123'],
        ['words', 'w'.repeat(60), 'w'.repeat(60)],
      ] as const
      for (const [name, value] of cases) lamp.telemetry(name, value)
      for (const [name, , shown] of cases) {
        const last = series(name).locator('.series-last')
        await last.locator('bdi').getByText(shown, { exact: true }).waitFor()
        const { height } = (await last.locator('time').boundingBox())!
        t.ok(height < 30, `${name}: the time is one line, of ${height} pixels`)
      }
    },
  )

  await t.test('however much it measures, the page stays bounded', async () => {
    for (let n = 0; n < 900; n++) lamp.telemetry('burst', n)
    await lamp.flush()
    await until(
      'the last one is shown',
      async () => (await series('burst').locator('.series-last bdi').innerText()) === '899',
    )
    const said = await series('burst').getByRole('img').getAttribute('aria-label')
    // Values of one millisecond are one.
    const count = Number(/([\d,]+) values?/.exec(said ?? '')?.[1])
    if (!(count <= 300)) throw new Error(`${said}`)
  })

  await t.test('a clock that is wrong does no harm', async () => {
    const tell = async (value: number, ts: number): Promise<void> => {
      const body = { topic: 'devices/lamp/telemetry/clock', payload: JSON.stringify({ value, ts }) }
      await fetchFrom(app.broker, '/v1/publish', { method: 'POST', headers: { authorization: `Bearer ${key}` }, body })
    }
    await tell(1, 9e15)
    await tell(2, Date.now() + 3_600_000)
    await tell(3, Date.now() + 30_000)
    await until(
      'the last value is shown',
      async () => (await series('clock').locator('.series-last bdi').innerText()) === '3',
    )
  })

  const row = (text: string) => page.locator('.row', { hasText: text })
  const command = async (params: string): Promise<void> => {
    await page.getByLabel('Parameters').fill(params)
    await page.getByRole('button', { name: 'Send the command' }).click()
  }

  await t.test('a command is checked, sent, and its outcome is told', async (t) => {
    await page.getByLabel('Command', { exact: true }).fill('dim')
    await command('{to: 3}')
    await page.getByText('This is not JSON.').waitFor()
    await command('{"to": 3}')
    await row('{"to":3}').getByText('done').waitFor()
    await row('{"to":3}').getByText('{"level":3}').waitFor()
    await until('the state follows', async () => (await fact('level').innerText()) === '3')
    await command('{"to": 30}')
    await row('{"to":30}').getByText('failed').waitFor()
    await row('{"to":30}').getByText('to: 0 to 10').waitFor()
    t.same(await findingsOf(alice), [], 'commands')
  })

  await t.test('of an earlier command, beyond the newest ones, the outcome is told, too', async () => {
    const ask = async (name: string): Promise<void> => {
      await fetchFrom(app.broker, '/v1/devices/lamp/commands', { method: 'POST', as: 'alice', body: { name } })
    }
    await ask('polish')
    for (let n = 0; n < 21; n++) await ask('blink')
    await page.reload()
    await page.getByRole('button', { name: 'Earlier commands' }).click()
    await row('polish').getByText('the device has it').waitFor()
    polished()
    await row('polish').getByText('done').waitFor()
  })

  await t.test('a page that cannot be shown takes nothing else with it', async (t) => {
    await page.evaluate(`{
      const { toFixed } = Number.prototype
      Number.prototype.toFixed = () => {
        Number.prototype.toFixed = toFixed
        throw new Error('no line')
      }
    }`)
    lamp.telemetry('watts', 1)
    await page.getByText('This could not be shown.').waitFor()
    t.same(await findingsOf(alice), [])
    t.match(app.troubles.splice(0), [/no line/])
    t.ok(await page.locator('.rooms-pane').isVisible())
    await page.getByRole('button', { name: 'Reload' }).click()
    await fact('level').waitFor()
  })

  await t.test('it is shared with somebody, who looks at it, until it is shared no more', async (t) => {
    const bob = await app.enter('bob', '/d/lamp')
    await bob.page.getByText('This does not exist').waitFor()
    t.same(await findingsOf(bob), [], 'a device that one may not see')
    await page.locator('section', { hasText: 'Shared with' }).getByLabel('User name').fill('bob')
    await page.getByRole('button', { name: 'Share', exact: true }).click()
    await row('bob').getByText('may look').waitFor()
    await bob.page.goto(`${app.url}/d/lamp`)
    await bob.page.locator('.facts dd', { hasText: '3' }).first().waitFor()
    await bob.page.getByText('Belongs to alice').waitFor()
    t.equal(
      await bob.page.getByRole('button', { name: 'Send the command' }).count(),
      0,
      'who may look sends no commands',
    )
    await page.getByRole('button', { name: 'Share no more with bob' }).click()
    await page.getByText('With nobody.').waitFor()
    await bob.page.reload()
    await bob.page.getByText('This does not exist').waitFor()
    await bob.page.context().close()
  })

  await t.test('what it tells is posted into a room, until that is ended', async (t) => {
    const makeRoom = async (room: string): Promise<void> => {
      await fetchFrom(app.broker, '/v1/rooms', { method: 'POST', as: 'alice', body: { room } })
    }
    await makeRoom('office')
    const rooms = page.getByLabel('Room', { exact: true })
    await page.getByLabel('Topics below the device').fill('telemetry/door')
    t.equal(await rooms.inputValue(), 'office')
    await makeRoom('attic')
    const body = { text: 'in the attic' }
    await fetchFrom(app.broker, '/v1/rooms/attic/messages', { method: 'POST', as: 'alice', body })
    await page.locator('.room-row').first().getByText('in the attic').waitFor()
    t.equal(await rooms.inputValue(), 'office', 'what a form begins with stays, whichever room is active')
    await page.getByLabel('Text of each message').fill('The door: {value}')
    await page.getByRole('button', { name: 'Post into the room' }).click()
    await row('telemetry/door').getByRole('link', { name: 'office' }).waitFor()
    t.same(await findingsOf(alice), [], 'bridges')
    lamp.telemetry('door', 'open')
    await page.locator('.room-row', { hasText: 'The door: open' }).waitFor()
    await page.getByRole('button', { name: 'Post telemetry/door no more' }).click()
    await page.getByText('posted into no room').waitFor()
  })

  await t.test('on a phone, in Arabic, nothing is wider than the screen', async (t) => {
    await page.setViewportSize({ width: 360, height: 740 })
    await page.evaluate("localStorage.setItem('topictalk:locale', 'ar')")
    await page.reload()
    await page.locator('html[dir=rtl] .facts').waitFor()
    lamp.telemetry('watts', 5)
    await series('watts').waitFor()
    t.same(await findingsOf(alice), [])
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360)
    await page.evaluate("localStorage.setItem('topictalk:locale', 'en')")
    await page.setViewportSize({ width: 1280, height: 900 })
    await page.reload()
  })

  await t.test('the list stays, and the focus in it, while it is asked for anew', async (t) => {
    const bob = await app.enter('bob')
    const ask = async (path: string, method: string, as: string, body?: object): Promise<void> => {
      const { status, text } = await fetchFrom(app.broker, `/v1/devices${path}`, { method, as, ...(body && { body }) })
      if (status >= 300) throw new Error(text)
    }
    await ask('', 'POST', 'bob', { device: 'shed' })
    await bob.page.goto(`${app.url}/devices`)
    await bob.page.getByRole('link', { name: /shed/ }).focus()
    await bob.page.evaluate("document.activeElement.closest('ul').id = 'as-before'")
    await ask('/lamp/shares/bob', 'PUT', 'alice', { may: 'read' })
    await bob.page.getByRole('link', { name: /Lamp/ }).waitFor()
    t.match(await bob.page.evaluate('document.activeElement.textContent'), /shed/)
    t.equal(await bob.page.locator('#as-before').count(), 1, 'it is the same list')
    await ask('/lamp/shares/bob', 'DELETE', 'alice')
    await bob.page.getByRole('link', { name: /Lamp/ }).waitFor({ state: 'detached' })
    t.match(await bob.page.evaluate('document.activeElement.textContent'), /shed/)
    await bob.page.context().close()
    await ask('/shed', 'DELETE', 'bob')
  })

  await t.test('given to somebody, it is theirs when they accept', async (t) => {
    const bob = await app.enter('bob')
    await page.getByRole('button', { name: /^Menu of Lamp/ }).click()
    await page.getByRole('menuitem', { name: 'Give it to someone' }).click()
    await dialog.getByLabel('User name').fill('bob')
    t.same(await findingsOf(alice), [], 'giving')
    await dialog.getByRole('button', { name: 'Give it to someone' }).click()
    await bob.page.getByText('alice gives you a device').first().waitFor()
    await bob.page.goto(`${app.url}/devices`)
    await bob.page.getByText('alice gives you this device').waitFor()
    await bob.page.locator('.row').getByText('lamp', { exact: true }).waitFor()
    t.same(await findingsOf(bob), [], 'an offer')
    await bob.page.getByRole('button', { name: 'Decline' }).click()
    await bob.page.getByText('alice gives you this device').waitFor({ state: 'detached' })
    await bob.page.context().close()
  })

  await t.test('who removes it is asked before, and it is gone', async (t) => {
    await page.getByRole('button', { name: /^Menu of Lamp/ }).click()
    await page.getByRole('menuitem', { name: 'Remove the device' }).click()
    t.same(await findingsOf(alice), [], 'the question')
    await dialog.getByRole('button', { name: 'Remove the device' }).click()
    await page.getByText('No devices yet').waitFor()
  })

  t.same(app.troubles, [])
})

t.test('where administrators add devices, nobody else is offered to', async (t) => {
  const app = await WebApp.start(t)
  await app.register('alice')
  app.broker.config.auth.registration = 'invite'
  const alice = await app.enter('alice', '/devices')
  await alice.page.getByText('Administrators add devices here').waitFor()
  t.equal(await alice.page.getByRole('button', { name: 'Add a device' }).count(), 0)
  t.same(await findingsOf(alice), [])
  t.same(app.troubles, [])
})
