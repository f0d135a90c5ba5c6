/** Messages that a share group keeps for absent members, because no connected member may receive them. */
import type { LogFeed, QueueFeed } from '../../following/feeds.js'
import type { SubscriberLimits } from '../../following/services.js'
import { messageSize, type Sized } from '../../store/message-size.js'

interface Waiting {
  readonly feed: LogFeed | QueueFeed
  readonly seq: number
  readonly topic: string
  readonly bytes: number
}

/** Share of the queue limits: the other half is for connected members. */
const PART = 1 / 2

export class AwayBacklog {
  readonly #limits: SubscriberLimits
  #waiting: Waiting[] = []
  #bytes = 0

  constructor(limits: SubscriberLimits) {
    this.#limits = limits
  }

  /** False: there is no room for it. */
  add(feed: LogFeed | QueueFeed, seq: number, message: Sized): boolean {
    const { queueMessages, queueBytes } = this.#limits
    const bytes = messageSize(message)
    const full = this.#waiting.length >= queueMessages * PART || this.#bytes + bytes > queueBytes * PART
    if (full && this.#waiting.length > 0) return false
    this.#waiting.push({ feed, seq, topic: message.topic ?? '', bytes })
    this.#bytes += bytes
    return true
  }

  /** Removes and returns the messages on such topics. */
  take(isMeant: (topic: string) => boolean): readonly Waiting[] {
    if (this.#waiting.length === 0) return this.#waiting
    return this.#remove(({ topic }) => isMeant(topic))
  }

  forget(feed: LogFeed | QueueFeed): void {
    this.#remove((one) => one.feed === feed)
  }

  #remove(isMeant: (one: Waiting) => boolean): Waiting[] {
    const taken = this.#waiting.filter(isMeant)
    const gone = new Set(taken)
    this.#waiting = this.#waiting.filter((one) => !gone.has(one))
    for (const { bytes } of taken) this.#bytes -= bytes
    return taken
  }
}
