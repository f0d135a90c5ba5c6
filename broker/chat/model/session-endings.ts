import type { Bus } from '../../store/bus.js'
import type { Logout, Signal } from './signals.js'

/**
 * Ends sessions after the answer to the request that ended them: the asking session may be one of them. By the next turn of the event loop the
 * answer is sent, and the ack is in the lane of its connection, which is empty before the connection ends.
 */
export function endAfterAnswer(bus: Bus<Signal>, logout: Omit<Logout, 'kind' | 'afterAcks'>): void {
  setImmediate(() => bus.send({ kind: 'logout', ...logout, afterAcks: true }))
}
