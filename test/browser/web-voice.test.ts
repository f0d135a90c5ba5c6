/** Voice messages in the web app, with a microphone that beeps. */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp } from '../helpers/web-page.js'

t.test('voice messages', async (t) => {
  const app = await WebApp.start(t)
  // A service worker would have all parts of the app.
  const alice = await app.enter('alice', '/r/lobby', { serviceWorkers: 'block' })
  const { page } = alice
  await page.getByRole('button', { name: 'Join' }).click()
  const record = page.getByRole('button', { name: 'Record a voice message' })
  /** Waits until the recording has at least so many seconds; a busy page does not show each of them. */
  const lasts = (seconds: number): Promise<void> =>
    page.locator('.recorder-time', { hasText: new RegExp(`0:0[${seconds}-9]|0:[1-9]|[1-9]:`) }).waitFor()

  await t.test('a recorder that cannot be loaded leaves the composer, and the page can be loaded anew', async (t) => {
    await page.route('**/assets/recorder-*.js', (route) => route.abort())
    await record.click()
    const alert = page.getByRole('alert')
    await alert.getByText('could not be loaded').waitFor()
    t.equal(await alice.composer.isVisible(), true)
    t.same(await findingsOf(alice), [])
    await alert.getByRole('button', { name: 'Try again' }).click()
    await alert.getByRole('button', { name: 'Reload' }).waitFor()
    await record.click()
    await alert.waitFor({ state: 'detached' })
    await page.unroute('**/assets/recorder-*.js')
    await page.reload()
  })

  await t.test('who has not let the page use the microphone is told how to', async () => {
    await record.click()
    await page.getByRole('alert').getByText('does not let this page use the microphone').waitFor()
    await alice.composer.waitFor()
  })

  await page.context().grantPermissions(['microphone'])

  await t.test('a recording that is given up is not sent, and what was written is there', async (t) => {
    await record.click()
    await lasts(1)
    t.same(await findingsOf(alice), [])
    t.equal(await page.getByRole('alert').count(), 0)
    await page.keyboard.press('Escape')
    await alice.composer.waitFor()
    t.equal(await page.locator('.message').count(), 0)
  })

  await t.test('as long as the browser asks, it can be given up', async (t) => {
    // A browser without a window has the answer at once.
    await page.evaluate('navigator.mediaDevices.getUserMedia = () => new Promise(() => {})')
    await record.click()
    await page.getByText('The browser asks').waitFor()
    t.same(await findingsOf(alice), [])
    await page.keyboard.press('Enter')
    await alice.composer.waitFor()
    await page.evaluate('delete navigator.mediaDevices.getUserMedia')
  })

  await t.test('it is sent with its length and how loud it is, and is heard', async (t) => {
    await record.click()
    await lasts(2)
    await page.getByRole('button', { name: 'Send the recording' }).click()
    await alice.allSent(1)
    const { body } = await fetchFrom(app.broker, '/v1/rooms/lobby/messages', { as: 'alice' })
    const [{ type, duration, waveform }] = body.messages[0].attachments
    t.equal(type, 'audio')
    t.ok(duration >= 1.5 && duration < 60, `${duration} s`)
    t.ok(waveform.length > 5 && Math.max(...waveform) > 20, String(waveform))
    t.same(await findingsOf(alice), [])
    await page.getByRole('button', { name: 'Play' }).click()
    await until('it comes to its end', async () => {
      const at = await page.evaluate('document.querySelector(".voice audio").currentTime')
      return Number(at) > 1
    })
  })

  await t.test('it is heard although its first address was of no use', async () => {
    let isFirst = true
    await page.route('**/media/**', (route) => {
      if (!isFirst) return route.continue()
      isFirst = false
      return route.fulfill({ status: 401 })
    })
    await page.reload()
    await page.getByRole('button', { name: 'Play' }).click()
    await until('it comes to its end', async () => {
      const at = await page.evaluate('document.querySelector(".voice audio").currentTime')
      return Number(at) > 1
    })
    await page.unroute('**/media/**')
  })

  await t.test('a recording is sent as a message of its own, also while another one is edited', async (t) => {
    await alice.send('as it was')
    await alice.allSent(2)
    await record.click()
    await lasts(1)
    const row = page.locator('.message', { hasText: 'as it was' })
    await row.hover()
    await row.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Edit' }).click()
    await page.getByRole('button', { name: 'Send the recording' }).click()
    await alice.allSent(3)
    t.equal(await page.locator('.voice').count(), 2)
    t.equal(await alice.composer.inputValue(), 'as it was')
  })

  t.same(app.troubles, [])
})
