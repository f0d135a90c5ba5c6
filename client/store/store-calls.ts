import { ChatError } from '../base/chat-error.js'
import { storageError } from './storage-error.js'

/** The calls of a store on what it has open: writes in their order, and none after its end. */
export class StoreCalls {
  /** Why nothing is possible any more; null: it is. */
  #over: ChatError | null = null
  /** Resolves when the calls that were made so far are done. */
  #done: Promise<unknown> = Promise.resolve()
  #lastWrite: Promise<unknown> = Promise.resolve()

  read<T>(act: () => Promise<T>): Promise<T> {
    return this.#over ? Promise.reject(this.#over) : this.#noted(act())
  }

  write(act: () => Promise<void>): Promise<void> {
    if (this.#over) return Promise.reject(this.#over)
    const written = this.#noted(this.#lastWrite.then(act))
    this.#lastWrite = written.catch(() => {})
    return written
  }

  /** Calls reject from now on, with the first reason that was given. Resolves when those from before are done. */
  async end(error = new ChatError('closed', 'the store was closed')): Promise<void> {
    this.#over ??= error
    await this.#done
  }

  #noted<T>(call: Promise<T>): Promise<T> {
    const noted = call.catch((error: unknown) => {
      throw this.#over ?? storageError(error)
    })
    this.#done = Promise.all([this.#done, noted.catch(() => {})])
    return noted
  }
}
