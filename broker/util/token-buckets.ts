/** Keys in a generation; those not used for two generations are forgotten, which only ever allows more. */
const MAX_KEYS = 10_000

interface Bucket {
  /** Below 0: owed. */
  tokens: number
  /** Unix ms of the last change. */
  at: number
}

/** A token bucket per key: `perSecond` on average, `burst` at once. A known key costs a look into a map and nothing else. */
export class TokenBuckets {
  #perSecond: number
  #burst: number
  #buckets = new Map<string, Bucket>()
  #older = new Map<string, Bucket>()

  constructor(perSecond: number, burst = perSecond) {
    this.#perSecond = perSecond
    this.#burst = Math.max(1, burst)
  }

  /** Other figures from now on; what is owed stays owed. */
  refit(perSecond: number, burst = perSecond): void {
    this.#perSecond = perSecond
    this.#burst = Math.max(1, burst)
  }

  /** Takes a token where there is one. Answers how many ms it is until there is; 0: taken. */
  take(key: string, now = Date.now()): number {
    const bucket = this.#filled(key, now)
    if (bucket.tokens < 1) return this.#time(1 - bucket.tokens)
    bucket.tokens--
    return 0
  }

  /** Takes tokens, on credit if need be. Answers how many ms it takes until that is paid back; 0: nothing is owed. */
  charge(key: string, now = Date.now(), tokens = 1): number {
    const bucket = this.#filled(key, now)
    bucket.tokens -= tokens
    return bucket.tokens < 0 ? this.#time(-bucket.tokens) : 0
  }

  /** Takes tokens, on credit if need be, where nothing is owed. Answers how many ms it takes until it is paid back; 0: taken. */
  spend(key: string, now: number, tokens: number): number {
    const bucket = this.#filled(key, now)
    if (bucket.tokens < 0) return this.#time(-bucket.tokens)
    bucket.tokens -= tokens
    return 0
  }

  /** Takes back what was taken. */
  giveBack(key: string, now = Date.now()): void {
    const bucket = this.#filled(key, now)
    bucket.tokens = Math.min(this.#burst, bucket.tokens + 1)
  }

  #time(tokens: number): number {
    return Math.ceil((tokens / this.#perSecond) * 1000)
  }

  #filled(key: string, now: number): Bucket {
    const bucket = this.#buckets.get(key) ?? this.#take(key, now)
    // A clock that was set back gives nothing, and takes nothing.
    const tokens = bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * this.#perSecond
    bucket.tokens = Math.min(this.#burst, tokens)
    bucket.at = now
    return bucket
  }

  /** Into the generation of now. */
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
