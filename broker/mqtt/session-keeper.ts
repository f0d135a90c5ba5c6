/**
 * Saves sessions that outlive their connection. A save is one snapshot, all of it or nothing: for each feed that moved the end of its
 * acknowledged prefix (`{cursor}`) and how far it was sent (`{cursor}>`), and the packets under way. So after a crash every number is
 * either acknowledged, under way with its packet id, or not yet sent. Saved at most once a second; before a QoS 2 packet leaves, at once.
 */
import { commit } from '../store/commit.js'
import type { Op, SavedSession, SessionRecord, Store } from '../store/store.js'
import { LogFeed } from './feeds.js'
import { NOBODY } from './inflight.js'
import type { Interests } from './interests.js'
import type { Session } from './session.js'
import type { SessionSaver } from './session-parts.js'

/** Milliseconds between saves of what may be lost in a crash. */
const SAVE_EVERY = 1000
/** Name of the queue's position among the cursors. */
const QUEUE_SENT = 'queue>'

export class SessionKeeper {
  readonly #store: Store
  readonly #failed: (error: unknown) => void
  readonly #dirty = new Set<Session>()
  readonly #timer: NodeJS.Timeout

  constructor(store: Store, failed: (error: unknown) => void) {
    this.#store = store
    this.#failed = failed
    this.#timer = setInterval(() => void this.flush(), SAVE_EVERY)
    this.#timer.unref()
  }

  saver(session: Session): SessionSaver {
    return {
      touched: () => void this.#dirty.add(session),
      saveSoon: () => {
        this.#dirty.delete(session)
        void this.#write(this.#snapshot(session))
      },
      saveNow: async () => {
        this.#dirty.delete(session)
        await commit(this.#store, { drafts: [], ops: this.#snapshot(session) })
      },
    }
  }

  /** Saves everything that moved since the last time. */
  async flush(): Promise<void> {
    const ops: Op[] = []
    for (const session of this.#dirty) ops.push(...this.#snapshot(session))
    this.#dirty.clear()
    await this.#write(ops)
  }

  /** Saves nothing more of a session that is over: its keys may be another's by then. */
  forget(session: Session): void {
    this.#dirty.delete(session)
    session.saver = null
  }

  /** The last save of a session whose connection is gone. */
  async finish(session: Session, record: SessionRecord): Promise<void> {
    this.forget(session)
    await this.#write([...this.#snapshot(session), this.#store.sessions.recordOp(record)])
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

  #snapshot(session: Session): Op[] {
    const { sessions, queue } = this.#store
    const ops: Op[] = []
    if (!session.started) return ops
    for (const feed of session.dirtyFeeds) {
      if (feed instanceof LogFeed) {
        if (feed.qos === 0) continue
        ops.push(sessions.cursorOp(session.id, feed.view.cursor, feed.acked))
        ops.push(sessions.cursorOp(session.id, `${feed.view.cursor}>`, feed.next - 1))
      } else {
        ops.push(sessions.cursorOp(session.id, QUEUE_SENT, feed.next - 1))
      }
    }
    session.dirtyFeeds.clear()
    for (const number of session.acknowledgedQueue) ops.push(queue.ackOp(session.id, number))
    session.acknowledgedQueue = []
    ops.push(sessions.inflightOp(session.id, session.inflight.saved()))
    return ops
  }
}

/**
 * Brings a saved session back to life: feeds at their cursors, then the packets that were under way, again and first
 * [MQTT-4.4.0-1]. `session.subscriptions` is filled already, with what is still allowed.
 */
export async function resumeSession(
  session: Session,
  saved: SavedSession,
  interests: Interests,
  store: Store,
): Promise<void> {
  session.queue.next = (saved.cursors.get(QUEUE_SENT) ?? 0) + 1
  // Packet ids are taken before any feed sends, so that none is used twice.
  const flights = saved.inflight.map((packet) => ({ packet, flight: session.inflight.resume(NOBODY, packet) }))
  const feeds = await interests.restore(saved.cursors)
  for (const { packet, flight } of flights) {
    const feed = packet.source === 'queue' ? session.queue : feeds.get(packet.source)
    if (packet.released) {
      if (feed) flight.owner = feed
      session.resendRelease(flight)
      continue
    }
    const message = feed ? await readAgain(store, session, feed, packet.seq) : null
    if (!feed || !message) {
      session.inflight.end(flight)
      if (feed === session.queue) session.queue.skip(packet.seq)
      continue
    }
    flight.owner = feed
    feed.outstanding.add(packet.seq)
    session.resend(flight, message)
  }
  if (store.queue.size(session.id).messages > 0) session.fallBehind(session.queue)
}

async function readAgain(store: Store, session: Session, feed: LogFeed | Session['queue'], number: number) {
  if (feed instanceof LogFeed) {
    const [entry] = await store.log.read(feed.view.log, number - 1, 1, 1)
    if (entry?.seq !== number) return null
    const payload = feed.view.form ? feed.view.form(entry) : entry.payload
    return { topic: feed.view.topic, payload, retain: false, extra: entry.extra, ids: feed.ids }
  }
  const [queued] = await store.queue.read(session.id, number - 1, 1, 1)
  return queued?.number === number && session.mayReceiveQueued(queued.message.topic) ? queued.message : null
}
