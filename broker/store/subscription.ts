import type { QoS } from './qos.js'

/** A subscription of a session that is kept. */
export interface StoredSubscription {
  topic: string
  qos: QoS
  rh?: number
  rap?: boolean
  nl?: boolean
  subscriptionIdentifier?: number
}
