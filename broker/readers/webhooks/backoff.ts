/** Delays between attempts. */

export interface BackoffOptions {
  /** Seconds. */
  readonly backoff: number
  readonly maxBackoff: number
}

/**
 * Milliseconds to wait after a number of consecutive failures: doubling, with jitter of up to half, and never less than
 * the receiver asks for.
 */
export function waitAfter(
  failures: number,
  { backoff, maxBackoff }: BackoffOptions,
  asked: number | null,
  random: () => number,
): number {
  const wait = Math.min(backoff * 2 ** (failures - 1), maxBackoff) * (1 - random() / 2)
  return Math.ceil(Math.max(wait, Math.min(asked ?? 0, maxBackoff)) * 1000)
}

/** Seconds in a Retry-After header, which has a number or a date; null: neither. */
export function retryAfter(header: string | undefined, now: number): number | null {
  if (header === undefined) return null
  if (/^\d+$/.test(header)) return Number(header)
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, (at - now) / 1000)
}
