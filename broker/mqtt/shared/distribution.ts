/**
 * Gives the messages of a share group to its members: each to one of them, in turn, among those that can take it now [MQTT5-4.8.2]. What a
 * member does not acknowledge returns, and is assigned anew.
 */
import type { Backlog } from '../../following/backlog.js'
import { isExpired } from '../../following/expiry.js'
import type { LogFeed, Progress as Pumped, QueueFeed } from '../../following/feeds.js'
import { InflightRecords } from '../../following/inflight-records.js'
import type { Subscriber } from '../../following/subscriber.js'
import { emptyCache, type UnloggedMessage } from '../../hub.js'
import type { QoS } from '../../store/qos.js'
import type { SavedInflight } from '../../store/sessions.js'
import type { OutboundMessage } from '../codec/outbound-message.js'
import { type AssignedMessage, type Assigner, Assignment, Assignments, type SavedAssignment } from './assignments.js'
import type { Audience } from './audience.js'
import { AwayBacklog } from './away-backlog.js'
import { isPresent, type PresentMember, type SharedMessage, type ShareMember, type ShareMembers } from './members.js'
import { ReturnedMessages } from './returned-messages.js'
import type { ShareServices } from './share-services.js'
import { asked, readAgain } from './shared-message.js'
import { Unsettled } from './unsettled.js'

type Source = LogFeed | QueueFeed

export interface DistributionDeps {
  readonly group: Pick<Subscriber, 'id' | 'closed' | 'fence' | 'saver' | 'queue' | 'feeds' | 'catchUp' | 'pump'>
  readonly members: ShareMembers
  readonly audience: Audience
  readonly backlog: Backlog
  readonly services: ShareServices
}

export class Distribution implements Assigner {
  readonly assignments = new Assignments()
  readonly inflightRecords: InflightRecords
  readonly group: DistributionDeps['group']
  readonly #deps: DistributionDeps
  readonly #unsettled: Unsettled
  readonly #returned: ReturnedMessages
  readonly #awayBacklog: AwayBacklog
  #stopped = false

  constructor(deps: DistributionDeps) {
    const { group, services, members } = deps
    this.#deps = deps
    this.group = group
    this.#unsettled = new Unsettled(() => [group.queue, ...group.feeds.values()])
    this.inflightRecords = new InflightRecords(this.#unsettled)
    this.#awayBacklog = new AwayBacklog(services.limits)
    this.#returned = new ReturnedMessages(
      () => !this.#stopped && members.capacity > 0,
      (feed, seq) => this.#assignAnew(feed, seq),
    )
  }

  /** How many messages the group can take now. */
  get capacity(): number {
    return this.#stopped || this.#returned.areTooMany ? 0 : this.#deps.members.capacity
  }

  /** Assigns nothing more. */
  stop(): void {
    this.#stopped = true
  }

  get isStopped(): boolean {
    return this.#stopped
  }

  clear(): void {
    this.assignments.clear()
    this.#returned.clear()
  }

  // --- to members --------------------------------------------------------------------------------------------------------------------

  /** Position and outstanding number are set before the packet is sent: sending may save the member at once, and the group with it. */
  give(feed: Source, seq: number, message: SharedMessage): void {
    feed.sent(seq)
    feed.outstanding.add(seq)
    this.#assign(feed, seq, message)
  }

  /** An unlogged message goes to a member that can take it now, else it waits in the queue of the next in turn. */
  giveUnlogged(message: UnloggedMessage, qos: QoS): void {
    const { members, audience } = this.#deps
    const present = members.inTurn().filter((member) => audience.mayReceive(member, message))
    const member = present.find(({ session }) => session.capacity > 0) ?? present[0]
    if (!member) return
    const level = Math.min(message.qos, qos, member.subscription.qos) as QoS
    member.session.acceptUnlogged({ ...message, ...asked(member, message), cache: emptyCache() }, level)
  }

  /** False: no member can take it now, and it waits. */
  #assign(feed: Source, seq: number, message: SharedMessage): boolean {
    if (isExpired(message.extra)) return this.done(feed, seq)
    const { members, audience } = this.#deps
    let dropped: 'forbidden' | 'packet_too_large' | null = null
    let full = false
    for (const member of members.inTurn()) {
      if (!audience.mayReceive(member, message)) {
        dropped = 'forbidden'
        continue
      }
      const taken = this.#offer(member, feed, seq, message)
      if (taken === 'assigned') return true
      if (taken === 'done') return this.done(feed, seq)
      if (taken === 'full') full = true
      else dropped = 'packet_too_large'
    }
    if (full || dropped === null) {
      this.#return(feed, seq)
      return false
    }
    // No connected member may have it: it is dropped only if no absent member may have it either.
    if (!audience.mayGoToAway(message.topic)) return this.#drop(dropped, feed, seq)
    return this.#awayBacklog.add(feed, seq, message) || this.#drop('queue_full', feed, seq)
  }

  #offer(member: PresentMember, feed: Source, seq: number, message: SharedMessage) {
    const qos = Math.min(message.qos, member.subscription.qos) as QoS
    const assignment = new Assignment(this, member, feed, seq, qos)
    // Before it is sent, which may save the group.
    this.#assigned(assignment)
    const taken = member.session.take(assignment, seq, { ...message, ...asked(member, message), qos })
    if (taken !== 'assigned') this.#unassigned(assignment)
    return taken
  }

  #assigned(assignment: Assignment): void {
    this.assignments.add(assignment)
    // A single node has all sessions, and knows of each exchange by them.
    if (assignment.source !== null && this.group.fence) this.#unsettled.taken(assignment)
  }

  /** False: it was settled or withdrawn before. */
  #unassigned(assignment: Assignment): boolean {
    if (!this.assignments.delete(assignment)) return false
    this.#unsettled.returned(assignment)
    return true
  }

  saving(assignment: Assignment): void {
    this.#unsettled.saving(assignment)
  }

  /** One that no save has stored was not sent: without a connection it never will be. */
  saved(assignment: Assignment): void {
    if (assignment.isStored && this.#unsettled.stored(assignment)) this.group.saver?.touched()
    if (!assignment.hasBegun && !isPresent(assignment.member)) this.#giveAnew(assignment)
    else this.assignments.changed()
  }

  // --- done with ---------------------------------------------------------------------------------------------------------------------

  settle(assignment: Assignment): void {
    if (!this.assignments.delete(assignment)) return
    this.#deps.backlog.progressed()
    this.done(assignment.feed, assignment.seq)
    assignment.member.session?.saver?.touched()
    this.group.pump()
  }

  #drop(why: 'forbidden' | 'packet_too_large' | 'queue_full', feed: Source, seq: number): true {
    this.#deps.services.counters.add(`dropped.${why}`)
    return this.done(feed, seq)
  }

  done(feed: Source, seq: number): true {
    this.#unsettled.settled(feed, seq)
    feed.acknowledged(seq)
    return true
  }

  /** What came from a feed may not be delivered any more. */
  withdraw(from: LogFeed): void {
    this.#returned.forget(from)
    this.#awayBacklog.forget(from)
    this.#unsettled.withdrawn(from)
    for (const assignment of this.assignments.ofFeed(from)) {
      this.assignments.delete(assignment)
      if (isUnsent(assignment)) assignment.member.session?.inflight.cancel(assignment)
      else assignment.member.session?.inflight.forget(assignment)
    }
  }

  // --- returned ----------------------------------------------------------------------------------------------------------------------

  #return(feed: Source, seq: number): void {
    this.#returned.add(feed, seq)
    this.group.catchUp(this.#returned)
  }

  async #assignAnew(feed: Source, seq: number): Promise<Exclude<Pumped, 'done'>> {
    const { group } = this
    const message = await readAgain(this.#deps.services.store, group.id, feed, seq)
    if (group.closed || !feed.outstanding.has(seq)) return 'sent'
    if (!message) return this.done(feed, seq) && 'sent'
    return this.#assign(feed, seq, message) ? 'sent' : 'blocked'
  }

  /** The member joined, or reconnected. */
  joined(member: ShareMember): void {
    for (const assignment of this.assignments.ofSession(member.sessionId)) assignment.member = member
    if (!isPresent(member)) return
    for (const { feed, seq } of this.#awayBacklog.take((topic) => this.#deps.audience.mayReceiveTopic(member, topic)))
      this.#return(feed, seq)
  }

  /** A member's connection closed. What it has not acknowledged is assigned to others at once, except QoS 2 exchanges that stay with its session. */
  away(sessionId: string): void {
    for (const assignment of this.assignments.ofSession(sessionId))
      if (assignment.source === null || !assignment.hasBegun) this.#takeBack(assignment)
  }

  /** A member's session ended. A QoS 2 exchange that it had begun is not repeated with another member [MQTT5-4.8.2-5]. */
  forget(sessionId: string): void {
    for (const assignment of this.assignments.ofSession(sessionId)) this.#takeBack(assignment)
  }

  #takeBack(assignment: Assignment): void {
    if (assignment.qos < 2 || isUnsent(assignment)) return this.#giveAnew(assignment)
    this.#deps.services.counters.add('dropped.shared_qos2')
    this.settle(assignment)
  }

  /** Takes back what was not sent to its member. */
  takeBackUnsent(): void {
    for (const assignment of [...this.assignments]) if (isUnsent(assignment)) this.#giveAnew(assignment)
  }

  #giveAnew(assignment: Assignment): void {
    if (!this.#unassigned(assignment)) return
    if (isUnsent(assignment)) assignment.member.session?.inflight.cancel(assignment)
    this.#return(assignment.feed, assignment.seq)
  }

  /** Drops what waits for members who are away, and are none any more. */
  dropDeserted(): void {
    for (const { feed, seq } of this.#awayBacklog.take((topic) => !this.#deps.audience.mayGoToAway(topic)))
      this.#drop('forbidden', feed, seq)
  }

  // --- after a restart, or a member's reconnect --------------------------------------------------------------------------------------

  /** A message that was in flight. `held`: QoS 2 exchanges that the members had begun. False: it ended meanwhile. */
  resume(feed: Source, { source, seq, qos }: SavedInflight, held: readonly SavedAssignment[]): boolean {
    feed.outstanding.add(seq)
    const holder = held.find((assignment) => assignment.source === source && assignment.seq === seq)
    const member = holder && this.#deps.members.get(holder.sessionId)
    if (member) this.#resumeAt(member, feed, seq)
    // It was assigned, and ended with its session or while another node served that.
    else if (qos === 2) return false
    else this.#return(feed, seq)
    return true
  }

  #resumeAt(member: ShareMember, feed: Source, seq: number): void {
    const assignment = new Assignment(this, member, feed, seq, 2)
    assignment.isStored = true
    this.#assigned(assignment)
  }

  /** An assignment from before the reconnect of its member. */
  assignment(sessionId: string, source: string, seq: number): AssignedMessage | null {
    const assignment = this.assignments.find({ sessionId, source, seq })
    return assignment ? { owner: assignment, read: () => this.#readFor(assignment) } : null
  }

  async #readFor({ member, feed, seq }: Assignment): Promise<OutboundMessage | null> {
    const { audience, services } = this.#deps
    const message = await readAgain(services.store, this.group.id, feed, seq)
    if (!message || !isPresent(member) || !audience.mayReceive(member, message)) return null
    return { ...message, ...asked(member, message) }
  }
}

/** A QoS 2 exchange that no save of its session has yet: its packet waits for one. */
function isUnsent({ source, hasBegun }: Assignment): boolean {
  return source !== null && !hasBegun
}
