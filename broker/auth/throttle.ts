import { networkOf } from '../util/network.js'

/** Longest time an address is refused, in ms, however many failures. */
const LONGEST = 3_600_000
/** Most addresses, and most users of addresses, that are remembered; the oldest are forgotten. */
const MAX_ENTRIES = 20_000

/** Networks that an account is known at; the one not seen for longest is forgotten. */
const MAX_KNOWN = 16

export interface ThrottleLimits {
  readonly attempts: number
  readonly addressAttempts: number
  /** Seconds. */
  readonly window: number
  /** Of one user from wherever it never logged in, in a window; left out: such failures are not counted together. */
  readonly accountAttempts?: number | undefined
}

/**
 * Counts failed password logins of a user from an address, and of an address. Too many: refused for a window, and
 * twice as long for each failure after that. What is refused is not tried, so it does not count. Failures of one account from many addresses
 * only slow each other down, and not who comes from where the account logged in before: or anyone could lock anyone out.
 */
export class LoginThrottle {
  readonly #pairs: Failures
  readonly #addresses: Failures
  readonly #accounts: Guesses | null
  /** By user, the networks it logged in from. */
  readonly #known = new Map<string, Set<string>>()

  constructor(limits: ThrottleLimits, now: () => number = Date.now) {
    const { attempts, addressAttempts, accountAttempts } = limits
    const window = limits.window * 1000
    this.#pairs = new Failures(attempts, window, now)
    this.#addresses = new Failures(addressAttempts, window, now)
    this.#accounts = accountAttempts === undefined ? null : new Guesses(accountAttempts, window, now)
  }

  /** Seconds until it may be tried again; 0: it may be tried. */
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

  /** Clears the user's failures, not the address's: or a known password would buy guesses at others. */
  succeeded(address: string, user: string): void {
    this.#pairs.clear(`${networkOf(address)} ${user}`)
    this.loggedIn(address, user)
  }

  /** In whatever way: who comes from there is not slowed by what others try elsewhere. */
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

/** So many guesses a window at each account, spread over it once they are used up. */
class Guesses {
  readonly #most: number
  readonly #window: number
  readonly #now: () => number
  /** How many are left, and as of when (Unix ms); the one that came first is forgotten first. */
  readonly #left = new Map<string, { guesses: number; at: number }>()

  constructor(most: number, window: number, now: () => number) {
    this.#most = most
    this.#window = window
    this.#now = now
  }

  /** Ms until one more may be made; 0: now. */
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

interface Entry {
  failures: number
  last: number
  refusedUntil: number
}

/** Counts failures under a key, such as a user. Who fails too often is refused for a window (ms), then twice as long each time. */
export class Failures {
  readonly #limit: number
  readonly #window: number
  readonly #now: () => number
  /** Least recently failed first. */
  readonly #entries = new Map<string, Entry>()

  constructor(limit: number, window: number, now: () => number) {
    this.#limit = limit
    this.#window = window
    this.#now = now
  }

  /** Ms until one more may be tried; 0: now. */
  waitOf(key: string): number {
    return Math.max(0, (this.#entries.get(key)?.refusedUntil ?? 0) - this.#now())
  }

  add(key: string): void {
    const now = this.#now()
    const before = this.#entries.get(key)
    const fresh = !before || Math.max(before.last, before.refusedUntil) + this.#window < now
    const failures = fresh ? 1 : before.failures + 1
    const over = failures - this.#limit
    const refusedUntil = over < 0 ? 0 : now + Math.min(this.#window * 2 ** over, LONGEST)
    this.#entries.delete(key)
    this.#entries.set(key, { failures, last: now, refusedUntil })
    if (this.#entries.size > MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!)
  }

  clear(key: string): void {
    this.#entries.delete(key)
  }
}
