/**
 * The shared subscriptions of this broker [MQTT5-4.8.2], one group per share name and filter. On plain and device topics a group is open to all
 * users, as in MQTT. Below rooms, users and broadcast a group belongs to one user: it follows that user's memberships, with one cursor per log.
 */
import { type Filter, isPlainFilter, parseFilter } from '../../../schemas/topics.js'
import { roomCursors } from '../../chat/model/views.js'
import { dropCursorOps, type FeedSet } from '../../following/feed-set.js'
import type { MembershipChange } from '../../following/membership-change.js'
import type { SubscriberSaver } from '../../following/services.js'
import type { Subscriber } from '../../following/subscriber.js'
import type { Subscription } from '../../following/subscription.js'
import { commit } from '../../store/commit.js'
import type { LogEntry } from '../../store/logs.js'
import type { SavedInflight } from '../../store/sessions.js'
import type { StoredSubscription } from '../../store/subscription.js'
import { parseAssignmentSource, type SavedAssignment } from './assignments.js'
import { type AssignedMessage, ShareGroup, type ShareServices } from './group.js'
import type { MemberSession } from './members.js'

type SharedFilter = Filter & { kind: 'shared' }

/** Saves the state of groups, and reports sessions that end. */
export interface GroupWriter {
  onDiscard: (sessionId: string) => void
  onClose: () => void
  saver(group: Subscriber): SubscriberSaver
}

/** No client id contains a control character: the id of a group is never that of a session. */
const MARK = '\u0001'

function groupId(user: string, { share, filter }: SharedFilter): string {
  return `${user === '' ? '' : `${user}/`}${MARK}${share}/${filter}`
}

function isGroupId(id: string): boolean {
  return id.startsWith(MARK) || id[id.indexOf('/') + 1] === MARK
}

/** The user a group belongs to; empty: it is open to all. */
function ownerOf({ of }: SharedFilter, user: string): string {
  return isPlainFilter(of) ? '' : user
}

function add<T>(map: Map<string, Set<T>>, key: string, value: T): void {
  const known = map.get(key)
  if (known) known.add(value)
  else map.set(key, new Set([value]))
}

function remove<T>(map: Map<string, Set<T>>, key: string, value: T): void {
  const known = map.get(key)
  known?.delete(value)
  if (known?.size === 0) map.delete(key)
}

export class SharedSubscriptions {
  readonly #services: ShareServices
  readonly #sessionWriter: GroupWriter
  readonly #failed: (error: unknown) => void
  readonly #groups = new Map<string, ShareGroup>()
  readonly #byUser = new Map<string, Set<ShareGroup>>()
  /** Groups of which a session is a member, or has unacknowledged messages. */
  readonly #bySession = new Map<string, Set<ShareGroup>>()
  /** Groups that ended, whose records are being deleted. */
  readonly #ending = new Map<string, Promise<void>>()

  constructor(services: ShareServices, sessionWriter: GroupWriter, failed: (error: unknown) => void) {
    this.#services = services
    this.#sessionWriter = sessionWriter
    this.#failed = failed
    sessionWriter.onDiscard = (id) => this.forget(id)
    sessionWriter.onClose = () => {
      for (const group of this.#groups.values()) group.saver?.touched()
    }
  }

  /** Restores the groups of stored sessions, and deletes the queues of groups that no longer exist. */
  async load(): Promise<void> {
    const { sessions, subscriptions, queue } = this.#services.store
    for (const stored of subscriptions.shared()) this.#loadMember(stored)
    const held = new Map<string, SavedAssignment[]>()
    for (const sessionId of this.#bySession.keys()) await this.#loadAssignments(sessionId, held)
    for (const group of this.#groups.values())
      await group.restore(await sessions.progress(group.id), held.get(group.id) ?? [])
    for (const id of [...queue.nonEmptyQueues()]) if (isGroupId(id) && !this.#groups.has(id)) await this.#discard(id)
  }

  #loadMember(stored: StoredSubscription & { clientId: string }): void {
    const { clientId: sessionId, topic, qos, rap: retainAsPublished = false, subscriptionIdentifier } = stored
    const parsed = parseFilter(topic)
    if (parsed.kind !== 'shared') return
    const group = this.#groupOf(sessionId.slice(0, sessionId.indexOf('/')), parsed)
    const subscription = {
      filter: topic,
      qos,
      retainAsPublished,
      identifier: subscriptionIdentifier,
      unconditional: false,
    }
    add(this.#bySession, sessionId, group)
    group.remember({ sessionId, persistent: true, subscription, session: null })
  }

  /** The QoS 2 exchanges a session had begun, by group. */
  async #loadAssignments(sessionId: string, held: Map<string, SavedAssignment[]>): Promise<void> {
    const { inflight } = await this.#services.store.sessions.progress(sessionId)
    for (const { source, seq } of inflight) {
      const parts = parseAssignmentSource(source)
      if (parts) held.set(parts.group, [...(held.get(parts.group) ?? []), { sessionId, source: parts.source, seq }])
    }
  }

  #known(user: string, parsed: SharedFilter): ShareGroup | undefined {
    return this.#groups.get(groupId(ownerOf(parsed, user), parsed))
  }

  #make(user: string, parsed: SharedFilter): ShareGroup {
    const owner = ownerOf(parsed, user)
    return new ShareGroup(groupId(owner, parsed), owner, parsed, this.#services, this.#failed)
  }

  #groupOf(user: string, parsed: SharedFilter): ShareGroup {
    const known = this.#known(user, parsed)
    if (known) return known
    const group = this.#make(user, parsed)
    group.saver = this.#sessionWriter.saver(group)
    this.#groups.set(group.id, group)
    add(this.#byUser, group.user, group)
    return group
  }

  /** Resolves when the records of an earlier group of that name are deleted: records of a new one would be deleted with them. */
  async settled(user: string, parsed: SharedFilter): Promise<void> {
    await this.#ending.get(groupId(ownerOf(parsed, user), parsed))
  }

  /** The feeds of a shared filter of `user`; of a group not yet made where there is none. */
  feedSet(user: string, parsed: SharedFilter): FeedSet {
    return (this.#known(user, parsed) ?? this.#make(user, parsed)).feedSet
  }

  /** Logs and topics that the groups of a user follow. */
  followedBy(user: string): number {
    let followed = 0
    for (const group of this.#byUser.get(user) ?? []) followed += group.followed
    return followed
  }

  join(session: MemberSession, subscription: Subscription, heads: ReadonlyMap<string, number> = new Map()): void {
    const { parsed } = subscription
    if (parsed.kind !== 'shared') return
    session.subscriptions.set(subscription.filter, subscription)
    const { id: sessionId, persistent } = session
    const group = this.#groupOf(session.user, parsed)
    if (!group.started) group.start()
    add(this.#bySession, sessionId, group)
    group.join({ sessionId, persistent, subscription, session }, heads)
  }

  /** The session unsubscribed. */
  leave(session: MemberSession, parsed: SharedFilter): void {
    const group = this.#known(session.user, parsed)
    if (!group) return
    group.leave(session.id)
    this.#tidy(group)
  }

  /** Its connection is gone. */
  away(session: MemberSession): void {
    for (const group of this.#bySession.get(session.id) ?? []) {
      group.away(session.id)
      this.#tidy(group)
    }
    if (!session.persistent) this.#bySession.delete(session.id)
  }

  /** Its session ended. Idempotent: it is told before this node removes a session, and when any node has. */
  forget(sessionId: string): void {
    for (const group of this.#bySession.get(sessionId) ?? []) {
      group.forget(sessionId)
      this.#tidy(group)
    }
    this.#bySession.delete(sessionId)
  }

  #tidy(group: ShareGroup): void {
    // A session may still refer to a group that ended; there may be a new one of the same name.
    if (!group.isEmpty || this.#groups.get(group.id) !== group) return
    group.close()
    this.#groups.delete(group.id)
    remove(this.#byUser, group.user, group)
    const ending = this.#discard(group.id)
      .catch(this.#failed)
      .finally(() => {
        if (this.#ending.get(group.id) === ending) this.#ending.delete(group.id)
      })
    this.#ending.set(group.id, ending)
  }

  async #discard(id: string): Promise<void> {
    const { store } = this.#services
    await commit(store, { ops: store.sessions.discardOps(id) })
  }

  /** An in-flight packet of a session that belongs to a share group; null: it does not, or it is settled. */
  assignment(session: MemberSession, { source, seq }: SavedInflight): AssignedMessage | null {
    const parts = parseAssignmentSource(source)
    return (parts && this.#groups.get(parts.group)?.assignment(session.id, parts.source, seq)) ?? null
  }

  membership({ room, user, member, last }: MembershipChange): void {
    for (const group of [...(this.#byUser.get(user) ?? [])]) {
      if (member) group.feedSet.roomJoined(room).catch(this.#failed)
      else this.#roomLeft(group, room, last)
    }
  }

  #roomLeft(group: ShareGroup, room: string, last?: Pick<LogEntry, 'seq' | 'payload'>): void {
    const exact = group.feedSet.roomLeft(room, last)
    if (exact.length === 0) {
      const { store } = this.#services
      const ops = roomCursors(room).flatMap((cursor) => dropCursorOps(store, group.id, cursor))
      if (group.persistent) commit(store, { ops }).catch(this.#failed)
      return
    }
    for (const { sessionId, session, subscription } of [...group.members]) {
      session?.subscriptions.delete(subscription.filter)
      group.leave(sessionId)
    }
    this.#tidy(group)
  }

  channel(channel: string): void {
    for (const group of this.#groups.values()) group.feedSet.channelAdded(channel)
  }
}
