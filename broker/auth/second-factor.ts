/**
 * Second factors: codes of an authenticator app (TOTP, RFC 6238), and recovery codes in case the app is lost. A user
 * who has one logs in with the password and a code; each code is accepted once.
 */
import { randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { Refusal } from '../../schemas/errors.js'
import type { SecondFactorRecord } from '../store/accounts.js'
import { commit } from '../store/commit.js'
import type { Store } from '../store/store.js'
import { KeyedMutex } from '../util/keyed-mutex.js'
import type { SecretBox } from './secret-box.js'
import { hashSecret } from './secrets.js'
import type { Failures } from './throttle.js'

/** The issuer the app shows beside the user's name. */
const ISSUER = 'TopicTalk'
/** Length of a time step in seconds, and tolerance for clock differences in steps. */
const PERIOD = 30
const STEPS_OFF = 1
const SECRET_BYTES = 20
const RECOVERY_CODES = 10
/** 80 bits: a fast hash is sufficient, as for secrets. */
const RECOVERY_BYTES = 10

export interface SecondFactorDeps {
  readonly store: Pick<Store, 'commit' | 'accounts'>
  readonly secretBox: SecretBox
  /** Counts wrong codes per user, from any address: whoever gets that far knows the password. */
  readonly failures: Failures
  readonly now?: () => number
}

export interface SecondFactorStatus {
  readonly enabled: boolean
  /** Unix ms; null: it is not enabled. */
  readonly since: number | null
  readonly recoveryCodes: number
}

/** `wait`: seconds until a code may be tried again. */
export type CodeCheck = 'passed' | 'missing' | 'wrong' | { readonly wait: number }

export class SecondFactors {
  readonly #deps: SecondFactorDeps
  readonly #now: () => number
  /** By user: a code presented twice at once is accepted once. */
  readonly #locks = new KeyedMutex()

  constructor(deps: SecondFactorDeps) {
    this.#deps = deps
    this.#now = deps.now ?? Date.now
  }

  /** Creates a secret, effective after `confirm`; replaces an unconfirmed one. */
  begin(user: string): Promise<{ secret: string; uri: string }> {
    return this.#locks.runExclusive(user, async () => {
      if ((await this.#record(user))?.confirmedAt)
        throw new Refusal('conflict', 'a second factor is on already; remove it first (auth.totp.remove)')
      const secret = new Secret({ size: SECRET_BYTES })
      const sealed = this.#deps.secretBox.seal(secret.base32, user)
      await this.#write({ user, sealed, confirmedAt: null, lastStep: 0, recovery: [] })
      return { secret: secret.base32, uri: totp(secret, user).toString() }
    })
  }

  /** Enables the second factor. Returns the recovery codes, which cannot be retrieved later. */
  confirm(user: string, code: string): Promise<string[]> {
    return this.#locks.runExclusive(user, async () => {
      const record = await this.#record(user)
      if (!record || record.confirmedAt !== null)
        throw new Refusal('conflict', 'there is nothing to confirm; begin with auth.totp.begin')
      const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode)
      const recovery = codes.map((one) => hashSecret(plain(one)))
      requirePassed(
        await this.#counted(user, async () => {
          const lastStep = this.#stepOf(record, code)
          if (lastStep === null) return false
          await this.#write({ ...record, confirmedAt: this.#now(), lastStep, recovery })
          return true
        }),
      )
      return codes
    })
  }

  /** Removes it after checking a code of the app or a recovery code; the caller has checked the password. */
  remove(user: string, code: string): Promise<void> {
    return this.#locks.runExclusive(user, async () => {
      const record = await this.#record(user)
      if (!record?.confirmedAt) throw new Refusal('not_found', 'there is no second factor to remove')
      requirePassed(await this.#counted(user, async () => this.#after(record, code) !== null))
      await this.#forget(user)
    })
  }

  /** For users who are locked out; the operator has verified them. Resolves with false if there was none. */
  reset(user: string): Promise<boolean> {
    return this.#locks.runExclusive(user, async () => {
      if (!(await this.#record(user))) return false
      await this.#forget(user)
      return true
    })
  }

  async status(user: string): Promise<SecondFactorStatus> {
    const record = await this.#record(user)
    if (!record?.confirmedAt) return { enabled: false, since: null, recoveryCodes: 0 }
    return { enabled: true, since: record.confirmedAt, recoveryCodes: record.recovery.length }
  }

  async isOn(user: string): Promise<boolean> {
    return (await this.status(user)).enabled
  }

  /** Checks a code at a login and consumes it. Passes if the user has no second factor. */
  check(user: string, code: string | undefined): Promise<CodeCheck> {
    return this.#locks.runExclusive(user, async () => {
      const record = await this.#record(user)
      if (!record?.confirmedAt) return 'passed'
      if (code === undefined) return 'missing'
      return this.#counted(user, async () => {
        const used = this.#after(record, code)
        if (used) await this.#write(used)
        return used !== null
      })
    })
  }

  async #counted(user: string, passes: () => Promise<boolean>): Promise<Exclude<CodeCheck, 'missing'>> {
    const { failures } = this.#deps
    const wait = failures.waitOf(user)
    if (wait > 0) return { wait: Math.ceil(wait / 1000) }
    if (!(await passes())) {
      failures.add(user)
      return 'wrong'
    }
    failures.clear(user)
    return 'passed'
  }

  /** The record after using this code; null: the code is wrong. */
  #after(record: SecondFactorRecord, code: string): SecondFactorRecord | null {
    const hash = hashSecret(plain(code))
    if (record.recovery.includes(hash))
      return { ...record, recovery: record.recovery.filter((unused) => unused !== hash) }
    const lastStep = this.#stepOf(record, code)
    return lastStep === null ? null : { ...record, lastStep }
  }

  /** The time step of a code; null: it matches none close to now, or one that is used up. */
  #stepOf({ user, sealed, lastStep }: SecondFactorRecord, code: string): number | null {
    const secret = this.#deps.secretBox.open(sealed, user)
    // The broker's secret has changed, so the shared secret cannot be decrypted: only recovery codes and the operator
    // remain.
    if (secret === null) return null
    const timestamp = this.#now()
    const app = totp(Secret.fromBase32(secret), user)
    const off = app.validate({ token: plain(code), timestamp, window: STEPS_OFF })
    const step = off === null ? 0 : Math.floor(timestamp / 1000 / PERIOD) + off
    return step > lastStep ? step : null
  }

  #record(user: string): Promise<SecondFactorRecord | null> {
    return this.#deps.store.accounts.secondFactor(user)
  }

  async #write(record: SecondFactorRecord): Promise<void> {
    const { store } = this.#deps
    await commit(store, { ops: [store.accounts.secondFactorOp(record)] })
  }

  async #forget(user: string): Promise<void> {
    const { store, failures } = this.#deps
    await commit(store, { ops: [store.accounts.deleteSecondFactorOp(user)] })
    failures.clear(user)
  }
}

/** Throws the refusal for a code that did not pass, the same for all commands. */
export function requirePassed(check: CodeCheck): void {
  if (typeof check === 'object')
    throw new Refusal('rate_limited', 'too many wrong codes; try again later', {
      retryAfter: check.wait,
      field: 'code',
    })
  switch (check) {
    case 'passed':
      return
    case 'missing':
      throw new Refusal('unauthorized', 'this account has a second factor: a code of the app, or a recovery code', {
        field: 'code',
      })
    default:
      throw new Refusal('unauthorized', 'the code is wrong, or was used already', { field: 'code' })
  }
}

function totp(secret: Secret, user: string): TOTP {
  return new TOTP({ issuer: ISSUER, label: user, secret, algorithm: 'SHA1', digits: 6, period: PERIOD })
}

const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz'

/** Such as `q3k9-7hmd-…`: five bits per character, no letters that look like digits. */
function newRecoveryCode(): string {
  const bits = [...randomBytes(RECOVERY_BYTES)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const text = bits.match(/.{5}/g)!.map((five) => LETTERS[Number.parseInt(five, 2)])
  return text.join('').match(/.{4}/g)!.join('-')
}

/** Normalises a code as typed by hand. */
function plain(code: string): string {
  return code.toLowerCase().replace(/[\s-]/g, '')
}
