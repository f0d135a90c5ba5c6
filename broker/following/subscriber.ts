/**
 * Someone with filters, who follows what they show: a session, or the sessions that share a subscription. Here is what both do alike:
 * which feeds there are and what the hub knows of them. How a message is sent is theirs.
 */

import type { Endpoint, PlainSubscription, UnloggedMessage, View, ViewBatch } from '../hub.js'
import type { LogEntry } from '../store/logs.js'
import { messageSize } from '../store/message-size.js'
import type { QoS } from '../store/qos.js'
import type { QueuedMessage } from '../store/queues.js'
import type { SavedInflight } from '../store/sessions.js'
import { LazyMap, LazySet } from '../util/lazy.js'
import { type Behind, type FeedHost, LogFeed, QueueFeed, READ_BYTES, type ViewFeedOptions } from './feeds.js'
import { Pump, type Pumped } from './pump.js'
import type { SubscriberSaver, SubscriberServices } from './services.js'
import { SubscriptionSet } from './subscription-set.js'

/** Queued messages acknowledged, of a queue where room is scarce, that are saved together at the latest. */
const MANY_ACKNOWLEDGED = 500

export abstract class Subscriber implements Endpoint, FeedHost, Pumped {
  readonly id: string
  readonly user: string
  readonly subscriptions = new SubscriptionSet()
  /** By cursor. */
  readonly feeds = new LazyMap<string, LogFeed>()
  readonly queue: QueueFeed
  readonly dirtyFeeds = new LazySet<LogFeed | QueueFeed>()
  /** Queue numbers acknowledged since the last save. */
  acknowledgedQueue: number[] = []
  closed = false
  /** Logs and topics that filters will add which are granted and do not count yet. */
  promised = 0
  saver: SubscriberSaver | null = null

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

  /** What it holds is kept in the store, for it outlives its connections. */
  abstract readonly persistent: boolean
  abstract readonly capacity: number
  abstract readonly waiting: number
  abstract sendWaiting(): boolean
  abstract rested(): void
  abstract failed(error: unknown): void
  /** Packets under way that must be known after a restart. */
  abstract savedInflight(): SavedInflight[]
  /** What was taken from a feed, or from a topic it listened to, may no longer be delivered. */
  protected abstract withdraw(from: LogFeed | string): void

  /** What is under way of a feed is no longer the feed's. */
  protected entrust(_feed: LogFeed): void {}

  /** Live messages of the feed that wait for the socket will come from the log instead. */
  protected dropLive(_feed: LogFeed): void {}

  abstract acceptDirect(message: UnloggedMessage, qos: QoS): void
  abstract acceptPlain(message: UnloggedMessage, qos: QoS, filters: readonly string[], queued: number | null): void
  abstract sendBatch(feed: LogFeed, batch: ViewBatch): boolean
  abstract sendLive(feed: LogFeed, batch: ViewBatch): void
  abstract sendEntries(feed: LogFeed, entries: readonly LogEntry[]): void | Promise<void>
  abstract sendQueued(feed: QueueFeed, messages: readonly QueuedMessage[]): void | Promise<void>
  abstract sendPlain(feed: QueueFeed, message: UnloggedMessage, qos: QoS, number: number): boolean

  /** What was saved is wholly back: only then may it be saved anew. */
  get started(): boolean {
    return !this.pumping.held
  }

  /** Delivery begins. */
  start(): void {
    this.pumping.start()
    this.pump()
  }

  /** Called whenever room may have come. */
  pump(): void {
    this.pumping.run()
  }

  fallBehind(feed: Behind): void {
    if (!this.closed) this.pumping.fallBehind(feed)
  }

  /** Sends messages of a view from `next` on; what is there already is read first. */
  attach(view: View, options: ViewFeedOptions, next: number): void {
    if (this.closed) return
    const feed = new LogFeed(this, view, options, next)
    this.feeds.set(view.cursor, feed)
    this.services.hub.attach(view, feed)
    if (options.qos > 0 && next <= this.headOf(view)) this.fallBehind(feed)
  }

  /** A feed that was live only has a cursor from `next` on. What it sent when it had one before stays under way [MQTT-3.10.4-3]. */
  follow(feed: LogFeed, options: ViewFeedOptions, next: number): void {
    this.dropLive(feed)
    Object.assign(feed, options, { next })
    if (next <= this.headOf(feed.view)) this.fallBehind(feed)
  }

  /** Nobody asks for it any more. What is under way of it comes to its end. */
  letGo(feed: LogFeed): void {
    this.entrust(feed)
    this.detach(feed)
  }

  /** It may not be delivered any more, nor what is under way of it. */
  detach(feed: LogFeed): void {
    feed.attached = false
    this.feeds.delete(feed.view.cursor)
    this.dirtyFeeds.delete(feed)
    this.services.hub.detach(feed.view, feed)
    this.pumping.forget(feed)
    this.withdraw(feed)
  }

  /** Whether the entry is not on its way yet. */
  owes(feed: LogFeed, seq: number): boolean {
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

  /** Logs and topics that it follows, or is about to. */
  get followed(): number {
    return this.feeds.size + this.#listening.size + this.promised
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

  /** Stops listening to everything: nothing is delivered any more. */
  close(): void {
    if (this.closed) return
    this.closed = true
    const { hub } = this.services
    for (const feed of this.feeds.values()) {
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

  headOf(view: View): number {
    return this.services.store.log.peek(view.log)?.head ?? 0
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
   * A message that is not in the queue came before the subscription that would have put it there: it goes by the one of before
   * [MQTT5-3.8.4-4]. Only one that found the queue full does not.
   */
  protected queueIsFull(message: UnloggedMessage): boolean {
    const { queueMessages, queueBytes } = this.services.limits
    const { messages, bytes } = this.services.store.queue.size(this.id)
    return messages >= queueMessages || bytes + messageSize(message) > queueBytes
  }

  forgetQueued(number: number): void {
    this.acknowledgedQueue.push(number)
    // What is acknowledged takes room in the queue until it is saved; where room gets scarce that is soon.
    const { queueMessages, queueBytes } = this.services.limits
    const { messages, bytes } = this.services.store.queue.size(this.id)
    const scarce = messages * 2 >= queueMessages || bytes * 2 >= queueBytes
    const many = Math.min(messages / 4, MANY_ACKNOWLEDGED)
    if (scarce && this.acknowledgedQueue.length >= many) this.saver?.saveSoon()
  }
}
