/** The client's store in a browser: the suite of all adapters, and what may happen to IndexedDB alone. */

import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { clientStoreSuite } from '../contract/client-store-suite.js'
import { bundle } from '../helpers/bundle.js'
import { startChromium } from '../helpers/chromium.js'
import { PAGE_STORES, PageStore } from '../helpers/page-store.js'
import { serveApp } from '../helpers/web-app.js'

const browser: Browser = await startChromium(t)
const app = await serveApp(t, {
  '/': ['text/html', '<!doctype html><title>app</title><script type="module" src="/main.js"></script>'],
  '/main.js': ['text/javascript', bundle(PAGE_STORES)],
})

/** A page of a new profile, or one more of the same. */
async function newPage(of?: Page): Promise<Page> {
  const context = of?.context() ?? (await browser.newContext())
  const page = await context.newPage()
  await page.goto(app.url)
  await page.waitForFunction('window.callStore')
  return page
}

const row = (key: string, value: unknown) => [{ put: 'outbox', key: [key], value }] as const
const DURABLE = { durable: true }
const OUTDATED = { code: 'storage', message: /another tab deleted or upgraded/ }

let places = 0

t.test('IndexedDB', async (t) => {
  const page = await newPage()
  const place = async () => {
    const name = `suite ${++places}`
    return { open: () => PageStore.open(page, name) }
  }
  clientStoreSuite(t, { place, lasts: true })
})

t.test('a page that is loaded again finds what was written', async (t) => {
  const page = await newPage()
  await (await PageStore.open(page, 'x')).write(row('a', 1), DURABLE)
  await page.reload()
  await page.waitForFunction('window.callStore')
  t.same(await (await PageStore.open(page, 'x')).get('outbox', [['a']]), [1])
})

t.test('two tabs share it', async (t) => {
  const [one, other] = await twoTabs(t)
  await one.write([{ put: 'messages', key: ['a'], value: 'at 5', asOf: 5 }])
  await other.write([{ put: 'messages', key: ['a'], value: 'at 4', asOf: 4 }])
  t.same(await one.get('messages', [['a']]), ['at 5'])
})

async function twoTabs(t: Test): Promise<[PageStore, PageStore]> {
  const page = await newPage()
  t.teardown(() => page.context().close())
  return [await PageStore.open(page, 'x'), await PageStore.open(await newPage(page), 'x')]
}

t.test('a tab that destroys it does not wait for the others, which are told', async (t) => {
  const [one, other] = await twoTabs(t)
  await other.write(row('a', 1))
  await one.destroy()
  await t.rejects(other.get('outbox', [['a']]), OUTDATED)
  await t.rejects(other.write(row('b', 1)), OUTDATED)
  await other.close()
})

t.test('a tab with a later version gets it, and those with this one are told', async (t) => {
  const page = await newPage()
  const store = await PageStore.open(page, 'x')
  await store.write(row('a', 1))
  await page.evaluate(`new Promise((done, failed) => {
    const opening = indexedDB.open('x', 99)
    opening.onsuccess = () => done(opening.result.close())
    opening.onerror = () => failed(opening.error)
  })`)
  await t.rejects(store.range('outbox'), OUTDATED)
  const later = await PageStore.open(page, 'x')
  await t.rejects(later.range('outbox'), { code: 'storage', message: /version/ }, 'this one cannot read a later one')
})

t.test('a tab that does not let go is not waited for without end', async (t) => {
  const page = await newPage()
  const store = await PageStore.open(page, 'x')
  await store.write(row('a', 1))
  const hold = `new Promise((done) => {
    const opening = indexedDB.open('x')
    opening.onsuccess = () => done(void (window.held = opening.result))
  })`
  const other = await newPage(page)
  await other.evaluate(hold)
  await t.rejects(store.destroy(), { code: 'storage', message: /did not delete .* another tab/ })
  const next = await PageStore.open(page, 'x')
  await t.rejects(next.range('outbox'), { code: 'storage', message: /did not open .* another tab/ })
  await other.evaluate('held.close()')
  t.same(await next.range('outbox'), [], 'it is tried again with the next call')
})

t.test('a database that the browser has closed is opened again', async (t) => {
  const page = await newPage()
  const store = await PageStore.open(page, 'x')
  await store.write(row('a', 1))
  const session = await page.context().newCDPSession(page)
  await session.send('Storage.clearDataForOrigin', { origin: app.url, storageTypes: 'indexeddb' })
  t.same(await store.range('outbox'), [])
  await store.write(row('b', 2), DURABLE)
  t.same(await store.range('outbox'), [{ key: ['b'], value: 2 }])
})

t.test('a handle that is dead is replaced, and what was asked is done once more, in order', async (t) => {
  const page = await newPage()
  // Every database of the page is closed behind the back of the store.
  await page.evaluate(`{
    const open = indexedDB.open.bind(indexedDB)
    window.handles = []
    IDBFactory.prototype.open = function (...args) {
      const opening = open(...args)
      opening.addEventListener('success', () => handles.push(opening.result))
      return opening
    }
  }`)
  const store = await PageStore.open(page, 'x')
  const kill = 'for (const handle of handles) handle.close()'
  await store.write(row('a', 1))
  await page.evaluate(kill)
  t.same(await store.get('outbox', [['a']]), [1])
  await page.evaluate(kill)
  await Promise.all([1, 2, 3].map((value) => store.write(row('a', value))))
  t.same(await store.get('outbox', [['a']]), [3])
  t.equal(await page.evaluate('handles.length'), 3, 'one for each time')
})

t.test('a full disk is told, leaves nothing half written, and is over when there is space', async (t) => {
  const page = await newPage()
  const session = await page.context().newCDPSession(page)
  await session.send('Storage.overrideQuotaForOrigin', { origin: app.url, quotaSize: 100_000 })
  const store = await PageStore.open(page, 'x')
  const tooMuch = [...row('b', 'small'), ...row('c', 'x'.repeat(5_000_000))]
  await t.rejects(store.write(tooMuch, DURABLE), { code: 'storage', cause: { name: 'QuotaExceededError' } })
  t.same(await store.get('outbox', [['b'], ['c']]), [undefined, undefined])
  await session.send('Storage.overrideQuotaForOrigin', { origin: app.url })
  await store.write(tooMuch, DURABLE)
  t.same(await store.get('outbox', [['b']]), ['small'])
})
