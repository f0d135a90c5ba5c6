/**
 * Sessions that share a subscription [MQTT5-4.8.2]: each message is assigned to one of them, in turn, among those that can take it now. To the
 * hub and the logs the group is one subscriber with cursors and a queue of its own. If a session goes away without having acknowledged a
 * message, the message returns to the group and is assigned anew.
 */
import type { Filter } from '../../../schemas/topics.js'
import type { Backlog } from '../../following/backlog.js'
import { isExpired } from '../../following/expiry.js'
import { FeedSet } from '../../following/feed-set.js'
import {
  type FlightOwner,
  type LaggingFeed,
  LogFeed,
  type Progress as Pumped,
  QUEUE_SENT,
  type QueueFeed,
  READ_ENTRIES,
} from '../../following/feeds.js'
import { InflightRecords } from '../../following/inflight-records.js'
import type { SubscriberServices } from '../../following/services.js'
import { Subscriber } from '../../following/subscriber.js'
import type { Subscription } from '../../following/subscription.js'
import { emptyCache, type UnloggedMessage, unlogged, type ViewBatch } from '../../hub.js'
import type { LogEntry } from '../../store/logs.js'
import type { QoS } from '../../store/qos.js'
import type { QueuedMessage } from '../../store/queues.js'
import type { Progress, SavedInflight } from '../../store/sessions.js'
import type { OutboundMessage } from '../codec/outbound-message.js'
import { Assignment, Assignments, type LentElsewhere, type SavedAssignment } from './assignments.js'
import { AwayBacklog } from './away-backlog.js'
import { isSubscribed, type SharedFilter } from './group-name.js'
import { isPresent, type PresentMember, type SharedMessage, type ShareMember, ShareMembers } from './members.js'
import { Unsettled } from './unsettled.js'

type Source = LogFeed | QueueFeed

export interface ShareServices extends SubscriberServices {
  /** Whether a message could be delivered to some login of a user who is not connected. */
  readonly couldReceive: (user: string, clientId: string, topic: string) => boolean
  /** Among nodes: whether members wait for the group at another one. */
  readonly isWanted: (group: string) => boolean
}

/** A message assigned before a reconnect. `read` reads it again: null when it is gone, or no longer allowed. */
export interface AssignedMessage {
  readonly owner: FlightOwner
  read(): Promise<OutboundMessage | null>
}

/** While more returned messages than this wait, nothing new is read. */
const MOST_RETURNED = READ_ENTRIES

export class ShareGroup extends Subscriber implements LaggingFeed {
  readonly feedSet: FeedSet
  /** To its pump the group itself is a feed: of returned messages. */
  readonly source = null
  lagging = false
  readonly shared: SharedFilter
  readonly #filter: string
  readonly #parsed: Filter
  readonly #onFailure: (error: unknown) => void
  readonly #members = new ShareMembers()
  readonly #assignments = new Assignments()
  readonly #unsettled = new Unsettled(() => [this.queue, ...this.feeds.values()])
  readonly inflightRecords = new InflightRecords(this.#unsettled)
  #returned: { feed: Source; seq: number }[] = []
  readonly #awayBacklog: AwayBacklog
  declare protected readonly services: ShareServices
  #unfollow: (() => void) | null = null
  readonly #backlog: Backlog
  #leaveQueue: (() => void) | null = null
  /** Among nodes: the QoS at which messages are kept for it, whichever members are here. It is not lowered. */
  kept: QoS = 0
  /** Set when nothing more is to be assigned; called when nothing is assigned to who is connected here. */
  #whenSettled: (() => void) | null = null

  /** `user`: whose rooms and topics it follows; empty where the filter is plain, and its sessions are of any user. */
  constructor(
    id: string,
    user: string,
    shared: SharedFilter,
    services: ShareServices,
    onFailure: (error: unknown) => void,
  ) {
    super(id, user, services)
    this.#awayBacklog = new AwayBacklog(services.limits)
    this.shared = shared
    this.#filter = shared.filter
    this.#parsed = shared.of
    this.#onFailure = onFailure
    this.#backlog = services.backlogs.open((sessionId) => this.#members.get(sessionId) !== undefined)
    this.feedSet = new FeedSet(this, services.views, services.store, services.counters)
  }

  // --- members ---------------------------------------------------------------------------------------------------------------------

  get persistent(): boolean {
    return this.fence !== null || this.#members.persistent
  }

  get isEmpty(): boolean {
    return this.#members.isEmpty
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
    for (const assignment of this.#assignments.ofSession(member.sessionId)) assignment.member = member
    if (isPresent(member))
      for (const { feed, seq } of this.#awayBacklog.take((topic) => this.#mayReceiveTopic(member, topic)))
        this.#return(feed, seq)
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
    for (const { feed, seq } of this.#awayBacklog.take((topic) => !this.#mayGoToAway(topic)))
      this.#drop('forbidden', feed, seq)
  }

  /** A member's connection closed. Its QoS 1 messages are assigned to others at once, and so is what was to be sent when another node took the session. */
  away(sessionId: string): void {
    const member = this.#members.get(sessionId)
    const isLost = member?.session?.fence?.lost === true
    if (member?.persistent) this.#members.set({ ...member, session: null })
    else this.leave(sessionId)
    this.#attend()
    for (const assignment of this.#assignments.ofSession(sessionId))
      if (assignment.source === null) this.#takeBack(assignment)
      else if (isLost && !assignment.isStored) this.#giveAnew(assignment)
    this.pump()
  }

  /** A QoS 2 message that was not sent to its member. */
  #giveAnew(assignment: Assignment): void {
    const { feed, seq } = assignment
    this.#assignments.delete(assignment)
    this.#unsettled.staysNot(feed, seq)
    this.#return(feed, seq)
    this.#noteSettled()
  }

  /** A member's session ended. A QoS 2 exchange that it had begun is not repeated with another member [MQTT5-4.8.2-5]. */
  forget(sessionId: string): void {
    this.leave(sessionId)
    for (const assignment of this.#assignments.ofSession(sessionId)) this.#takeBack(assignment)
    this.pump()
  }

  #takeBack(assignment: Assignment): void {
    const { feed, seq, qos } = assignment
    if (qos < 2) {
      this.#assignments.delete(assignment)
      this.#return(feed, seq)
      return
    }
    this.services.counters.add('dropped.shared_qos2')
    this.settle(assignment)
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
    return new Promise((resolve) => {
      this.#whenSettled = resolve
      this.#noteSettled()
    })
  }

  #noteSettled(): void {
    if (this.#whenSettled && !this.#assignments.some(({ member }) => isPresent(member))) this.#whenSettled()
  }

  /**
   * Ends here. What is not acknowledged is not settled in what is saved of the group: it is assigned anew where the group is served next; but a QoS 2
   * exchange stays with its session.
   */
  endHere(entrust: (assignment: Assignment) => LentElsewhere): void {
    for (const assignment of this.#assignments)
      if (assignment.source !== null) assignment.member.session?.inflight.entrust(assignment, entrust(assignment))
      else if (assignment.qos === 2) this.#done(assignment.feed, assignment.seq)
    this.close()
    for (const { session } of this.#members) session?.shares.delete(this)
  }

  /** Exchanges of present members that ended while nobody served the group here. */
  settleEnded(): void {
    for (const assignment of [...this.#assignments]) {
      const { member, source, seq } = assignment
      if (source !== null && isPresent(member) && member.session.started && !member.session.inflight.has(source, seq))
        this.settle(assignment)
    }
  }

  /** The session was served elsewhere, and has still only these packets in flight. */
  settleOthers(sessionId: string, inflight: readonly SavedInflight[]): void {
    for (const assignment of this.#assignments.ofSession(sessionId)) {
      const { source, seq, member } = assignment
      if (isPresent(member) || inflight.some((packet) => packet.source === source && packet.seq === seq)) continue
      if (assignment.isStored) this.settle(assignment)
      else this.#giveAnew(assignment)
    }
  }

  holdsOf(sessionId: string): boolean {
    return this.#assignments.ofSession(sessionId).length > 0
  }

  #return(feed: Source, seq: number): void {
    this.#returned.push({ feed, seq })
    this.catchUp(this)
  }

  // --- as a subscriber ---------------------------------------------------------------------------------------------------------------

  get capacity(): number {
    return this.#whenSettled || this.#returned.length > MOST_RETURNED ? 0 : this.#members.capacity
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
    this.#returned = this.#returned.filter(({ feed }) => feed !== from)
    if (typeof from === 'string') return
    this.#awayBacklog.forget(from)
    this.#unsettled.withdrawn(from)
    for (const assignment of this.#assignments.ofFeed(from)) {
      this.#assignments.delete(assignment)
      assignment.member.session?.inflight.forget(assignment)
    }
  }

  override close(): void {
    super.close()
    this.#attend()
    this.#unfollow?.()
    this.#assignments.clear()
    this.#returned = []
  }

  // --- sending -----------------------------------------------------------------------------------------------------------------------

  sendBatch(feed: LogFeed, batch: ViewBatch): boolean {
    if (this.capacity < batch.entries.length) return false
    for (const entry of batch.entries) this.#give(feed, entry.seq, asShown(feed, entry))
    feed.sent(batch.last)
    return true
  }

  sendEntries(feed: LogFeed, entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      const shown = formed(feed, entry)
      if (shown) this.#give(feed, entry.seq, shown)
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
      this.#give(feed, number, message)
    }
  }

  sendPlain(feed: QueueFeed, message: UnloggedMessage, _qos: QoS, number: number): boolean {
    if (this.capacity <= 0) return false
    this.#give(feed, number, message)
    return true
  }

  acceptPlain(message: UnloggedMessage, qos: QoS, _filters: readonly string[], queued: number | null): void {
    if (queued !== null && this.#concernsNobody(message)) {
      this.services.counters.add('dropped.forbidden')
      this.queue.skip(queued)
    } else if (queued !== null) this.queue.accept(message, message.qos, queued)
    else if (Math.min(message.qos, qos) === 0 || !this.queueIsFull(message)) this.acceptUnlogged(message, 0)
  }

  /** An unlogged message goes to a member that can take it now, else it waits in the queue of the next in turn. */
  acceptUnlogged(message: UnloggedMessage, qos: QoS): void {
    const present = this.#members.inTurn().filter((member) => this.#mayReceive(member, message))
    const member = present.find(({ session }) => session.capacity > 0) ?? present[0]
    if (!member) return
    const level = Math.min(message.qos, qos, member.subscription.qos) as QoS
    member.session.acceptUnlogged({ ...message, ...asked(member, message), cache: emptyCache() }, level)
  }

  #mayReceive(member: PresentMember, { topic, payload }: Pick<SharedMessage, 'topic' | 'payload'>): boolean {
    return member.session.isFor(topic, payload) && this.#mayReceiveTopic(member, topic)
  }

  #mayReceiveTopic({ subscription, session }: PresentMember, topic: string): boolean {
    return subscription.unconditional || session.mayReceive(topic)
  }

  /** Whether an absent member may receive it, judged by its user: the roles of its next login are not known. */
  #mayGoToAway(topic: string): boolean {
    if (this.fence && this.services.isWanted(this.id)) return true
    for (const { sessionId } of this.#away()) {
      const slash = sessionId.indexOf('/')
      if (this.services.couldReceive(sessionId.slice(0, slash), sessionId.slice(slash + 1), topic)) return true
    }
    return false
  }

  /** Among nodes, those that subscribed elsewhere since the group is served here are known by what is stored. */
  *#away(): Generator<Pick<ShareMember, 'sessionId'>> {
    yield* this.#members.away()
    if (!this.fence) return
    const name = { user: this.user, parsed: this.shared }
    for (const stored of this.services.store.subscriptions.shared())
      if (stored.qos > 0 && isSubscribed(name, stored)) yield { sessionId: stored.clientId }
  }

  /** Messages that no member may receive must not fill the queue while the members are absent. */
  #concernsNobody({ topic }: UnloggedMessage): boolean {
    for (const member of this.#members) if (isPresent(member) && this.#mayReceiveTopic(member, topic)) return false
    return !this.#mayGoToAway(topic)
  }

  /** Position and outstanding number are set before the packet is sent: sending may save the member at once, and the group with it. */
  #give(feed: Source, seq: number, message: SharedMessage): void {
    feed.sent(seq)
    feed.outstanding.add(seq)
    this.#assign(feed, seq, message)
  }

  /** False: no member can take it now, and it waits. */
  #assign(feed: Source, seq: number, message: SharedMessage): boolean {
    if (isExpired(message.extra)) return this.#done(feed, seq)
    let dropped: 'forbidden' | 'packet_too_large' | null = null
    let full = false
    for (const member of this.#members.inTurn()) {
      if (!this.#mayReceive(member, message)) {
        dropped = 'forbidden'
        continue
      }
      const taken = this.#offer(member, feed, seq, message)
      if (taken === 'assigned') return true
      if (taken === 'done') return this.#done(feed, seq)
      if (taken === 'full') full = true
      else dropped = 'packet_too_large'
    }
    if (full || dropped === null) {
      this.#return(feed, seq)
      return false
    }
    // No connected member may have it: it is dropped only if no absent member may have it either.
    if (!this.#mayGoToAway(message.topic)) return this.#drop(dropped, feed, seq)
    return this.#awayBacklog.add(feed, seq, message) || this.#drop('queue_full', feed, seq)
  }

  #drop(why: 'forbidden' | 'packet_too_large' | 'queue_full', feed: Source, seq: number): true {
    this.services.counters.add(`dropped.${why}`)
    return this.#done(feed, seq)
  }

  #done(feed: Source, seq: number): true {
    this.#unsettled.settled(feed, seq)
    feed.acknowledged(seq)
    return true
  }

  #offer(member: PresentMember, feed: Source, seq: number, message: SharedMessage) {
    const qos = Math.min(message.qos, member.subscription.qos) as QoS
    const assignment = new Assignment(this, member, feed, seq, qos)
    this.#assignments.add(assignment)
    const stays = this.fence !== null && assignment.source !== null
    // Before it is sent, which may save the group.
    if (stays) this.#unsettled.stays(feed, seq)
    const taken = member.session.take(assignment, seq, { ...message, ...asked(member, message), qos })
    if (taken === 'assigned') return taken
    this.#assignments.delete(assignment)
    if (stays) this.#unsettled.staysNot(feed, seq)
    return taken
  }

  /** The message of an assignment was acknowledged, or dropped. */
  readonly settle = (assignment: Assignment): void => {
    if (!this.#assignments.delete(assignment)) return
    this.#noteSettled()
    this.#backlog.progressed()
    this.#done(assignment.feed, assignment.seq)
    assignment.member.session?.saver?.touched()
    this.pump()
  }

  /** Assigns returned messages anew. */
  async advance(): Promise<Pumped> {
    if (this.#returned.length === 0) {
      this.lagging = false
      return 'done'
    }
    if (this.#whenSettled || this.#members.capacity <= 0) return 'blocked'
    const { feed, seq } = this.#returned.shift()!
    const message = await this.#read(feed, seq)
    if (this.closed || !feed.outstanding.has(seq)) return 'sent'
    if (!message) return this.#done(feed, seq) && 'sent'
    return this.#assign(feed, seq, message) ? 'sent' : 'blocked'
  }

  acknowledged(): void {}

  /** Null: no longer there. */
  async #read(feed: Source, seq: number): Promise<SharedMessage | null> {
    const { log, queue } = this.services.store
    if (feed instanceof LogFeed) {
      const [entry] = await log.read(feed.view.log, seq - 1, 1, 1, 'expired too')
      return entry?.seq === seq ? formed(feed, entry) : null
    }
    const [queued] = await queue.read(this.id, seq - 1, 1, 1)
    return queued?.number === seq ? queued.message : null
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
    const ended: { feed: Source; seq: number }[] = []
    for (const { source, seq, qos } of inflight) {
      const feed = source === this.queue.source ? this.queue : this.feeds.get(source)
      if (!feed || former.has(source)) continue
      feed.outstanding.add(seq)
      const holder = held.find((assignment) => assignment.source === source && assignment.seq === seq)
      const member = holder && this.#members.get(holder.sessionId)
      if (member) this.#resume(new Assignment(this, member, feed, seq, 2))
      // It was assigned, and ended with its session or while another node served that.
      else if (qos === 2) ended.push({ feed, seq })
      else this.#return(feed, seq)
    }
    if (this.services.store.queue.size(this.id).messages > 0) this.catchUp(this.queue)
    this.start()
    for (const { feed, seq } of ended) this.#done(feed, seq)
  }

  #resume(assignment: Assignment): void {
    assignment.stored()
    this.#assignments.add(assignment)
    if (this.fence) this.#unsettled.stays(assignment.feed, assignment.seq)
  }

  /** An assignment from before the reconnect of its member. */
  assignment(sessionId: string, source: string, seq: number): AssignedMessage | null {
    const assignment = this.#assignments.find({ sessionId, source, seq })
    return assignment ? { owner: assignment, read: () => this.#readFor(assignment) } : null
  }

  async #readFor({ member, feed, seq }: Assignment): Promise<OutboundMessage | null> {
    const message = await this.#read(feed, seq)
    if (!message || !isPresent(member) || !this.#mayReceive(member, message)) return null
    return { ...message, ...asked(member, message) }
  }
}

function asShown({ view }: Pick<LogFeed, 'view'>, { payload, qos, extra }: LogEntry): SharedMessage {
  return { topic: view.topic, payload, qos, retain: false, extra }
}

/** Null: the view does not show the entry. */
export function formed(feed: Pick<LogFeed, 'view'>, entry: LogEntry): SharedMessage | null {
  const { form } = feed.view
  const shown = asShown(feed, form ? { ...entry, payload: form(entry) } : entry)
  return shown.payload.length > 0 ? shown : null
}

/** What the options of the member's subscription change in a message. */
export function asked(
  { subscription }: Pick<ShareMember, 'subscription'>,
  { retain, replaces = false }: SharedMessage | UnloggedMessage,
) {
  const { identifier, retainAsPublished } = subscription
  return {
    retain: retain || (replaces && retainAsPublished),
    replaces: false,
    ids: identifier === undefined ? [] : [identifier],
  }
}
