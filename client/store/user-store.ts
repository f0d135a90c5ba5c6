import { ChatError } from '../base/chat-error.js'
import type { Change, Key, OpenStore, Range, Row, Store, Table } from './store.js'

export type OwnedStore = Pick<Store, 'range' | 'write'>

/** The store of whoever is logged in: each method is that of the present one, and rejects with `offline` if there is none. */
export class UserStore implements Omit<Store, 'destroy'> {
  readonly #open: OpenStore
  readonly #broker: string
  #present: { readonly user: string; readonly store: Store } | null = null
  #closed: Promise<unknown> = Promise.resolve()

  constructor(open: OpenStore, broker: string) {
    this.#open = open
    this.#broker = broker
  }

  /** From now on it is that of this user; resolves with it. The one of another user is closed. */
  async of(user: string): Promise<Store> {
    if (this.#present && this.#present.user !== user) void this.close()
    await this.#closed
    this.#present ??= { user, store: this.#open({ broker: this.#broker, user }) }
    return this.#present.store
  }

  async get(table: Table, keys: readonly Key[]): Promise<readonly unknown[]> {
    return this.#store.get(table, keys)
  }

  async range(table: Table, range?: Range): Promise<readonly Row[]> {
    return this.#store.range(table, range)
  }

  async write(changes: readonly Change[], options?: { readonly durable?: boolean }): Promise<void> {
    return this.#store.write(changes, options)
  }

  /** The one that this user has, and no other: its methods reject with `offline` as long as another one is logged in, or nobody. */
  ownedBy(user: string): OwnedStore {
    const store = (): Store => {
      if (this.#present?.user === user) return this.#present.store
      throw new ChatError('offline', `${user} is not logged in`)
    }
    return {
      range: async (table, range) => store().range(table, range),
      write: async (changes) => store().write(changes),
    }
  }

  /** It may be opened again, with `of`. */
  async close(): Promise<void> {
    const store = this.#present?.store
    this.#present = null
    this.#closed = Promise.all([this.#closed, store?.close()])
    await this.#closed
  }

  /** Closes it, and deletes that of this user. */
  async destroy(user: string | undefined): Promise<void> {
    const destroyed = user === undefined ? this.close() : (await this.of(user)).destroy()
    this.#present = null
    this.#closed = Promise.all([this.#closed, destroyed.catch(() => {})])
    await destroyed
  }

  get #store(): Store {
    if (!this.#present) throw new ChatError('offline', 'nobody is logged in')
    return this.#present.store
  }
}
