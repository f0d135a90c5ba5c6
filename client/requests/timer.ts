import type { Stop } from '../base/platform.js'

/** A timer of browsers and Node. */
export function timer(ms: number, act: () => void): Stop {
  const running = setTimeout(act, ms)
  return () => clearTimeout(running)
}
