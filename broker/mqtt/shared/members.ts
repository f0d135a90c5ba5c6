import type { FlightOwner } from '../../following/feeds.js'
import type { Subscriber } from '../../following/subscriber.js'
import type { Subscription } from '../../following/subscription.js'
import type { UnloggedMessage } from '../../hub.js'
import type { QoS } from '../../store/qos.js'
import type { OutboundMessage } from '../codec/outbound-message.js'

/** A message of a share group, with the options of one member's subscription. */
export type SharedMessage = OutboundMessage & { readonly qos: QoS }

/** What became of a message offered to a member. `full`: it cannot go now. `done`: nothing to wait for. */
export type TakeResult = 'assigned' | 'done' | 'full' | 'too_large'

/** What a share group needs of the session of a member. */
export interface MemberSession
  extends Pick<Subscriber, 'id' | 'user' | 'persistent' | 'started' | 'closed' | 'subscriptions' | 'saver' | 'fence'> {
  /** Messages that it can take now. */
  readonly capacity: number
  /** The groups it takes messages for. */
  readonly shares: { add(group: Subscriber): void; delete(group: Subscriber): void }
  readonly inflight: {
    forget(owner: FlightOwner): void
    cancel(owner: FlightOwner): void
    entrust(owner: FlightOwner, to: FlightOwner): void
    has(source: string, seq: number): boolean
  }
  /** Whether a message on a plain topic may be delivered to it. */
  mayReceive(topic: string): boolean
  /** Whether a message is for its user, as far as roles say. */
  isFor(topic: string, payload: Buffer): boolean
  /** `owner` is told when the message is done. */
  take(owner: FlightOwner, seq: number, message: SharedMessage): TakeResult
  acceptUnlogged(message: UnloggedMessage, qos: QoS): void
  /** Drops waiting messages of a topic. */
  dropWaiting(topic: string): void
}

/** A session as a member of a share group. */
export interface ShareMember {
  readonly sessionId: string
  /** It remains a member while it is not connected. */
  readonly persistent: boolean
  /** As granted: its QoS, its identifier. */
  readonly subscription: Pick<Subscription, 'filter' | 'qos' | 'identifier' | 'retainAsPublished' | 'unconditional'>
  /** Null while it is not connected. */
  readonly session: MemberSession | null
}

export type PresentMember = ShareMember & { readonly session: MemberSession }

export function isPresent(member: ShareMember): member is PresentMember {
  return member.session !== null && !member.session.closed
}

export class ShareMembers {
  readonly #bySession = new Map<string, ShareMember>()
  #turn = 0

  get(sessionId: string): ShareMember | undefined {
    return this.#bySession.get(sessionId)
  }

  set(member: ShareMember): void {
    this.#bySession.set(member.sessionId, member)
  }

  delete(sessionId: string): void {
    this.#bySession.delete(sessionId)
  }

  [Symbol.iterator](): Iterator<ShareMember> {
    return this.#bySession.values()
  }

  get isEmpty(): boolean {
    return this.#bySession.size === 0
  }

  /** Whether what the group holds must outlive connections. */
  get persistent(): boolean {
    for (const { persistent, subscription } of this) if (persistent && subscription.qos > 0) return true
    return false
  }

  get highestQos(): QoS {
    let highest: QoS = 0
    for (const { subscription } of this) if (subscription.qos > highest) highest = subscription.qos
    return highest
  }

  /** Whether any member is connected. */
  get isAnyPresent(): boolean {
    for (const member of this) if (isPresent(member)) return true
    return false
  }

  /** Absent members whose messages are kept. */
  *away(): Generator<ShareMember> {
    for (const member of this) if (!isPresent(member) && member.persistent && member.subscription.qos > 0) yield member
  }

  /** Messages that the connected ones can take now. */
  get capacity(): number {
    let room = 0
    for (const member of this) if (isPresent(member)) room += Math.max(0, member.session.capacity)
    return room
  }

  /** The connected members, starting one further with each call (round robin). */
  inTurn(): PresentMember[] {
    const present = [...this].filter(isPresent)
    const first = present.length === 0 ? 0 : this.#turn++ % present.length
    return [...present.slice(first), ...present.slice(0, first)]
  }
}
