/**
 * The share groups of this broker. On plain and device topics a group is what MQTT says, one for all users. Below rooms, users and
 * broadcast it is private to its user: it follows that user's memberships, with one cursor per group and log.
 */
import { type Filter, isPlainFilter, parseFilter } from '../../../schemas/topics.js'
import type { Signal } from '../../chat/model/signals.js'
import { roomCursors } from '../../chat/model/views.js'
import { dropCursorOps, type FeedSet } from '../../following/feed-set.js'
import type { SubscriberSaver } from '../../following/services.js'
import type { Subscriber } from '../../following/subscriber.js'
import type { Subscription } from '../../following/subscription.js'
import { commit } from '../../store/commit.js'
import type { LogEntry } from '../../store/logs.js'
import type { SavedInflight, StoredSubscription } from '../../store/sessions.js'
import { type LentMessage, ShareGroup, type ShareServices } from './group.js'
import { type HeldLoan, parseLoanSource } from './loans.js'
import type { MemberSession } from './members.js'

type SharedFilter = Filter & { kind: 'shared' }

/** Saves what groups hold, and tells of sessions that end. */
export interface GroupKeeper {
  onDiscard: (sessionId: string) => void
  saver(group: Subscriber): SubscriberSaver
}

/** No client id holds a control character: a group's id is no session's. */
const MARK = '\u0001'

function groupId(user: string, { share, filter }: SharedFilter): string {
  return `${user === '' ? '' : `${user}/`}${MARK}${share}/${filter}`
}

function isGroupId(id: string): boolean {
  return id.startsWith(MARK) || id[id.indexOf('/') + 1] === MARK
}

/** Whose a group is; empty: of all. */
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

export class Shares {
  readonly #services: ShareServices
  readonly #keeper: GroupKeeper
  readonly #failed: (error: unknown) => void
  readonly #groups = new Map<string, ShareGroup>()
  readonly #byUser = new Map<string, Set<ShareGroup>>()
  /** Groups that a session is a member of, or has something to finish for. */
  readonly #bySession = new Map<string, Set<ShareGroup>>()
  /** Of groups that are over: what they held is being forgotten. */
  readonly #ending = new Map<string, Promise<void>>()

  constructor(services: ShareServices, keeper: GroupKeeper, failed: (error: unknown) => void) {
    this.#services = services
    this.#keeper = keeper
    this.#failed = failed
    keeper.onDiscard = (id) => this.forget(id)
  }

  /** Brings back the groups that kept sessions have a part in, and drops what waits for groups that are no more. */
  async load(): Promise<void> {
    const { sessions, queue } = this.#services.store
    for (const stored of sessions.shared()) this.#loadMember(stored)
    const held = new Map<string, HeldLoan[]>()
    for (const sessionId of this.#bySession.keys()) await this.#loadLoans(sessionId, held)
    for (const group of this.#groups.values())
      await group.restore(await sessions.progress(group.id), held.get(group.id) ?? [])
    for (const id of [...queue.holders()])
      if (isGroupId(id) && !this.#groups.has(id)) await this.#services.store.sessions.discard(id)
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

  /** What a session had begun of QoS 2, by group. */
  async #loadLoans(sessionId: string, held: Map<string, HeldLoan[]>): Promise<void> {
    const { inflight } = await this.#services.store.sessions.progress(sessionId)
    for (const { source, seq } of inflight) {
      const parts = parseLoanSource(source)
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
    group.saver = this.#keeper.saver(group)
    this.#groups.set(group.id, group)
    add(this.#byUser, group.user, group)
    return group
  }

  /** Resolves when nothing is left of an earlier group of that name: or what is stored for a new one would go with it. */
  async settled(user: string, parsed: SharedFilter): Promise<void> {
    await this.#ending.get(groupId(ownerOf(parsed, user), parsed))
  }

  /** What a shared filter of `user` follows, or would. */
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

  /** Its session ended. */
  forget(sessionId: string): void {
    for (const group of this.#bySession.get(sessionId) ?? []) {
      group.forget(sessionId)
      this.#tidy(group)
    }
    this.#bySession.delete(sessionId)
  }

  #tidy(group: ShareGroup): void {
    // A session may still know one that ended before: another may have its name by now.
    if (!group.isEmpty || this.#groups.get(group.id) !== group) return
    group.close()
    this.#groups.delete(group.id)
    remove(this.#byUser, group.user, group)
    const ending = this.#services.store.sessions
      .discard(group.id)
      .catch(this.#failed)
      .finally(() => {
        if (this.#ending.get(group.id) === ending) this.#ending.delete(group.id)
      })
    this.#ending.set(group.id, ending)
  }

  /** A packet of a share group that was under way to a session; null: it is none, or done with. */
  loan(session: MemberSession, { source, seq }: SavedInflight): LentMessage | null {
    const parts = parseLoanSource(source)
    return (parts && this.#groups.get(parts.group)?.loan(session.id, parts.source, seq)) ?? null
  }

  membership({ room, user, member, last }: Signal & { kind: 'membership' }): void {
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
