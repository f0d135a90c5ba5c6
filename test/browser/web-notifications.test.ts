/** Notifications of the web app: asked for in time, once for all tabs, of what the settings say, gone when it is read. */
import type { Page } from 'playwright-core'
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp, WebPage } from '../helpers/web-page.js'

interface Shown {
  readonly title: string
  readonly body: string
  readonly tag: string
}

/** What the system shows of the app. */
const shown = (page: Page): Promise<Shown[]> =>
  page.evaluate(
    'navigator.serviceWorker.ready.then((own) => own.getNotifications()).then((all) => all.map(({ title, body, tag }) => ({ title, body, tag })))',
  )

/** So many minutes from now, as a field of time takes it. */
const clock = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toTimeString().slice(0, 5)

t.test('notifications', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  const ask = async (as: string, path: string, body: object, method = 'POST') => {
    const { status, text } = await fetchFrom(app.broker, `/v1${path}`, { method, as, body })
    if (status >= 300) throw new Error(`${path}: ${text}`)
  }
  const say = (room: string, text: string) => ask('bob', `/rooms/${room}/messages`, { text })
  const alice = await app.enter('alice', '/', { permissions: ['notifications'] })
  await app.register('bob')
  await ask('alice', '/rooms', { room: 'tea', name: 'Tea kitchen' })
  await ask('bob', '/rooms/tea/join', {})
  const { page } = alice
  const context = page.context()
  const offer = page.locator('.notice-bar')
  const untilShown = (what: readonly Shown[]) =>
    until(`shown: ${what.map(({ title }) => title).join(', ')}`, async () => {
      const now = await shown(page)
      return JSON.stringify(now) === JSON.stringify(what)
    })

  /** Says something to a page that was just loaded, until it is told: then it tells of what comes. */
  const untilTelling = () =>
    until('it tells', async () => {
      await say('@alice', 'are you there?')
      return (await shown(page)).length > 0
    })

  await t.test('who has written something is asked, and nobody before', async (t) => {
    await page.getByRole('link', { name: /^Tea kitchen/ }).click()
    t.equal(await offer.count(), 0)
    await alice.send('anybody here?')
    await offer.getByText('Shall this browser tell you').waitFor()
    t.same(await findingsOf(alice), [])
    await offer.getByRole('button', { name: 'Turn on' }).click()
    await offer.waitFor({ state: 'detached' })
    await page.evaluate('navigator.serviceWorker.ready.then(() => {})')
  })

  const second = new WebPage(await context.newPage())
  await second.page.goto(app.url)
  await second.page.locator('.room-row').waitFor()

  await t.test('a message is told once, whatever the number of tabs, and counted in the title', async () => {
    await page.goto(app.url)
    await page.locator('.room-row').waitFor()
    await say('tea', 'I am')
    await untilShown([{ title: 'bob · Tea kitchen', body: 'I am', tag: 'tea' }])
    await until('it is counted', async () => (await page.title()).startsWith('(1) '))
    // Its icon has a dot.
    await page.locator('link[rel=icon][href^="data:image/png"]').waitFor({ state: 'attached' })
  })

  await t.test('it goes when it is read in another tab, and a room that somebody looks at tells nothing', async (t) => {
    await second.page.locator('.room-row').click()
    await second.sees('I am')
    await untilShown([])
    await until('nothing is counted', async () => !(await page.title()).startsWith('('))
    t.notMatch(await page.locator('link[rel=icon]').getAttribute('href'), /^data:/)
    await say('tea', 'look here')
    await second.sees('look here')
    await say('@alice', 'and here')
    await untilShown([{ title: 'bob', body: 'and here', tag: 'dm:alice:bob' }])
  })

  await t.test('a click leads to the message', async () => {
    const [worker] = context.serviceWorkers()
    await worker!.evaluate(
      `self.registration.getNotifications().then(([notification]) => {
        self.dispatchEvent(new NotificationEvent('notificationclick', { notification }))
      })`,
    )
    await until('one of the tabs shows it', async () =>
      [page, second.page].some((one) => new URL(one.url()).pathname === '/r/dm:alice:bob/1'),
    )
    await untilShown([])
  })

  await t.test('it goes on when some of a room was read, and when more is unread than is counted', async () => {
    await ask('alice', '/rooms', { room: 'crowd', name: 'Crowd' })
    await ask('bob', '/rooms/crowd/join', {})
    const told = (text: string) =>
      until(`told: ${text}`, async () => (await shown(page)).some(({ tag, body }) => tag === 'crowd' && body === text))
    const readTo = (seq: number) => ask('alice', '/rooms/crowd/read', { seq }, 'PUT')
    for (const one of [page, second.page]) await one.goto(app.url)
    await untilTelling()
    for (const text of ['one', 'two', 'three']) await say('crowd', text)
    await told('three')
    await readTo(2)
    await say('crowd', 'after some was read')
    await told('after some was read')
    for (let n = 0; n < 100; n++) await say('crowd', `${n}`)
    await told('99')
    await say('crowd', 'one more')
    await told('one more')
    await readTo(105)
    await until('it is gone', async () => (await shown(page)).every(({ tag }) => tag !== 'crowd'))
  })

  await t.test('who gives no answer to the browser is where they were', async () => {
    const carol = await app.enter('carol')
    await carol.page.addInitScript(`{
      Object.defineProperty(Notification, 'permission', { get: () => 'default' })
      Notification.requestPermission = async () => 'default'
    }`)
    await carol.page.goto(`${app.url}/settings/notifications`)
    const choice = carol.page.getByLabel('Notifications of this browser')
    await choice.selectOption('text')
    await until('none is chosen', async () => (await choice.inputValue()) === 'off')
    await carol.page.context().close()
  })

  await t.test('it is of what the settings of the user say', async (t) => {
    await page.goto(app.url)
    await second.page.goto(app.url)
    await second.page.locator('.room-row').first().waitFor()
    await untilTelling()
    await ask('alice', '/rooms/tea/settings', { notifications: 'mentions' }, 'PATCH')
    await say('tea', 'nothing for anybody')
    await say('@alice', 'the last one')
    await until('it is told', async () => (await shown(page)).some(({ body }) => body === 'the last one'))
    t.notOk((await shown(page)).some(({ tag }) => tag === 'tea'))
    await ask('bob', '/rooms/tea/messages', { text: 'for you', mentions: ['@alice'] })
    await until('it is told', async () => (await shown(page)).some(({ body }) => body === 'for you'))
  })

  await t.test('quiet hours, and what is shown, are chosen in the settings', async (t) => {
    await page.goto(`${app.url}/settings/notifications`)
    t.equal(await page.getByLabel('Notifications of this browser').inputValue(), 'text')
    await page.getByLabel('Quiet hours').check()
    await page.getByLabel('Quiet from').fill(clock(-60))
    await page.getByLabel('Quiet until').fill(clock(60))
    t.same(await findingsOf(alice), [])
    await second.page.goto(`${app.url}/r/tea`)
    await until('the room is read', async () => (await shown(page)).every(({ tag }) => tag !== 'tea'))
    await second.page.goto(app.url)
    await ask('bob', '/rooms/tea/messages', { text: 'in the night', mentions: ['@alice'] })
    await second.page.locator('.room-row', { hasText: 'in the night' }).waitFor()
    await page.getByLabel('Quiet hours').uncheck()
    await page.getByLabel('Notifications of this browser').selectOption('sender')
    await say('@alice', 'in the morning')
    await until('it tells', async () => (await shown(page)).some(({ body }) => body === 'New message'))
    t.same(await shown(page), [{ title: 'bob', body: 'New message', tag: 'dm:alice:bob' }])
  })

  await t.test('a push is shown by the worker, without a page that asks', async () => {
    const cdp = await context.newCDPSession(page)
    const registration = new Promise<string>((resolve) => {
      cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations: [one] }) => resolve(one!.registrationId))
    })
    await cdp.send('ServiceWorker.enable')
    const notification = { title: 'carol', body: 'from afar', tag: 'dm:alice:carol', navigate: '/u/carol' }
    const data = JSON.stringify({ web_push: 8030, notification })
    await cdp.send('ServiceWorker.deliverPushMessage', { origin: app.url, registrationId: await registration, data })
    await until('it is shown', async () => (await shown(page)).some(({ body }) => body === 'from afar'))
  })

  await t.test('who logs out is told nothing, and nothing of it stays', async () => {
    await page.getByRole('button', { name: 'Logged in as alice' }).click()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Password').waitFor()
    await untilShown([])
  })

  t.same(app.troubles, [])
})
