/** When to try again. */

export interface BackoffOptions {
  /** Seconds. */
  readonly backoff: number
  readonly maxBackoff: number
}

/** Milliseconds to wait after so many failures in a row: doubling, up to half of it left to chance, and never less than the receiver asks. */
export function waitAfter(
  failures: number,
  { backoff, maxBackoff }: BackoffOptions,
  asked: number | null,
  random: () => number,
): number {
  const wait = Math.min(backoff * 2 ** (failures - 1), maxBackoff) * (1 - random() / 2)
  return Math.ceil(Math.max(wait, Math.min(asked ?? 0, maxBackoff)) * 1000)
}

/** Seconds that a Retry-After asks for: a number of them, or a date; null where it says nothing. */
export function retryAfter(header: string | undefined, now: number): number | null {
  if (header === undefined) return null
  if (/^\d+$/.test(header)) return Number(header)
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, (at - now) / 1000)
}
