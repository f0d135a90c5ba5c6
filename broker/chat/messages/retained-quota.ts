/** Limits the retained messages of one person on plain and device topics. */
import { Refusal } from '../../../schemas/errors.js'
import type { RetainedLimit } from '../../store/guards.js'
import { messageSize } from '../../store/message-size.js'
import type { QueueStore } from '../../store/queues.js'
import type { Publication } from '../model/publication.js'

export interface RetainedLimits {
  readonly retainedMessagesPerUser: number
  readonly retainedBytesPerUser: number
}

export class RetainedQuota {
  readonly #queue: Pick<QueueStore, 'retainedBeyond'>
  readonly #most: RetainedLimit['most']
  readonly #namesCountedWith: (user: string) => ReadonlySet<string>

  constructor(
    queue: Pick<QueueStore, 'retainedBeyond'>,
    { retainedMessagesPerUser, retainedBytesPerUser }: RetainedLimits,
    namesCountedWith: (user: string) => ReadonlySet<string>,
  ) {
    this.#queue = queue
    this.#most = { messages: retainedMessagesPerUser, bytes: retainedBytesPerUser }
    this.#namesCountedWith = namesCountedWith
  }

  /** Null: nothing limits the message, because it clears what is retained. */
  limitOf(user: string, message: Pick<Publication, 'topic' | 'payload' | 'extra'>): RetainedLimit | null {
    if (message.payload.length === 0) return null
    const owners = [...this.#namesCountedWith(user)]
    return { owners, topic: message.topic, bytes: messageSize(message), most: this.#most }
  }

  /** @throws Refusal `too_large` if a message exceeds its limit as of now. The commit of the message tells it for certain. */
  require(limit: RetainedLimit): void {
    const beyond = this.#queue.retainedBeyond(limit)
    if (beyond === null) return
    const { messages, bytes } = this.#most
    const most =
      beyond === 'messages'
        ? `${messages} messages (limits.retainedMessagesPerUser)`
        : `${bytes} bytes (limits.retainedBytesPerUser)`
    throw new Refusal('too_large', `you may have retained no more than ${most}; clear some first`)
  }
}
