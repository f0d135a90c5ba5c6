/**
 * Retained messages of new subscriptions on their way to one session [MQTT-3.3.1-6]. At QoS 1 and 2 they go through the queue of a session
 * that outlives its connection, so that they survive like any other message.
 */

import type { QueueFeed } from '../following/feeds.js'
import type { SubscriberSaver, SubscriberServices } from '../following/services.js'
import type { Change } from '../store/changes.js'
import { type Fence, writerBehind } from '../store/fence.js'
import type { QoS } from '../store/qos.js'
import { copyOp } from '../store/queue-ops.js'
import type { PlainMessage, RetainedCut } from '../store/queues.js'
import { LazyMap } from '../util/lazy.js'

/** What is needed of the session. */
interface QueueOwner {
  readonly id: string
  readonly closed: boolean
  readonly queue: QueueFeed
  readonly acknowledgedQueue: readonly number[]
  readonly saver: SubscriberSaver | null
  failed(error: unknown): void
  readonly fence: Fence | null
}

export class RetainedDelivery {
  readonly #session: QueueOwner
  readonly #store: SubscriberServices['store']
  /** Topics of queued copies that were not sent yet, by number; null: superseded by a newer message that was sent live. */
  readonly #copies = new LazyMap<number, string | null>()
  /** Whoever waits until more fits. */
  #waiters: (() => void)[] = []

  constructor(session: QueueOwner, { store }: SubscriberServices) {
    this.#session = session
    this.#store = store
  }

  /** Puts a copy into the queue, unless a newer message of the topic comes meanwhile: after all of the cuts. */
  enqueue(message: PlainMessage, qos: QoS, cuts: readonly RetainedCut[]): void {
    const session = this.#session
    const sessionId = session.id
    const op = copyOp({ ...message, retain: true }, { sessionId, qos }, cuts)
    const settled: Change['settled'] = (error, _results, enqueued) => {
      const copy = enqueued?.[0]
      if (error || !copy) return session.failed(error)
      if (copy.sessions.length > 0 && !session.closed) this.#copies.set(copy.number, message.topic)
      // Synchronously, not a promise later: a live message of the same commit has the next number, and would be sent first.
      session.queue.announce(copy.number)
    }
    writerBehind(this.#store, session.fence).commit({ drafts: [], ops: [op], settled })
  }

  /** A newer message of the topic is sent live, past the queue: older copies in the queue must not follow it. */
  overtake(topic: string): void {
    for (const [number, waiting] of this.#copies) if (waiting === topic) this.#copies.set(number, null)
  }

  /** The copy is about to be sent. Whether a newer message superseded it. */
  wasOvertaken(number: number): boolean {
    const topic = this.#copies.get(number)
    this.#copies.delete(number)
    return topic === null
  }

  /** Resolves when more may fit, or the session is closed. */
  async roomCame(): Promise<void> {
    if (this.#session.closed) return
    const came = new Promise<void>((resolve) => this.#waiters.push(resolve))
    this.saveForRoom()
    await came
  }

  /** Acknowledged messages take room in the queue until they are saved; saved in batches of a quarter of the queue. */
  saveForRoom(): void {
    if (this.#waiters.length === 0) return
    const { messages } = this.#store.queue.size(this.#session.id)
    const acknowledged = this.#session.acknowledgedQueue.length
    if (acknowledged > 0 && acknowledged * 4 >= messages) this.#session.saver?.saveSoon()
  }

  /** Lets waiters check again. */
  wakeWaiters(): void {
    if (this.#waiters.length > 0) for (const resolve of this.#waiters.splice(0)) resolve()
  }

  /** Superseded copies must not be sent on the next connection either. */
  close(): void {
    for (const [number, topic] of this.#copies) if (topic === null) this.#session.queue.skip(number)
  }
}
