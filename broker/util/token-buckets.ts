/** Keys of one generation. Keys not used for two generations are dropped; that only ever allows more. */
const MAX_KEYS = 10_000

interface Bucket {
  /** Negative: a debt. */
  tokens: number
  /** Unix ms of the last change. */
  at: number
}

/** A token bucket per key: `perSecond` on average, `burst` at once. For a known key the cost is one Map lookup. */
export class TokenBuckets {
  #perSecond: number
  #burst: number
  #buckets = new Map<string, Bucket>()
  #older = new Map<string, Bucket>()

  constructor(perSecond: number, burst = perSecond) {
    this.#perSecond = perSecond
    this.#burst = Math.max(1, burst)
  }

  /** Changes rate and burst; debts remain. */
  refit(perSecond: number, burst = perSecond): void {
    this.#perSecond = perSecond
    this.#burst = Math.max(1, burst)
  }

  /** Takes a token if there is one. Returns 0 if taken, else the ms until there is one. */
  take(key: string, now = Date.now()): number {
    const bucket = this.#filled(key, now)
    if (bucket.tokens < 1) return this.#time(1 - bucket.tokens)
    bucket.tokens--
    return 0
  }

  /** Takes tokens, into debt if need be. Returns the ms until the debt is repaid; 0: there is none. */
  charge(key: string, now = Date.now(), tokens = 1): number {
    const bucket = this.#filled(key, now)
    bucket.tokens -= tokens
    return bucket.tokens < 0 ? this.#time(-bucket.tokens) : 0
  }

  /**
   * Takes tokens, into debt if need be, but only if there is no debt yet. Returns 0 if taken, else the ms until the
   * debt is repaid.
   */
  spend(key: string, now: number, tokens: number): number {
    const bucket = this.#filled(key, now)
    if (bucket.tokens < 0) return this.#time(-bucket.tokens)
    bucket.tokens -= tokens
    return 0
  }

  /** Returns a token that was taken. */
  giveBack(key: string, now = Date.now()): void {
    const bucket = this.#filled(key, now)
    bucket.tokens = Math.min(this.#burst, bucket.tokens + 1)
  }

  #time(tokens: number): number {
    return Math.ceil((tokens / this.#perSecond) * 1000)
  }

  #filled(key: string, now: number): Bucket {
    const bucket = this.#buckets.get(key) ?? this.#take(key, now)
    // If the clock was set back, nothing is added and nothing is taken away.
    const tokens = bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * this.#perSecond
    bucket.tokens = Math.min(this.#burst, tokens)
    bucket.at = now
    return bucket
  }

  /** Moves the bucket into the current generation. */
  #take(key: string, now: number): Bucket {
    const bucket = this.#older.get(key) ?? { tokens: this.#burst, at: now }
    if (this.#buckets.size >= MAX_KEYS) {
      this.#older = this.#buckets
      this.#buckets = new Map()
    }
    this.#buckets.set(key, bucket)
    return bucket
  }
}
