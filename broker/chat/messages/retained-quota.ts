/** Limits the retained messages of one person on plain and device topics. */
import { Refusal } from '../../../schemas/errors.js'
import type { RetainedLimit } from '../../store/guards.js'
import { messageSize } from '../../store/message-size.js'
import type { QueueStore, RetainedAmount } from '../../store/queues.js'
import type { Publication } from '../model/publication.js'

const NOTHING: RetainedAmount = { messages: 0, bytes: 0 }

export interface RetainedLimits {
  readonly retainedMessagesPerUser: number
  readonly retainedBytesPerUser: number
}

/** A message that counts as retained until its change has settled. */
export interface Retaining {
  /** For the guards of the change: publishers of the same person on other nodes are counted there. */
  readonly limit: RetainedLimit
  settled(): void
}

export class RetainedQuota {
  readonly #queue: Pick<QueueStore, 'retainedRoom'>
  readonly #most: RetainedLimit['most']
  readonly #namesCountedWith: (user: string) => ReadonlySet<string>
  /** By publishing user. */
  readonly #underWay = new Map<string, RetainedAmount>()

  constructor(
    queue: Pick<QueueStore, 'retainedRoom'>,
    { retainedMessagesPerUser, retainedBytesPerUser }: RetainedLimits,
    namesCountedWith: (user: string) => ReadonlySet<string>,
  ) {
    this.#queue = queue
    this.#most = { messages: retainedMessagesPerUser, bytes: retainedBytesPerUser }
    this.#namesCountedWith = namesCountedWith
  }

  /**
   * Counts a message. Null: nothing limits it, because it clears what is retained.
   * @throws Refusal `too_large` if it exceeds the limits of `user`
   */
  begin(user: string, message: Pick<Publication, 'topic' | 'payload' | 'extra'>): Retaining | null {
    if (message.payload.length === 0) return null
    const asked = { topic: message.topic, bytes: messageSize(message) }
    // Of what adds nothing, such as the state of a device, nobody else's has to be looked up. If it adds something by its commit, that fails.
    const replacing: RetainedLimit = { ...asked, owners: [user], most: NOTHING }
    if (!this.#queue.retainedRoom(replacing, NOTHING).beyond) return { limit: replacing, settled: () => {} }
    const owners = [...this.#namesCountedWith(user)]
    const limit: RetainedLimit = { ...asked, owners, most: this.#most }
    const { adds, beyond } = this.#queue.retainedRoom(limit, this.#underWayOf(owners))
    if (beyond) throw this.#tooMuch(beyond)
    this.#count(user, adds, 1)
    return { limit, settled: () => this.#count(user, adds, -1) }
  }

  #underWayOf(owners: readonly string[]): RetainedAmount {
    const sum = { messages: 0, bytes: 0 }
    if (this.#underWay.size === 0) return sum
    for (const owner of owners) {
      const { messages, bytes } = this.#underWay.get(owner) ?? NOTHING
      sum.messages += messages
      sum.bytes += bytes
    }
    return sum
  }

  #count(user: string, { messages, bytes }: RetainedAmount, sign: 1 | -1): void {
    const before = this.#underWay.get(user) ?? NOTHING
    const now = { messages: before.messages + sign * messages, bytes: before.bytes + sign * bytes }
    if (now.messages === 0 && now.bytes === 0) this.#underWay.delete(user)
    else this.#underWay.set(user, now)
  }

  #tooMuch(beyond: 'messages' | 'bytes'): Refusal {
    const { messages, bytes } = this.#most
    const most =
      beyond === 'messages'
        ? `${messages} messages (limits.retainedMessagesPerUser)`
        : `${bytes} bytes (limits.retainedBytesPerUser)`
    return new Refusal('too_large', `you may have retained no more than ${most}; clear some first`)
  }
}
