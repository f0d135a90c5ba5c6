import { ChatError } from '../base/chat-error.js'
import type { Change, Store } from '../store/store.js'

interface Group {
  readonly changes: Change[]
  isDurable: boolean
  readonly written: Promise<void>
  readonly settle: (written: Promise<void>) => void
}

/** Writes what comes while one write is under way with the next one: a durable write takes as long for one message as for a hundred. */
export class OutboxWriter {
  /** Null: it is not open. */
  #store: Pick<Store, 'write'> | null = null
  #next: Group | null = null
  #writing: Promise<void> | null = null

  /** A rejection need not be handled. Waits until the writer is open. */
  write(changes: readonly Change[], { durable = false }: { readonly durable?: boolean } = {}): Promise<void> {
    const group = (this.#next ??= newGroup())
    group.changes.push(...changes)
    group.isDurable ||= durable
    this.#begin()
    return group.written
  }

  open(store: Pick<Store, 'write'>): void {
    this.#store = store
    this.#begin()
  }

  /** Resolves when all is written, if it was open; what comes after that waits until it is open again. */
  async close(): Promise<void> {
    while (this.#writing) await this.#writing
    this.#store = null
  }

  /** What waits is not written. */
  drop(): void {
    this.#next?.settle(Promise.reject(new ChatError('aborted', 'another user has logged in')))
    this.#next = null
  }

  #begin(): void {
    if (this.#store && this.#next) this.#writing ??= this.#writeAll(this.#store).finally(() => this.#paused())
  }

  #paused(): void {
    this.#writing = null
    // Something may have come since it looked.
    this.#begin()
  }

  async #writeAll(store: Pick<Store, 'write'>): Promise<void> {
    // What comes in one turn is written together.
    await null
    while (this.#next) {
      const { changes, isDurable, settle, written } = this.#next
      this.#next = null
      settle(store.write(changes, { durable: isDurable }))
      await written.catch(() => {})
    }
  }
}

function newGroup(): Group {
  let settle!: Group['settle']
  const written = new Promise<void>((follow) => (settle = follow))
  written.catch(() => {})
  return { changes: [], isDurable: false, written, settle }
}
