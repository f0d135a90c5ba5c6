/** Limits the retained messages of one person on plain and device topics. */
import { Refusal } from '../../../schemas/errors.js'
import { messageSize } from '../../store/message-size.js'
import type { QueueStore } from '../../store/queues.js'
import type { Publication } from '../model/publication.js'

export interface RetainedLimits {
  readonly retainedMessagesPerUser: number
  readonly retainedBytesPerUser: number
}

export class RetainedQuota {
  readonly #queue: Pick<QueueStore, 'retainedBy' | 'retainedAt'>
  readonly #limits: RetainedLimits
  readonly #namesCountedWith: (user: string) => ReadonlySet<string>

  constructor(
    queue: Pick<QueueStore, 'retainedBy' | 'retainedAt'>,
    limits: RetainedLimits,
    namesCountedWith: (user: string) => ReadonlySet<string>,
  ) {
    this.#queue = queue
    this.#limits = limits
    this.#namesCountedWith = namesCountedWith
  }

  /**
   * @throws Refusal `too_large` if the message exceeds the limits of `user`. Clearing is always allowed, and replacing by a message that is
   * no larger.
   */
  require(user: string, message: Pick<Publication, 'topic' | 'payload' | 'extra'>): void {
    if (message.payload.length === 0) return
    const size = messageSize(message)
    const before = this.#queue.retainedAt(message.topic)
    if (before?.owner === user && size <= before.bytes) return
    const names = this.#namesCountedWith(user)
    const own = before !== undefined && names.has(before.owner)
    const more = own ? size - before.bytes : size
    if (own && more <= 0) return
    const total = this.#sum(names)
    const { retainedMessagesPerUser, retainedBytesPerUser } = this.#limits
    if (!own && total.messages >= retainedMessagesPerUser)
      throw tooMuch(`${retainedMessagesPerUser} messages (limits.retainedMessagesPerUser)`)
    if (total.bytes + more > retainedBytesPerUser)
      throw tooMuch(`${retainedBytesPerUser} bytes (limits.retainedBytesPerUser)`)
  }

  #sum(names: ReadonlySet<string>): { messages: number; bytes: number } {
    const sum = { messages: 0, bytes: 0 }
    for (const name of names) {
      const { messages, bytes } = this.#queue.retainedBy(name)
      sum.messages += messages
      sum.bytes += bytes
    }
    return sum
  }
}

function tooMuch(most: string): Refusal {
  return new Refusal('too_large', `you may have retained no more than ${most}; clear some first`)
}
