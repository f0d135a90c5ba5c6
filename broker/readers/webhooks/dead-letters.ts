/** Dead letters of one webhook, on the node that serves it: references to events that could not be delivered, a bounded number of them. */
import { commit } from '../../store/commit.js'
import { type Fence, guardBy } from '../../store/fence.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { Op } from '../../store/op.js'
import type { DeadLetter } from '../../store/outbox.js'
import type { Store } from '../../store/store.js'
import type { Decide } from '../../store/transaction.js'

const PAGE = 1000

export class DeadLetters {
  readonly #store: Store
  readonly #webhook: string
  readonly #max: number
  readonly #fence: Fence | null
  count = 0

  /** @param fence Null: there is no other node that could serve the webhook */
  constructor(store: Store, webhook: string, max: number, fence: Fence | null) {
    this.#store = store
    this.#fence = fence
    this.#webhook = webhook
    this.#max = max
  }

  async load(): Promise<void> {
    let count = 0
    for await (const _ of allLetters(this.#store, this.#webhook)) count++
    this.count = count
  }

  #page(after: string, limit: number): Promise<DeadLetter[]> {
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
    const value = await this.#decide(async ({ webhooks }) => {
      if (!webhooks.get(this.#webhook)) return { value: { added: 0, removed: 0 } }
      const added = (await webhooks.letter(this.#webhook, letter.id)) ? 0 : 1
      const over = Math.max(0, this.count + added - this.#max)
      const oldest = over > 0 ? await this.#page('', over) : []
      const drops = oldest.flatMap(({ id }) => webhooks.deleteLetterOps(this.#webhook, id))
      return { ops: [webhooks.letterOp(letter), ...drops, ...along], value: { added, removed: oldest.length } }
    })
    this.count += value.added - value.removed
    return value.removed
  }

  /** It was delivered, or there is nothing left to deliver. */
  async delete(id: string): Promise<void> {
    const removed = await this.#decide(async ({ webhooks }) => {
      const ops = webhooks.deleteLetterOps(this.#webhook, id)
      return { ops, value: (await webhooks.letter(this.#webhook, id)) ? 1 : 0 }
    })
    this.count -= removed
  }

  async #decide<T>(decide: Decide<T>): Promise<T> {
    try {
      const { value } = await this.#store.transact(`dead letters of ${this.#webhook}`, (tx) => {
        guardBy(this.#fence, tx)
        return decide(tx)
      })
      return value
    } catch (error) {
      await this.#fence?.refused()
      throw error
    }
  }

  /** The entry of a letter, if the log still has it. */
  async entryOf({ log, seq }: DeadLetter): Promise<LogEntry | null> {
    const [entry] = await this.#store.log.read(log, seq - 1, 1, 1)
    return entry?.seq === seq ? entry : null
  }
}

/** Oldest first. */
export async function* allLetters({ webhooks }: Pick<Store, 'webhooks'>, webhook: string): AsyncGenerator<DeadLetter> {
  let after = ''
  for (;;) {
    const page = await webhooks.letters(webhook, after, PAGE)
    yield* page
    if (page.length < PAGE) return
    after = page.at(-1)!.id
  }
}

/** Removes letters about logs that are gone. Resolves with whether there were any. */
export async function forgetLetters(store: Store, webhook: string, gone: (log: LogName) => boolean): Promise<boolean> {
  let found = false
  for await (const { id, log } of allLetters(store, webhook)) {
    if (!gone(log)) continue
    found = true
    await commit(store, { ops: store.webhooks.deleteLetterOps(webhook, id) })
  }
  return found
}
