import type { QoS } from './qos.js'
import type { StoredSubscription } from './subscription.js'

/** The subscriptions of all kept sessions, in memory. An adapter has them to match what is queued (directory/subscriptions.ts). */
export interface SubscriptionStore {
  /** What the filters of all sessions of a user count (filter-cost.ts). */
  bytesOfUser(user: string): number
  topicsOf(sessionId: string): string[]
  /** Subscriptions of QoS ≥ 1 on plain topics that match. */
  matching(topic: string): readonly (StoredSubscription & { readonly clientId: string })[]
  /** Sessions that have exactly this filter. */
  clientsOf(filter: string): Iterable<string>
  /** Subscriptions of QoS ≥ 1, and sessions with any subscription. */
  count(): { subsCount: number; clientsCount: number }
  /** Shared subscriptions with the ids of their sessions. */
  shared(): Iterable<StoredSubscription & { clientId: string }>
  /** Also queues messages matching a filter for `id`, which is no session, until the function returned is called. */
  follow(id: string, filter: string, qos: QoS): () => void
}
