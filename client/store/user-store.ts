import type { OpenStore, Store } from './store.js'

/** The store of whoever is logged in. */
export class UserStore {
  readonly #open: OpenStore
  readonly #broker: string
  #present: { readonly user: string; readonly store: Store } | null = null
  #closed: Promise<unknown> = Promise.resolve()

  constructor(open: OpenStore, broker: string) {
    this.#open = open
    this.#broker = broker
  }

  /** The same one as before, if it is still open and of this user. The one of another user is closed. */
  async of(user: string): Promise<Store> {
    if (this.#present && this.#present.user !== user) void this.close()
    await this.#closed
    this.#present ??= { user, store: this.#open({ broker: this.#broker, user }) }
    return this.#present.store
  }

  async close(): Promise<void> {
    const store = this.#present?.store
    this.#present = null
    this.#closed = Promise.all([this.#closed, store?.close()])
    await this.#closed
  }
}
