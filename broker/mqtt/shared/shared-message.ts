/** A message of a share group: as it is stored, and as the options of one member's subscription show it. */
import { LogFeed, type QueueFeed } from '../../following/feeds.js'
import type { UnloggedMessage, View } from '../../hub.js'
import type { LogEntry } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import type { SharedMessage, ShareMember } from './members.js'

export function asShown(view: View, { payload, qos, extra }: LogEntry): SharedMessage {
  return { topic: view.topic, payload, qos, retain: false, extra }
}

/** Null: the view does not show the entry. */
export function formed(view: View, entry: LogEntry): SharedMessage | null {
  const { form } = view
  const shown = asShown(view, form ? { ...entry, payload: form(entry) } : entry)
  return shown.payload.length > 0 ? shown : null
}

/** What the options of the member's subscription change in a message. */
export function asked(
  { subscription }: Pick<ShareMember, 'subscription'>,
  { retain, replaces = false }: SharedMessage | UnloggedMessage,
) {
  const { identifier, retainAsPublished } = subscription
  return {
    retain: retain || (replaces && retainAsPublished),
    replaces: false,
    ids: identifier === undefined ? [] : [identifier],
  }
}

/** Reads a message of one of the group's feeds again. Null: it is no longer there. */
export function readAgain(
  store: Store,
  group: string,
  feed: LogFeed | QueueFeed,
  seq: number,
): Promise<SharedMessage | null> {
  return feed instanceof LogFeed ? readEntry(store, feed.view, seq) : readQueued(store, group, seq)
}

export async function readEntry({ log }: Store, view: View, seq: number): Promise<SharedMessage | null> {
  const [entry] = await log.read(view.log, seq - 1, 1, 1, 'expired too')
  return entry?.seq === seq ? formed(view, entry) : null
}

export async function readQueued({ queue }: Store, group: string, number: number): Promise<SharedMessage | null> {
  const [queued] = await queue.read(group, number - 1, 1, 1)
  return queued?.number === number ? queued.message : null
}
