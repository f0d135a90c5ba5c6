/** Which way to the broker is taken: WebSocket, and where that does not pass, HTTP. */
import { type Clock, onAbort, type Signal } from '../../base/platform.js'
import { Scope } from '../../base/scope.js'
import { type Fallback, type OpenWire, WireError } from '../wire.js'
import { type EventWire, openEvents } from './event-wire.js'

/** WebSockets in a row that could not be made, after which HTTP is tried. */
const FAILURES = 3
/** Ms after which a WebSocket is tried again. */
const AGAIN = 600_000

/**
 * For networks that let no WebSocket pass: the option `fallback` of `createChat`. After three WebSockets in a row that could not be made the
 * client uses server-sent events and requests over HTTP, and tries a WebSocket again every 10 minutes.
 */
export const eventStream: Fallback = (webSocket, { url, clock }) => {
  let failures = 0
  let triedAt = Number.NEGATIVE_INFINITY
  const upgrade: OpenWire = async (...given) => {
    triedAt = clock.now()
    try {
      const wire = await webSocket(...given)
      failures = 0
      return wire
    } catch (error) {
      if (!(error instanceof WireError && error.kind === 'network')) throw error
      failures++
      throw error
    }
  }
  return async (login, listener, signal) => {
    if (failures < FAILURES || clock.now() - triedAt >= AGAIN)
      try {
        return await upgrade(login, listener, signal)
      } catch (error) {
        if (failures < FAILURES || signal.aborted) throw error
      }
    try {
      const wire = await openEvents({ url, clock }, login, listener, signal)
      watch(wire, upgrade, clock, signal)
      return wire
    } catch (error) {
      // Nothing passes: the network is not one that blocks WebSockets alone.
      failures = FAILURES - 1
      throw error
    }
  }
}

/** Ends the wire when a WebSocket can be made, for the next connection to be one. */
function watch(wire: EventWire, upgrade: OpenWire, clock: Clock, signal: Signal): void {
  const stop = clock.timer(AGAIN, async () => {
    const scope = new Scope(signal)
    const { login } = wire
    const trial = { ...login, clientId: `${login.clientId}-trial` }
    try {
      const made = await upgrade(trial, { message: () => {}, ended: () => {} }, scope.signal)
      await made.close()
      wire.end(new WireError('network', 'a WebSocket can be made again'))
    } catch {
      if (!signal.aborted) watch(wire, upgrade, clock, signal)
    } finally {
      scope.end(null)
    }
  })
  onAbort(signal, stop)
}
