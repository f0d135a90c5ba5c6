/** Resumes a saved session on a new connection. */

import type { Views } from '../chat/model/views.js'
import type { FeedSet } from '../following/feed-set.js'
import { type FlightOwner, LogFeed, QUEUE_SENT } from '../following/feeds.js'
import type { View } from '../hub.js'
import type { SavedInflight, SavedSession } from '../store/sessions.js'
import type { Store } from '../store/store.js'
import type { OutboundMessage } from './codec/outbound-message.js'
import { detachedOwner, NO_OWNER } from './inflight.js'
import type { Session } from './session.js'

/** Where the messages of in-flight packets are read again. */
export interface ResumeSources {
  readonly store: Store
  readonly views: Views
  /** Messages of shared subscriptions; null: the packet is not of one, or it is settled. */
  readonly shares: { assignment(session: Session, packet: SavedInflight): Sender | null }
}

/**
 * Feeds are opened at their cursors; in-flight packets are sent again, before anything new [MQTT-4.4.0-1]. `session.subscriptions` already holds
 * the subscriptions that are still allowed.
 */
export async function resumeSession(
  session: Session,
  feedSet: FeedSet,
  saved: SavedSession,
  { store, shares, views }: ResumeSources,
): Promise<void> {
  session.inflightRecords?.found(saved.inflightChanges)
  session.queue.next = (saved.cursors.get(QUEUE_SENT) ?? 0) + 1
  // Packet ids are taken before any feed sends, so that none is used twice.
  const flights = saved.inflight.map((packet) => ({ packet, flight: session.inflight.resume(NO_OWNER, packet) }))
  const former = await feedSet.restore(saved.cursors)
  for (const { packet, flight } of flights) {
    const sender =
      shares.assignment(session, packet) ??
      (former.has(packet.source) ? null : senderOfOwn(session, packet, saved, { store, views }))
    // Before anything is awaited: its share group may go to another node, which gives the packet another owner.
    if (sender) flight.owner = sender.owner
    if (packet.released) {
      session.resendRelease(flight)
      continue
    }
    const message = session.closed ? null : ((await sender?.read()) ?? null)
    if (sender && session.closed) {
      // A later connection of the session sends it: it is saved as it was.
      sender.sentBefore?.()
      continue
    }
    if (!sender || !message) {
      session.inflight.end(flight)
      flight.owner.acknowledged(packet.seq)
      continue
    }
    sender.sentBefore?.()
    session.resend(flight, message)
  }
  if (store.queue.size(session.id).messages > 0) session.catchUp(session.queue)
}

/** The owner of an in-flight packet. `read` reads its message again: null when it is gone, or no longer allowed. */
export interface Sender {
  readonly owner: FlightOwner
  read(): Promise<OutboundMessage | null>
  sentBefore?(): void
}

function senderOfOwn(
  session: Session,
  packet: SavedInflight,
  saved: SavedSession,
  { store, views }: Pick<ResumeSources, 'store' | 'views'>,
): Sender | null {
  return (
    senderOf(session, packet, saved, store) ??
    detachedSender(views.viewOfCursor(packet.source, session.user), packet, store, session)
  )
}

function senderOf(
  session: Session,
  { source, seq }: SavedInflight,
  { cursors }: SavedSession,
  store: Store,
): Sender | null {
  const feed = source === session.queue.source ? session.queue : session.feeds.get(source)
  // From before the client unsubscribed and subscribed again.
  if (!feed || (feed instanceof LogFeed && seq <= (cursors.get(source) ?? 0))) return null
  const read =
    feed instanceof LogFeed ? () => entryAgain(store, session, feed, seq) : () => queuedAgain(store, session, seq)
  return { owner: feed, read, sentBefore: () => feed.outstanding.add(seq) }
}

/** Of a view that no filter matches any more. */
function detachedSender(
  view: View | null,
  { source, seq }: SavedInflight,
  store: Store,
  session: Session,
): Sender | null {
  return view && { owner: detachedOwner(source), read: () => entryAgain(store, session, { view, ids: [] }, seq) }
}

async function entryAgain(
  store: Store,
  session: Session,
  { view, ids }: Pick<LogFeed, 'view' | 'ids'>,
  seq: number,
): Promise<OutboundMessage | null> {
  const [entry] = await store.log.read(view.log, seq - 1, 1, 1, 'expired too')
  if (entry?.seq !== seq || !session.isFor(view.topic, entry.payload)) return null
  const payload = view.form ? view.form(entry) : entry.payload
  return { topic: view.topic, payload, retain: false, extra: entry.extra, ids }
}

async function queuedAgain(store: Store, session: Session, number: number): Promise<OutboundMessage | null> {
  const [queued] = await store.queue.read(session.id, number - 1, 1, 1)
  if (queued?.number !== number) return null
  const { message } = queued
  return session.mayReceiveQueued(message.topic) && session.isFor(message.topic, message.payload) ? message : null
}
