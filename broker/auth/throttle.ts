import type { Config } from '../../schemas/config.js'
import { networkOf } from '../network.js'

/** Longest time an address is refused, in ms, however many failures. */
const LONGEST = 3_600_000
/** Most addresses, and most users of addresses, that are remembered; the oldest are forgotten. */
const MAX_ENTRIES = 20_000

/**
 * Counts failed password logins of a user from an address, and of an address. Too many: refused for a window, and
 * twice as long for each failure after that. What is refused is not tried, so it does not count.
 */
export class LoginThrottle {
  readonly #pairs: Failures
  readonly #addresses: Failures

  constructor(limits: Omit<Config['auth']['throttle'], 'registrations'>, now: () => number = Date.now) {
    this.#pairs = new Failures(limits.attempts, limits.window * 1000, now)
    this.#addresses = new Failures(limits.addressAttempts, limits.window * 1000, now)
  }

  isRefused(address: string, user: string): boolean {
    const network = networkOf(address)
    return this.#addresses.tooMany(network) || this.#pairs.tooMany(`${network} ${user}`)
  }

  failed(address: string, user: string): void {
    const network = networkOf(address)
    this.#addresses.add(network)
    this.#pairs.add(`${network} ${user}`)
  }

  /** Clears the user's failures, not the address's: or a known password would buy guesses at others. */
  succeeded(address: string, user: string): void {
    this.#pairs.clear(`${networkOf(address)} ${user}`)
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

  tooMany(key: string): boolean {
    const entry = this.#entries.get(key)
    return entry !== undefined && entry.refusedUntil > this.#now()
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
