import { networkOf } from '../util/network.js'

/** Longest refusal in ms, however many failures. */
const LONGEST = 3_600_000
/** Most entries kept, of addresses and of users per address; the oldest are dropped. */
const MAX_ENTRIES = 20_000

/** Most networks remembered per account; the least recently seen is dropped. */
const MAX_KNOWN = 16

export interface ThrottleLimits {
  readonly attempts: number
  readonly addressAttempts: number
  /** Seconds. */
  readonly window: number
  /** Failures of one user from unknown networks within a window; absent: these are not counted together. */
  readonly accountAttempts?: number | undefined
}

/**
 * Counts failed password logins per user and address, and per address. Beyond the limit logins are refused for a
 * window, then twice as long for each further failure. Refused logins are not tried, so they do not count. Failures of
 * one account from many addresses only slow down logins from unknown networks, since otherwise anyone could lock any
 * user out.
 */
export class LoginThrottle {
  readonly #pairs: Failures
  readonly #addresses: Failures
  readonly #accounts: Guesses | null
  /** By user: the networks of earlier logins. */
  readonly #known = new Map<string, Set<string>>()

  constructor(limits: ThrottleLimits, now: () => number = Date.now) {
    const { attempts, addressAttempts, accountAttempts } = limits
    const window = limits.window * 1000
    this.#pairs = new Failures({ attempts, window }, now)
    this.#addresses = new Failures({ attempts: addressAttempts, window }, now)
    this.#accounts = accountAttempts === undefined ? null : new Guesses(accountAttempts, window, now)
  }

  /** Seconds until the next attempt is allowed; 0: now. */
  waitOf(address: string, user: string): number {
    const network = networkOf(address)
    const ms = Math.max(
      this.#addresses.waitOf(network),
      this.#pairs.waitOf(`${network} ${user}`),
      this.#isKnown(network, user) ? 0 : (this.#accounts?.waitOf(user) ?? 0),
    )
    return Math.ceil(ms / 1000)
  }

  failed(address: string, user: string): void {
    const network = networkOf(address)
    this.#addresses.add(network)
    this.#pairs.add(`${network} ${user}`)
    if (!this.#isKnown(network, user)) this.#accounts?.add(user)
  }

  /**
   * Clears the failures of the user, not those of the address: otherwise logins with a known password would allow more
   * guesses at others.
   */
  succeeded(address: string, user: string): void {
    this.#pairs.clear(`${networkOf(address)} ${user}`)
    this.loggedIn(address, user)
  }

  /** Records the network of a successful login of any kind: logins from there are not slowed by failures elsewhere. */
  loggedIn(address: string, user: string): void {
    if (!this.#accounts) return
    const network = networkOf(address)
    const networks = this.#known.get(user) ?? new Set()
    networks.delete(network)
    networks.add(network)
    if (networks.size > MAX_KNOWN) networks.delete(networks.values().next().value!)
    this.#known.delete(user)
    this.#known.set(user, networks)
    if (this.#known.size > MAX_ENTRIES) this.#known.delete(this.#known.keys().next().value!)
  }

  #isKnown(network: string, user: string): boolean {
    return this.#known.get(user)?.has(network) ?? false
  }
}

/** Allows so many guesses at each account per window, and spreads them over the window once they are used up. */
class Guesses {
  readonly #most: number
  readonly #window: number
  readonly #now: () => number
  /** Guesses left, and as of when (Unix ms); the oldest entry is dropped first. */
  readonly #left = new Map<string, { guesses: number; at: number }>()

  constructor(most: number, window: number, now: () => number) {
    this.#most = most
    this.#window = window
    this.#now = now
  }

  /** Ms until the next guess is allowed; 0: now. */
  waitOf(user: string): number {
    const left = this.#leftOf(user)
    return left >= 1 ? 0 : ((1 - left) * this.#window) / this.#most
  }

  add(user: string): void {
    const guesses = Math.max(0, this.#leftOf(user) - 1)
    this.#left.delete(user)
    this.#left.set(user, { guesses, at: this.#now() })
    if (this.#left.size > MAX_ENTRIES) this.#left.delete(this.#left.keys().next().value!)
  }

  #leftOf(user: string): number {
    const left = this.#left.get(user)
    if (!left) return this.#most
    return Math.min(this.#most, left.guesses + (Math.max(0, this.#now() - left.at) * this.#most) / this.#window)
  }
}

export interface FailureLimits {
  readonly attempts: number
  /** Ms. */
  readonly window: number
}

export interface FailureCount {
  readonly failures: number
  /** Unix ms. */
  readonly last: number
  /** Unix ms; 0: not refused. */
  readonly refusedUntil: number
}

/** Counts another failure. At the limit further attempts are refused for a window, then twice as long each time. */
export function afterFailure(
  before: FailureCount | null,
  { attempts, window }: FailureLimits,
  now: number,
): FailureCount {
  const failures = before ? before.failures + 1 : 1
  const over = failures - attempts
  const refusedUntil = over < 0 ? 0 : now + Math.min(window * 2 ** over, LONGEST)
  return { failures, last: now, refusedUntil }
}

/** Unix ms until which failures count. */
export function countsUntil({ last, refusedUntil }: FailureCount, { window }: FailureLimits): number {
  return Math.max(last, refusedUntil) + window
}

/** Counts failures by key, such as an address. */
export class Failures {
  readonly #limits: FailureLimits
  readonly #now: () => number
  /** Least recently failed first. */
  readonly #entries = new Map<string, FailureCount>()

  constructor(limits: FailureLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** Ms until the next attempt is allowed; 0: now. */
  waitOf(key: string): number {
    return Math.max(0, (this.#entries.get(key)?.refusedUntil ?? 0) - this.#now())
  }

  add(key: string): void {
    const now = this.#now()
    const before = this.#entries.get(key)
    const counts = before && countsUntil(before, this.#limits) >= now ? before : null
    this.#entries.delete(key)
    this.#entries.set(key, afterFailure(counts, this.#limits, now))
    if (this.#entries.size > MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!)
  }

  clear(key: string): void {
    this.#entries.delete(key)
  }
}
