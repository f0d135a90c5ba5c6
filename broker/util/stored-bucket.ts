/** A token bucket as a value, for those that are stored. None is a full one. */
export interface Bucket {
  readonly tokens: number
  /** Unix ms, when it had so many. */
  readonly at: number
}

export interface BucketLimits {
  readonly most: number
  readonly perMs: number
}

function tokensIn(bucket: Bucket | null, { most, perMs }: BucketLimits, now: number): number {
  // If the clock was set back, nothing is added and nothing is taken away.
  return bucket ? Math.min(most, bucket.tokens + Math.max(0, now - bucket.at) * perMs) : most
}

/** Ms until there is a token; 0: there is one. */
export function msToToken(bucket: Bucket | null, limits: BucketLimits, now: number): number {
  return Math.max(0, (1 - tokensIn(bucket, limits, now)) / limits.perMs)
}

/** With a token less; `until` (Unix ms) it says more than none would. */
export function taken(bucket: Bucket | null, limits: BucketLimits, now: number): Bucket & { readonly until: number } {
  const left = Math.max(0, tokensIn(bucket, limits, now) - 1)
  return { tokens: left, at: now, until: now + Math.ceil((limits.most - left) / limits.perMs) }
}
