/** What all share is shared: one who has much of it leaves the rest to those who have little. */

export interface Share {
  /** What the asker has, and what all have together. */
  readonly mine: number
  readonly all: number
  /** The most of one, and of all. */
  readonly mostOfOne: number
  readonly most: number
}

/** The less is left, the fewer each may have: an eighth of what is free, and the last for who has none. */
const PART = 8

/** Whether there is one more for who asks. */
export function isOneLeft({ mine, all, mostOfOne, most }: Share): boolean {
  const free = most - all
  return free > 0 && mine < Math.min(mostOfOne, Math.max(1, Math.floor(free / PART)))
}
