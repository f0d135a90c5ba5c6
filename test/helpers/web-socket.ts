import { WebSocket } from 'ws'
import type { Env, Socket } from '../../client/base/platform.js'

/** Real time and chance, without hints. */
export const realEnv: Env = {
  now: () => Date.now(),
  timer: (ms, act) => {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
  hints: () => () => {},
}

/** A real WebSocket of the subprotocol `mqtt`. */
export function webSocket(url: string): Socket {
  return new WebSocket(url, 'mqtt') as Socket
}
