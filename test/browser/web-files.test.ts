/** Files in the web app: chosen, dragged and pasted, sent with a caption, and as others see them. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Locator } from 'playwright-core'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp, type WebPage } from '../helpers/web-page.js'

const background = { r: 40, g: 120, b: 200 }
const picture = (width: number, height: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer()

/** What a person drags over the page, or pastes. */
function give({ page }: WebPage, kind: 'drop' | 'paste', on: string, name: string, bytes: Buffer): Promise<void> {
  return page.evaluate(`{
    const data = new DataTransfer()
    const bytes = Uint8Array.from(atob('${bytes.toString('base64')}'), (one) => one.charCodeAt(0))
    data.items.add(new File([bytes], '${name}', { type: 'image/png' }))
    const about = { bubbles: true, cancelable: true }
    const at = document.querySelector('${on}')
    if ('${kind}' === 'paste') at.dispatchEvent(new ClipboardEvent('paste', { ...about, clipboardData: data }))
    else {
      at.dispatchEvent(new DragEvent('dragover', { ...about, dataTransfer: data }))
      window.drop = () => at.dispatchEvent(new DragEvent('drop', { ...about, dataTransfer: data }))
    }
  }`)
}

const chosen = ({ page }: WebPage): Locator => page.locator('.tray-file')

async function choose(
  { page }: WebPage,
  ...files: { name: string; mimeType: string; buffer: Buffer }[]
): Promise<void> {
  await page.locator('.composer input[type=file]').setInputFiles(files)
}

/** Finds files clean, but those that say BAD: of these it says so when it is told to. */
async function startScanner(t: Test): Promise<{ readonly url: string; answer(): void }> {
  let answer = (): void => {}
  const asked = new Promise<void>((resolve) => (answer = resolve))
  const server = http.createServer(async (request, response) => {
    const body = await buffer(request)
    const isBad = body.includes('BAD')
    if (isBad) await asked
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(isBad ? { action: 'block', reason: 'a test' } : { action: 'allow' }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, answer: () => answer() }
}

t.test('files', async (t) => {
  const scanner = await startScanner(t)
  const app = await WebApp.start(t, { media: { fileBytes: 200_000, scan: { url: scanner.url } } })
  const alice = await app.enter('alice', '/r/lobby')
  await alice.page.getByRole('button', { name: 'Join' }).click()
  await alice.composer.waitFor()
  const bob = await app.enter('bob', '/r/lobby')
  await bob.page.getByRole('button', { name: 'Join' }).click()
  await bob.composer.waitFor()

  await t.test('they are chosen, dragged and pasted, put in order and described', async (t) => {
    await choose(alice, { name: 'one.png', mimeType: 'image/png', buffer: await picture(600, 300) })
    await give(alice, 'paste', '.composer textarea', 'two.png', await picture(100, 100))
    await give(alice, 'drop', '.timeline', 'three.png', await picture(300, 600))
    await alice.page.locator('.drop-zone').getByText('Let go to attach').waitFor()
    await alice.page.evaluate('drop()')
    await alice.page.locator('.drop-zone').waitFor({ state: 'detached' })
    await until('three are chosen', async () => (await chosen(alice).count()) === 3)
    await alice.page.getByRole('button', { name: 'Move three.png up' }).click()
    await alice.page.getByRole('button', { name: 'Remove two.png' }).click()
    await alice.page.getByRole('button', { name: 'Alt text of three.png' }).click()
    await alice.page.getByRole('textbox', { name: 'Describe three.png' }).fill('A tall blue door')
    t.same(await chosen(alice).locator('bdi').allInnerTexts(), ['one.png', 'three.png'])
    t.same(await findingsOf(alice), [])
  })

  await t.test('what the server would not take is not taken, with the limit', async (t) => {
    await choose(alice, { name: 'film.bin', mimeType: '', buffer: Buffer.alloc(200_001, 1) })
    await alice.page.getByText('film.bin is too large: a file may have 200 kB at most.').waitFor()
    t.equal(await chosen(alice).count(), 2)
  })

  await t.test('they are there for others with their caption, each in its shape', async (t) => {
    await alice.send('Look at these')
    await alice.allSent(1)
    t.equal(await chosen(alice).count(), 0)
    await until(
      'the pictures are loaded',
      async () => (await bob.page.locator('.picture-grid img.loaded').count()) === 2,
    )
    const alts = "[...document.querySelectorAll('.picture-grid img')].map(({ alt }) => alt)"
    t.same(await bob.page.evaluate(alts), ['one.png', 'A tall blue door'])
    await bob.sees('Look at these')
    t.same(await findingsOf(bob), [])
  })

  await t.test('pictures are opened as large as the page, by mouse and keyboard', async (t) => {
    const { page } = bob
    await page.getByRole('button', { name: 'Enlarge: A tall blue door' }).click()
    await page.getByRole('dialog', { name: 'Picture 2 of 2' }).waitFor()
    await page.locator('.lightbox-words').getByText('A tall blue door').waitFor()
    t.same(await findingsOf(bob), [])
    await page.keyboard.press('ArrowLeft')
    await page.getByRole('dialog', { name: 'Picture 1 of 2' }).waitFor()
    t.equal(await page.getByRole('button', { name: 'Previous picture' }).getAttribute('aria-disabled'), 'true')
    const image = page.locator('.lightbox-stage img')
    const { width } = (await image.boundingBox())!
    await page.keyboard.press('+')
    await page.locator('.lightbox-stage.zoomed').waitFor()
    t.ok((await image.boundingBox())!.width > width)
    await page.keyboard.press('Escape')
    await page.locator('.lightbox').waitFor({ state: 'detached' })
    await page.locator('button.picture:focus', { has: page.locator('[alt="A tall blue door"]') }).waitFor()
  })

  await t.test('with a finger or a pen one goes from picture to picture, and closes them downwards', async (t) => {
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }
    for (const locale of ['en-GB', 'ar']) {
      const { page } = await app.enter('bob', '/r/lobby', {
        ...phone,
        locale,
        reducedMotion: locale === 'ar' ? 'reduce' : null,
      })
      const devtools = await page.context().newCDPSession(page)
      const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd' | 'touchCancel', ...points: [number, number][]) =>
        devtools.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y]) => ({ x, y })) })
      const swipe = async (x: number, y: number) => {
        await touch('touchStart', [180, 300])
        for (const part of [0.2, 0.6, 1]) await touch('touchMove', [180 + x * part, 300 + y * part])
        await touch('touchEnd')
      }
      const pen = async (x: number) => {
        const send = (type: 'mousePressed' | 'mouseMoved' | 'mouseReleased', at: number) =>
          devtools.send('Input.dispatchMouseEvent', {
            ...{ type, x: at, y: 300, pointerType: 'pen', force: 0.5, clickCount: 1 },
            ...(type === 'mouseMoved' ? { buttons: 1 } : { button: 'left' }),
          })
        await send('mousePressed', 180)
        for (const part of [0.2, 0.6, 1]) await send('mouseMoved', 180 + x * part)
        await send('mouseReleased', 180 + x)
      }
      const next = locale === 'ar' ? 120 : -120
      const words = page.locator('.lightbox-words')
      const image = page.locator('.lightbox-stage img')
      const isStill = () =>
        until('it lies still', async () => (await image.getAttribute('style'))!.includes('transform') === false)
      await page.locator('button.picture', { has: page.locator('[alt="one.png"]') }).tap()
      await words.getByText('one.png').waitFor()
      const glide = await page.evaluate(
        "getComputedStyle(document.querySelector('.lightbox-stage img')).transitionDuration",
      )
      t.equal(glide, locale === 'ar' ? '0s' : '0.15s', 'less motion for who wants that')

      await swipe(next, 5)
      await words.getByText('A tall blue door').waitFor()
      await swipe(next, 5)
      await isStill()
      t.equal(await words.innerText(), 'A tall blue door', `${locale}: there is no other`)
      await pen(-next)
      await words.getByText('one.png').waitFor()
      await pen(next)
      await words.getByText('A tall blue door').waitFor()

      await touch('touchStart', [180, 300])
      await touch('touchMove', [180 - next / 2, 300])
      await until('it follows', async () => (await image.getAttribute('style'))!.includes('translate'))
      await touch('touchCancel')
      await isStill()
      t.equal(await words.innerText(), 'A tall blue door', `${locale}: that was none`)
      await swipe(0, -200)
      await isStill()
      t.ok(await page.locator('.lightbox').isVisible(), `${locale}: upwards it stays`)
      t.same(await findingsOf({ page } as WebPage), [])

      const enlarge = (pageScaleFactor: number) => devtools.send('Emulation.setPageScaleFactor', { pageScaleFactor })
      await page.evaluate("globalThis.pans = 0; visualViewport.addEventListener('scroll', () => pans++)")
      await enlarge(2)
      await page.locator('.lightbox-stage.enlarged').waitFor()
      const before = await page.evaluate('pans')
      for (const x of [next, -next]) await swipe(x, 5)
      await until('one finger moves what is enlarged', async () => (await page.evaluate('pans')) !== before)
      t.equal(await words.innerText(), 'A tall blue door', `${locale}: it is no swipe`)
      await enlarge(1)
      await page.locator('.lightbox-stage.enlarged').waitFor({ state: 'detached' })
      await swipe(5, 160)
      await page.locator('.lightbox').waitFor({ state: 'detached' })
      await page.context().close()
    }
  })

  await t.test('a picture has its place before it is loaded', async (t) => {
    const held: (() => void)[] = []
    await bob.page.route('**/thumbnail?**', async (route) => {
      await new Promise<void>((go) => held.push(go))
      await route.continue()
    })
    await choose(alice, { name: 'wide.png', mimeType: 'image/png', buffer: await picture(640, 160) })
    await alice.page.getByRole('button', { name: 'Send', exact: true }).click()
    const place = bob.page.locator('.picture-one .picture')
    await place.waitFor()
    const before = await place.boundingBox()
    t.equal(before!.width, 320)
    t.equal(before!.height, 96)
    await until('it is asked for', async () => held.length > 0)
    await until('its colours are seen before', async () => {
      const [red, green, blue] = await bob.page.evaluate<number[]>(
        "[...document.querySelector('.blur').getContext('2d').getImageData(16, 16, 1, 1).data]",
      )
      return blue! > green! && green! > red!
    })
    for (const go of held) go()
    await bob.page.locator('.picture-one img.loaded').waitFor()
    t.same(await place.boundingBox(), before)
    await bob.page.unrouteAll()
  })

  await t.test('other files are saved under their name', async (t) => {
    const text = Buffer.from('%PDF-1.4 tea')
    await choose(alice, { name: 'tea.pdf', mimeType: 'application/pdf', buffer: text })
    await alice.send('')
    const line = bob.page.locator('.file-line', { hasText: 'tea.pdf' })
    await line.getByText('12 byte').waitFor()
    const download = bob.page.waitForEvent('download')
    await line.getByRole('button', { name: 'Save tea.pdf' }).click()
    const saved = await download
    t.equal(saved.suggestedFilename(), 'tea.pdf')
    t.same(await readFile(await saved.path()), text)
  })

  await t.test('a file that the scanner blocks waits until then, and is not sent', async () => {
    await choose(alice, { name: 'virus.txt', mimeType: 'text/plain', buffer: Buffer.from('BAD') })
    await alice.send('')
    await alice.page.locator('.upload progress').waitFor()
    scanner.answer()
    await alice.page.locator('.send-failed').getByText('it was found to be harmful').waitFor()
    await alice.page.locator('.send-failed').getByRole('button', { name: 'Delete' }).click()
    await alice.page.locator('.send-failed').waitFor({ state: 'detached' })
  })

  await t.test('a file that is let go where nothing takes it does not open in place of the app', async (t) => {
    await bob.page.goto(`${app.url}/settings`)
    await bob.page.getByRole('heading').first().waitFor()
    await give(bob, 'drop', '.shell', 'four.png', await picture(10, 10))
    t.equal(await bob.page.evaluate('drop()'), false, 'the browser does nothing with it')
    await bob.page.goBack()
  })

  await t.test('a file that is gone is said to be', async () => {
    const { body } = await fetchFrom(app.broker, '/v1/files', { as: 'alice' })
    const { file } = body.files.find(({ name }: { name: string }) => name === 'tea.pdf')
    await fetchFrom(app.broker, `/v1/files/${file}`, { method: 'DELETE', as: 'alice' })
    await bob.page.reload()
    await bob.page.getByRole('button', { name: 'Save tea.pdf' }).click()
    await bob.page.getByText('The file is not there any more.').waitFor()
  })

  t.same(app.troubles, [])
})
