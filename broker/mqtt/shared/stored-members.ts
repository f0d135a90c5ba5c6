/** The members of share groups as they are stored with their sessions. */
import type { SessionStore } from '../../store/sessions.js'
import type { StoredSubscription } from '../../store/subscription.js'
import { parseAssignmentSource, type SavedAssignment } from './assignments.js'
import type { ShareMember } from './members.js'

/** Of a session. */
export type StoredMember = StoredSubscription & { readonly clientId: string }

/** Not connected. */
export function memberOf({
  clientId,
  topic,
  qos,
  rap: retainAsPublished = false,
  subscriptionIdentifier,
}: StoredMember): ShareMember {
  const subscription = {
    filter: topic,
    qos,
    retainAsPublished,
    identifier: subscriptionIdentifier,
    unconditional: false,
  }
  return { sessionId: clientId, persistent: true, subscription, session: null }
}

/** By group: the QoS 2 exchanges that these sessions had begun. */
export async function storedAssignments(
  sessions: SessionStore,
  of: Iterable<string>,
): Promise<Map<string, SavedAssignment[]>> {
  const held = new Map<string, SavedAssignment[]>()
  for (const sessionId of of) {
    const { inflight } = await sessions.progress(sessionId)
    for (const { source, seq } of inflight) {
      const parts = parseAssignmentSource(source)
      if (parts) held.set(parts.group, [...(held.get(parts.group) ?? []), { sessionId, source: parts.source, seq }])
    }
  }
  return held
}
