import { ChatError } from '../base/chat-error.js'
import type { Change, Store } from '../store/store.js'

/** What one caller writes, all of it or nothing. */
interface Entry {
  readonly changes: readonly Change[]
  readonly isDurable: boolean
  readonly settle: (written: Promise<void>) => void
}

/** Writes what comes while one write is under way with the next one: a durable write takes as long for one message as for a hundred. */
export class OutboxWriter {
  /** Null: it is not open. */
  #store: Pick<Store, 'write'> | null = null
  #next: Entry[] = []
  #writing: Promise<void> | null = null

  /** A rejection need not be handled. Waits until the writer is open. */
  write(changes: readonly Change[], { durable = false }: { readonly durable?: boolean } = {}): Promise<void> {
    let settle!: Entry['settle']
    const written = new Promise<void>((follow) => (settle = follow))
    written.catch(() => {})
    this.#next.push({ changes, isDurable: durable, settle })
    this.#begin()
    return written
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
    const error = new ChatError('aborted', 'another user has logged in')
    for (const { settle } of this.#next.splice(0)) settle(Promise.reject(error))
  }

  #begin(): void {
    if (this.#store && this.#next.length > 0)
      this.#writing ??= this.#writeAll(this.#store).finally(() => this.#paused())
  }

  #paused(): void {
    this.#writing = null
    // Something may have come since it looked.
    this.#begin()
  }

  async #writeAll(store: Pick<Store, 'write'>): Promise<void> {
    // What comes in one turn is written together.
    await null
    while (this.#next.length > 0) await writeTogether(store, this.#next.splice(0))
  }
}

async function writeTogether(store: Pick<Store, 'write'>, entries: readonly Entry[]): Promise<void> {
  const changes = entries.flatMap((entry) => entry.changes)
  const written = store.write(changes, { durable: entries.some(({ isDurable }) => isDurable) })
  const isWritten = await written.then(
    () => true,
    () => false,
  )
  if (isWritten || entries.length === 1) for (const { settle } of entries) settle(written)
  // What cannot be kept, such as a file, must not take the others with it.
  else for (const entry of entries) await writeTogether(store, [entry])
}
