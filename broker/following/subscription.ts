import type { Filter } from '../../schemas/topics.js'
import type { QoS } from '../store/qos.js'

/** A granted subscription. */
export interface Subscription {
  filter: string
  qos: QoS
  noLocal: boolean
  retainAsPublished: boolean
  retainHandling: 0 | 1 | 2
  /** Subscription identifier [MQTT5-3.8.2.1.2]. */
  readonly identifier?: number | undefined
  readonly parsed: Filter
  /** For plain and device filters: every topic the filter can match is allowed, so deliveries need no check. Roles may change it. */
  unconditional: boolean
}
