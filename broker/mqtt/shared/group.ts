/**
 * Sessions that share a subscription [MQTT5-4.8.2]. To the hub and the logs the group is one subscriber with cursors and a queue of its own; what
 * it is sent it gives to its members (distribution.ts). If a session goes away without having acknowledged a message, the message returns to
 * the group and is assigned anew.
 */
import type { Filter } from '../../../schemas/topics.js'
import type { Backlog } from '../../following/backlog.js'
import { FeedSet } from '../../following/feed-set.js'
import { type LogFeed, QUEUE_SENT, type QueueFeed } from '../../following/feeds.js'
import type { InflightRecords } from '../../following/inflight-records.js'
import { Subscriber } from '../../following/subscriber.js'
import type { Subscription } from '../../following/subscription.js'
import { type UnloggedMessage, unlogged, type ViewBatch } from '../../hub.js'
import type { LogEntry } from '../../store/logs.js'
import type { QoS } from '../../store/qos.js'
import type { QueuedMessage } from '../../store/queues.js'
import type { Progress } from '../../store/sessions.js'
import type { AssignedMessage, Assignment, LentElsewhere, SavedAssignment } from './assignments.js'
import { Audience } from './audience.js'
import { Distribution } from './distribution.js'
import type { SharedFilter } from './group-name.js'
import { HandOver } from './hand-over.js'
import { type ShareMember, ShareMembers } from './members.js'
import type { ShareServices } from './share-services.js'
import { asShown, formed } from './shared-message.js'

export class ShareGroup extends Subscriber {
  readonly feedSet: FeedSet
  readonly shared: SharedFilter
  readonly #filter: string
  readonly #parsed: Filter
  readonly #onFailure: (error: unknown) => void
  readonly #members = new ShareMembers()
  readonly #audience: Audience
  readonly #distribution: Distribution
  readonly handOver: HandOver
  declare protected readonly services: ShareServices
  #unfollow: (() => void) | null = null
  readonly #backlog: Backlog
  #leaveQueue: (() => void) | null = null
  /** Among nodes: the QoS at which messages are kept for it, whichever members are here. It is not lowered. */
  kept: QoS = 0

  /** `user`: whose rooms and topics it follows; empty where the filter is plain, and its sessions are of any user. */
  constructor(
    id: string,
    user: string,
    shared: SharedFilter,
    services: ShareServices,
    onFailure: (error: unknown) => void,
  ) {
    super(id, user, services)
    this.shared = shared
    this.#filter = shared.filter
    this.#parsed = shared.of
    this.#onFailure = onFailure
    this.#backlog = services.backlogs.open((sessionId) => this.#members.get(sessionId) !== undefined)
    this.#audience = new Audience(this, this.#members, services)
    this.#distribution = new Distribution({
      group: this,
      members: this.#members,
      audience: this.#audience,
      backlog: this.#backlog,
      services,
    })
    this.handOver = new HandOver(this.#distribution)
    this.feedSet = new FeedSet(this, services.views, services.store, services.counters)
  }

  // --- members ---------------------------------------------------------------------------------------------------------------------

  get persistent(): boolean {
    return this.fence !== null || this.#members.persistent
  }

  get isEmpty(): boolean {
    return this.#members.isEmpty
  }

  /** It is restored, and not being given up: what a session has of it and is not assigned is settled. */
  get isServed(): boolean {
    return this.started && !this.#distribution.isStopped
  }

  get members(): Iterable<ShareMember> {
    return this.#members
  }

  /** A member from before a restart, not connected yet. */
  remember(member: ShareMember): void {
    this.#members.set(member)
  }

  /** A session joins, reconnects, or changes its subscription options. `heads`: where new views begin. */
  join(member: ShareMember, heads: ReadonlyMap<string, number>): void {
    this.#members.set(member)
    member.session?.shares.add(this)
    this.#attend()
    this.#distribution.joined(member)
    this.#follow(heads)
    if (this.started) for (const feed of this.feeds.values()) this.touched(feed)
    // Says that it has begun, also when it follows nothing: what it follows next starts where that begins, and not where it is served next.
    if (this.fence) this.touched(this.queue)
    this.pump()
  }

  get #qos(): QoS {
    return Math.max(this.kept, this.#members.highestQos) as QoS
  }

  #follow(heads: ReadonlyMap<string, number>): void {
    const qos = this.#qos
    if (this.subscriptions.get(this.#filter)?.qos === qos) return
    this.feedSet.add(this.#subscription(qos), heads)
    if (this.user === '') this.#queueFor(qos)
  }

  #subscription(qos: QoS): Subscription {
    const options = { noLocal: false, retainAsPublished: false, retainHandling: 2 as const }
    return { filter: this.#filter, parsed: this.#parsed, qos, unconditional: true, ...options }
  }

  /** On plain topics its messages are queued in the store under the id of the group. Among nodes all know that by a record (groups.ts). */
  #queueFor(qos: QoS): void {
    this.#unfollow?.()
    this.#unfollow =
      qos > 0 && !this.fence ? this.services.store.subscriptions.follow(this.id, this.#filter, qos) : null
  }

  /** While a member is connected, the backlog may exceed the plain queue limits. */
  #attend(): void {
    const present = this.user === '' && !this.closed && this.#members.isAnyPresent
    if (present === (this.#leaveQueue !== null)) return
    if (present) {
      this.#leaveQueue = this.services.store.queue.setAllowance(this.id, this.#backlog, this.queue)
      return
    }
    this.#leaveQueue?.()
    this.#leaveQueue = null
    this.#backlog.close()
  }

  /** A member unsubscribed: it gets nothing new, and may complete what is in flight [MQTT5-3.10.4-3]. */
  leave(sessionId: string): void {
    this.#members.delete(sessionId)
    this.#attend()
    if (this.isEmpty) return
    this.#follow(new Map())
    this.dropDeserted()
  }

  /** Drops what waits for members who are away, and are none any more. */
  dropDeserted(): void {
    this.#distribution.dropDeserted()
  }

  /** A member's connection closed. */
  away(sessionId: string): void {
    const member = this.#members.get(sessionId)
    if (member?.persistent) this.#members.set({ ...member, session: null })
    else this.leave(sessionId)
    this.#attend()
    this.#distribution.away(sessionId)
    this.pump()
  }

  /** A member's session ended. */
  forget(sessionId: string): void {
    this.leave(sessionId)
    this.#distribution.forget(sessionId)
    this.pump()
  }

  /** Messages are kept for it at a higher QoS from now on. */
  raise(kept: QoS, heads: ReadonlyMap<string, number>): void {
    this.kept = kept
    this.#follow(heads)
    for (const feed of this.feeds.values()) this.touched(feed)
  }

  // --- given up to another node ------------------------------------------------------------------------------------------------------

  /** Assigns nothing more. Resolves when all that was assigned to who is connected here is acknowledged. */
  settleAssignments(): Promise<void> {
    return this.handOver.begin()
  }

  /** What its members have not acknowledged is handed over (hand-over.ts). */
  endHere(entrust: (assignment: Assignment) => LentElsewhere): void {
    this.handOver.end(entrust)
    this.close()
    for (const { session } of this.#members) session?.shares.delete(this)
  }

  // --- as a subscriber ---------------------------------------------------------------------------------------------------------------

  get capacity(): number {
    return this.#distribution.capacity
  }

  get inflightRecords(): InflightRecords {
    return this.#distribution.inflightRecords
  }

  readonly waiting = 0

  sendWaiting(): boolean {
    return false
  }

  pumped(): void {}

  failed(error: unknown): void {
    this.services.counters.add('failed.replay')
    this.#onFailure(error)
  }

  protected withdraw(from: LogFeed | string): void {
    const topic = typeof from === 'string' ? from : from.view.topic
    for (const { session } of this.#members) session?.dropWaiting(topic)
    if (typeof from !== 'string') this.#distribution.withdraw(from)
  }

  override close(): void {
    super.close()
    this.#attend()
    this.#unfollow?.()
    this.#distribution.clear()
  }

  // --- sending -----------------------------------------------------------------------------------------------------------------------

  sendBatch(feed: LogFeed, batch: ViewBatch): boolean {
    if (this.capacity < batch.entries.length) return false
    for (const entry of batch.entries) this.#distribution.give(feed, entry.seq, asShown(feed.view, entry))
    feed.sent(batch.last)
    return true
  }

  sendEntries(feed: LogFeed, entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      const shown = formed(feed.view, entry)
      if (shown) this.#distribution.give(feed, entry.seq, shown)
    }
    feed.sent(entries[entries.length - 1]!.seq)
  }

  sendLive(feed: LogFeed, batch: ViewBatch): void {
    const { topic } = feed.view
    for (const { payload, extra } of batch.entries) this.acceptUnlogged(unlogged(topic, payload, 0, { extra }), 0)
  }

  sendQueued(feed: QueueFeed, messages: readonly QueuedMessage[]): void {
    for (const { number, message } of messages) {
      if (this.capacity <= 0) return
      this.#distribution.give(feed, number, message)
    }
  }

  sendPlain(feed: QueueFeed, message: UnloggedMessage, _qos: QoS, number: number): boolean {
    if (this.capacity <= 0) return false
    this.#distribution.give(feed, number, message)
    return true
  }

  acceptPlain(message: UnloggedMessage, qos: QoS, _filters: readonly string[], queued: number | null): void {
    if (queued !== null && this.#audience.concernsNobody(message)) {
      this.services.counters.add('dropped.forbidden')
      this.queue.skip(queued)
    } else if (queued !== null) this.queue.accept(message, message.qos, queued)
    else if (Math.min(message.qos, qos) === 0 || !this.queueIsFull(message)) this.acceptUnlogged(message, 0)
  }

  acceptUnlogged(message: UnloggedMessage, qos: QoS): void {
    this.#distribution.giveUnlogged(message, qos)
  }

  // --- after a restart, or a member's reconnect --------------------------------------------------------------------------------------

  /** Resumes its feeds at their saved positions. `held`: QoS 2 exchanges that its members had begun. */
  async restore({ cursors, inflight, inflightChanges }: Progress, held: readonly SavedAssignment[]): Promise<void> {
    this.inflightRecords.found(inflightChanges)
    this.queue.next = (cursors.get(QUEUE_SENT) ?? 0) + 1
    const qos = this.#qos
    this.subscriptions.set(this.#filter, this.#subscription(qos))
    let former: ReadonlySet<string> = new Set()
    if (this.user === '') {
      this.subscribePlain(this.#filter, qos)
      this.#queueFor(qos)
    } else former = await this.feedSet.restore(cursors)
    const ended: { feed: LogFeed | QueueFeed; seq: number }[] = []
    for (const packet of inflight) {
      const { source, seq } = packet
      const feed = source === this.queue.source ? this.queue : this.feeds.get(source)
      if (!feed || former.has(source)) continue
      if (!this.#distribution.resume(feed, packet, held)) ended.push({ feed, seq })
    }
    if (this.services.store.queue.size(this.id).messages > 0) this.catchUp(this.queue)
    this.start()
    for (const { feed, seq } of ended) this.#distribution.done(feed, seq)
  }

  /** An assignment from before the reconnect of its member. */
  assignment(sessionId: string, source: string, seq: number): AssignedMessage | null {
    return this.#distribution.assignment(sessionId, source, seq)
  }
}
