/**
 * Saves sessions that outlive their connection. A save is one atomic snapshot: for each feed that moved, the end of its
 * acknowledged prefix (`{cursor}`), how far it was sent (`{cursor}>`) and, once, the incarnation of the log, and the in-flight packets. So after a crash every number is
 * either acknowledged, in flight with its packet id, or not yet sent. Saved at most once a second; before a QoS 2 packet leaves, at once.
 */

import { incarnationCursor } from '../following/feed-set.js'
import { LogFeed, QUEUE_SENT } from '../following/feeds.js'
import type { SubscriberSaver } from '../following/services.js'
import type { Subscriber } from '../following/subscriber.js'
import { commit } from '../store/commit.js'
import type { Op } from '../store/op.js'
import { dequeueOp } from '../store/queue-ops.js'
import type { SessionRecord } from '../store/sessions.js'
import type { Store } from '../store/store.js'
import type { Session } from './session.js'

/** Milliseconds between saves of what may be lost in a crash. */
const SAVE_EVERY = 1000

export class SessionWriter {
  readonly #store: Store
  readonly #failed: (error: unknown) => void
  readonly #dirty = new Set<Subscriber>()
  readonly #timer: NodeJS.Timeout

  /** Called before a session is removed: what its share groups write of it comes first. */
  onDiscard: (id: string) => void = () => {}

  constructor(store: Store, failed: (error: unknown) => void) {
    this.#store = store
    this.#failed = failed
    this.#timer = setInterval(() => void this.flush(), SAVE_EVERY)
    this.#timer.unref()
  }

  /** `along`: subscribers saved in the same commit, because their states refer to each other (a session and its share groups). */
  saver(subscriber: Subscriber, along: Iterable<Subscriber> = []): SubscriberSaver {
    return {
      touched: () => void this.#dirty.add(subscriber),
      // The save removes acknowledged messages from the queue: there is room.
      saveSoon: () => void this.#write(this.#snapshots(subscriber, along)).then(() => subscriber.pumped()),
      saveNow: this.#joined(subscriber, along),
    }
  }

  /** Removes a session for good, with all it holds. What follows from it: `Registry.sessionRemoved`. */
  async discard(id: string): Promise<void> {
    this.onDiscard(id)
    await commit(this.#store, { ops: this.#store.sessions.discardOps(id) })
  }

  /** Saves at once, one save at a time: all requests made while one is running share the next. */
  #joined(subscriber: Subscriber, along: Iterable<Subscriber>): () => Promise<void> {
    let last = Promise.resolve()
    let next: Promise<void> | null = null
    const save = async (): Promise<void> => {
      next = null
      // The last save of a closed session contains all of this; another connection may have loaded the session by now.
      if (subscriber.closed) return
      await commit(this.#store, { drafts: [], ops: this.#snapshots(subscriber, along) })
    }
    return () => (next ??= last = last.then(save, save))
  }

  /** Saves everything that moved since the last time. */
  async flush(): Promise<void> {
    const ops: Op[] = []
    const saved = [...this.#dirty]
    for (const session of saved) ops.push(...this.#snapshot(session))
    this.#dirty.clear()
    await this.#write(ops)
    for (const session of saved) session.pumped()
  }

  /** Saves nothing more of a closed session: another connection may own its records by then. */
  forget(session: Session): void {
    this.#dirty.delete(session)
    session.saver = null
  }

  /** The last save of a session whose connection closed. */
  async finish(session: Session, record: SessionRecord): Promise<void> {
    this.forget(session)
    await this.#write([...this.#snapshots(session, session.shares), this.#store.sessions.recordOp(record)])
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }

  async #write(ops: Op[]): Promise<void> {
    if (ops.length === 0) return
    try {
      await this.#store.sessions.writeLazily(ops)
    } catch (error) {
      this.#failed(error)
    }
  }

  #snapshots(subscriber: Subscriber, along: Iterable<Subscriber>): Op[] {
    const all = [subscriber, ...along]
    for (const one of all) this.#dirty.delete(one)
    return all.flatMap((one) => this.#snapshot(one))
  }

  #snapshot(session: Subscriber): Op[] {
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
    ops.push(sessions.inflightOp(session.id, session.savedInflight()))
    return ops
  }
}
