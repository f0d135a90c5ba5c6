import type { Extra } from '../store/logs.js'

/** Its time is over: it is not delivered any more. */
export function isExpired(extra: Extra | null | undefined, now = Date.now()): boolean {
  return extra ? extra.expiresAt > 0 && extra.expiresAt <= now : false
}
