import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { Refusal } from '../../schemas/errors.js'
import { FairSemaphore, type Requester } from '../util/fair-semaphore.js'
import { KnownPasswords } from './known-passwords.js'

/** argon2id with the parameters OWASP asks for; KiB, passes, lanes. */
const COST = { memoryCost: 19456, timeCost: 2, parallelism: 1 }

const MIN_PASSWORD_BYTES = 6
const MAX_PASSWORD_BYTES = 1024

/** Logins that may wait for a hash: at some 30 ms each, two at a time, more would wait longer than a client does. */
const MAX_WAITING = 2000

const NOBODY: Requester = { place: '', name: '' }

/** Hashes and checks passwords, a few at a time: the hashes share their threads with log writes. Who waits is served by turns. */
export class Passwords {
  readonly #free: FairSemaphore
  readonly #known = new KnownPasswords()
  /** Costs as much to check as a real hash, and no password fits. */
  readonly #nobody =
    `$argon2id$v=19$m=${COST.memoryCost},t=${COST.timeCost},p=${COST.parallelism}$${base64(16)}$${base64(32)}`

  constructor({ concurrency, waiting = MAX_WAITING }: { concurrency: number; waiting?: number }) {
    this.#free = new FairSemaphore(
      concurrency,
      waiting,
      () => new Refusal('unavailable', 'too many logins at once', { retryAfter: 5 }),
    )
  }

  /** Makes the PHC string to store. Rejects with a `Refusal`: `bad_request` (`password`), or `unavailable` when too busy. */
  async hash(password: string, asking: Requester = NOBODY): Promise<string> {
    const bytes = Buffer.byteLength(password)
    if (bytes < MIN_PASSWORD_BYTES || bytes > MAX_PASSWORD_BYTES)
      throw new Refusal('bad_request', `a password has ${MIN_PASSWORD_BYTES} to ${MAX_PASSWORD_BYTES} bytes`, {
        field: 'password',
      })
    return this.#free.run(asking, () => hash(password, COST))
  }

  /**
   * Whether the password fits. A `stored` of null (no such user, or one without password) takes as long as any other.
   * `stillWanted` is asked when the turn comes, before the work. Rejects with a `Refusal` (`unavailable`) when too busy.
   * `asking`: for whose account, and from where; a password of theirs that was right a moment ago is known.
   */
  async verify(
    stored: string | null,
    password: Buffer,
    stillWanted: () => boolean = () => true,
    asking: Requester = NOBODY,
  ): Promise<boolean> {
    if (password.length > MAX_PASSWORD_BYTES) return false
    if (this.#isKnown(stored, password, asking)) return true
    return this.#free.run(asking, async () => {
      if (!stillWanted()) return false
      // Of many that came at once the first has found out for all.
      if (this.#isKnown(stored, password, asking)) return true
      const fits = await verify(stored ?? this.#nobody, password)
      if (fits && stored !== null && asking !== NOBODY) this.#known.keep(asking.name, stored, password)
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
