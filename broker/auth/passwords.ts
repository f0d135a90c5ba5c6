import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { Refusal } from '../../schemas/errors.js'
import { ANYONE, type Requester, Semaphore } from '../util/semaphore.js'
import { KnownPasswords } from './known-passwords.js'

/** argon2id with the parameters OWASP recommends: KiB, passes, lanes. */
const COST = { memoryCost: 19456, timeCost: 2, parallelism: 1 }

const MIN_PASSWORD_BYTES = 6
const MAX_PASSWORD_BYTES = 1024

/** Logins that may wait for a hash: at some 30 ms each, two at a time, more would wait longer than clients do. */
const MAX_WAITING = 2000

/**
 * Hashes and checks passwords, a few at a time since hashes share their threads with log writes; waiting requests are
 * served fairly.
 */
export class Passwords {
  readonly #semaphore: Semaphore
  readonly #known = new KnownPasswords()
  /** A hash that no password matches, used for unknown users so that timing does not reveal them. */
  readonly #dummyHash =
    `$argon2id$v=19$m=${COST.memoryCost},t=${COST.timeCost},p=${COST.parallelism}$${base64(16)}$${base64(32)}`

  constructor({ concurrency, waiting = MAX_WAITING }: { concurrency: number; waiting?: number }) {
    this.#semaphore = new Semaphore(
      concurrency,
      waiting,
      () => new Refusal('unavailable', 'too many logins at once', { retryAfter: 5 }),
    )
  }

  /**
   * Makes the PHC string to store. Rejects with a `Refusal`: `bad_request` (`password`), or `unavailable` when too
   * busy.
   */
  async hash(password: string, asking: Requester = ANYONE): Promise<string> {
    const bytes = Buffer.byteLength(password)
    if (bytes < MIN_PASSWORD_BYTES || bytes > MAX_PASSWORD_BYTES)
      throw new Refusal('bad_request', `a password has ${MIN_PASSWORD_BYTES} to ${MAX_PASSWORD_BYTES} bytes`, {
        field: 'password',
      })
    return this.#semaphore.run(asking, () => hash(password, COST))
  }

  /**
   * Whether the password is right. A `stored` of null (no such user, or no password) takes as long as any other.
   * `mayTry` is called right before hashing. `asking`: for which account and from where; a recently verified password is
   * answered from the cache. Rejects with a `Refusal` (`unavailable`) when too busy.
   */
  async verify(
    stored: string | null,
    password: Buffer,
    mayTry: () => boolean | Promise<boolean> = () => true,
    asking: Requester = ANYONE,
  ): Promise<boolean> {
    if (password.length > MAX_PASSWORD_BYTES) return false
    if (this.#isKnown(stored, password, asking)) return true
    return this.#semaphore.run(asking, async () => {
      // Of several equal requests at once, the first has filled the cache.
      if (this.#isKnown(stored, password, asking)) return true
      if (!(await mayTry())) return false
      const fits = await verify(stored ?? this.#dummyHash, password)
      if (fits && stored !== null && asking !== ANYONE) this.#known.keep(asking.name, stored, password)
      return fits && stored !== null
    })
  }

  #isKnown(stored: string | null, password: Buffer, { name }: Requester): boolean {
    return stored !== null && this.#known.isKnown(name, stored, password)
  }
}

function base64(bytes: number): string {
  return randomBytes(bytes).toString('base64').replace(/=+$/, '')
}
