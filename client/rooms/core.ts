import type { Live } from '../base/live.js'
import type { Clock } from '../base/platform.js'
import type { Status } from '../connection/status.js'
import type { Replica } from '../engine/replica.js'
import type { Outgoing } from '../outbox/outgoing.js'
import type { Subscriptions } from '../people/subscriptions.js'
import type { Methods } from '../requests/methods.js'
import type { OwnedStore } from '../store/user-store.js'

/** What functions beside the client work with, which an application imports if it needs them. */
export interface Core {
  readonly ask: Methods
  readonly replica: Replica
  readonly status: Live<Status>
  readonly outbox: Live<readonly Outgoing[]>
  readonly clock: Clock & { random(): number }
  readonly subscriptions: Pick<Subscriptions, 'follow'>
  /** See `UserStore`. */
  storeOf(user: string): OwnedStore
}

/** A `Chat`, or a `Room`. */
export interface WithCore {
  readonly core: Core
}
