import type { Extra } from '../store/logs.js'

/** Whether the message's expiry interval has passed, after which it is not delivered any more. */
export function isExpired(extra: Extra | null | undefined, now = Date.now()): boolean {
  return extra ? extra.expiresAt > 0 && extra.expiresAt <= now : false
}
