/**
 * A subscriber: a session, a share group or an event stream, with the feeds its filters cover and their registration at
 * the hub. How messages are sent is up to the subclass.
 */

import type { Endpoint, PlainSubscription, UnloggedMessage, View, ViewBatch } from '../hub.js'
import type { Fence } from '../store/fence.js'
import type { LogEntry } from '../store/logs.js'
import { messageSize } from '../store/message-size.js'
import type { QoS } from '../store/qos.js'
import type { QueuedMessage } from '../store/queues.js'
import { LazyMap, LazySet } from '../util/lazy.js'
import { type FeedHost, type LaggingFeed, LogFeed, QueueFeed, READ_BYTES, type ViewFeedOptions } from './feeds.js'
import type { InflightRecords } from './inflight-records.js'
import { Pump, type PumpHost } from './pump.js'
import type { SubscriberSaver, SubscriberServices } from './services.js'
import { SubscriptionSet } from './subscription-set.js'

/** Acknowledged queue messages that are saved together at most, while the queue is nearly full. */
const MANY_ACKNOWLEDGED = 500

export abstract class Subscriber implements Endpoint, FeedHost, PumpHost {
  readonly id: string
  readonly user: string
  readonly subscriptions = new SubscriptionSet()
  /** By cursor name. */
  readonly feeds = new LazyMap<string, LogFeed>()
  readonly queue: QueueFeed
  readonly dirtyFeeds = new LazySet<LogFeed | QueueFeed>()
  /** Queue numbers acknowledged since the last save. */
  acknowledgedQueue: number[] = []
  closed = false
  /** Logs and topics of granted filters that are not counted as followed yet. */
  reserved = 0
  saver: SubscriberSaver | null = null
  /** What is saved of it is saved behind it. */
  fence: Fence | null = null

  protected readonly services: SubscriberServices
  protected readonly pumping: Pump
  readonly #plain = new LazyMap<string, PlainSubscription>()
  readonly #listening = new LazySet<string>()

  constructor(id: string, user: string, services: SubscriberServices) {
    this.id = id
    this.user = user
    this.services = services
    this.pumping = new Pump(this)
    this.queue = new QueueFeed(this, 1)
  }

  /** Whether its state is stored and outlives its connections. */
  abstract readonly persistent: boolean
  abstract readonly capacity: number
  abstract readonly waiting: number
  abstract sendWaiting(): boolean
  abstract pumped(): void
  abstract failed(error: unknown): void
  /** What is stored of its packets in flight; null: nothing, they end with the subscriber. */
  abstract readonly inflightRecords: InflightRecords | null
  /** Discards messages taken from a feed, or from a topic it listened to, which may no longer be delivered. */
  protected abstract withdraw(from: LogFeed | string): void

  /** The feed ends, its packets in flight continue on their own. */
  protected disownInflight(_feed: LogFeed): void {}

  /** Discards buffered live messages of the feed; they will be read from the log instead. */
  protected dropLive(_feed: LogFeed): void {}

  abstract acceptUnlogged(message: UnloggedMessage, qos: QoS): void
  abstract acceptPlain(message: UnloggedMessage, qos: QoS, filters: readonly string[], queued: number | null): void
  abstract sendBatch(feed: LogFeed, batch: ViewBatch): boolean
  abstract sendLive(feed: LogFeed, batch: ViewBatch): void
  abstract sendEntries(feed: LogFeed, entries: readonly LogEntry[]): void | Promise<void>
  abstract sendQueued(feed: QueueFeed, messages: readonly QueuedMessage[]): void | Promise<void>
  abstract sendPlain(feed: QueueFeed, message: UnloggedMessage, qos: QoS, number: number): boolean

  /** Whether the saved state is restored completely; only then may it be saved again. */
  get started(): boolean {
    return !this.pumping.held
  }

  /** Starts delivery. */
  start(): void {
    this.pumping.start()
    this.pump()
  }

  /** Called whenever there may be capacity again. */
  pump(): void {
    this.pumping.run()
  }

  catchUp(feed: LaggingFeed): void {
    if (!this.closed) this.pumping.catchUp(feed)
  }

  /** Starts a feed of a view at `next`; entries that exist already are read first. `incarnation`: the one that is saved. */
  attach(view: View, options: ViewFeedOptions, next: number, incarnation: number): void {
    if (this.closed) return
    const feed = new LogFeed(this, view, options, next)
    feed.savedIncarnation = incarnation
    this.feeds.set(view.cursor, feed)
    this.services.hub.attach(view, feed)
    if (options.qos > 0 && next <= this.headOf(view)) this.catchUp(feed)
  }

  /** Gives a live-only feed a cursor at `next`. Packets in flight of a former cursor remain [MQTT-3.10.4-3]. */
  follow(feed: LogFeed, options: ViewFeedOptions, next: number): void {
    this.dropLive(feed)
    Object.assign(feed, options, { next })
    if (next <= this.headOf(feed.view)) this.catchUp(feed)
  }

  /** Ends a feed that no filter needs. Its packets in flight are completed. */
  endFeed(feed: LogFeed): void {
    this.disownInflight(feed)
    this.detach(feed)
  }

  /** Ends a feed that may not be delivered any more, its packets in flight included. */
  detach(feed: LogFeed): void {
    feed.attached = false
    this.feeds.delete(feed.view.cursor)
    this.dirtyFeeds.delete(feed)
    this.services.hub.detach(feed.view, feed)
    this.pumping.forget(feed)
    this.withdraw(feed)
  }

  /** Whether the entry is not in flight yet. */
  isUnsent(feed: LogFeed, seq: number): boolean {
    return feed.next <= seq
  }

  listen(topic: string, qos: QoS): void {
    if (this.closed) return
    this.#listening.add(topic)
    this.services.hub.listen(topic, this, qos)
  }

  unlisten(topic: string): void {
    if (!this.#listening.delete(topic)) return
    this.services.hub.unlisten(topic, this)
    this.withdraw(topic)
  }

  /** Number of logs and topics it follows, including granted ones. */
  get followed(): number {
    return this.feeds.size + this.#listening.size + this.reserved
  }

  get listening(): Iterable<string> {
    return this.#listening
  }

  subscribePlain(filter: string, qos: QoS): void {
    this.unsubscribePlain(filter)
    if (this.closed) return
    const subscription: PlainSubscription = { endpoint: this, filter, qos }
    this.#plain.set(filter, subscription)
    this.services.hub.subscribePlain(subscription)
  }

  unsubscribePlain(filter: string): void {
    const subscription = this.#plain.get(filter)
    if (!subscription) return
    this.#plain.delete(filter)
    this.services.hub.unsubscribePlain(subscription)
  }

  /** Unregisters everything: nothing is delivered any more. */
  close(): void {
    if (this.closed) return
    this.closed = true
    const { hub } = this.services
    for (const feed of this.feeds.values()) {
      feed.lastIncarnation = this.incarnationOf(feed)
      feed.attached = false
      hub.detach(feed.view, feed)
    }
    for (const topic of this.#listening) hub.unlisten(topic, this)
    for (const subscription of this.#plain.values()) hub.unsubscribePlain(subscription)
    this.pumping.stop()
  }

  readLog(view: View, after: number, limit: number): LogEntry[] | Promise<LogEntry[]> {
    return this.services.store.log.read(view.log, after, limit, READ_BYTES)
  }

  /** Of the feed's log, as long as the feed is attached to it; 0 if it is not known. */
  incarnationOf({ attached, view, lastIncarnation }: LogFeed): number {
    return attached ? this.services.hub.incarnationOf(view.log) : lastIncarnation
  }

  /** The view must have a feed. */
  headOf(view: View): number {
    return this.services.hub.headOf(view.log)
  }

  readQueue(after: number, limit: number): Promise<QueuedMessage[]> {
    return this.services.store.queue.read(this.id, after, limit, READ_BYTES)
  }

  touched(feed: LogFeed | QueueFeed): void {
    if (!this.started) return
    if (this.persistent) this.dirtyFeeds.add(feed)
    this.saver?.touched()
  }

  delivered(feed: LogFeed, seq: number): void {
    this.services.delivered(this.user, feed, seq)
  }

  /**
   * Whether a message that is not in the queue is missing there because the queue is full; it is then dropped. Otherwise
   * it was published before the subscription that would have queued it, and is sent under the former one
   * [MQTT5-3.8.4-4].
   */
  protected queueIsFull(message: UnloggedMessage): boolean {
    const { queueMessages, queueBytes } = this.services.limits
    const { messages, bytes } = this.services.store.queue.size(this.id)
    return messages >= queueMessages || bytes + messageSize(message) > queueBytes
  }

  forgetQueued(number: number): void {
    this.acknowledgedQueue.push(number)
    // Acknowledged messages occupy the queue until that is saved; when the queue is nearly full, save soon.
    const { queueMessages, queueBytes } = this.services.limits
    const { messages, bytes } = this.services.store.queue.size(this.id)
    const scarce = messages * 2 >= queueMessages || bytes * 2 >= queueBytes
    const many = Math.min(messages / 4, MANY_ACKNOWLEDGED)
    if (scarce && this.acknowledgedQueue.length >= many) this.saver?.saveSoon()
  }
}
