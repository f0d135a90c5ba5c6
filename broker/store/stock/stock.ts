/** What an Aedes kept. */
import type { QoS } from '../qos.js'
import type { StoredSubscription } from '../subscription.js'

/** What a queue may hold here. */
export interface StockLimits {
  readonly queueMessages: number
  readonly queueBytes: number
}

export interface StockContents {
  /** Where it is. */
  readonly about: string
  retained(): AsyncIterable<StockMessage>
  /** Queues up to these limits. */
  sessions(limits: StockLimits): AsyncIterable<StockSession>
  wills(): AsyncIterable<StockWill>
  close(): Promise<void>
}

/** A message that an Aedes stored. */
export interface StockMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
}

export interface StockSession {
  readonly clientId: string
  readonly subscriptions: readonly StoredSubscription[]
  /** What waits, in order, as far as it was asked for. Null: its packet is gone. */
  readonly queue: readonly (StockMessage | null)[]
  /** Messages behind these. */
  readonly beyond: number
  /** Packet ids of messages of QoS 2 that the client has, and whose PUBREL is due. */
  readonly releases: readonly number[]
  /** Packet ids of messages of QoS 2 that the client has published, and whose PUBREL has not come. */
  readonly incoming: readonly number[]
}

export interface StockWill {
  readonly clientId: string
  readonly message: StockMessage
}
