/**
 * Sessions that share a subscription [MQTT5-4.8.2]: each message goes to one of them, in turn, among those that can take it now. To the
 * hub and the logs the group is one follower with its own cursors and queue; what it sends is lent to a session and comes back if that
 * session leaves without having acknowledged it.
 */
import type { Filter } from '../../../schemas/topics.js'
import type { Backlog } from '../../following/backlog.js'
import { isExpired } from '../../following/expiry.js'
import { FeedSet } from '../../following/feed-set.js'
import {
  type Behind,
  type FlightOwner,
  LogFeed,
  type Progress as Pumped,
  QUEUE_SENT,
  type QueueFeed,
  READ_ENTRIES,
} from '../../following/feeds.js'
import type { SubscriberServices } from '../../following/services.js'
import { Subscriber } from '../../following/subscriber.js'
import type { Subscription } from '../../following/subscription.js'
import { emptyCache, type UnloggedMessage, unlogged, type ViewBatch } from '../../hub.js'
import type { LogEntry } from '../../store/logs.js'
import type { QoS } from '../../store/qos.js'
import type { QueuedMessage } from '../../store/queues.js'
import type { Progress, SavedInflight } from '../../store/sessions.js'
import type { OutboundMessage } from '../codec/outbound-message.js'
import { type HeldLoan, Loan, Loans } from './loans.js'
import { isPresent, type Member, Members, type PresentMember, type SharedMessage } from './members.js'
import { Parked } from './parked.js'

type Source = LogFeed | QueueFeed

export interface ShareServices extends SubscriberServices {
  /** Whether a message could be delivered to some login of a user who is away. */
  readonly couldReceive: (user: string, clientId: string, topic: string) => boolean
}

/** A message that was lent before a reconnect, and how it is read again: null when it is gone, or forbidden now. */
export interface LentMessage {
  readonly owner: FlightOwner
  read(): Promise<OutboundMessage | null>
}

/** Most messages that came back and wait, beyond which nothing new is read. */
const MOST_RETURNED = READ_ENTRIES

export class ShareGroup extends Subscriber implements Behind {
  readonly feedSet: FeedSet
  /** The group itself is a feed to its pump: of messages that came back. */
  readonly source = null
  behind = false
  readonly #filter: string
  readonly #parsed: Filter
  readonly #onFailure: (error: unknown) => void
  readonly #members = new Members()
  readonly #loans = new Loans()
  #returned: { feed: Source; seq: number }[] = []
  readonly #parked: Parked
  readonly #couldReceive: ShareServices['couldReceive']
  #unfollow: (() => void) | null = null
  readonly #backlog: Backlog
  #leaveQueue: (() => void) | null = null

  /** `user`: whose rooms and topics it follows; empty where the filter is plain, and its sessions are of any user. */
  constructor(
    id: string,
    user: string,
    { filter, of }: Filter & { kind: 'shared' },
    services: ShareServices,
    onFailure: (error: unknown) => void,
  ) {
    super(id, user, services)
    this.#couldReceive = services.couldReceive
    this.#parked = new Parked(services.limits)
    this.#filter = filter
    this.#parsed = of
    this.#onFailure = onFailure
    this.#backlog = services.backlogs.open((sessionId) => this.#members.get(sessionId) !== undefined)
    this.feedSet = new FeedSet(this, services.views, services.store, services.counters)
  }

  // --- members ---------------------------------------------------------------------------------------------------------------------

  get persistent(): boolean {
    return this.#members.persistent
  }

  get isEmpty(): boolean {
    return this.#members.isEmpty
  }

  get members(): Iterable<Member> {
    return this.#members
  }

  /** A member from before a restart, which is away. */
  remember(member: Member): void {
    this.#members.set(member)
  }

  /** A session joins, comes back, or changes what it asked for. `heads`: where views begin that the group does not follow yet. */
  join(member: Member, heads: ReadonlyMap<string, number>): void {
    this.#members.set(member)
    member.session?.shares.add(this)
    this.#attend()
    for (const loan of this.#loans.ofSession(member.sessionId)) loan.member = member
    if (isPresent(member))
      for (const { feed, seq } of this.#parked.take((topic) => this.#mayReceiveTopic(member, topic)))
        this.#return(feed, seq)
    this.#follow(heads)
    if (this.started) for (const feed of this.feeds.values()) this.touched(feed)
    this.pump()
  }

  #follow(heads: ReadonlyMap<string, number>): void {
    const qos = this.#members.highestQos
    if (this.subscriptions.get(this.#filter)?.qos === qos) return
    this.feedSet.add(this.#subscription(qos), heads)
    if (this.user === '') this.#queueFor(qos)
  }

  #subscription(qos: QoS): Subscription {
    const options = { noLocal: false, retainAsPublished: false, retainHandling: 2 as const }
    return { filter: this.#filter, parsed: this.#parsed, qos, unconditional: true, ...options }
  }

  /** Its messages wait in the store under its own id, whoever takes them then. */
  #queueFor(qos: QoS): void {
    this.#unfollow?.()
    this.#unfollow = qos > 0 ? this.services.store.queue.follow(this.id, this.#filter, qos) : null
  }

  /** While somebody is there to take them, more may wait. */
  #attend(): void {
    const present = this.user === '' && !this.closed && this.#members.isAnyPresent
    if (present === (this.#leaveQueue !== null)) return
    if (present) {
      this.#leaveQueue = this.services.store.queue.attend(this.id, this.#backlog)
      return
    }
    this.#leaveQueue?.()
    this.#leaveQueue = null
    this.#backlog.close()
  }

  /** It unsubscribed: it gets nothing new, and may still finish what it has [MQTT5-3.10.4-3]. */
  leave(sessionId: string): void {
    this.#members.delete(sessionId)
    this.#attend()
    if (this.isEmpty) return
    this.#follow(new Map())
    for (const { feed, seq } of this.#parked.take((topic) => !this.#mayGoToAway(topic)))
      this.#drop('forbidden', feed, seq)
  }

  /** Its connection is gone. What it has of QoS 1 goes to others at once. */
  away(sessionId: string): void {
    const member = this.#members.get(sessionId)
    if (member?.persistent) this.#members.set({ ...member, session: null })
    else this.leave(sessionId)
    this.#attend()
    for (const loan of this.#loans.ofSession(sessionId)) if (loan.source === null) this.#takeBack(loan)
    this.pump()
  }

  /** Its session ended. An exchange of QoS 2 that it had begun is not begun with another [MQTT5-4.8.2-5]. */
  forget(sessionId: string): void {
    this.leave(sessionId)
    for (const loan of this.#loans.ofSession(sessionId)) this.#takeBack(loan)
    this.pump()
  }

  #takeBack(loan: Loan): void {
    const { feed, seq, qos } = loan
    if (qos < 2) {
      this.#loans.delete(loan)
      this.#return(feed, seq)
      return
    }
    this.services.counters.add('dropped.shared_qos2')
    this.settle(loan)
  }

  #return(feed: Source, seq: number): void {
    this.#returned.push({ feed, seq })
    this.fallBehind(this)
  }

  // --- what a follower does ----------------------------------------------------------------------------------------------------------

  get capacity(): number {
    return this.#returned.length > MOST_RETURNED ? 0 : this.#members.capacity
  }

  readonly waiting = 0

  sendWaiting(): boolean {
    return false
  }

  rested(): void {}

  failed(error: unknown): void {
    this.services.counters.add('failed.replay')
    this.#onFailure(error)
  }

  /** What is between the acknowledged prefix and what was sent: lent, or come back. */
  savedInflight(): SavedInflight[] {
    const saved: SavedInflight[] = []
    for (const feed of [this.queue, ...this.feeds.values()])
      for (const seq of feed.outstanding.all)
        saved.push({ packetId: 0, source: feed.source, seq, qos: 1, released: false })
    return saved
  }

  protected withdraw(from: LogFeed | string): void {
    const topic = typeof from === 'string' ? from : from.view.topic
    for (const { session } of this.#members) session?.dropWaiting(topic)
    this.#returned = this.#returned.filter(({ feed }) => feed !== from)
    if (typeof from !== 'string') this.#parked.forget(from)
    if (typeof from === 'string') return
    for (const loan of this.#loans.ofFeed(from)) {
      this.#loans.delete(loan)
      loan.member.session?.inflight.forget(loan)
    }
  }

  override close(): void {
    super.close()
    this.#attend()
    this.#unfollow?.()
    this.#loans.clear()
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
    for (const { payload, extra } of batch.entries) this.acceptDirect(unlogged(topic, payload, 0, { extra }), 0)
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
    else if (Math.min(message.qos, qos) === 0 || !this.queueIsFull(message)) this.acceptDirect(message, 0)
  }

  /** A message of the moment: to whoever can take it now, else to the next in turn, where it waits. */
  acceptDirect(message: UnloggedMessage, qos: QoS): void {
    const present = this.#members.inTurn().filter((member) => this.#mayReceive(member, message))
    const member = present.find(({ session }) => session.capacity > 0) ?? present[0]
    if (!member) return
    const level = Math.min(message.qos, qos, member.subscription.qos) as QoS
    member.session.acceptDirect({ ...message, ...asked(member, message), cache: emptyCache() }, level)
  }

  #mayReceive(member: PresentMember, { topic, payload }: Pick<SharedMessage, 'topic' | 'payload'>): boolean {
    return member.session.isFor(topic, payload) && this.#mayReceiveTopic(member, topic)
  }

  #mayReceiveTopic({ subscription, session }: PresentMember, topic: string): boolean {
    return subscription.unconditional || session.mayReceive(topic)
  }

  /** Whether a member who is away may have it, by what its user may: what roles it comes back with is not known. */
  #mayGoToAway(topic: string): boolean {
    for (const { sessionId } of this.#members.away()) {
      const slash = sessionId.indexOf('/')
      if (this.#couldReceive(sessionId.slice(0, slash), sessionId.slice(slash + 1), topic)) return true
    }
    return false
  }

  /** Or what is not for the group would take the room of what is, while its members are away. */
  #concernsNobody({ topic }: UnloggedMessage): boolean {
    for (const member of this.#members) if (isPresent(member) && this.#mayReceiveTopic(member, topic)) return false
    return !this.#mayGoToAway(topic)
  }

  /** Everything that is noted is noted before a packet leaves: a member may save on the spot, and the group with it. */
  #give(feed: Source, seq: number, message: SharedMessage): void {
    feed.sent(seq)
    feed.outstanding.add(seq)
    this.#lend(feed, seq, message)
  }

  /** False: nobody can take it now, and it waits. */
  #lend(feed: Source, seq: number, message: SharedMessage): boolean {
    if (isExpired(message.extra)) return this.#done(feed, seq)
    let dropped: 'forbidden' | 'packet_too_large' | null = null
    let full = false
    for (const member of this.#members.inTurn()) {
      if (!this.#mayReceive(member, message)) {
        dropped = 'forbidden'
        continue
      }
      const taken = this.#offer(member, feed, seq, message)
      if (taken === 'lent') return true
      if (taken === 'done') return this.#done(feed, seq)
      if (taken === 'full') full = true
      else dropped = 'packet_too_large'
    }
    if (full || dropped === null) {
      this.#return(feed, seq)
      return false
    }
    // Those who are here cannot have it: it is theirs to drop only if it is for nobody else.
    if (!this.#mayGoToAway(message.topic)) return this.#drop(dropped, feed, seq)
    return this.#parked.add(feed, seq, message) || this.#drop('queue_full', feed, seq)
  }

  #drop(why: 'forbidden' | 'packet_too_large' | 'queue_full', feed: Source, seq: number): true {
    this.services.counters.add(`dropped.${why}`)
    return this.#done(feed, seq)
  }

  #done(feed: Source, seq: number): true {
    feed.acknowledged(seq)
    return true
  }

  #offer(member: PresentMember, feed: Source, seq: number, message: SharedMessage) {
    const qos = Math.min(message.qos, member.subscription.qos) as QoS
    const loan = new Loan(this, member, feed, seq, qos)
    this.#loans.add(loan)
    const taken = member.session.take(loan, seq, { ...message, ...asked(member, message), qos })
    if (taken !== 'lent') this.#loans.delete(loan)
    return taken
  }

  /** A loan is done with. */
  readonly settle = (loan: Loan): void => {
    if (!this.#loans.delete(loan)) return
    this.#backlog.answered()
    loan.feed.acknowledged(loan.seq)
    loan.member.session?.saver?.touched()
    this.pump()
  }

  /** Gives out again what came back. */
  async advance(): Promise<Pumped> {
    if (this.#returned.length === 0) {
      this.behind = false
      return 'done'
    }
    if (this.#members.capacity <= 0) return 'blocked'
    const { feed, seq } = this.#returned.shift()!
    const message = await this.#read(feed, seq)
    if (this.closed || !feed.outstanding.has(seq)) return 'sent'
    if (!message) return this.#done(feed, seq) && 'sent'
    return this.#lend(feed, seq, message) ? 'sent' : 'blocked'
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

  /** Follows its filter from where it was. `held`: exchanges of QoS 2 that its members had begun. */
  async restore({ cursors, inflight }: Progress, held: readonly HeldLoan[]): Promise<void> {
    this.queue.next = (cursors.get(QUEUE_SENT) ?? 0) + 1
    const qos = this.#members.highestQos
    this.subscriptions.set(this.#filter, this.#subscription(qos))
    if (this.user === '') {
      this.subscribePlain(this.#filter, qos)
      this.#queueFor(qos)
    } else await this.feedSet.restore(cursors)
    for (const { source, seq } of inflight) {
      const feed = source === this.queue.source ? this.queue : this.feeds.get(source)
      if (!feed) continue
      feed.outstanding.add(seq)
      const holder = held.find((loan) => loan.source === source && loan.seq === seq)
      const member = holder && this.#members.get(holder.sessionId)
      if (member) this.#loans.add(new Loan(this, member, feed, seq, 2))
      else this.#return(feed, seq)
    }
    if (this.services.store.queue.size(this.id).messages > 0) this.fallBehind(this.queue)
    this.start()
  }

  /** A loan from before the reconnect of its member. */
  loan(sessionId: string, source: string, seq: number): LentMessage | null {
    const loan = this.#loans.find({ sessionId, source, seq })
    return loan ? { owner: loan, read: () => this.#readFor(loan) } : null
  }

  async #readFor({ member, feed, seq }: Loan): Promise<OutboundMessage | null> {
    const message = await this.#read(feed, seq)
    if (!message || !isPresent(member) || !this.#mayReceive(member, message)) return null
    return { ...message, ...asked(member, message) }
  }
}

function asShown({ view }: LogFeed, { payload, qos, extra }: LogEntry): SharedMessage {
  return { topic: view.topic, payload, qos, retain: false, extra }
}

/** Null: the view does not show the entry. */
function formed(feed: LogFeed, entry: LogEntry): SharedMessage | null {
  const { form } = feed.view
  const shown = asShown(feed, form ? { ...entry, payload: form(entry) } : entry)
  return shown.payload.length > 0 ? shown : null
}

/** What the member's subscription says of a message. */
function asked({ subscription }: Member, { retain, replaces = false }: SharedMessage | UnloggedMessage) {
  const { identifier, retainAsPublished } = subscription
  return {
    retain: retain || (replaces && retainAsPublished),
    replaces: false,
    ids: identifier === undefined ? [] : [identifier],
  }
}
