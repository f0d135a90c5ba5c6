import type { Bus } from '../../store/bus.js'
import { commit } from '../../store/commit.js'
import type { Store } from '../../store/store.js'
import type { Logout, Signal } from './signals.js'

/**
 * Ends sessions once the one that asked for it, which may be among them, had its answer and its ack: these are on their way by the next
 * turn of the event loop, the ack behind a commit.
 */
export function endAfterAnswer(
  { store, bus }: { store: Pick<Store, 'commit'>; bus: Bus<Signal> },
  logout: Logout,
): void {
  afterAnswer(store, () => bus.send(logout))
}

export function afterAnswer(store: Pick<Store, 'commit'>, act: () => unknown): void {
  setImmediate(() => void commit(store, {}).then(act, act))
}
