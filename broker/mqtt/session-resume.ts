/** A saved session goes on, on a new connection. */

import type { Views } from '../chat/model/views.js'
import type { FeedSet } from '../following/feed-set.js'
import { type FlightOwner, LogFeed, QUEUE_SENT } from '../following/feeds.js'
import type { View } from '../hub.js'
import type { SavedInflight, SavedSession } from '../store/sessions.js'
import type { Store } from '../store/store.js'
import type { OutboundMessage } from './codec/outbound-message.js'
import { farewell, NOBODY } from './inflight.js'
import type { Session } from './session.js'

/** What packets of before are resent from. */
export interface ResumeSources {
  readonly store: Store
  readonly views: Views
  /** Messages of shared subscriptions; null: the packet is none, or done with. */
  readonly shares: { loan(session: Session, packet: SavedInflight): Sender | null }
}

/**
 * Brings a saved session back to life: feeds at their cursors, then the packets that were under way, again and first
 * [MQTT-4.4.0-1]. `session.subscriptions` is filled already, with what is still allowed.
 */
export async function resumeSession(
  session: Session,
  feedSet: FeedSet,
  saved: SavedSession,
  { store, shares, views }: ResumeSources,
): Promise<void> {
  session.queue.next = (saved.cursors.get(QUEUE_SENT) ?? 0) + 1
  // Packet ids are taken before any feed sends, so that none is used twice.
  const flights = saved.inflight.map((packet) => ({ packet, flight: session.inflight.resume(NOBODY, packet) }))
  await feedSet.restore(saved.cursors)
  for (const { packet, flight } of flights) {
    const sender =
      shares.loan(session, packet) ??
      senderOf(session, packet, saved, store) ??
      farewellSender(views.viewOfCursor(packet.source, session.user), packet, store, session)
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
  read(): Promise<OutboundMessage | null>
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
