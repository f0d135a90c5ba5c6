/**
 * One stream of server-sent events: a follower whose socket is an HTTP response. It has a feed per log, like a session of QoS 1 whose
 * acks come from the socket: what does not fit now is read from the log when there is room. Moments that do not fit are dropped.
 */
import type { ServerResponse } from 'node:http'
import type { Actor } from '../chat/model/actor.js'
import { isExpired } from '../following/expiry.js'
import { FeedSet } from '../following/feed-set.js'
import { type Behind, LogFeed, READ_BYTES, READ_ENTRIES } from '../following/feeds.js'
import type { SubscriberServices } from '../following/services.js'
import type { Snapshots } from '../following/snapshots.js'
import { Subscriber } from '../following/subscriber.js'
import { type UnloggedMessage, unlogged, type ViewBatch } from '../hub.js'
import type { LogEntry } from '../store/logs.js'
import { messageSize } from '../store/message-size.js'
import type { QoS } from '../store/qos.js'
import type { PlainMessage } from '../store/queues.js'
import type { SavedInflight } from '../store/sessions.js'
import type { Deadline } from '../util/timer-wheel.js'
import { hasRoomFor, writePosition } from './event-id.js'
import type { Starts } from './event-starts.js'
import { eventText, gapText, PING, type StreamMessage } from './event-text.js'

/** What the stream does not decide itself. */
export interface StreamGuard {
  /** Whether a message on a plain topic may be delivered now. */
  mayReceive(topic: string): boolean
  /** Whether a message on a topic is for its user, as far as roles say. */
  isFor(topic: string, payload: Buffer): boolean
  /** What a hook leaves of a message, or null; null while there is no hook. */
  readonly forward: ((topic: string, payload: Buffer, qos: QoS) => Buffer | null) | null
  /** Takes the roles of now; false: the login was taken back, or they do not allow what the stream shows. */
  followRoles(): Promise<boolean>
  /** False: `acl.rules` of now do not allow what the stream shows. */
  followRules(): boolean
}

export interface StreamOptions {
  readonly id: string
  readonly actor: Actor
  /** Name of its set of filters. */
  readonly filters: string
  /** Seconds between comments; a reader that stands still for that long is cut off. */
  readonly ping: number
}

/** Feeds that are remembered to have sent something, and for how long, in ms. */
const RECENT = 10_000
const MOST_RECENT = 200

export type Ending =
  | 'client gone'
  | 'slow reader'
  | 'token expired'
  | 'logged out'
  | 'roles changed'
  | 'rules changed'
  | 'broker stopping'
  | 'failed'

/** Client's wait before it comes back, in ms. */
const RETRY = 2000

export class EventStream extends Subscriber implements Deadline {
  readonly persistent = false
  readonly waiting = 0
  readonly feedSet: FeedSet
  /** What its filters get at once. */
  snapshots: Snapshots | null = null
  onEnd: (why: Ending) => void = () => {}
  onFailure: (error: unknown) => void = () => {}
  readonly #options: StreamOptions
  readonly #out: ServerResponse
  readonly #guard: StreamGuard
  /** It was full at the last ping, and has not drained since. */
  #stoodStill = false
  #roomAwaited: (() => void)[] = []
  /** Feeds that have something to send, or had a moment ago. */
  readonly #behind = new Set<Behind>()
  /** When each last sent something, Unix ms; the last one last. Those of a while ago are forgotten. */
  readonly #recent = new Map<LogFeed, number>()
  /** When all that was not sent could be named, Unix ms. */
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

  /** What it says first; events follow. `gaps`: what was asked for and is not replayed. `time`: of the position it goes on from. */
  open({ gaps, young }: Pick<Starts, 'gaps' | 'young'>, time: number | null): void {
    this.#time = time ?? 0
    for (const cursor of young) {
      const feed = this.feeds.get(cursor)
      if (feed) this.#noteSent(feed)
    }
    this.#write(`retry: ${RETRY}\nid: ${this.#position()}\n\n`)
    for (const gap of gaps) this.#write(gapText(gap))
    this.start()
    this.rested()
  }

  end(why: Ending): void {
    if (this.closed) return
    this.close()
    this.#drained()
    // What a slow reader has not taken it will not take now.
    if (why === 'slow reader') this.#out.destroy()
    else this.#out.end()
    this.onEnd(why)
  }

  async followRoles(): Promise<void> {
    if (!(await this.#guard.followRoles())) this.end('roles changed')
  }

  followRules(): void {
    if (!this.#guard.followRules()) this.end('rules changed')
  }

  /** What the broker keeps of the login behind it. */
  get login(): string | null {
    return this.#options.actor.principal.login ?? null
  }

  // --- deadlines -------------------------------------------------------------------------------------------------------------

  /** When it is to be looked at next, in Unix ms: the next ping, or the end of the token. */
  deadline(now: number): number {
    const ping = now + this.#options.ping * 1000
    const { expiresAt } = this.#options.actor.principal
    return expiresAt === null ? ping : Math.min(ping, expiresAt)
  }

  due(now: number): number {
    const { expiresAt } = this.#options.actor.principal
    if (expiresAt !== null && now >= expiresAt) this.end('token expired')
    else if (this.#stalled && this.#stoodStill) this.end('slow reader')
    if (this.closed) return 0
    this.#stoodStill = this.#stalled
    if (!this.#stalled) this.#write(PING)
    return this.deadline(now)
  }

  // --- what a follower does ----------------------------------------------------------------------------------------------------

  get capacity(): number {
    return this.#stalled ? 0 : READ_ENTRIES
  }

  sendWaiting(): boolean {
    return false
  }

  rested(): void {
    for (const resolve of this.#roomAwaited.splice(0)) resolve()
  }

  override fallBehind(feed: Behind): void {
    this.#behind.add(feed)
    super.fallBehind(feed)
  }

  failed(error: unknown): void {
    this.onFailure(error)
    this.end('failed')
  }

  savedInflight(): SavedInflight[] {
    return []
  }

  /** Nothing is held here: what was written is the socket's. */
  protected withdraw(): void {}

  // --- sending -----------------------------------------------------------------------------------------------------------------

  sendBatch(feed: LogFeed, batch: ViewBatch): boolean {
    if (this.#stalled || this.pumping.held || batch.entries.length > READ_ENTRIES) return false
    // Read in pages instead: a commit may hold megabytes.
    if (feed.qos > 0 && batch.entries.length > 1 && sizeOf(batch) > READ_BYTES) return false
    this.#send(feed, batch.entries, batch.last)
    return true
  }

  sendLive(feed: LogFeed, batch: ViewBatch): void {
    if (!this.sendBatch(feed, batch)) this.#dropped()
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

  /** The last one carries the position: a client that did not get it gets the others again. */
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

  acceptDirect(message: UnloggedMessage): void {
    if (this.closed || isExpired(message.extra)) return
    if (this.#stalled || this.pumping.held) return this.#dropped()
    if (!message.retain) this.snapshots?.heard(message.topic)
    const [shown] = this.#forwarded(message, message.qos)
    if (shown) this.#write(eventText(shown, null))
  }

  acceptPlain(message: UnloggedMessage, _qos: QoS, filters: readonly string[]): void {
    const unchecked = filters.some((filter) => this.subscriptions.get(filter)?.unconditional)
    if (unchecked || this.#guard.mayReceive(message.topic)) this.acceptDirect(message)
    else this.services.counters.add('dropped.forbidden')
  }

  /** There is no queue of plain messages: nothing is kept for a stream. */
  sendQueued(): void {}

  sendPlain(): boolean {
    return true
  }

  hasRoom(): boolean {
    return !this.#stalled && !this.pumping.held
  }

  async roomCame(): Promise<void> {
    if (!this.closed) await new Promise<void>((resolve) => this.#roomAwaited.push(resolve))
  }

  keeps(): boolean {
    return false
  }

  takeRetained({ topic, payload, qos, extra = null }: PlainMessage): void {
    this.acceptDirect(unlogged(topic, payload, qos, { retain: true, extra }))
  }

  #forwarded(message: StreamMessage, qos: QoS): StreamMessage[] {
    const { forward } = this.#guard
    if (!forward) return [message]
    const payload = forward(message.topic, message.payload, qos)
    return payload ? [{ ...message, payload }] : []
  }

  #dropped(): void {
    this.services.counters.add('dropped.slow_reader')
  }

  get #stalled(): boolean {
    return this.#out.writableNeedDrain
  }

  #drained(): void {
    this.#stoodStill = false
    this.rested()
    this.pump()
  }

  #noteSent(feed: LogFeed): void {
    this.#recent.delete(feed)
    this.#recent.set(feed, Date.now())
    if (this.#recent.size > MOST_RECENT) this.#recent.delete(this.#recent.keys().next().value!)
  }

  /** Names what is still to be sent, and what was sent so lately that its time does not tell. */
  #position(now = Date.now()): string {
    for (const feed of this.#behind) if (!feed.behind || !(feed instanceof LogFeed)) this.#behind.delete(feed)
    for (const [feed, at] of this.#recent) if (at < now - RECENT || !feed.attached) this.#recent.delete(feed)
    const behind = ([...this.#behind] as LogFeed[]).filter(({ attached }) => attached)
    // What is not committed yet has an earlier time.
    if (hasRoomFor(behind.map(cursorOf))) this.#time = this.services.store.pendingSince ?? now
    const recent = [...this.#recent.keys()].reverse().filter((feed) => !this.#behind.has(feed))
    return writePosition(this.#options.filters, this.#time, [...behind, ...recent].map(cursorOf))
  }

  #write(text: string): void {
    if (!this.closed) this.#out.write(text)
  }
}

function sizeOf({ entries }: ViewBatch): number {
  return entries.reduce((sum, entry) => sum + messageSize(entry), 0)
}

function cursorOf({ view, next }: LogFeed): readonly [string, number] {
  return [view.cursor, next - 1]
}
