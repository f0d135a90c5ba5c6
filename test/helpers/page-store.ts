/** The store of a page, as tests in Node use it: IndexedDB in a real browser. */
import type { Page } from 'playwright-core'
import { ChatError } from '../../client/base/chat-error.js'
import { isFull } from '../../client/store/storage-error.js'
import type { Change, Key, Range, Row, Store, Table } from '../../client/store/store.js'

/** For the page: makes stores by their name. */
export const PAGE_STORES = `
  import { IndexedDbStore } from './dist/client/store/indexed-db/indexed-db-store.js'
  import { isFull } from './dist/client/store/storage-error.js'
  const stores = new Map()
  window.openStore = (id, name) => void stores.set(id, new IndexedDbStore(name))
  window.callStore = async (id, method, args) => {
    try {
      return { result: await stores.get(id)[method](...args) }
    } catch (error) {
      const { code, message } = error
      return { error: { code, message, cause: String(error.cause), isFull: isFull(error) } }
    }
  }
`

interface PageError {
  readonly code: 'storage' | 'closed'
  readonly message: string
  readonly cause: string
  readonly isFull: boolean
}

let last = 0

export class PageStore implements Store {
  readonly #page: Page
  readonly #id: number

  static async open(page: Page, name: string): Promise<PageStore> {
    const store = new PageStore(page)
    await page.evaluate(`openStore(${store.#id}, ${JSON.stringify(name)})`)
    return store
  }

  private constructor(page: Page) {
    this.#page = page
    this.#id = ++last
  }

  get(table: Table, keys: readonly Key[]): Promise<readonly unknown[]> {
    return this.#call('get', table, keys)
  }

  range(...args: [table: Table, range?: Range]): Promise<readonly Row[]> {
    return this.#call('range', ...args)
  }

  write(...args: [changes: readonly Change[], options?: { durable?: boolean }]): Promise<void> {
    return this.#call('write', ...args)
  }

  close(): Promise<void> {
    return this.#call('close')
  }

  destroy(): Promise<void> {
    return this.#call('destroy')
  }

  async #call<T>(method: string, ...args: unknown[]): Promise<T> {
    const call = ([id, name, given]: Call): unknown => callStore(id, name, given)
    const answered = await this.#page.evaluate<unknown, Call>(call, [this.#id, method, args])
    const { result, error } = answered as { result: T; error?: PageError }
    if (!error) return result
    const cause = Object.assign(new Error(error.cause), { name: error.isFull ? 'QuotaExceededError' : 'Error' })
    const thrown = new ChatError(error.code, error.message, { cause })
    if (isFull(thrown) !== error.isFull) throw new Error('the kind of error was lost on its way')
    throw thrown
  }
}

type Call = [id: number, method: string, args: unknown[]]

/** Of `PAGE_STORES`, in the page. */
declare function callStore(...call: Call): unknown
