import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { Refusal } from '../../schemas/errors.js'
import { Slots } from '../slots.js'

/** argon2id with the parameters OWASP asks for; KiB, passes, lanes. */
const COST = { memoryCost: 19456, timeCost: 2, parallelism: 1 }

export const MIN_PASSWORD_BYTES = 6
export const MAX_PASSWORD_BYTES = 1024

/** Logins that may wait for a hash: at some 30 ms each, more would wait longer than a client does. */
const MAX_WAITING = 256

/** Hashes and checks passwords, a few at a time: the hashes share their threads with log writes. */
export class Passwords {
  readonly #free: Slots
  /** Costs as much to check as a real hash, and no password fits. */
  readonly #nobody =
    `$argon2id$v=19$m=${COST.memoryCost},t=${COST.timeCost},p=${COST.parallelism}$${base64(16)}$${base64(32)}`

  constructor({ concurrency, waiting = MAX_WAITING }: { concurrency: number; waiting?: number }) {
    this.#free = new Slots(
      concurrency,
      waiting,
      () => new Refusal('unavailable', 'too many logins at once', { retryAfter: 5 }),
    )
  }

  /** Makes the PHC string to store. Rejects with a `Refusal`: `bad_request` (`password`), or `unavailable` when too busy. */
  async hash(password: string): Promise<string> {
    const bytes = Buffer.byteLength(password)
    if (bytes < MIN_PASSWORD_BYTES || bytes > MAX_PASSWORD_BYTES)
      throw new Refusal('bad_request', `a password has ${MIN_PASSWORD_BYTES} to ${MAX_PASSWORD_BYTES} bytes`, {
        field: 'password',
      })
    return this.#free.run(() => hash(password, COST))
  }

  /**
   * Whether the password fits. A `stored` of null (no such user, or one without password) takes as long as any other.
   * `stillWanted` is asked when the turn comes, before the work. Rejects with a `Refusal` (`unavailable`) when too busy.
   */
  async verify(stored: string | null, password: Buffer, stillWanted: () => boolean = () => true): Promise<boolean> {
    if (password.length > MAX_PASSWORD_BYTES) return false
    return this.#free.run(async () => {
      if (!stillWanted()) return false
      const fits = await verify(stored ?? this.#nobody, password)
      return fits && stored !== null
    })
  }
}

function base64(bytes: number): string {
  return randomBytes(bytes).toString('base64').replace(/=+$/, '')
}
