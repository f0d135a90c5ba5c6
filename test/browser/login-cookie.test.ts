/** The login of a web app on the broker's own origin, in a real browser: the example of docs/identity.md as it is. */
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import mqttPacket from 'mqtt-packet'
import type { BrowserContext, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startChromium } from '../helpers/chromium.js'
import { type Files, openOrigin, register, serveApp } from '../helpers/web-app.js'

const FILES: Files = {
  '/': ['text/html', '<!doctype html><title>app</title><script type="module" src="/main.js"></script>'],
  '/main.js': ['text/javascript', "import * as login from '/login.js'\nwindow.login = login"],
  '/login.js': ['text/javascript', readFile('docs/examples/browser-login.js', 'utf8')],
}

/** A page of another origin. */
async function serveOther(t: Test): Promise<string> {
  return openOrigin(
    t,
    http.createServer((_, response) => response.setHeader('content-type', 'text/html').end('<title>other</title>')),
  )
}

async function visit(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await started(page)
  return page
}

async function reload(page: Page): Promise<void> {
  await page.reload()
  await started(page)
}

async function started(page: Page): Promise<void> {
  await page.waitForFunction('window.login')
}

/** In the app: the status of a request with the access token. */
const ROOMS = `login.token().then((token) => fetch('/v1/rooms', { headers: { authorization: 'Bearer ' + token } })).then(({ status }) => status)`

t.test('a web app on the same origin', async (t) => {
  const [app, second] = [await serveApp(t, FILES), await serveApp(t, FILES)]
  await register(app, 'alice')
  await register(second, 'bob')
  const browser = await startChromium(t)
  const context = await browser.newContext()
  const [page, other] = await Promise.all([visit(context, app.url), visit(context, second.url)])
  /** Of the app alone: cookies are those of all ports. */
  const cookies = async () =>
    (await context.cookies(`${app.url}/v1/auth/token`)).filter(({ name }) => name.endsWith(`-${new URL(app.url).port}`))

  await t.test('logs in, and no script sees the refresh token', async (t) => {
    t.equal(await page.evaluate('login.resume()'), null, 'nobody is logged in before')
    const refused = await page.evaluate(`login.logIn('alice', 'wrong').catch(({ code, field }) => code + ' ' + field)`)
    t.equal(refused, 'unauthorized password')
    t.same(await cookies(), [])
    t.equal(await page.evaluate(`login.logIn('alice', 'alice-pw')`), 'alice')
    t.match(await cookies(), [{ httpOnly: true, sameSite: 'Strict', path: '/v1/auth', domain: 'localhost' }])
    t.equal(await page.evaluate('document.cookie'), '')
    t.equal(await page.evaluate(ROOMS), 200)
  })

  await t.test('connects with the access token', async (t) => {
    const password = Buffer.from((await page.evaluate('login.token()')) as string)
    const packet = {
      cmd: 'connect',
      clientId: 'web',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      keepalive: 60,
    }
    const bytes = mqttPacket.generate({ ...packet, username: 'alice', password } as never)
    const answer = await page.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket('/mqtt', 'mqtt')
      socket.binaryType = 'arraybuffer'
      socket.onopen = () => socket.send(new Uint8Array(${JSON.stringify([...bytes])}))
      socket.onmessage = ({ data }) => resolve([...new Uint8Array(data)])
    })`)
    t.same(answer, [0x20, 2, 0, 0], 'CONNACK: accepted')
  })

  await t.test('goes on after a reload, in many windows at once', async (t) => {
    await reload(page)
    t.equal(await page.evaluate('login.resume()'), 'alice')
    const pages = [page, ...(await Promise.all([1, 2, 3].map(() => visit(context, app.url))))]
    for (const round of [1, 2]) {
      await Promise.all(pages.map(reload))
      const users = await Promise.all(pages.map((page) => page.evaluate('login.resume()')))
      t.same(users, ['alice', 'alice', 'alice', 'alice'], `round ${round}`)
    }
    t.same(await Promise.all(pages.map((page) => page.evaluate(ROOMS))), [200, 200, 200, 200])
    for (const one of pages.slice(1)) await one.close()
  })

  await t.test('is not disturbed by another server on the same host', async (t) => {
    t.equal(await other.evaluate(`login.logIn('bob', 'bob-pw')`), 'bob')
    await Promise.all([page, other].map(reload))
    t.equal(await page.evaluate('login.resume()'), 'alice')
    t.equal(await other.evaluate('login.resume()'), 'bob')
  })

  await t.test('pages of other origins do nothing with the cookie', async (t) => {
    const url = await serveOther(t)
    const target = `${app.url}/v1/auth/token`
    const held = await cookies()
    const json = `headers: { 'content-type': 'application/json' }`
    const attempts = [
      `fetch('${target}', { method: 'POST', credentials: 'include', ${json}, body: '{}' })`,
      `fetch('${target}', { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}' })`,
      `fetch('${target}', { method: 'POST', credentials: 'include', mode: 'no-cors' })`,
    ]
    // Another port of the same host is the same site: the browser sends the cookie. Another host is not.
    for (const from of [url, url.replace('localhost', '127.0.0.1')]) {
      app.seen.length = 0
      const foreign = await context.newPage()
      await foreign.goto(from)
      for (const attempt of attempts)
        t.match(await foreign.evaluate(`${attempt}.then(({ type }) => type, () => 'refused')`), /^(opaque|refused)$/)
      const landed = foreign.waitForURL(target)
      await foreign.evaluate(`{
        const form = document.createElement('form')
        Object.assign(form, { method: 'post', action: '${target}', enctype: 'text/plain' })
        document.body.append(form)
        form.submit()
      }`)
      await landed
      t.notOk((await foreign.content()).includes('expiresAt'))
      await foreign.close()
      t.equal(app.seen.filter(({ status }) => status < 400).length, 0, JSON.stringify(app.seen))
      t.equal(
        app.seen.some(({ hasCookie }) => hasCookie),
        from === url,
        'the browser alone does not prevent it',
      )
      t.same(await cookies(), held)
    }
  })

  await t.test('logs out, in all windows', async (t) => {
    const beside = await visit(context, app.url)
    await page.evaluate('login.logOut()')
    t.same(await cookies(), [])
    t.equal(await beside.evaluate('login.resume()'), null)
    await reload(other)
    t.equal(await other.evaluate('login.resume()'), 'bob', 'of this server alone')
  })
})
