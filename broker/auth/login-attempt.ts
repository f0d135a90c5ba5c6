/**
 * One attempt to log in as a user from a network. Whether it was right may be told is decided when that is known: many attempts at once, on
 * whatever nodes, are answered as if one had followed the other. One that succeeds where nothing is counted costs neither a read nor a write.
 */
import type { KeyedMutex } from '../util/keyed-mutex.js'
import type { Counter } from './attempt-counters.js'
import type { AttemptCounts } from './attempt-counts.js'

export interface LoginAttemptDeps {
  readonly counts: AttemptCounts
  /** By user: attempts from many networks do not fail each other's guards. */
  readonly turns: KeyedMutex
  readonly user: string
  readonly network: string
  /** Of the user from there; forgotten when a login succeeds. */
  readonly pair: Counter
  /** Of the network. Not forgotten: otherwise logins with a known password would allow more guesses at others. */
  readonly from: Counter
  /** Of the user from networks that are not known; null: these are not counted. */
  readonly guesses: Counter | null
  readonly isKnown: () => Promise<boolean>
}

export class LoginAttempt {
  readonly #deps: LoginAttemptDeps
  readonly #all: readonly Counter[]

  constructor(deps: LoginAttemptDeps) {
    const { pair, from, guesses } = deps
    this.#deps = deps
    this.#all = guesses ? [pair, from, guesses] : [pair, from]
  }

  /** Seconds until it may be tried; 0: now. */
  async wait(): Promise<number> {
    const { counts } = this.#deps
    return counts.isCounted(this.#all) ? counts.waitOf(await this.#counters()) : 0
  }

  /** It was wrong. Resolves with 0 if that may be told, else with the seconds until an attempt is allowed. */
  async failed(): Promise<number> {
    const { counts, turns, user } = this.#deps
    const counters = await this.#counters()
    return turns.runExclusive(user, () => counts.take(this.#key, counters))
  }

  /** It was right. Resolves as `failed`. */
  async succeeded(): Promise<number> {
    const { counts, turns, user, pair } = this.#deps
    return turns.runExclusive(user, async () =>
      counts.isCounted(this.#all) ? counts.clear(this.#key, await this.#counters(), pair) : 0,
    )
  }

  /** What it is counted in. */
  async #counters(): Promise<readonly Counter[]> {
    const { pair, from, guesses, isKnown } = this.#deps
    return guesses && (await isKnown()) ? [pair, from] : this.#all
  }

  get #key(): string {
    return `attempts from ${this.#deps.network}`
  }
}
