import type { Logger } from 'pino'
import type { Config } from '../../schemas/config.js'
import type { HookRunner } from '../auth/hooks.js'
import type { Authenticator, RefusedLogin } from '../auth/principal.js'
import type { Access } from '../chat/access.js'
import type { Rates } from '../chat/model/rates.js'
import type { Pipeline } from '../chat/pipeline.js'
import type { Presence } from '../chat/presence/presence.js'
import type { SubscriberServices } from '../following/services.js'
import type { RefusalLog } from '../util/refusal-log.js'
import type { TimerWheel } from '../util/timer-wheel.js'
import type { Admission } from './admission.js'
import type { AnonymousSessions } from './anonymous-sessions.js'
import type { Claims } from './claims.js'
import type { Registry } from './registry.js'
import type { SessionWriter } from './session-writer.js'
import type { SharedSubscriptions } from './shared/groups.js'
import type { Flusher } from './write-buffer.js'

/** What a connection works with; made once, by the composition root. */
export interface MqttServices extends SubscriberServices {
  readonly limits: Config['limits']
  readonly onRefused: 'ack' | 'close'
  /** Seconds. */
  readonly connectTimeout: number
  /** Seconds in which the clients of a broker that left may come back before their wills are published. */
  readonly restartGrace: number
  readonly redirect: Config['listen']['redirect']
  readonly authenticator: Authenticator
  readonly hooks: HookRunner
  readonly access: Access
  readonly pipeline: Pipeline
  readonly presence: Presence
  readonly rates: Rates
  /** The names that are counted together with this one. */
  readonly countedWith: (user: string) => Iterable<string>
  readonly registry: Registry
  readonly sessionWriter: SessionWriter
  readonly anonymousSessions: AnonymousSessions
  readonly shares: SharedSubscriptions
  readonly admission: Admission
  /** Null: a single node has the store, and nobody else could serve a session. */
  readonly claims: Claims | null
  readonly wheel: TimerWheel
  readonly flusher: Flusher
  readonly log: Logger
  readonly refusals: RefusalLog
  /** Logs refused logins; the authenticator logs those it refuses itself. */
  readonly refusedLogin: (login: RefusedLogin) => void
}
