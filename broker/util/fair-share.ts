/** Divides a shared limit fairly: the less is free, the less one requester may hold. */

export interface Share {
  /** What the requester holds, and what all hold together. */
  readonly mine: number
  readonly all: number
  /** The limit of one requester, and of all together. */
  readonly mostOfOne: number
  readonly most: number
}

/** One requester may hold at most this fraction of what is free (1/8), but always one if any is free. */
const FRACTION = 8

/** Whether the requester may take one more. */
export function isOneLeft({ mine, all, mostOfOne, most }: Share): boolean {
  const free = most - all
  return free > 0 && mine < Math.min(mostOfOne, Math.max(1, Math.floor(free / FRACTION)))
}
