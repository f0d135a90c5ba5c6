import type { Filter } from '../../schemas/topics.js'
import type { RequestedSubscription } from './codec/packets.js'

/** A filter of a session, granted. */
export interface Subscription extends RequestedSubscription {
  /** Subscription identifier [MQTT5-3.8.2.1.2]. */
  readonly identifier?: number | undefined
  readonly parsed: Filter
  /** For plain and device filters: every topic the filter can match is allowed, so deliveries need no check. Roles may change it. */
  unconditional: boolean
}
