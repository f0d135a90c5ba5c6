/** Reads a message again that a share group assigned to a session, where the group is not served. */
import { QUEUE } from '../../following/feeds.js'
import type { Subscription } from '../../following/subscription.js'
import type { OutboundMessage } from '../codec/outbound-message.js'
import { groupName } from './group-name.js'
import type { MemberSession, SharedMessage } from './members.js'
import type { ShareServices } from './share-services.js'
import { asked, readEntry, readQueued } from './shared-message.js'

interface Assigned {
  readonly group: string
  readonly source: string
  readonly seq: number
}

/** Null: it is gone, or not allowed to the session any more. */
export async function readAssigned(
  services: ShareServices,
  session: MemberSession,
  assigned: Assigned,
): Promise<OutboundMessage | null> {
  const subscription = subscriptionTo(session, assigned.group)
  const message = subscription && (await read(services, session, assigned))
  if (!message || !session.isFor(message.topic, message.payload)) return null
  if (!subscription.unconditional && !session.mayReceive(message.topic)) return null
  return { ...message, ...asked({ subscription }, message) }
}

function subscriptionTo({ subscriptions, user }: MemberSession, group: string): Subscription | undefined {
  for (const subscription of subscriptions.values()) {
    const { parsed } = subscription
    if (parsed.kind === 'shared' && groupName(user, parsed).id === group) return subscription
  }
  return undefined
}

async function read(
  { store, views }: ShareServices,
  { user }: MemberSession,
  { group, source, seq }: Assigned,
): Promise<SharedMessage | null> {
  if (source === QUEUE) return readQueued(store, group, seq)
  const view = views.viewOfCursor(source, user)
  return view && readEntry(store, view, seq)
}
