/**
 * Saves sessions that outlive their connection. A save is one atomic snapshot: for each feed that moved, the end of its
 * acknowledged prefix (`{cursor}`), how far it was sent (`{cursor}>`) and, once, the incarnation of the log, and what changed among the packets in flight. So
 * after a crash every number is either acknowledged, in flight with its packet id, or not yet sent. Saved at most once a second; before a QoS 2 packet leaves,
 * at once.
 */

import { incarnationCursor } from '../following/feed-set.js'
import { type FlightOwner, LogFeed, QUEUE_SENT, type QueueFeed } from '../following/feeds.js'
import type { SubscriberSaver } from '../following/services.js'
import type { Subscriber } from '../following/subscriber.js'
import { GuardConflict } from '../store/changes.js'
import { commit } from '../store/commit.js'
import { type Fence, guardsOf, writerBehind } from '../store/fence.js'
import type { Op } from '../store/op.js'
import { dequeueOp } from '../store/queue-ops.js'
import type { SessionRecord } from '../store/sessions.js'
import type { Store } from '../store/store.js'
import { Session } from './session.js'

/** Milliseconds between saves of what may be lost in a crash. */
const SAVE_EVERY = 1000

/** What is saved in one commit. */
interface Snapshot {
  readonly number: number
  readonly ops: Op[]
  /** It is saved behind all of them. */
  readonly fences: readonly Fence[]
  /** What of each subscriber is in it: to be saved again if this fails. */
  readonly moved: readonly Moved[]
}

interface Moved {
  readonly session: Subscriber
  readonly acknowledged: readonly number[]
  readonly feeds: readonly (LogFeed | QueueFeed)[]
  /** Of share groups: those of packets that are stored with it for the first time. */
  readonly owners: readonly FlightOwner[]
}

export class SessionWriter {
  readonly #store: Store
  readonly #failed: (error: unknown) => void
  readonly #dirty = new Set<Subscriber>()
  readonly #timer: NodeJS.Timeout
  /** Snapshots so far. */
  #count = 0
  /** By session: its last save under way with packets of share groups that were not stored before. Resolves when it has settled. */
  readonly #firstSaves = new Map<Subscriber, Promise<void>>()
  /** By session: its last save under way. One that begins meanwhile would have to write all of its packets in flight. */
  readonly #saves = new Map<Subscriber, Promise<void>>()

  /** Called before the last save. */
  onClose: () => void | Promise<void> = () => {}

  /** Called before a session is removed: what its share groups write of it comes first. */
  onDiscard: (id: string) => void = () => {}

  constructor(store: Store, failed: (error: unknown) => void) {
    this.#store = store
    this.#failed = failed
    this.#timer = setInterval(() => void this.#saveIdle(), SAVE_EVERY)
    this.#timer.unref()
  }

  saver(subscriber: Subscriber): SubscriberSaver {
    return {
      touched: () => void this.#dirty.add(subscriber),
      // The save removes acknowledged messages from the queue: there is room.
      saveSoon: () => void this.#write(this.#snapshot([subscriber])).then(() => subscriber.pumped()),
      saveNow: this.#joined(subscriber),
    }
  }

  /** Removes a session for good, with all it holds. What follows from it: `Registry.sessionRemoved`. */
  async discard(id: string, fence: Fence | null = null): Promise<void> {
    this.onDiscard(id)
    await commit(writerBehind(this.#store, fence), { ops: this.#store.sessions.discardOps(id) })
  }

  /** Saves at once, one save at a time: all requests made while one is running share the next. */
  #joined(subscriber: Subscriber): () => Promise<void> {
    let last = Promise.resolve()
    let next: Promise<void> | null = null
    const save = async (): Promise<void> => {
      await this.#saves.get(subscriber)
      next = null
      // The last save of a closed session contains all of this; another connection may have loaded the session by now.
      if (subscriber.closed) return
      const snapshot = this.#snapshot([subscriber])
      await this.#settle(snapshot, commit(this.#store, { ops: snapshot.ops, guards: guardsOf(snapshot.fences) }))
    }
    return () => (next ??= last = last.then(save, save))
  }

  /** Saves everything that moved since the last time. `isWhole`: of whom no records of changes are left beside the list of packets in flight. */
  async flush(isWhole: (one: Subscriber) => boolean = () => false): Promise<void> {
    await this.#save([...this.#dirty], isWhole)
  }

  async #save(saved: readonly Subscriber[], isWhole: (one: Subscriber) => boolean): Promise<void> {
    const together = saved.filter((one) => !isApart(one))
    const parts = [together, ...saved.filter(isApart).map((one) => [one])]
    await Promise.all(parts.map((part) => this.#write(this.#snapshot(part, new Set(part.filter(isWhole))))))
    for (const session of saved) session.pumped()
  }

  /** Who is being saved already is left for the next time. */
  #saveIdle(): Promise<void> {
    const idle = [...this.#dirty].filter((one) => !this.#saves.has(one))
    return this.#save(idle, () => false)
  }

  /** Saves nothing more of a closed session or group: others may own its records by then. */
  forget(session: Subscriber): void {
    this.#dirty.delete(session)
    session.saver = null
  }

  /** The last save of a session whose connection closed. */
  async finish(session: Session, record: SessionRecord): Promise<void> {
    this.forget(session)
    // Until then a packet of a share group may return to it.
    await this.#firstSaves.get(session)
    const snapshot = this.#snapshot([session], new Set([session]))
    snapshot.ops.push(this.#store.sessions.recordOp(record))
    await this.#write(snapshot)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.onClose()
    await this.flush(() => true)
  }

  async #write(snapshot: Snapshot): Promise<void> {
    if (snapshot.ops.length === 0) return
    try {
      await this.#settle(snapshot, this.#store.sessions.writeLazily(snapshot.ops, guardsOf(snapshot.fences)))
    } catch (error) {
      if (!isConflict(error)) this.#failed(error)
    }
  }

  #settle(snapshot: Snapshot, written: Promise<unknown>): Promise<void> {
    const settled = this.#settled(snapshot, written)
    for (const { session, owners } of snapshot.moved) {
      note(this.#saves, session, settled)
      if (owners.length > 0) note(this.#firstSaves, session, settled)
    }
    return settled
  }

  async #settled({ number, moved, fences }: Snapshot, written: Promise<unknown>): Promise<void> {
    try {
      await written
    } catch (error) {
      if (isConflict(error)) await Promise.all(fences.map((fence) => fence.refused()))
      for (const one of moved) this.#giveBack(one)
      throw error
    }
    for (const { session, owners } of moved) {
      session.inflightRecords?.stored(number)
      for (const owner of owners) owner.saved?.(true)
    }
  }

  #giveBack({ session, acknowledged, feeds, owners }: Moved): void {
    session.acknowledgedQueue = [...acknowledged, ...session.acknowledgedQueue]
    for (const feed of feeds) {
      if (feed instanceof LogFeed) {
        if (!feed.attached) continue
        feed.savedIncarnation = 0
      }
      session.dirtyFeeds.add(feed)
    }
    if (session.saver) this.#dirty.add(session)
    for (const owner of owners) owner.saved?.(false)
  }

  /** `whole`: those whose list of packets in flight is to be the whole of it. */
  #snapshot(of: readonly Subscriber[], whole: ReadonlySet<Subscriber> = new Set()): Snapshot {
    const number = ++this.#count
    const all = withShares(of)
    for (const one of all) this.#dirty.delete(one)
    const moved = all.filter(({ started }) => started).map(movedOf)
    for (const { owners } of moved) for (const owner of owners) owner.saving?.(number)
    const fences = all.flatMap(({ fence }) => fence ?? [])
    return { number, moved, fences, ops: all.flatMap((one) => this.#opsOf(one, number, whole.has(one))) }
  }

  #opsOf(session: Subscriber, number: number, whole: boolean): Op[] {
    const { sessions } = this.#store
    const ops: Op[] = []
    if (!session.started) return ops
    // Persistent or not: the queue of a share group is bounded as any other.
    for (const number of session.acknowledgedQueue) ops.push(dequeueOp(session.id, number))
    session.acknowledgedQueue = []
    if (!session.persistent) return ops
    for (const feed of session.dirtyFeeds) {
      if (feed instanceof LogFeed) {
        if (feed.qos === 0) continue
        ops.push(sessions.cursorOp(session.id, feed.view.cursor, feed.acked))
        ops.push(sessions.cursorOp(session.id, `${feed.view.cursor}>`, feed.next - 1))
        const incarnation = session.incarnationOf(feed)
        if (incarnation > 0 && incarnation !== feed.savedIncarnation) {
          ops.push(sessions.cursorOp(session.id, incarnationCursor(feed.view.cursor), incarnation))
          feed.savedIncarnation = incarnation
        }
      } else {
        ops.push(sessions.cursorOp(session.id, QUEUE_SENT, feed.next - 1))
      }
    }
    session.dirtyFeeds.clear()
    if (session.inflightRecords) ops.push(...session.inflightRecords.ops(sessions, session.id, number, whole))
    return ops
  }
}

/** A session and its share groups are saved in one commit, because their states refer to each other. */
function withShares(of: readonly Subscriber[]): Subscriber[] {
  const all = new Set(of)
  for (const one of of) if (one instanceof Session) for (const group of one.shares) all.add(group)
  return [...all]
}

/** Until it has settled, or another one has begun. */
function note(saves: Map<Subscriber, Promise<void>>, session: Subscriber, settled: Promise<void>): void {
  const over = (): void => void (saves.get(session) === save && saves.delete(session))
  const save: Promise<void> = settled.then(over, over)
  saves.set(session, save)
}

/** Nothing else refers to what it saves: if it was taken over, the saves of others do not fail for it. */
function isApart(one: Subscriber): boolean {
  return one instanceof Session && one.fence !== null && one.shares.size === 0
}

function isConflict(error: unknown): boolean {
  return error instanceof GuardConflict || (error as Error).cause instanceof GuardConflict
}

function movedOf(session: Subscriber): Moved {
  const owners = session instanceof Session && session.shares.size > 0 ? session.inflight.unstored() : []
  return { session, acknowledged: session.acknowledgedQueue, feeds: [...session.dirtyFeeds], owners }
}
