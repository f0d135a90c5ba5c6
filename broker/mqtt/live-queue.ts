/**
 * Live messages that no store keeps for the client: unlogged messages, and entries of logs at QoS 0. They are sent at once, or wait in memory:
 * bounded, dropped when the bound is reached, and lost with the connection.
 */
import type { Backlog } from '../following/backlog.js'
import { isExpired } from '../following/expiry.js'
import type { LogFeed } from '../following/feeds.js'
import type { SubscriptionSet } from '../following/subscription-set.js'
import type { UnloggedMessage, ViewBatch } from '../hub.js'
import type { LogEntry } from '../store/logs.js'
import { messageSize } from '../store/message-size.js'
import type { QoS } from '../store/qos.js'
import type { Counters } from '../util/counters.js'
import { type DeliveryGuard, mayDeliverUnlogged } from './delivery-guard.js'
import type { PublishSender } from './publish-sender.js'

type Waiting =
  | { kind: 'unlogged'; message: UnloggedMessage; qos: QoS }
  /** An entry for a QoS 0 subscription. */
  | { kind: 'live'; feed: LogFeed; entry: LogEntry }

/** What is needed of the session. */
interface LiveSession {
  /** Nothing may be sent now. */
  readonly stalled: boolean
  readonly subscriptions: SubscriptionSet
}

export interface LiveQueueDeps {
  readonly sender: PublishSender
  readonly guard: DeliveryGuard
  /** May let more wait of what was published at QoS 1 and 2. */
  readonly backlog: Backlog
  readonly counters: Counters
  readonly limits: { readonly queueMessages: number; readonly queueBytes: number }
}

export class LiveQueue {
  #items: Waiting[] = []
  #at = 0
  #bytes = 0
  readonly #session: LiveSession
  readonly #sender: PublishSender
  readonly #guard: DeliveryGuard
  readonly #backlog: Backlog
  readonly #counters: Counters
  readonly #limits: LiveQueueDeps['limits']
  #seen = 0

  constructor(session: LiveSession, { sender, guard, backlog, counters, limits }: LiveQueueDeps) {
    this.#session = session
    this.#sender = sender
    this.#guard = guard
    this.#backlog = backlog
    this.#counters = counters
    this.#limits = limits
  }

  get length(): number {
    return this.#items.length - this.#at
  }

  /** New entries for a QoS 0 subscription. False: some wait, or were dropped. */
  sendBatch(feed: LogFeed, batch: ViewBatch): boolean {
    if (this.length === 0 && !this.#session.stalled && !this.#guard.forward) {
      this.#sender.sendLive(feed, batch)
      return true
    }
    for (const entry of batch.entries) this.#push({ kind: 'live', feed, entry })
    return false
  }

  sendUnlogged(message: UnloggedMessage, qos: QoS): 'sent' | 'waiting' | 'dropped' {
    if (this.length === 0 && this.#trySend(message, qos)) return 'sent'
    return this.#push({ kind: 'unlogged', message, qos }) ? 'waiting' : 'dropped'
  }

  /** False when it cannot go now. */
  #trySend(message: UnloggedMessage, qos: QoS): boolean {
    if (!this.#canSend(qos)) return false
    if (!isExpired(message.extra)) this.#sender.sendUnlogged(message, qos)
    return true
  }

  #canSend(qos: QoS): boolean {
    return !this.#session.stalled && (qos === 0 || this.#sender.inflight.capacity > 0)
  }

  /** Sends what waits longest; false when it cannot go now. */
  sendFirst(): boolean {
    const item = this.#items[this.#at]!
    if (item.kind === 'unlogged') {
      if (!mayDeliverUnlogged(this.#guard, this.#session.subscriptions, item.message))
        this.#counters.add('dropped.forbidden')
      else if (!this.#trySend(item.message, item.qos)) return false
    } else {
      if (this.#session.stalled) return false
      this.#sender.sendLiveEntry(item.feed, item.entry)
    }
    this.#shift()
    return true
  }

  /** Whether one more of so many bytes can be sent, or wait without filling more than half of the queue. */
  hasRoom(bytes: number, qos: QoS): boolean {
    const { queueMessages, queueBytes } = this.#limits
    if (this.length === 0 && this.#canSend(qos)) return true
    return this.length * 2 < queueMessages && (this.#bytes + bytes) * 2 <= queueBytes
  }

  /** Whether an entry waits. */
  holds(feed: LogFeed, seq: number): boolean {
    return this.#items.some(
      (item, i) => i >= this.#at && item.kind === 'live' && item.feed === feed && item.entry.seq === seq,
    )
  }

  dropFeed(feed: LogFeed): void {
    this.#drop((item) => item.kind === 'live' && item.feed === feed)
  }

  /** Unlogged messages on topics that may no longer be delivered. */
  dropTopics(forbidden: (message: UnloggedMessage) => boolean): void {
    this.#drop((item) => item.kind === 'unlogged' && forbidden(item.message))
  }

  clear(): void {
    this.#drop(() => true)
  }

  /** False: the queue is full, and the message (the newest) is dropped. */
  #push(item: Waiting): boolean {
    const bytes = size(item)
    const { queueMessages, queueBytes } = this.#limits
    const fits = this.length < queueMessages && this.#bytes + bytes <= queueBytes
    if (!fits && !this.#mayWait(item, bytes)) {
      this.#counters.add(item.kind === 'live' ? 'dropped.slow_reader' : 'dropped.queue_full')
      return false
    }
    this.#items.push(alone(item))
    this.#bytes += bytes
    return true
  }

  #mayWait(item: Waiting, bytes: number): boolean {
    if (item.kind === 'live' || item.message.qos === 0) return false
    // At QoS 0 only the position of the socket shows that the client reads.
    if (item.qos === 0 && this.#seen !== (this.#seen = this.#sender.position)) this.#backlog.progressed()
    return this.#backlog.admits(this.length + 1, this.#bytes + bytes, item.message.origin)
  }

  #shift(): void {
    const item = this.#items[this.#at++]
    if (item) this.#bytes -= size(item)
    if (this.#at === this.#items.length || this.#at > 1024) {
      this.#items = this.#items.slice(this.#at)
      this.#at = 0
    }
    this.#backlog.left(this.length, this.#bytes)
  }

  #drop(forbidden: (item: Waiting) => boolean): void {
    this.#items = this.#items.slice(this.#at).filter((item) => !forbidden(item))
    this.#at = 0
    this.#bytes = this.#items.reduce((sum, item) => sum + size(item), 0)
    this.#backlog.left(this.length, this.#bytes)
  }
}

/** The payload of an entry may be a view of a whole commit: copied, so that the commit does not stay in memory uncounted. */
function alone(item: Waiting): Waiting {
  if (item.kind === 'unlogged') return item
  const { payload } = item.entry
  if (payload.buffer.byteLength <= 2 * payload.length) return item
  return { ...item, entry: { ...item.entry, payload: Buffer.from(payload) } }
}

function size(item: Waiting): number {
  return messageSize(item.kind === 'unlogged' ? item.message : item.entry)
}
