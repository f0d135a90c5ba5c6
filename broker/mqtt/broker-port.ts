/** What connections use of the Aedes broker: its registry, its hooks, its events. */
import type { EventEmitter } from 'node:events'
import type { QoS } from '../store/qos.js'
import type { Gates, HookClient } from './gates.js'
import type { WillPublisher } from './will-publisher.js'

/** A connection as the registry of Aedes knows it, by its id. */
export interface RegisteredClient extends HookClient {
  readonly closed: boolean
  /** Always calls back. */
  close(done?: () => void): void
}

export interface PublishedMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
}

export interface BrokerPort {
  readonly closed: boolean
  readonly gates: Gates
  readonly wills: WillPublisher
  /** Takes over the session of `client.id`: an older connection of it is closed completely first [MQTT-3.1.4-2]. */
  register(client: RegisteredClient): Promise<void>
  isRegistered(client: RegisteredClient): boolean
  unregister(client: RegisteredClient): void
  /** A connection is closed, registered or not. */
  forget(client: RegisteredClient): void
  emit(event: string, ...facts: unknown[]): boolean
  /** An event of one client. */
  emitFor(client: EventEmitter, event: string | symbol, facts: unknown[]): boolean
  listenerCount(event: string): number
  /** Tells plugins of an accepted message. */
  announce(message: PublishedMessage, client: HookClient | null): void
  /** `subs`: topics and granted QoS, as plugins know them. */
  subscribed(client: HookClient, subs: object[]): void
  unsubscribed(client: HookClient, filters: string[]): void
}
