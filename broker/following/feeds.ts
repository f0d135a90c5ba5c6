/**
 * Where a follower's messages come from, one feed per source: a view of a log, or the session's queue of plain messages. A feed knows
 * what was sent and what was acknowledged; what it may not send now it reads later from the store, so a slow reader costs no memory.
 */
import type { Feed, UnloggedMessage, View, ViewBatch } from '../hub.js'
import type { LogEntry } from '../store/logs.js'
import type { QoS } from '../store/qos.js'
import type { QueuedMessage } from '../store/queues.js'

/** Most entries a feed reads from the store at once, and their bytes. */
export const READ_ENTRIES = 64
export const READ_BYTES = 65536

/** Name of the queue's position among the cursors. */
export const QUEUE_SENT = 'queue>'

export type Progress = 'sent' | 'done' | 'blocked'

/** Whoever sent a packet and wants to hear that it arrived. */
export interface FlightOwner {
  /** Names the cursor in the saved state; null: not worth saving (direct messages of this connection). */
  readonly source: string | null
  /** The packet with this number is done (PUBACK, or PUBCOMP). */
  acknowledged(seq: number): void
}

/** A feed that has something to send when the session can take it. */
export interface Behind extends FlightOwner {
  /** It has something to send that is not live. Cleared by the `advance` that finds nothing, in the same turn. */
  behind: boolean
  /** Sends what fits. `done`: it has caught up. `blocked`: the window or the socket is full. */
  advance(): Progress | Promise<Progress>
}

/** What feeds need of their session. */
export interface FeedHost {
  readonly id: string
  /** Messages that may still go under way. */
  readonly capacity: number
  fallBehind(feed: Behind): void
  /** Sends a live batch if it fits; false: nothing was sent. */
  sendBatch(feed: LogFeed, batch: ViewBatch): boolean
  /** A live batch for a subscription of QoS 0: sent, kept for a moment, or dropped and counted. */
  sendLive(feed: LogFeed, batch: ViewBatch): void
  /** Sends entries that were read. A promise where QoS 2 state must be durable first. */
  sendEntries(feed: LogFeed, entries: readonly LogEntry[]): void | Promise<void>
  sendQueued(feed: QueueFeed, messages: readonly QueuedMessage[]): void | Promise<void>
  sendPlain(feed: QueueFeed, message: UnloggedMessage, qos: QoS, number: number): boolean
  readLog(view: View, after: number, limit: number): LogEntry[] | Promise<LogEntry[]>
  headOf(view: View): number
  readQueue(after: number, limit: number): Promise<QueuedMessage[]>
  /** The feed's position changed and is worth saving. */
  touched(feed: LogFeed | QueueFeed): void
  /** The client acknowledged an entry of the feed. */
  delivered(feed: LogFeed, seq: number): void
  forgetQueued(number: number): void
}

/** Numbers sent and not yet acknowledged, in the order sent; clients acknowledge in that order [MQTT-4.6.0-2], or nearly. */
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

  /** The lowest, or undefined. */
  get first(): number | undefined {
    return this.#numbers[0]
  }
}

/** What filters ask for together. */
export interface FeedOptions {
  readonly qos: QoS
  /** Subscription identifiers [MQTT5-3.3.4-3]. */
  readonly ids: readonly number[]
}

/** What the session's filters ask for of a view. */
export interface ViewFeedOptions extends FeedOptions {
  /** What they ask for of the session's own messages, where a filter says no local [MQTT5-3.8.3-3]: null is nothing, undefined the same. */
  readonly own: FeedOptions | null | undefined
}

export class LogFeed implements Feed, Behind {
  slot = -1
  readonly view: View
  qos: QoS
  ids: readonly number[]
  own: FeedOptions | null | undefined
  /** Number of the next entry to send. */
  next: number
  behind = false
  attached = true
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

  /** End of the contiguous acknowledged prefix. */
  get acked(): number {
    return (this.outstanding.first ?? this.next) - 1
  }

  accept(batch: ViewBatch): void {
    // Also at QoS 0: a filter that was lowered to it while messages waited gets those first.
    if (this.behind || batch.last < this.next) return
    if (this.qos === 0) {
      this.#host.sendLive(this, batch)
      return
    }
    if (batch.first !== this.next || !this.#host.sendBatch(this, batch)) this.#host.fallBehind(this)
  }

  /** Entries up to `last` were handed to the connection. */
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

  /** `head` is from before the read: what was appended since is read next time. */
  #send(entries: readonly LogEntry[], head: number): Progress | Promise<Progress> {
    if (!this.attached) return 'done'
    if (entries.length > 0) {
      // Others may have filled the window while the entries were read.
      const { capacity } = this.#host
      if (capacity <= 0) return 'blocked'
      const sending = this.#host.sendEntries(this, entries.slice(0, capacity))
      return sending ? sending.then(() => 'sent') : 'sent'
    }
    // Entries may have been removed from under the cursor: nothing to read, and yet not at the head.
    if (this.next <= head) this.next = head + 1
    this.behind = this.next <= this.#host.headOf(this.view)
    return this.behind ? 'sent' : 'done'
  }
}

/** The queue of messages on plain topics that a persistent session waits for. */
export class QueueFeed implements Behind {
  readonly source = 'queue'
  /** Messages below this number were sent. */
  next: number
  behind = false
  readonly outstanding = new Outstanding()
  readonly #host: FeedHost
  /** Highest number heard of. */
  #newest = 0

  constructor(host: FeedHost, next: number) {
    this.#host = host
    this.next = next
  }

  accept(message: UnloggedMessage, qos: QoS, number: number): void {
    if (number > this.#newest) this.#newest = number
    if (this.behind || number < this.next) return
    if (!this.#host.sendPlain(this, message, qos, number)) this.#host.fallBehind(this)
  }

  /** A message was queued for this session alone. */
  announce(number: number): void {
    if (number > this.#newest) this.#newest = number
    this.#host.fallBehind(this)
  }

  sent(number: number): void {
    this.next = number + 1
    this.#host.touched(this)
  }

  acknowledged(number: number): void {
    this.outstanding.remove(number)
    this.skip(number)
  }

  /** A message that is not to be sent: it waits no longer. */
  skip(number: number): void {
    this.#host.forgetQueued(number)
    this.#host.touched(this)
  }

  async advance(): Promise<Progress> {
    if (this.#host.capacity <= 0) return 'blocked'
    const newest = this.#newest
    const messages = await this.#host.readQueue(this.next - 1, Math.min(this.#host.capacity, READ_ENTRIES))
    if (messages.length === 0) {
      this.behind = this.#newest !== newest
      return this.behind ? 'sent' : 'done'
    }
    await this.#host.sendQueued(this, messages)
    return 'sent'
  }
}
