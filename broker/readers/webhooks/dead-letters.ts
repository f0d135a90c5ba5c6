/** Dead letters of one webhook: references to events that could not be delivered, a bounded number of them. */
import { commit } from '../../store/commit.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { Op } from '../../store/op.js'
import type { DeadLetter } from '../../store/outbox.js'
import type { Store } from '../../store/store.js'
import { KeyedMutex } from '../../util/keyed-mutex.js'

const PAGE = 1000

export class DeadLetters {
  readonly #store: Store
  readonly #webhook: string
  readonly #max: number
  readonly #locks = new KeyedMutex()
  count = 0

  constructor(store: Store, webhook: string, max: number) {
    this.#store = store
    this.#webhook = webhook
    this.#max = max
  }

  async load(): Promise<void> {
    this.count = (await this.ids()).length
  }

  /** Oldest first. */
  async ids(): Promise<string[]> {
    const ids: string[] = []
    for await (const { id } of this.#all()) ids.push(id)
    return ids
  }

  page(after: string, limit: number): Promise<DeadLetter[]> {
    return this.#store.webhooks.letters(this.#webhook, after, limit)
  }

  get(id: string): Promise<DeadLetter | null> {
    return this.#store.webhooks.letter(this.#webhook, id)
  }

  /**
   * Stores a letter in one commit with `along`, and removes the oldest ones beyond the limit. Resolves with the number
   * removed.
   */
  add(letter: DeadLetter, along: readonly Op[] = []): Promise<number> {
    return this.#locks.runExclusive('', async () => {
      const known = await this.get(letter.id)
      const oldest = !known && this.count >= this.#max ? await this.page('', this.count + 1 - this.#max) : []
      const drops = oldest.map(({ id }) => this.#store.webhooks.deleteLetterOp(this.#webhook, id))
      await commit(this.#store, { ops: [this.#store.webhooks.letterOp(letter), ...drops, ...along] })
      this.count += (known ? 0 : 1) - oldest.length
      return oldest.length
    })
  }

  /** Removes letters about logs that are gone. */
  async forget(gone: (log: LogName) => boolean): Promise<void> {
    for await (const { id, log } of this.#all()) if (gone(log)) await this.delete(id)
  }

  async *#all(): AsyncGenerator<DeadLetter> {
    for (let page = await this.page('', PAGE); page.length > 0; page = await this.page(page.at(-1)!.id, PAGE))
      yield* page
  }

  delete(id: string): Promise<void> {
    return this.#locks.runExclusive('', async () => {
      if (!(await this.get(id))) return
      await commit(this.#store, { ops: [this.#store.webhooks.deleteLetterOp(this.#webhook, id)] })
      this.count--
    })
  }

  /** The entry of a letter, if the log still has it. */
  async entryOf({ log, seq }: DeadLetter): Promise<LogEntry | null> {
    const [entry] = await this.#store.log.read(log, seq - 1, 1, 1)
    return entry?.seq === seq ? entry : null
  }
}
