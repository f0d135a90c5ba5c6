/** Tries dead letters of one webhook again, on the node that serves it: those of which it is stored that they are to be. */
import type { Store } from '../../store/store.js'
import type { Outcome } from './attempt.js'
import type { DeadLetters } from './dead-letters.js'
import { eventOf } from './events.js'

export interface RedeliveryDeps {
  readonly store: Store
  readonly letters: DeadLetters
  readonly mayPost: () => boolean
  readonly post: (id: string, body: Buffer) => Promise<Outcome>
  /** What is known of dead letters has changed. */
  readonly changed: () => void
  readonly failed: (error: unknown) => void
}

export class Redelivery {
  readonly #webhook: string
  readonly #deps: RedeliveryDeps
  #running: Promise<void> = Promise.resolve()
  /** It was interrupted. */
  #areLeft = false

  constructor(webhook: string, deps: RedeliveryDeps) {
    this.#webhook = webhook
    this.#deps = deps
  }

  /** One after another, behind those that were begun before. */
  begin(): void {
    this.#running = this.#running.then(() => this.#retryAll()).catch((error) => this.#deps.failed(error))
  }

  /** What was interrupted goes on. */
  resume(): void {
    if (this.#areLeft) this.begin()
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #retryAll(): Promise<void> {
    const { store, mayPost, changed } = this.#deps
    this.#areLeft = true
    for (const id of await store.webhooks.retries(this.#webhook)) {
      if (!mayPost()) return
      await this.#retry(id)
      changed()
    }
    this.#areLeft = false
  }

  async #retry(id: string): Promise<void> {
    const { store, letters, post } = this.#deps
    const letter = await letters.get(id)
    const entry = letter && (await letters.entryOf(letter))
    const event = entry && eventOf(letter.log, entry)
    // Deleted or expired meanwhile: nothing is left to deliver.
    if (event?.id !== id) return letters.delete(id)
    const outcome = await post(id, event.body)
    if (outcome.kind === 'taken') return letters.delete(id)
    if (outcome.kind === 'ended') return
    const failed = { ...letter!, at: Date.now(), attempts: letter!.attempts + 1, error: outcome.error }
    await letters.add(failed, [store.webhooks.deleteRetryOp(this.#webhook, id)])
  }
}
