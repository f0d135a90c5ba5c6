/** What an application imports to run the broker in its own process (docs/embedding.md). Everything else below `dist` may change at any time. */
import type http from 'node:http'
import type https from 'node:https'
import type { Aedes } from 'aedes'
import type { Logger } from 'pino'
import type { Config } from '../schemas/config.js'
import type { AuthHooks } from './auth/principal.js'
import { startBroker as start } from './broker.js'
import type { Listener } from './net/listener.js'
import type { Reloaded } from './wiring/reload.js'

export type { Logger } from 'pino'
export type { AclRule, Config, WebhookConfig } from '../schemas/config.js'
export { ConfigError } from '../schemas/config.js'
export { ERRORS, type ErrorCode, Refusal } from '../schemas/errors.js'
export type { AuthHooks } from './auth/principal.js'
export { type ConfigSources, completeConfig, loadConfig, type RawOrigin } from './config/config.js'
export { ListenError, type Listener, type ListenerName } from './net/listener.js'
export { StoreError } from './store/changes.js'
export type { Reloaded } from './wiring/reload.js'

export interface BrokerOptions {
  /** Where the broker logs to; left out: as `log` of the configuration says. */
  log?: Logger
  /** Hooks as functions; what `auth.hooks` of the configuration names is asked too. Like those, they can only refuse. */
  hooks?: AuthHooks
  /**
   * A server of the application, on which the broker serves HTTP (`/v1` and `/exports`; every path where the server had no
   * listener for requests before) and MQTT over WebSocket (`listen.wsPath`). The application opens and closes it; its
   * timeouts are the application's.
   */
  server?: http.Server | https.Server
}

export interface RunningBroker {
  /** Those of `listen`, with the ports they were given. */
  readonly listeners: readonly Listener[]
  readonly dataDir: string
  /** The Aedes broker: events, hooks and plugins of Aedes. */
  readonly aedes: Aedes
  /** Takes what can change of another configuration while the broker runs. */
  reload(next: Config): Promise<Reloaded>
  /** Stops taking connections, ends those there are, saves what has to be saved and closes the store. */
  close(): Promise<void>
}

/** Starts a broker. Rejects with a `ConfigError`, `ListenError` or `StoreError` when that is not possible; nothing is left open then. */
export function startBroker(config: Config, options: BrokerOptions = {}): Promise<RunningBroker> {
  return start(config, options)
}
