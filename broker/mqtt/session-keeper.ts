/**
 * Saves sessions that outlive their connection. A save is one snapshot, all of it or nothing: for each feed that moved the end of its
 * acknowledged prefix (`{cursor}`) and how far it was sent (`{cursor}>`), and the packets under way. So after a crash every number is
 * either acknowledged, under way with its packet id, or not yet sent. Saved at most once a second; before a QoS 2 packet leaves, at once.
 */
import { type FlightOwner, LogFeed, QUEUE_SENT } from '../following/feeds.js'
import type { Subscriber } from '../following/subscriber.js'
import type { View } from '../hub.js'
import { commit } from '../store/commit.js'
import type { Op } from '../store/op.js'
import type { SavedInflight, SavedSession, SessionRecord } from '../store/sessions.js'
import type { Store } from '../store/store.js'
import type { Connection } from './connection.js'
import { farewell, NOBODY } from './inflight.js'
import type { ShownViews } from './packet-maker.js'
import type { Session } from './session.js'
import type { SessionSaver } from './session-parts.js'

/** Milliseconds between saves of what may be lost in a crash. */
const SAVE_EVERY = 1000

export class SessionKeeper {
  readonly #store: Store
  readonly #failed: (error: unknown) => void
  readonly #dirty = new Set<Subscriber>()
  readonly #timer: NodeJS.Timeout

  /** Told before a session is removed, and when it is. */
  onDiscard: (id: string) => void = () => {}
  onDiscarded: (id: string) => void = () => {}

  constructor(store: Store, failed: (error: unknown) => void) {
    this.#store = store
    this.#failed = failed
    this.#timer = setInterval(() => void this.flush(), SAVE_EVERY)
    this.#timer.unref()
  }

  /** `along`: what is saved together with it, for the one speaks of the other (loans of share groups). */
  saver(subscriber: Subscriber, along: Iterable<Subscriber> = []): SessionSaver {
    return {
      touched: () => void this.#dirty.add(subscriber),
      // What was acknowledged leaves its queue with it: there is room.
      saveSoon: () => void this.#write(this.#snapshots(subscriber, along)).then(() => subscriber.rested()),
      saveNow: this.#joined(subscriber, along),
    }
  }

  /** Removes a session for good, with all it holds. */
  async discard(id: string): Promise<void> {
    this.onDiscard(id)
    await this.#store.sessions.discard(id)
    this.onDiscarded(id)
  }

  /** Saves at once, one after another: all that is asked for while one save is under way shares the next. */
  #joined(subscriber: Subscriber, along: Iterable<Subscriber>): () => Promise<void> {
    let last = Promise.resolve()
    let next: Promise<void> | null = null
    const save = async (): Promise<void> => {
      next = null
      // The last save of a session that ended holds all of this; by now a successor may have loaded it.
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
    for (const session of saved) session.rested()
  }

  /** Saves nothing more of a session that is over: its keys may be another's by then. */
  forget(session: Session): void {
    this.#dirty.delete(session)
    session.saver = null
  }

  /** The last save of a session whose connection is gone. */
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
    const { sessions, queue } = this.#store
    const ops: Op[] = []
    if (!session.started) return ops
    // Whether or not it outlives its members: the queue of a share group is bounded as any other.
    for (const number of session.acknowledgedQueue) ops.push(queue.ackOp(session.id, number))
    session.acknowledgedQueue = []
    if (!session.persistent) return ops
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
    ops.push(sessions.inflightOp(session.id, session.savedInflight()))
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
  { services: { store, shares, views }, login }: Connection,
): Promise<void> {
  session.queue.next = (saved.cursors.get(QUEUE_SENT) ?? 0) + 1
  // Packet ids are taken before any feed sends, so that none is used twice.
  const flights = saved.inflight.map((packet) => ({ packet, flight: session.inflight.resume(NOBODY, packet) }))
  await login!.feedSet.restore(saved.cursors)
  for (const { packet, flight } of flights) {
    const sender =
      shares.loan(session, packet) ??
      senderOf(session, packet, saved, store) ??
      farewellSender(views.named(packet.source, session.user), packet, store, session)
    if (packet.released) {
      if (sender) flight.owner = sender.owner
      session.resendRelease(flight)
      continue
    }
    const message = (await sender?.read()) ?? null
    if (!sender || !message) {
      session.inflight.end(flight)
      sender?.owner.acknowledged(packet.seq)
      continue
    }
    flight.owner = sender.owner
    sender.sentBefore?.()
    session.resend(flight, message)
  }
  if (store.queue.size(session.id).messages > 0) session.fallBehind(session.queue)
}

/** Whose a packet from before is, and how its message is read again: null when it is gone, or forbidden now. */
export interface Sender {
  readonly owner: FlightOwner
  read(): Promise<ShownViews | null>
  sentBefore?(): void
}

function senderOf(
  session: Session,
  { source, seq }: SavedInflight,
  { cursors }: SavedSession,
  store: Store,
): Sender | null {
  const feed = source === session.queue.source ? session.queue : session.feeds.get(source)
  // From before the filter was given up and given again.
  if (!feed || (feed instanceof LogFeed && seq <= (cursors.get(source) ?? 0))) return null
  const read =
    feed instanceof LogFeed ? () => entryAgain(store, session, feed, seq) : () => queuedAgain(store, session, seq)
  return { owner: feed, read, sentBefore: () => feed.outstanding.add(seq) }
}

/** Of a view that no filter shows any more. */
function farewellSender(
  view: View | null,
  { source, seq }: SavedInflight,
  store: Store,
  session: Session,
): Sender | null {
  return view && { owner: farewell(source), read: () => entryAgain(store, session, { view, ids: [] }, seq) }
}

async function entryAgain(
  store: Store,
  session: Session,
  { view, ids }: Pick<LogFeed, 'view' | 'ids'>,
  seq: number,
): Promise<ShownViews | null> {
  const [entry] = await store.log.read(view.log, seq - 1, 1, 1, 'expired too')
  if (entry?.seq !== seq || !session.isFor(view.topic, entry.payload)) return null
  const payload = view.form ? view.form(entry) : entry.payload
  return { topic: view.topic, payload, retain: false, extra: entry.extra, ids }
}

async function queuedAgain(store: Store, session: Session, number: number): Promise<ShownViews | null> {
  const [queued] = await store.queue.read(session.id, number - 1, 1, 1)
  if (queued?.number !== number) return null
  const { message } = queued
  return session.mayReceiveQueued(message.topic) && session.isFor(message.topic, message.payload) ? message : null
}
