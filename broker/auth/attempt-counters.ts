/** What an attempt to log in is counted in: failures, which are forgotten after a while, or guesses, which are regained. */
import type { CountKind, CountRecords, ExpiringName, FailureCount, Remainder } from '../store/expiring.js'
import { type BucketLimits, msToToken, taken } from '../util/stored-bucket.js'
import { afterFailure, type FailureLimits } from './failure-counts.js'

export type CountRecord = CountRecords[CountKind]

export interface Counter {
  readonly kind: CountKind
  readonly name: ExpiringName
  /** Ms until another attempt is allowed; 0: now. */
  waitOf(record: CountRecord | null, now: number): number
  /** The record with one attempt more. */
  after(record: CountRecord | null, now: number): CountRecord
}

export class FailureCounter implements Counter {
  readonly kind: CountKind
  readonly name: ExpiringName
  readonly #limits: FailureLimits

  constructor(kind: Exclude<CountKind, 'guesses'>, name: ExpiringName, limits: FailureLimits) {
    this.kind = kind
    this.name = name
    this.#limits = limits
  }

  waitOf(record: FailureCount | null, now: number): number {
    return Math.max(0, (record?.refusedUntil ?? 0) - now)
  }

  after(record: FailureCount | null, now: number): FailureCount {
    return afterFailure(record, this.#limits, now)
  }
}

/** Allows so many guesses per window, and spreads them over the window once they are used up. */
export class GuessCounter implements Counter {
  readonly kind = 'guesses'
  readonly name: ExpiringName
  readonly #limits: BucketLimits

  constructor(name: ExpiringName, { attempts, window }: FailureLimits) {
    this.name = name
    this.#limits = { most: attempts, perMs: attempts / window }
  }

  waitOf(record: Remainder | null, now: number): number {
    return msToToken(record, this.#limits, now)
  }

  after(record: Remainder | null, now: number): Remainder {
    return taken(record, this.#limits, now)
  }
}
