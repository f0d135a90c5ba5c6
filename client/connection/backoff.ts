import type { ChatError } from '../base/chat-error.js'
import type { RetryReason } from './status.js'

/** Ms. */
const SHORTEST = 500
const LONGEST = 30_000

/** Failures in a row that these count as, so that the clients of a broker that went away do not all come back within a second. */
const AT_LEAST: Readonly<Record<RetryReason, number>> = { network: 1, server: 3, busy: 4 }

/** Seconds that a broker is believed. */
const MOST_RETRY_AFTER = 3600

/** Ms of the seconds that a broker asks for, as far as it is believed: at least these, and up to half as many more. */
function asked(retryAfter: number, random: number): number {
  return Math.min(retryAfter, MOST_RETRY_AFTER) * 1000 * (1 + random / 2)
}

/**
 * Ms until the next attempt: full jitter, that is, anything between half a second and an end that doubles with each failure, up to 30 s.
 * Not before the broker asked for it; but later, if it fails again and again.
 */
export function connectDelay(
  why: RetryReason,
  failures: number,
  { retryAfter = 0 }: ChatError,
  random: number,
): number {
  const end = Math.min(LONGEST, SHORTEST * 2 ** Math.max(failures, AT_LEAST[why]))
  return Math.max(asked(retryAfter, random), SHORTEST + random * (end - SHORTEST))
}

/** Of what is sent on a connection: when the broker asks for it, as it knows when a slow room takes the next message. */
export function sendDelay(failures: number, error: ChatError, random: number): number {
  const { retryAfter } = error
  return retryAfter === undefined ? connectDelay('network', failures, error, random) : asked(retryAfter, random)
}
