import type { Bus } from '../../store/bus.js'
import { commit } from '../../store/commit.js'
import type { Store } from '../../store/store.js'
import type { Logout, Signal } from './signals.js'

/**
 * Ends sessions after the answer to the request that ended them: the asking session may be one of them. Its answer and ack are sent by the
 * next turn of the event loop, the ack after a commit; so this waits for both.
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
