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
  const blobIn = ({ bytes, type }) => new Blob([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], { type })
  const given = (arg) => (Array.isArray(arg) ? arg.map((one) => (one.put === 'files' ? { ...one, value: blobIn(one.value) } : one)) : arg)
  const shown = async (value) => {
    if (!(value instanceof Blob)) return value
    const bytes = Array.from(new Uint8Array(await value.arrayBuffer()), (one) => String.fromCharCode(one))
    return { bytes: btoa(bytes.join('')), type: value.type }
  }
  const answer = async (method, result) => {
    if (method === 'get') return Promise.all(result.map(shown))
    if (method === 'range') return Promise.all(result.map(async ({ key, value }) => ({ key, value: await shown(value) })))
    return result
  }
  window.callStore = async (id, method, args) => {
    try {
      return { result: await answer(method, await stores.get(id)[method](...args.map(given))) }
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

  async get(table: Table, keys: readonly Key[]): Promise<readonly unknown[]> {
    const values = await this.#call<unknown[]>('get', table, keys)
    return table === 'files' ? values.map(blobIn) : values
  }

  async range(...args: [table: Table, range?: Range]): Promise<readonly Row[]> {
    const rows = await this.#call<Row[]>('range', ...args)
    return args[0] === 'files' ? rows.map(({ key, value }) => ({ key, value: blobIn(value) })) : rows
  }

  async write(changes: readonly Change[], ...options: [{ durable?: boolean }?]): Promise<void> {
    // What comes next must not overtake it.
    const given = changes.some(holdsBlob) ? await Promise.all(changes.map(plain)) : changes
    await this.#call('write', given, ...options)
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

/** A `Blob` on its way to the page and back: its bytes in base64. */
interface PlainBlob {
  readonly bytes: string
  readonly type: string
}

function holdsBlob(change: Change): boolean {
  return 'put' in change && change.put === 'files'
}

async function plain(change: Change): Promise<Change> {
  if (!('put' in change && change.put === 'files')) return change
  const blob = change.value as Blob
  const bytes = Buffer.from(await blob.arrayBuffer()).toString('base64')
  return { ...change, value: { bytes, type: blob.type } satisfies PlainBlob }
}

function blobIn(value: unknown): Blob | undefined {
  const { bytes, type } = (value ?? {}) as Partial<PlainBlob>
  return bytes === undefined ? undefined : new Blob([Buffer.from(bytes, 'base64')], { type: type! })
}
