import type { Op } from './op.js'
import type { StoredSubscription } from './subscription.js'

/** The subscriptions of all kept sessions: in the table, and in memory for matching. */
export interface SubscriptionStore {
  /** They match messages that are committed later. */
  addOps(sessionId: string, subscriptions: readonly StoredSubscription[]): Op[]
  removeOps(sessionId: string, topics: readonly string[]): Op[]
  read(sessionId: string): Promise<StoredSubscription[]>
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
}
