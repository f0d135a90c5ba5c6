/**
 * Feeds: the sources of a subscriber's messages, one for each view of a log, and one for the session's queue of plain
 * messages. A feed keeps the positions sent and acknowledged. What cannot be sent now is read from the store later, so
 * a slow reader costs no memory.
 */
import type { Feed, UnloggedMessage, View, ViewBatch } from '../hub.js'
import type { LogEntry } from '../store/logs.js'
import type { QoS } from '../store/qos.js'
import type { QueuedMessage, QueueReceiver } from '../store/queues.js'
import { QueueOrder } from './queue-order.js'

/** Most entries, and bytes, that a feed reads from the store at once. */
export const READ_ENTRIES = 64
export const READ_BYTES = 65536

/** Name of the queue, as a source of messages. */
export const QUEUE = 'queue'

/** Cursor name of the queue's position. */
export const QUEUE_SENT = 'queue>'

export type Progress = 'sent' | 'done' | 'blocked'

/** The source of a sent packet, notified of its acknowledgement. */
export interface FlightOwner {
  /** Name of its cursor in the saved state; null: not saved (messages without a log). */
  readonly source: string | null
  /** The packet with this number is complete (PUBACK or PUBCOMP). */
  acknowledged(seq: number): void
  /** Of an owner that has to know whether the packet is stored with the session that has it. One that is not stored is not sent. */
  readonly isStored?: boolean
  /** The packet is in this save of its session, which is not stored yet. Numbers of saves ascend. */
  saving?(save: number): void
  /** A save that had the packet has settled. */
  saved?(isStored: boolean): void
}

/** A feed that lags: it has entries to send that did not go out live. */
export interface LaggingFeed extends FlightOwner {
  /** Set while it has entries to send. Cleared by the `advance` that finds none, in the same turn of the event loop. */
  lagging: boolean
  /** Sends what fits. `done`: it has caught up. `blocked`: the window or the socket is full. */
  advance(): Progress | Promise<Progress>
}

/** What feeds need of their subscriber. */
export interface FeedHost {
  readonly id: string
  /** Free places in the in-flight window. */
  readonly capacity: number
  catchUp(feed: LaggingFeed): void
  /** Sends a live batch if all of it fits; false: nothing was sent. */
  sendBatch(feed: LogFeed, batch: ViewBatch): boolean
  /** Sends a live batch of QoS 0, buffers it briefly, or drops and counts it. */
  sendLive(feed: LogFeed, batch: ViewBatch): void
  /** Sends entries read from the store. Returns a promise if QoS 2 state must be durable first. */
  sendEntries(feed: LogFeed, entries: readonly LogEntry[]): void | Promise<void>
  sendQueued(feed: QueueFeed, messages: readonly QueuedMessage[]): void | Promise<void>
  sendPlain(feed: QueueFeed, message: UnloggedMessage, qos: QoS, number: number): boolean
  readLog(view: View, after: number, limit: number): LogEntry[] | Promise<LogEntry[]>
  headOf(view: View): number
  readQueue(after: number, limit: number): Promise<QueuedMessage[]>
  /** The feed's position has changed and is to be saved. */
  touched(feed: LogFeed | QueueFeed): void
  /** The client acknowledged an entry of the feed. */
  delivered(feed: LogFeed, seq: number): void
  forgetQueued(number: number): void
}

/**
 * Numbers sent and not yet acknowledged, in the order sent. Clients acknowledge in that order [MQTT-4.6.0-2], so
 * removal is usually at the front.
 */
class Outstanding {
  readonly #numbers: number[] = []

  add(number: number): void {
    this.#numbers.push(number)
  }

  remove(number: number): void {
    const at = this.#numbers[0] === number ? 0 : this.#numbers.indexOf(number)
    if (at >= 0) this.#numbers.splice(at, 1)
  }

  has(number: number): boolean {
    return this.#numbers.includes(number)
  }

  get all(): readonly number[] {
    return this.#numbers
  }

  /** The lowest; undefined: none. */
  get first(): number | undefined {
    return this.#numbers[0]
  }
}

/** The combined options of several filters. */
export interface FeedOptions {
  readonly qos: QoS
  /** Subscription identifiers [MQTT5-3.3.4-3]. */
  readonly ids: readonly number[]
}

/** The combined options of the filters that cover a view. */
export interface ViewFeedOptions extends FeedOptions {
  /**
   * Options for the session's own messages, if a filter has No Local [MQTT5-3.8.3-3]: null means none are sent,
   * undefined the same options.
   */
  readonly own: FeedOptions | null | undefined
}

export class LogFeed implements Feed, LaggingFeed {
  slot = -1
  readonly view: View
  qos: QoS
  ids: readonly number[]
  own: FeedOptions | null | undefined
  /** Number of the next entry to send. */
  next: number
  lagging = false
  attached = true
  /** The incarnation of the log that is saved with the cursor; 0: none is. */
  savedIncarnation = 0
  /** The one the log had when the subscriber was closed. */
  lastIncarnation = 0
  readonly outstanding = new Outstanding()
  readonly #host: FeedHost

  constructor(host: FeedHost, view: View, { qos, ids, own }: ViewFeedOptions, next: number) {
    this.#host = host
    this.view = view
    this.qos = qos
    this.ids = ids
    this.own = own
    this.next = next
  }

  get source(): string {
    return this.view.cursor
  }

  /** All entries up to this one are acknowledged. */
  get acked(): number {
    return (this.outstanding.first ?? this.next) - 1
  }

  accept(batch: ViewBatch): void {
    // Also at QoS 0: if a subscription was lowered to it, the messages that wait are sent first.
    if (this.lagging || batch.last < this.next) return
    if (this.qos === 0) {
      this.#host.sendLive(this, batch)
      return
    }
    if (batch.first !== this.next || !this.#host.sendBatch(this, batch)) this.#host.catchUp(this)
  }

  followedFrom(head: number): void {
    if (this.next <= head) this.#host.catchUp(this)
  }

  /** Entries up to `last` were passed to the connection. */
  sent(last: number): void {
    this.next = last + 1
    this.#host.touched(this)
  }

  acknowledged(seq: number): void {
    this.outstanding.remove(seq)
    this.#host.touched(this)
    this.#host.delivered(this, seq)
  }

  advance(): Progress | Promise<Progress> {
    if (this.#host.capacity <= 0) return 'blocked'
    const head = this.#host.headOf(this.view)
    const entries = this.#host.readLog(this.view, this.next - 1, Math.min(this.#host.capacity, READ_ENTRIES))
    return entries instanceof Promise ? entries.then((read) => this.#send(read, head)) : this.#send(entries, head)
  }

  /** `head` was taken before the read; entries appended since are read next time. */
  #send(entries: readonly LogEntry[], head: number): Progress | Promise<Progress> {
    if (!this.attached) return 'done'
    if (entries.length > 0) {
      // The window may have been filled while the entries were read.
      const { capacity } = this.#host
      if (capacity <= 0) return 'blocked'
      const sending = this.#host.sendEntries(this, entries.slice(0, capacity))
      return sending ? sending.then(() => 'sent') : 'sent'
    }
    const now = this.#host.headOf(this.view)
    // Retention may have removed the entries after the cursor: nothing to read although the head is not reached. A log that was dropped
    // meanwhile has a lower head; its last event is still owed.
    if (this.next <= head && head <= now) this.next = head + 1
    this.lagging = this.next <= now
    return this.lagging ? 'sent' : 'done'
  }
}

/** The queue of plain messages of a persistent session. */
export class QueueFeed implements LaggingFeed, QueueReceiver {
  readonly source = QUEUE
  /** Messages below this number were sent. */
  next: number
  lagging = false
  readonly outstanding = new Outstanding()
  readonly #host: FeedHost
  /** Highest number known to be in the queue. */
  #newest = 0
  /** Null: messages come in the order of the queue. */
  #order: QueueOrder | null = null

  constructor(host: FeedHost, next: number) {
    this.#host = host
    this.next = next
  }

  accept(message: UnloggedMessage, qos: QoS, number: number): void {
    if (number < this.next || this.#order?.isEarly(number)) return
    if (number > this.#newest) this.#newest = number
    if (this.lagging) return
    const isNext = !this.#order?.hasBetween(this.next, number)
    if (!isNext || !this.#host.sendPlain(this, message, qos, number)) this.#host.catchUp(this)
  }

  ordered(): void {
    this.#order ??= new QueueOrder()
  }

  queued(number: number): void {
    if (this.#order!.add(number)) this.announce(number)
    else if (this.lagging && number > this.#newest) this.#newest = number
  }

  /** A message was added to the queue of this session only. */
  announce(number: number): void {
    if (number > this.#newest) this.#newest = number
    this.#host.catchUp(this)
  }

  /** Messages up to this number were added to the queue, and it may not have been told. */
  missed(number: number): void {
    if (number >= this.next && number > this.#newest) this.announce(number)
  }

  sent(number: number): void {
    this.next = number + 1
    this.#host.touched(this)
  }

  acknowledged(number: number): void {
    this.outstanding.remove(number)
    this.skip(number)
  }

  /** A message must not be sent: remove it from the queue. */
  skip(number: number): void {
    this.#order?.remove(number)
    this.#host.forgetQueued(number)
    this.#host.touched(this)
  }

  async advance(): Promise<Progress> {
    if (this.#host.capacity <= 0) return 'blocked'
    const newest = this.#newest
    const messages = await this.#host.readQueue(this.next - 1, Math.min(this.#host.capacity, READ_ENTRIES))
    if (messages.length === 0) {
      this.lagging = this.#newest !== newest
      if (!this.lagging) this.#order?.clear()
      return this.lagging ? 'sent' : 'done'
    }
    await this.#host.sendQueued(this, messages)
    return 'sent'
  }
}
