import type { RetryReason } from './status.js'

/** Ms. */
const SHORTEST = 500
const LONGEST = 30_000

/** Failures in a row that these count as, so that the clients of a broker that went away do not all come back within a second. */
const AT_LEAST: Readonly<Record<RetryReason, number>> = { network: 1, server: 3, busy: 4 }

/**
 * Ms until the next attempt: full jitter, that is, anything between half a second and an end that doubles with each failure, up to 30 s.
 * `retryAfter`: seconds that the broker asked for; then at least these, and up to half as many more.
 */
export function retryDelay(why: RetryReason, failures: number, retryAfter: number | undefined, random: number): number {
  if (retryAfter !== undefined) return retryAfter * 1000 * (1 + random / 2)
  const end = Math.min(LONGEST, SHORTEST * 2 ** Math.max(failures, AT_LEAST[why]))
  return SHORTEST + random * (end - SHORTEST)
}
