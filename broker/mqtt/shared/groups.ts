/**
 * The shared subscriptions of this broker [MQTT5-4.8.2], one group per share name and filter. On plain and device topics a group is open to all
 * users, as in MQTT. Below rooms, users and broadcast a group belongs to one user: it follows that user's memberships, with one cursor per log.
 */
import { roomCursors } from '../../chat/model/views.js'
import { dropCursorOps, type FeedSet } from '../../following/feed-set.js'
import type { MembershipChange } from '../../following/membership-change.js'
import type { Subscription } from '../../following/subscription.js'
import { commit } from '../../store/commit.js'
import { writerBehind } from '../../store/fence.js'
import type { LogEntry } from '../../store/logs.js'
import type { QoS } from '../../store/qos.js'
import type { SavedInflight } from '../../store/sessions.js'
import { type AssignedMessage, parseAssignmentSource } from './assignments.js'
import type { ShareGroup } from './group.js'
import type { AmongNodes } from './group-claims.js'
import { groupName, groupOfStored, isGroupId, type SharedFilter } from './group-name.js'
import type { GroupWriter } from './group-writer.js'
import { GroupsAmongNodes } from './groups-among-nodes.js'
import { KnownGroups } from './known-groups.js'
import type { MemberSession } from './members.js'
import type { ShareServices } from './share-services.js'
import { storedAssignments } from './stored-members.js'

export class SharedSubscriptions {
  readonly #services: ShareServices
  readonly #failed: (error: unknown) => void
  readonly #groups: KnownGroups
  /** Null: a single node has the store, and serves all groups. */
  readonly #among: GroupsAmongNodes | null
  /** Groups that ended, whose records are being deleted. */
  readonly #ending = new Map<string, Promise<void>>()

  constructor(
    services: ShareServices,
    sessionWriter: GroupWriter,
    failed: (error: unknown) => void,
    among: AmongNodes | null,
  ) {
    this.#services = services
    this.#failed = failed
    const groups = new KnownGroups({ services, failed, saver: (group) => sessionWriter.saver(group) })
    this.#groups = groups
    this.#among = among && new GroupsAmongNodes({ among, groups, services, sessionWriter, failed })
    sessionWriter.onDiscard = (id) => this.forget(id)
    sessionWriter.onClose = () => {
      for (const group of groups.all()) group.saver?.touched()
      return this.#among?.claims.idle()
    }
  }

  /** Restores the groups of stored sessions, and deletes the queues of groups that no longer exist. */
  async load(): Promise<void> {
    if (this.#among) return this.#among.load()
    const { sessions, subscriptions, queue } = this.#services.store
    const groups = this.#groups
    for (const stored of subscriptions.shared())
      groups.remember(groups.of(groupOfStored(stored.clientId, stored.topic)!), stored)
    for (const { id } of groups.all()) await this.#forgetRecord(id)
    const held = await storedAssignments(sessions, groups.sessions())
    for (const group of groups.all()) await group.restore(await sessions.progress(group.id), held.get(group.id) ?? [])
    for (const id of [...queue.nonEmptyQueues()]) if (isGroupId(id) && !groups.get(id)) await this.#discard(id)
  }

  /** By its record, nodes that shared the store before queued messages for a group; a single process knows of it itself. */
  async #forgetRecord(id: string): Promise<void> {
    const { store } = this.#services
    const topics = store.subscriptions.topicsOf(id)
    if (topics.length > 0) await commit(store, { ops: store.sessions.unsubscribeOps(id, topics) })
  }

  /** Resolves when the records of an earlier group of that name are deleted: records of a new one would be deleted with them. */
  async prepare(user: string, parsed: SharedFilter, qos: QoS): Promise<void> {
    if (this.#among) await this.#among.prepare(user, parsed, qos)
    else await this.#ending.get(groupName(user, parsed).id)
  }

  /** The feeds of a shared filter of `user`; of a group not yet made where there is none. */
  feedSet(user: string, parsed: SharedFilter): FeedSet {
    return (this.#groups.known(user, parsed) ?? this.#groups.make(groupName(user, parsed))).feedSet
  }

  /** Whether its cursors are another node's. */
  isElsewhere(user: string, parsed: SharedFilter): boolean {
    return this.#among !== null && !this.#groups.known(user, parsed)
  }

  /** Logs and topics that the groups of a user follow. */
  followedBy(user: string): number {
    let followed = 0
    for (const group of this.#groups.ofUser(user)) followed += group.followed
    return followed
  }

  join(session: MemberSession, subscription: Subscription, heads: ReadonlyMap<string, number> = new Map()): void {
    const { parsed } = subscription
    if (parsed.kind !== 'shared') return
    session.subscriptions.set(subscription.filter, subscription)
    const name = groupName(session.user, parsed)
    const member = { sessionId: session.id, persistent: session.persistent, subscription, session }
    if (this.#among) this.#among.join(name, member, heads)
    else this.#groups.join(this.#groups.of(name), member, heads)
  }

  /** The session is resumed: what it has in flight is known. */
  started(session: MemberSession): void {
    this.#among?.started(session)
  }

  /** The session unsubscribed. */
  leave(session: MemberSession, parsed: SharedFilter): void {
    const group = this.#groups.known(session.user, parsed)
    group?.leave(session.id)
    if (group) this.#tidy(group)
    this.#among?.claims.leave(groupName(session.user, parsed), session.id)
  }

  /** Its connection is gone. */
  away(session: MemberSession): void {
    const groups = this.#groups.ofSession(session.id)
    for (const group of groups) {
      group.away(session.id)
      this.#tidy(group)
    }
    this.#among?.away(groups, session)
    this.#groups.away(session)
  }

  /** Its session ended. Idempotent: it is told before this node removes a session, and when any node has. */
  forget(sessionId: string): void {
    for (const group of this.#groups.ofSession(sessionId)) {
      group.forget(sessionId)
      this.#tidy(group)
    }
    this.#groups.forget(sessionId)
    this.#among?.forget(sessionId)
  }

  #tidy(group: ShareGroup): void {
    // A session may still refer to a group that ended; there may be a new one of the same name. Among nodes it ends when nobody has it (group-claims.ts).
    if (this.#among || !group.isEmpty || this.#groups.get(group.id) !== group) return
    this.#groups.remove(group)
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

  /** Of a node that ended without a word. */
  async endAbandoned(claimed: string): Promise<void> {
    await this.#among?.claims.endAbandoned(claimed)
  }

  /** An in-flight packet of a session that belongs to a share group; null: it does not, or it is settled. */
  assignment(session: MemberSession, { source, seq }: SavedInflight): AssignedMessage | null {
    const parts = parseAssignmentSource(source)
    if (!parts) return null
    const group = this.#groups.get(parts.group)
    if (this.#among && !group?.isServed) return this.#among.assignment(session, parts.group, parts.source, seq)
    return group?.assignment(session.id, parts.source, seq) ?? null
  }

  membership({ room, user, member, last }: MembershipChange): void {
    for (const group of this.#groups.ofUser(user)) {
      if (member) group.feedSet.roomJoined(room).catch(this.#failed)
      else this.#roomLeft(group, room, last)
    }
    if (!member) this.#among?.claims.roomLeft(user, room)
  }

  #roomLeft(group: ShareGroup, room: string, last?: Pick<LogEntry, 'seq' | 'payload'>): void {
    const exact = group.feedSet.roomLeft(room, last)
    if (exact.length === 0) {
      const { store } = this.#services
      const ops = roomCursors(room).flatMap((cursor) => dropCursorOps(store, group.id, cursor))
      if (group.persistent) commit(writerBehind(store, group.fence), { ops }).catch(this.#failed)
      return
    }
    for (const { sessionId, session, subscription } of [...group.members]) {
      session?.subscriptions.delete(subscription.filter)
      group.leave(sessionId)
    }
    this.#tidy(group)
  }

  channel(channel: string): void {
    for (const group of this.#groups.all()) group.feedSet.channelAdded(channel)
  }
}
