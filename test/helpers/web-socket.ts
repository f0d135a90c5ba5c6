import { WebSocket } from 'ws'
import type { Socket } from '../../client/platform.js'

/** Real time, as the entries of the SDK give it to the core. */
export const realClock = {
  now: () => Date.now(),
  timer: (ms: number, act: () => void) => {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
}

/** A real WebSocket of the subprotocol `mqtt`. */
export function webSocket(url: string): Socket {
  return new WebSocket(url, 'mqtt') as Socket
}
