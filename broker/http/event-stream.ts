/**
 * One stream of server-sent events: a subscriber that writes to an HTTP response. It has a feed per log, like a session
 * with QoS 1 where the socket acknowledges: what does not fit now is read from the log later. Ephemeral messages that
 * do not fit are dropped.
 */
import type { ServerResponse } from 'node:http'
import type { Actor } from '../chat/model/actor.js'
import { isExpired } from '../following/expiry.js'
import { FeedSet } from '../following/feed-set.js'
import { type LaggingFeed, LogFeed, READ_BYTES, READ_ENTRIES } from '../following/feeds.js'
import type { SubscriberServices } from '../following/services.js'
import type { Snapshots } from '../following/snapshots.js'
import { Subscriber } from '../following/subscriber.js'
import { type UnloggedMessage, unlogged, type ViewBatch } from '../hub.js'
import type { LogEntry } from '../store/logs.js'
import { messageSize } from '../store/message-size.js'
import type { QoS } from '../store/qos.js'
import type { PlainMessage } from '../store/queues.js'
import type { Deadline } from '../util/timer-wheel.js'
import { fitsIntoId, type SentUpTo, writePosition } from './event-id.js'
import type { ReplayStarts } from './event-starts.js'
import { eventText, gapText, PING, type StreamMessage } from './event-text.js'

/** Authorisation of a stream. */
export interface StreamGuard {
  /** Whether a message on a plain topic may be delivered now. */
  mayReceive(topic: string): boolean
  /** Whether a message on the topic is for this user, by role. */
  isFor(topic: string, payload: Buffer): boolean
  /** Applies forward hooks to a message, which may change or drop (null) it; null: there are no hooks. */
  readonly forward: ((topic: string, payload: Buffer, qos: QoS) => Buffer | null) | null
  /** Updates the roles. What ends the stream: the login was revoked, or the filters are not allowed any more; null: nothing. */
  followAccount(): Promise<'logged out' | 'roles changed' | null>
  /** False: the current `acl.rules` do not allow the filters any more. */
  followRules(): boolean
}

export interface StreamOptions {
  readonly id: string
  readonly actor: Actor
  /** Key of its set of filters. */
  readonly filters: string
  /** Seconds between comments; a reader without progress for that long is disconnected. */
  readonly ping: number
}

/** How long in ms, and for how many feeds, recent sends are remembered. */
const RECENT = 10_000
const MOST_RECENT = 200

export type StreamEndReason =
  | 'client gone'
  | 'slow reader'
  | 'token expired'
  | 'logged out'
  | 'roles changed'
  | 'rules changed'
  | 'broker stopping'
  | 'store lost commits'
  | 'failed'

/** Reconnection delay for the client, in ms; up to twice as much when all are sent away. */
const RETRY = 2000

export class EventStream extends Subscriber implements Deadline {
  readonly persistent = false
  readonly inflightRecords = null
  readonly waiting = 0
  readonly feedSet: FeedSet
  /** Initial state for its filters. */
  snapshots: Snapshots | null = null
  onEnd: (why: StreamEndReason) => void = () => {}
  onFailure: (error: unknown) => void = () => {}
  readonly #options: StreamOptions
  readonly #out: ServerResponse
  readonly #guard: StreamGuard
  /** The socket was full at the last ping, and has not drained since. */
  #wasStalled = false
  #capacityWaiters: (() => void)[] = []
  /** Feeds that have, or just had, entries to send. */
  readonly #lagging = new Set<LaggingFeed>()
  /** When each feed last sent something (Unix ms), the latest last. Old entries are dropped. */
  readonly #recent = new Map<LogFeed, number>()
  /** Unix ms when all positions behind the head last fitted into an id. */
  #time = 0

  constructor(options: StreamOptions, services: SubscriberServices, out: ServerResponse, guard: StreamGuard) {
    super(options.id, options.actor.principal.user, services)
    this.#options = options
    this.#out = out
    this.#guard = guard
    this.feedSet = new FeedSet(this, services.views, services.store, services.counters)
    out.on('drain', () => this.#drained())
    out.on('close', () => this.end('client gone'))
  }

  /**
   * Writes the head of the stream. `gaps`: requested entries that are not replayed. `time`: that of the position it
   * continues from.
   */
  open({ gaps, recent: young }: Pick<ReplayStarts, 'gaps' | 'recent'>, time: number | null): void {
    this.#time = time ?? 0
    for (const cursor of young) {
      const feed = this.feeds.get(cursor)
      if (feed) this.#noteSent(feed)
    }
    this.#write(`retry: ${RETRY}\nid: ${this.#position()}\n\n`)
    for (const gap of gaps) this.#write(gapText(gap))
    this.start()
    this.pumped()
  }

  end(why: StreamEndReason): void {
    if (this.closed) return
    if (why === 'broker stopping') this.#write(`retry: ${RETRY + Math.floor(Math.random() * RETRY)}\n\n`)
    this.close()
    this.#drained()
    // Do not wait for a slow reader to take what is buffered.
    if (why === 'slow reader') this.#out.destroy()
    else this.#out.end()
    this.onEnd(why)
  }

  async followAccount(): Promise<void> {
    const why = await this.#guard.followAccount()
    if (why) this.end(why)
  }

  followRules(): void {
    if (!this.#guard.followRules()) this.end('rules changed')
  }

  /** The login stored by the broker, if the stream uses one. */
  get login(): string | null {
    return this.#options.actor.principal.login ?? null
  }

  // --- deadlines -----------------------------------------------------------------------------------------------------

  /** The next deadline in Unix ms: the next ping, or the expiry of the token. */
  deadline(now: number): number {
    const ping = now + this.#options.ping * 1000
    const { expiresAt } = this.#options.actor.principal
    return expiresAt === null ? ping : Math.min(ping, expiresAt)
  }

  due(now: number): number {
    const { expiresAt } = this.#options.actor.principal
    if (expiresAt !== null && now >= expiresAt) this.end('token expired')
    else if (this.#stalled && this.#wasStalled) this.end('slow reader')
    if (this.closed) return 0
    this.#wasStalled = this.#stalled
    if (!this.#stalled) this.#write(PING)
    return this.deadline(now)
  }

  // --- as a subscriber -----------------------------------------------------------------------------------------------

  get capacity(): number {
    return this.#isHeld ? 0 : READ_ENTRIES
  }

  sendWaiting(): boolean {
    return false
  }

  pumped(): void {
    for (const resolve of this.#capacityWaiters.splice(0)) resolve()
  }

  override catchUp(feed: LaggingFeed): void {
    this.#lagging.add(feed)
    super.catchUp(feed)
  }

  failed(error: unknown): void {
    this.onFailure(error)
    this.end('failed')
  }

  /** Nothing is buffered here: what was written is in the socket. */
  protected withdraw(): void {}

  // --- sending -------------------------------------------------------------------------------------------------------

  sendBatch(feed: LogFeed, batch: ViewBatch): boolean {
    if (this.#isHeld || this.pumping.held || batch.entries.length > READ_ENTRIES) return false
    // A commit may hold megabytes; read it in pages instead.
    if (feed.qos > 0 && batch.entries.length > 1 && sizeOf(batch) > READ_BYTES) return false
    this.#send(feed, batch.entries, batch.last)
    return true
  }

  sendLive(feed: LogFeed, batch: ViewBatch): void {
    if (!this.sendBatch(feed, batch)) this.#countDropped()
  }

  sendEntries(feed: LogFeed, entries: readonly LogEntry[]): void {
    const { form } = feed.view
    const shown = form ? entries.map((entry) => ({ ...entry, payload: form(entry) })) : entries
    this.#send(
      feed,
      shown.filter(({ payload }) => payload.length > 0),
      entries[entries.length - 1]!.seq,
    )
  }

  /** Only the last entry carries the position: a client that loses the connection before gets all of them again. */
  #send(feed: LogFeed, entries: readonly LogEntry[], last: number): void {
    feed.sent(last)
    this.#noteSent(feed)
    const { topic } = feed.view
    const shown = entries
      .filter(({ extra, payload }) => !isExpired(extra) && this.#guard.isFor(topic, payload))
      .flatMap(({ payload, qos }) => this.#forwarded({ topic, payload }, qos))
    if (shown.length === 0) return
    const id = this.#position()
    this.#write(shown.map((message, i) => eventText(message, i === shown.length - 1 ? id : null)).join(''))
  }

  acceptUnlogged(message: UnloggedMessage): void {
    if (this.closed || isExpired(message.extra)) return
    if (this.#isHeld || this.pumping.held) return this.#countDropped()
    if (!message.retain) this.snapshots?.noteLive(message.topic)
    const [shown] = this.#forwarded(message, message.qos)
    if (shown) this.#write(eventText(shown, null))
  }

  acceptPlain(message: UnloggedMessage, _qos: QoS, filters: readonly string[]): void {
    const unchecked = filters.some((filter) => this.subscriptions.get(filter)?.unconditional)
    if (unchecked || this.#guard.mayReceive(message.topic)) this.acceptUnlogged(message)
    else this.services.counters.add('dropped.forbidden')
  }

  /** Streams have no queue of plain messages. */
  sendQueued(): void {}

  sendPlain(): boolean {
    return true
  }

  hasCapacity(): boolean {
    return !this.#isHeld && !this.pumping.held
  }

  async whenCapacity(): Promise<void> {
    if (!this.closed) await new Promise<void>((resolve) => this.#capacityWaiters.push(resolve))
  }

  queuesInStore(): boolean {
    return false
  }

  takeRetained({ topic, payload, qos, extra = null }: PlainMessage): void {
    this.acceptUnlogged(unlogged(topic, payload, qos, { retain: true, extra }))
  }

  #forwarded(message: StreamMessage, qos: QoS): StreamMessage[] {
    const { forward } = this.#guard
    if (!forward) return [message]
    const payload = forward(message.topic, message.payload, qos)
    return payload ? [{ ...message, payload }] : []
  }

  #countDropped(): void {
    this.services.counters.add('dropped.slow_reader')
  }

  /** Nothing may be sent: the socket is full, or rights may have ended that this node has not heard of. */
  get #isHeld(): boolean {
    return this.#stalled || !this.services.store.fresh
  }

  get #stalled(): boolean {
    return this.#out.writableNeedDrain
  }

  #drained(): void {
    this.#wasStalled = false
    this.resume()
  }

  /** It may go on. */
  resume(): void {
    this.pumped()
    this.pump()
  }

  #noteSent(feed: LogFeed): void {
    this.#recent.delete(feed)
    this.#recent.set(feed, Date.now())
    if (this.#recent.size > MOST_RECENT) this.#recent.delete(this.#recent.keys().next().value!)
  }

  /**
   * The current position: names the feeds that lag, and those that sent so recently that the time in the id does not
   * cover it.
   */
  #position(now = Date.now()): string {
    for (const feed of this.#lagging) if (!feed.lagging || !(feed instanceof LogFeed)) this.#lagging.delete(feed)
    for (const [feed, at] of this.#recent) if (at < now - RECENT || !feed.attached) this.#recent.delete(feed)
    const behind = ([...this.#lagging] as LogFeed[]).filter(({ attached }) => attached)
    // Entries not committed yet have an earlier timestamp.
    const cursorOf = (feed: LogFeed): readonly [string, SentUpTo] => {
      return [feed.view.cursor, { seq: feed.next - 1, incarnation: this.incarnationOf(feed) }]
    }
    if (fitsIntoId(behind.map(cursorOf))) this.#time = this.services.store.pendingSince ?? now
    const recent = [...this.#recent.keys()].reverse().filter((feed) => !this.#lagging.has(feed))
    const { epoch } = this.services.store
    const place = { filters: this.#options.filters, time: this.#time, epoch }
    return writePosition(place, [...behind, ...recent].map(cursorOf))
  }

  #write(text: string): void {
    if (!this.closed) this.#out.write(text)
  }
}

function sizeOf({ entries }: ViewBatch): number {
  return entries.reduce((sum, entry) => sum + messageSize(entry), 0)
}
