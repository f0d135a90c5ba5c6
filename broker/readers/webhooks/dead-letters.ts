/** Dead letters of one webhook: references to events that could not be delivered, a bounded number of them. */
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { Op } from '../../store/op.js'
import type { DeadLetter } from '../../store/outbox.js'
import type { Store } from '../../store/store.js'

const PAGE = 1000

export class DeadLetters {
  readonly #store: Store
  readonly #webhook: string
  readonly #max: number
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
   * removed. Does nothing if the webhook was removed.
   */
  async add(letter: DeadLetter, along: readonly Op[] = []): Promise<number> {
    const { value } = await this.#store.transact(this.#key, async ({ webhooks }) => {
      if (!(await webhooks.get(this.#webhook))) return { value: { added: 0, removed: 0 } }
      const added = (await webhooks.letter(this.#webhook, letter.id)) ? 0 : 1
      const over = Math.max(0, this.count + added - this.#max)
      const oldest = over > 0 ? await this.page('', over) : []
      const drops = oldest.map(({ id }) => webhooks.deleteLetterOp(this.#webhook, id))
      return { ops: [webhooks.letterOp(letter), ...drops, ...along], value: { added, removed: oldest.length } }
    })
    this.count += value.added - value.removed
    return value.removed
  }

  /** Removes letters about logs that are gone. */
  async forget(gone: (log: LogName) => boolean): Promise<void> {
    for await (const { id, log } of this.#all()) if (gone(log)) await this.delete(id)
  }

  async *#all(): AsyncGenerator<DeadLetter> {
    for (let page = await this.page('', PAGE); page.length > 0; page = await this.page(page.at(-1)!.id, PAGE))
      yield* page
  }

  async delete(id: string): Promise<void> {
    const { value: removed } = await this.#store.transact(this.#key, async ({ webhooks }) => {
      if (!(await webhooks.letter(this.#webhook, id))) return { value: 0 }
      return { ops: [webhooks.deleteLetterOp(this.#webhook, id)], value: 1 }
    })
    this.count -= removed
  }

  get #key(): string {
    return `dead letters of ${this.#webhook}`
  }

  /** The entry of a letter, if the log still has it. */
  async entryOf({ log, seq }: DeadLetter): Promise<LogEntry | null> {
    const [entry] = await this.#store.log.read(log, seq - 1, 1, 1)
    return entry?.seq === seq ? entry : null
  }
}
