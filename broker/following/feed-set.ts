/**
 * Maps the filters of a subscriber to feeds: which views it follows, at which QoS, from which entry. What a filter
 * covers changes with membership, so the set is computed anew from the filters whenever either changes, without
 * counters.
 */
import { isDirectRoom } from '../../schemas/ids.js'
import { filterMatches, isPlainFilter, topics } from '../../schemas/topics.js'
import { ANY_PRESENCE, type FilterViews, type Views } from '../chat/model/views.js'
import { unlogged, type View } from '../hub.js'
import { isPositionIn, type LogEntry, type LogInfo } from '../store/logs.js'
import type { Op } from '../store/op.js'
import type { QoS } from '../store/qos.js'
import type { Store } from '../store/store.js'
import type { Counters } from '../util/counters.js'
import type { FeedOptions, LogFeed, ViewFeedOptions } from './feeds.js'
import type { Subscriber } from './subscriber.js'
import type { Subscription } from './subscription.js'
import { showsViews } from './subscription-set.js'

/** The number after which a new feed starts. */
type Start = (view: View, qos: QoS) => number

export class FeedSet {
  readonly #subscriber: Subscriber
  readonly #views: Views
  readonly #store: Store
  readonly #counters: Counters

  constructor(subscriber: Subscriber, views: Views, store: Store, counters: Counters) {
    this.#subscriber = subscriber
    this.#views = views
    this.#store = store
    this.#counters = counters
  }

  viewsOf(subscription: Pick<Subscription, 'parsed'>): FilterViews {
    return this.#views.viewsOf(subscription.parsed, this.#subscriber.user)
  }

  /** By cursor: where a new feed of each view of `matched` starts, after the last entry there is now; and the incarnation of its log. */
  async heads(matched: FilterViews): Promise<Map<string, number>> {
    const heads = new Map<string, number>()
    for (const [view, { head, tail, incarnation }] of await this.#logsOf(matched)) {
      heads.set(view.cursor, view.fromStart ? tail - 1 : head)
      if (incarnation > 0) heads.set(incarnationCursor(view.cursor), incarnation)
    }
    return heads
  }

  #logsOf({ views }: FilterViews): Promise<[View, LogInfo][]> {
    return Promise.all(
      views.map(async (view): Promise<[View, LogInfo]> => [view, await this.#store.log.open(view.log)]),
    )
  }

  /** Ops that store the cursors which `matched` would start. */
  cursorOps(matched: FilterViews, subscription: Subscription, heads: ReadonlyMap<string, number>): Op[] {
    if (subscription.qos === 0) return []
    const { id, feeds, persistent } = this.#subscriber
    const { sessions } = this.#store
    const ops: Op[] = []
    for (const { cursor } of matched.views) {
      const feed = feeds.get(cursor)
      if (!feed || startsAnew(feed)) {
        ops.push(sessions.cursorOp(id, cursor, heads.get(cursor) ?? 0))
        const incarnation = heads.get(incarnationCursor(cursor))
        if (incarnation) ops.push(sessions.cursorOp(id, incarnationCursor(cursor), incarnation))
      }
      // A share group that was not stored until now.
      else if (!persistent)
        ops.push(sessions.cursorOp(id, cursor, feed.acked), sessions.cursorOp(id, `${cursor}>`, feed.acked))
    }
    return ops
  }

  /** Applies a subscription. Known views start at `heads`; views that appeared since start at their beginning. */
  add(subscription: Subscription, heads: ReadonlyMap<string, number>): void {
    const { filter, parsed, qos } = subscription
    if (parsed.kind === 'room' && parsed.room !== null && !this.#mayEnter(parsed.room)) return
    this.#subscriber.subscriptions.set(filter, subscription)
    if (isPlainFilter(parsed)) this.#subscriber.subscribePlain(filter, qos)
    if (!showsViews(parsed)) return
    const start = (view: View): number => heads.get(view.cursor) ?? this.#views.start(view, this.#subscriber.user)
    this.#apply(this.viewsOf(subscription), start, heads)
  }

  #mayEnter(room: string): boolean {
    return isDirectRoom(room) || this.#store.directory.member(room, this.#subscriber.user) !== undefined
  }

  /** Removes a filter. Returns ops that delete the cursors no other filter needs. */
  remove(filter: string): Op[] {
    const subscription = this.#subscriber.subscriptions.get(filter)
    if (!subscription) return []
    this.#subscriber.subscriptions.delete(filter)
    this.#subscriber.unsubscribePlain(filter)
    return this.#apply(this.viewsOf(subscription), () => 0)
  }

  /** Adds the views of a new membership to wildcard filters, starting at the join. */
  async roomJoined(room: string): Promise<void> {
    const { user } = this.#subscriber
    const heads = await this.heads(this.#viewsInRoom(room))
    const start = (view: View, qos: QoS): number =>
      (qos === 0 && heads.get(view.cursor)) || this.#views.start(view, user)
    // The membership or the subscriptions may have ended meanwhile.
    if (!this.#subscriber.closed && this.#store.directory.member(room, user))
      this.#apply(this.#viewsInRoom(room), start)
  }

  /**
   * Removes the views of an ended membership: nothing more of the room is delivered, except its `last` event if that
   * was not sent yet. Returns the exact filters that were removed.
   */
  roomLeft(room: string, last?: Pick<LogEntry, 'seq' | 'payload'>): string[] {
    const { subscriptions, feeds } = this.#subscriber
    const events = last && [...feeds.values()].find(({ view }) => view.topic === topics.room(room, 'events'))
    const owed = events && this.#subscriber.isUnsent(events, last.seq)
    const exact = [...subscriptions.values()]
      .filter(({ parsed }) => parsed.kind === 'room' && parsed.room === room)
      .map(({ filter }) => filter)
    for (const filter of exact) subscriptions.delete(filter)
    for (const feed of [...feeds.values()]) if (feed.view.room === room) this.#subscriber.detach(feed)
    for (const topic of [...this.#subscriber.listening])
      if (topic.startsWith(topics.roomPrefix(room))) this.#subscriber.unlisten(topic)
    if (owed)
      this.#subscriber.acceptUnlogged(
        unlogged(events.view.topic, last.payload, 1, { revealsNothing: true }),
        events.qos,
      )
    return exact
  }

  /**
   * Adds a broadcast channel on its first use: wildcard filters follow it from its beginning, those of QoS 0 too. Its first announcement is in the
   * log by now.
   */
  channelAdded(channel: string): void {
    const topic = topics.broadcast(channel)
    const { subscriptions, feeds } = this.#subscriber
    for (const subscription of subscriptions.values()) {
      if (subscription.parsed.kind !== 'broadcast') continue
      const [view] = this.viewsOf(subscription).views.filter((view) => view.topic === topic)
      if (!view) continue
      // An exact filter followed it before: it has the first announcement.
      const isFollowed = feeds.has(view.cursor)
      this.#apply({ views: [view], topics: [] }, () => (isFollowed ? this.#subscriber.headOf(view) : 0))
      if (!isFollowed) this.#catchUp(view)
    }
  }

  #catchUp(view: View): void {
    const feed = this.#subscriber.feeds.get(view.cursor)
    if (feed && feed.next <= this.#subscriber.headOf(view)) this.#subscriber.catchUp(feed)
  }

  /**
   * Restores the feeds of a resumed session or group at their saved cursors. Returns the cursors that are of a former log
   * of that name: they are not used, nor are their packets in flight.
   */
  async restore(saved: ReadonlyMap<string, number>): Promise<ReadonlySet<string>> {
    const cursors = new Map(saved)
    const former = new Set<string>()
    for (const subscription of this.#subscriber.subscriptions.values()) {
      const logs = new Map((await this.#logsOf(this.viewsOf(subscription))).map(([{ log }, info]) => [log, info]))
      // Computed anew: membership may have changed since the cursors were saved, and the filter may be gone.
      if (this.#subscriber.subscriptions.get(subscription.filter) !== subscription) continue
      const matched = this.viewsOf(subscription)
      for (const { cursor, log } of matched.views) {
        const info = logs.get(log)
        if (!info) continue
        if (isPositionIn(info, cursors.get(cursor) ?? 0, cursors.get(incarnationCursor(cursor)))) {
          // A log that was damaged may have lost its end, but not what was saved later.
          for (const name of [cursor, `${cursor}>`])
            if ((cursors.get(name) ?? 0) > info.head) cursors.set(name, info.head)
        } else {
          former.add(cursor)
          for (const name of namesOf(cursor)) cursors.delete(name)
        }
      }
      const start = (view: View, qos: QoS): number => this.#restoredStart(view, qos, cursors, logs.get(view.log))
      this.#apply(matched, start, cursors)
    }
    return former
  }

  /** The saved cursor, or a later join, or the tail if retention has moved it beyond (counted). At QoS 0 the head. */
  #restoredStart(
    view: View,
    qos: QoS,
    cursors: ReadonlyMap<string, number>,
    { head, tail }: Pick<LogInfo, 'head' | 'tail'> = { head: 0, tail: 1 },
  ): number {
    const joined = this.#views.start(view, this.#subscriber.user)
    if (qos === 0) return Math.max(head, joined)
    const start = Math.max(cursors.get(view.cursor) ?? 0, joined)
    if (start >= tail - 1) return start
    this.#counters.add('skipped.retention', tail - 1 - start)
    return tail - 1
  }

  #viewsInRoom(room: string): FilterViews {
    const all: FilterViews = { views: [], topics: [] }
    for (const { parsed } of this.#subscriber.subscriptions.values()) {
      const matched = this.#views.viewsInRoom(parsed, this.#subscriber.user, room)
      all.views.push(...matched.views)
      all.topics.push(...matched.topics)
    }
    return all
  }

  #apply(matched: FilterViews, start: Start, saved?: ReadonlyMap<string, number>): Op[] {
    const ops: Op[] = []
    for (const view of matched.views) ops.push(...this.#applyView(view, this.#options(view.topic), start, saved))
    for (const topic of matched.topics) {
      const options = this.#options(topic)
      if (options) this.#subscriber.listen(topic, options.qos)
      else this.#subscriber.unlisten(topic)
    }
    return ops
  }

  #applyView(
    view: View,
    options: ViewFeedOptions | null,
    start: Start,
    saved: ReadonlyMap<string, number> | undefined,
  ): Op[] {
    const subscriber = this.#subscriber
    const feed = subscriber.feeds.get(view.cursor)
    if (!options) {
      if (!feed) return []
      subscriber.endFeed(feed)
      return subscriber.persistent ? dropCursorOps(this.#store, subscriber.id, view.cursor) : []
    }
    if (!feed) {
      const from = start(view, options.qos)
      const sent = saved?.get(`${view.cursor}>`) ?? 0
      subscriber.attach(view, options, Math.max(from, sent) + 1, saved?.get(incarnationCursor(view.cursor)) ?? 0)
    } else if (options.qos > 0 && startsAnew(feed)) {
      subscriber.follow(feed, options, start(view, options.qos) + 1)
    } else {
      Object.assign(feed, options)
    }
    return []
  }

  /** The combined options of the filters that cover `topic`; null: none does. */
  #options(topic: string): ViewFeedOptions | null {
    const matching = this.#subscriber.subscriptions.near(topic).filter((subscription) => shows(subscription, topic))
    if (matching.length === 0) return null
    return { ...combined(matching)!, own: ownOptions(matching) }
  }
}

/** Combines options: the highest QoS and all identifiers; null: no filter. */
function combined(subscriptions: readonly Subscription[]): FeedOptions | null {
  if (subscriptions.length === 0) return null
  return {
    qos: Math.max(...subscriptions.map(({ qos }) => qos)) as QoS,
    ids: subscriptions.flatMap(({ identifier }) => identifier ?? []),
  }
}

/** The options for the session's own messages (No Local); undefined: the same as for all. */
export function ownOptions(subscriptions: readonly Subscription[]): FeedOptions | null | undefined {
  const local = subscriptions.filter(({ noLocal }) => !noLocal)
  return local.length === subscriptions.length ? undefined : combined(local)
}

/**
 * A feed of QoS 0 has no cursor to continue from when its QoS is raised; unless it was lowered before, and is still
 * sending what waited then [MQTT5-3.8.4-4].
 */
function startsAnew({ qos, lagging: behind }: LogFeed): boolean {
  return qos === 0 && !behind
}

function shows({ filter, parsed }: Subscription, topic: string): boolean {
  if (topic === ANY_PRESENCE)
    return parsed.kind === 'user' && parsed.user === null && parsed.leaves.includes('presence')
  return filterMatches(filter, topic) && (!topic.endsWith('/text') || filter.endsWith('/text'))
}

/** The name under which the incarnation of a cursor's log is saved. */
export function incarnationCursor(cursor: string): string {
  return `${cursor}#`
}

/** All that is saved of a cursor (mqtt/session-writer.ts): it, what was sent beyond it, and the incarnation of its log. */
function namesOf(cursor: string): string[] {
  return [cursor, `${cursor}>`, incarnationCursor(cursor)]
}

/** Deletes a cursor, and what is saved beside it. */
export function dropCursorOps(store: Store, id: string, cursor: string): Op[] {
  return namesOf(cursor).map((name) => store.sessions.dropCursorOp(id, name))
}
