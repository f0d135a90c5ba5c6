/** The web app kept by its service worker: opened without a server, and after an update of the server. */

import { once } from 'node:events'
import net from 'node:net'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { BrokerProcess } from '../helpers/broker-process.js'
import { startChromium } from '../helpers/chromium.js'
import { freePort } from '../helpers/free-port.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebPage, WebVisits } from '../helpers/web-page.js'

/** What the worker keeps, by the names of its caches. */
const kept = (page: Page): Promise<Record<string, string[]>> =>
  page.evaluate(`(async () => Object.fromEntries(await Promise.all((await caches.keys()).map(async (name) =>
    [name, (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)]))))()`)

/** Resolves when the worker keeps a version, and serves the page. */
const untilKept = async (page: Page): Promise<void> => {
  await page.evaluate('navigator.serviceWorker.ready.then(({ active }) => active.state)')
  await until('the worker serves the page', () => page.evaluate('navigator.serviceWorker.controller !== null'))
}

const UPDATED = '0123456789ab'

/** A server that is updated from one moment to the next: its page and its worker are of another version. */
class UpdatedServer {
  url = ''
  #isUpdated = false

  constructor(
    readonly target: number,
    readonly version: string,
  ) {}

  static async start(t: Test, target: number, version: string): Promise<UpdatedServer> {
    const updated = new UpdatedServer(target, version)
    const server = net.createServer((client) => updated.#pass(client))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    updated.url = `http://localhost:${(server.address() as net.AddressInfo).port}`
    return updated
  }

  /** From the next connection on. */
  update(): void {
    this.#isUpdated = true
  }

  #pass(client: net.Socket): void {
    const broker = net.connect(this.target, '127.0.0.1')
    client.on('close', () => broker.destroy()).on('error', () => {})
    broker.on('close', () => client.destroy()).on('error', () => {})
    // Tags of the version before are not the broker's business.
    client.on('data', (bytes) => broker.write(this.#changed(bytes, 'If-None-Match', 'X-None-Match!')))
    broker.on('data', (bytes) => client.write(this.#changed(bytes, this.version, UPDATED)))
  }

  #changed(bytes: Buffer, from: string, to: string): Buffer {
    return this.#isUpdated ? Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1') : bytes
  }
}

t.test('the service worker', async (t) => {
  const http = await freePort()
  const broker = await BrokerProcess.make(t, [`listen.http=${http}`])
  await broker.start()
  const browser = await startChromium(t)
  const visits = new WebVisits(`http://localhost:${http}`, browser)
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { authorization: `Bearer ${await broker.token('alice')}`, 'content-type': 'application/json' }
    return fetch(`${visits.url}/v1${path}`, { ...init, headers })
  }
  let alice = await visits.enter('alice')
  const context = alice.page.context()
  await ask('/rooms', { method: 'POST', body: JSON.stringify({ room: 'tea', name: 'Tea kitchen' }) })
  await alice.page.getByRole('link', { name: /^Tea kitchen/ }).click()
  await alice.send('the kettle is broken')
  await alice.allSent(1)

  await t.test('it keeps the page and every file of its version, and nothing that people write', async (t) => {
    await untilKept(alice.page)
    const [paths = [], ...others] = Object.values(await kept(alice.page))
    t.same(others, [])
    t.ok(paths.includes('/'))
    t.ok(
      paths.some((path) => path.startsWith('/assets/ar-')),
      'also what is not loaded at first',
    )
    t.same(
      paths.filter((path) => !/^\/(assets\/[\w.-]+)?$/.test(path)),
      [],
    )
  })

  await t.test('it can be installed, and begins with what a shortcut asks for', async (t) => {
    const browserOf = await context.newCDPSession(alice.page)
    const { installabilityErrors } = await browserOf.send('Page.getInstallabilityErrors')
    // What is not kept for good is not installed: profiles of tests are not.
    t.same(
      installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'),
      [],
    )
    const { errors, data = '' } = await browserOf.send('Page.getAppManifest')
    t.same(errors, [])
    const { name, shortcuts } = JSON.parse(data)
    t.equal(name, 'TopicTalk')
    const page = await context.newPage()
    await page.goto(`${visits.url}${shortcuts[0].url}`)
    await page.getByRole('dialog', { name: shortcuts[0].name }).waitFor()
    t.equal(page.url(), `${visits.url}/`)
    await page.close()
  })

  await t.test('without a server a room opens at its address; what is written there arrives once, later', async (t) => {
    const address = alice.page.url()
    await alice.page.close()
    await broker.kill()
    alice = new WebPage(await context.newPage())
    const answer = await alice.page.goto(address)
    t.equal(answer!.fromServiceWorker(), true)
    t.match(answer!.headers()['content-security-policy'], /default-src 'none'.*require-trusted-types-for 'script'/)
    await alice.sees('the kettle is broken')
    await alice.page.getByRole('link', { name: /^Tea kitchen/ }).waitFor()
    await alice.send('written without a server')
    await alice.page.locator('.mark.clock').waitFor()
    await alice.page.locator('.banner').getByText('1 message waits').waitFor()
    await broker.start()
    await alice.tryNow()
    await alice.allSent(2)
    const { messages } = (await (await ask('/rooms/tea/messages')).json()) as { messages: { text: string }[] }
    t.same(
      messages.map(({ text }) => text),
      ['the kettle is broken', 'written without a server'],
    )
  })

  await t.test('a server without the app takes it away from browsers', async (t) => {
    await alice.page.evaluate("caches.open('of-another-page').then(() => {})")
    await broker.kill()
    const without = await BrokerProcess.make(t, [`listen.http=${http}`, 'web.enabled=false'])
    await without.start()
    const page = await context.newPage()
    await page.goto(visits.url)
    await page.getByText('Where to connect').waitFor()
    await until('nothing of it is left', async () => Object.keys(await kept(page)).length === 1)
    t.equal(await page.evaluate("caches.delete('of-another-page')"), true, 'what other pages keep stays')
    await page.goto(`${visits.url}/r/tea`)
    await page.getByText('not_found').waitFor()
    await without.kill()
    await broker.start()
  })
  t.same(broker.complaints, [])
  t.same(
    visits.troubles.filter((line) => !/WebSocket connection|ERR_CONNECTION/.test(line)),
    [],
  )

  await t.test('of a new version a page is told, and goes on until it is loaded anew', async (t) => {
    const page = await (await fetch(visits.url, { headers: { accept: 'text/html' } })).text()
    const [, version = ''] = /data-version="(\w+)"/.exec(page) ?? []
    const server = await UpdatedServer.start(t, http, version)
    const office = new WebVisits(server.url, browser)
    const bob = await office.enter('bob', '/r/tea')
    await bob.page.getByRole('button', { name: 'Join' }).click()
    await bob.composer.fill('half a sent')
    await untilKept(bob.page)
    t.same(Object.keys(await kept(bob.page)), [`topictalk-app-${version}`])
    server.update()
    await broker.kill()
    await bob.page.locator('.banner').waitFor()
    await broker.start()
    await bob.tryNow()
    await bob.page.locator('.notice-bar', { hasText: 'A new version is ready.' }).waitFor()
    t.same(await findingsOf(bob), [])
    t.equal(await bob.composer.inputValue(), 'half a sent', 'nothing was loaded anew')
    await until('the new version is kept, too', async () => Object.keys(await kept(bob.page)).length === 2)
    await bob.page.getByRole('button', { name: 'Reload' }).click()
    await until('it is the new version', () =>
      bob.page.evaluate(`document.querySelector('meta[name=topictalk]')?.dataset.version === '${UPDATED}'`),
    )
    await until('the draft is there', async () => (await bob.composer.inputValue()) === 'half a sent')
    t.equal(await bob.page.locator('.notice-bar').count(), 0)
  })
})
