/** Counts failures: at the limit further attempts are refused for a window, then twice as long for each further failure. */
import type { FailureCount } from '../store/expiring.js'

/** Longest refusal in ms, however many failures. */
const LONGEST = 3_600_000

export interface FailureLimits {
  readonly attempts: number
  /** Ms. */
  readonly window: number
}

export function afterFailure(
  before: FailureCount | null,
  { attempts, window }: FailureLimits,
  now: number,
): FailureCount {
  const failures = before ? before.failures + 1 : 1
  const over = failures - attempts
  const refusedUntil = over < 0 ? 0 : now + Math.min(window * 2 ** over, LONGEST)
  return { failures, last: now, refusedUntil, until: Math.max(now, refusedUntil) + window }
}
