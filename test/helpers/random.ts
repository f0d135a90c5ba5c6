/** The seed of `npm test`: what passes once passes always. */
const SEED = 20_261_122

/** A seed that the environment gives, or `TEST_SEED` gives for all tests, or the fixed one. `random`: a new one. */
export function seedOf(given: string | undefined, fixed = SEED): number {
  const seed = given ?? process.env['TEST_SEED'] ?? fixed
  return seed === 'random' ? Math.floor(Math.random() * 2 ** 32) : Number(seed)
}

/** Reproducible pseudo-random numbers (mulberry32). */
export class Random {
  readonly seed: number
  #state: number

  constructor(seed: number) {
    this.seed = seed >>> 0
    this.#state = this.seed
  }

  /** @param variable The environment variable that gives the seed; without it see `seedOf`. @param fixed The seed of `npm test` */
  static from(variable: string, fixed = SEED): Random {
    return new Random(seedOf(process.env[variable], fixed))
  }

  /** 0 ≤ x < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** A whole number, 0 ≤ x < `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** A whole number, `low` ≤ x ≤ `high`. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)))
  }

  /** An independent generator for part `index`, not affected by the other parts. */
  part(index: number): Random {
    return new Random(this.seed + Math.imul(index + 1, 0x9e3779b1))
  }
}
