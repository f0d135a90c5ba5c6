/**
 * Caches successful password checks for a short time: a client that sends its password with every request (HTTP Basic),
 * or a fleet of clients, costs one argon2 hash a minute instead of one each time. Stored as a keyed hash, so that no
 * password stays in memory; a changed account does not match.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { sameHash } from './credentials.js'

/** Ms. */
const LIFETIME = 60_000
const MAX_USERS = 20_000

interface Known {
  readonly mac: string
  /** The account's stored hash at the time of the check: another password has another. */
  readonly stored: string
  readonly until: number
}

export class KnownPasswords {
  readonly #key = randomBytes(32)
  /** By user, oldest first. */
  readonly #known = new Map<string, Known>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  isKnown(user: string, stored: string, password: Buffer): boolean {
    const known = this.#known.get(user)
    if (!known || known.stored !== stored || known.until <= this.#now()) return false
    return sameHash(known.mac, this.#macOf(user, password))
  }

  keep(user: string, stored: string, password: Buffer): void {
    this.#known.delete(user)
    this.#known.set(user, { mac: this.#macOf(user, password), stored, until: this.#now() + LIFETIME })
    if (this.#known.size > MAX_USERS) this.#known.delete(this.#known.keys().next().value!)
  }

  #macOf(user: string, password: Buffer): string {
    return createHmac('sha256', this.#key).update(user).update('\0').update(password).digest('base64')
  }
}
