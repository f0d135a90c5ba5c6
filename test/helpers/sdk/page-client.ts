/** A client of the SDK in a page of Chromium, with IndexedDB. */
import type { CDPSession, Page } from 'playwright-core'
import type { CheckedClient } from './checker.js'
import type { Known } from './knowledge.js'

/** For the page: `begin` makes the client, the others are of `knowledge.ts`. `keeps`: it is the only one that keeps what it reads. */
export const PAGE_CLIENT = `
  import { createChat } from './dist/client/index.js'
  import { indexedDbStore } from './dist/client/store/indexed-db/stores.js'
  import * as knowledge from './dist/test/helpers/sdk/knowledge.js'
  import { Random } from './dist/test/helpers/random.js'
  const getToken = async () => (await fetch('/token')).text()
  let store = null
  const chat = createChat({
    url: location.origin.replace(/\\d+$/, new URLSearchParams(location.search).get('port')),
    auth: { getToken },
    user: 'alice',
    store: (owner) => (store = indexedDbStore(owner)),
  })
  const keeps = new URLSearchParams(location.search).has('keeps')
  const timeline = chat.room('tea').timeline({ size: 20 })
  chat.connect().catch(() => {})
  window.client = {
    know: () => knowledge.knowledge(chat, timeline, keeps ? store : null),
    retryNow: () => chat.retryNow(),
    move: async (seed) => void (await knowledge.move(timeline, new Random(seed))),
    send: (room, text) => knowledge.send(chat, room, text),
    edit: (text) => knowledge.edit(chat, text),
    cancel: (text) => knowledge.cancel(chat, text),
  }
`

export class PageClient implements CheckedClient {
  readonly #page: Page
  readonly #url: string
  readonly #session: CDPSession

  static async open(page: Page, url: string): Promise<PageClient> {
    const session = await page.context().newCDPSession(page)
    const client = new PageClient(page, url, session)
    await client.load()
    return client
  }

  private constructor(page: Page, url: string, session: CDPSession) {
    this.#page = page
    this.#url = url
    this.#session = session
  }

  async load(): Promise<void> {
    await this.#page.goto(this.#url)
    await this.#page.waitForFunction('window.client')
  }

  /** As a browser does with tabs in the background: nothing runs until it is `active` again. */
  async setLifecycle(state: 'frozen' | 'active'): Promise<void> {
    await this.#session.send('Page.setWebLifecycleState', { state })
  }

  know(): Promise<Known> {
    return this.#call('know')
  }

  retryNow(): Promise<void> {
    return this.#call('retryNow')
  }

  move(seed: number): Promise<void> {
    return this.#call('move', seed)
  }

  send(room: string, text: string): Promise<void> {
    return this.#call('send', room, text)
  }

  edit(text: string): Promise<boolean> {
    return this.#call('edit', text)
  }

  cancel(text: string): Promise<boolean> {
    return this.#call('cancel', text)
  }

  #call<T>(method: string, ...args: (string | number)[]): Promise<T> {
    return this.#page.evaluate(`client.${method}(...${JSON.stringify(args)})`)
  }
}
