/** What the worker of a webhook works with. */
import type { Config } from '../../../schemas/config.js'
import type { LogName } from '../../store/log-name.js'
import type { WebhookRecord } from '../../store/outbox.js'
import type { Store } from '../../store/store.js'
import type { Counters } from '../../util/counters.js'
import type { TimerWheel } from '../../util/timer-wheel.js'
import type { Outcome } from './attempt.js'
import type { EventFilter } from './events.js'

export interface WebhookWorkerDeps {
  readonly store: Store
  readonly wheel: TimerWheel
  readonly counters: Counters
  readonly options: Config['webhookDelivery']
  readonly failed: (error: unknown) => void
  /** Writes to the broker's log: `kind` is the message, `facts` its fields. */
  readonly note: (kind: string, webhook: string, facts: Record<string, unknown>) => void
  readonly random: () => number
  /** Called when a log's cursor has advanced. */
  readonly advanced: (log: LogName) => void
  /** Called when what is said of it has changed (`stateSaving`). */
  readonly stateChanged: () => void
  /** Disables the webhook: the receiver at this URL answered 410, and wants no more. */
  readonly gone: (url: string, why: string) => Promise<void>
}

/** The webhook, as it is at the moment. */
export interface ServedWebhook {
  readonly record: WebhookRecord
  readonly filter: EventFilter
  /** A single attempt. */
  post(id: string, body: Buffer, signal: AbortSignal): Promise<Outcome>
}
