/**
 * The second factor of an account: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for who has lost it. Who has one
 * logs in with the password and a code; each code is good once.
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

/** Name the app shows beside the user's. */
const ISSUER = 'TopicTalk'
/** Seconds of a step, and how many steps a clock may be off. */
const PERIOD = 30
const STEPS_OFF = 1
const SECRET_BYTES = 20
const RECOVERY_CODES = 10
/** 80 bits: a fast hash does, as for secrets. */
const RECOVERY_BYTES = 10

export interface SecondFactorParts {
  readonly store: Pick<Store, 'commit' | 'accounts'>
  readonly secretBox: SecretBox
  /** Counts wrong codes of a user, wherever they come from: who gets that far has the password. */
  readonly failures: Failures
  readonly now?: () => number
}

export interface SecondFactorStatus {
  readonly enabled: boolean
  /** Unix ms; null: it is not on. */
  readonly since: number | null
  readonly recoveryCodes: number
}

/** `wait`: seconds until a code may be tried again. */
export type CodeCheck = 'passed' | 'missing' | 'wrong' | { readonly wait: number }

export class SecondFactors {
  readonly #parts: SecondFactorParts
  readonly #now: () => number
  /** By user: a code that comes twice at once is taken once. */
  readonly #locks = new KeyedMutex()

  constructor(parts: SecondFactorParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
  }

  /** Makes a secret that counts from its confirmation on; one that was never confirmed is forgotten. */
  begin(user: string): Promise<{ secret: string; uri: string }> {
    return this.#locks.runExclusive(user, async () => {
      if ((await this.#record(user))?.confirmedAt)
        throw new Refusal('conflict', 'a second factor is on already; remove it first (auth.totp.remove)')
      const secret = new Secret({ size: SECRET_BYTES })
      const sealed = this.#parts.secretBox.seal(secret.base32, user)
      await this.#write({ user, sealed, confirmedAt: null, lastStep: 0, recovery: [] })
      return { secret: secret.base32, uri: totp(secret, user).toString() }
    })
  }

  /** From now on codes are asked for. The recovery codes are told this once. */
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

  /** The code is one of the app, or a recovery code; it has been checked that the user has the password. */
  remove(user: string, code: string): Promise<void> {
    return this.#locks.runExclusive(user, async () => {
      const record = await this.#record(user)
      if (!record?.confirmedAt) throw new Refusal('not_found', 'there is no second factor to remove')
      requirePassed(await this.#counted(user, async () => this.#after(record, code) !== null))
      await this.#forget(user)
    })
  }

  /** For who is locked out: the operator has made sure who asks. False: there was none. */
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

  /** Takes a code with which its user logs in, once; who has no second factor needs none. */
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
    const { failures } = this.#parts
    const wait = failures.waitOf(user)
    if (wait > 0) return { wait: Math.ceil(wait / 1000) }
    if (!(await passes())) {
      failures.add(user)
      return 'wrong'
    }
    failures.clear(user)
    return 'passed'
  }

  /** The record once this code was used; null: it is none. */
  #after(record: SecondFactorRecord, code: string): SecondFactorRecord | null {
    const hash = hashSecret(plain(code))
    if (record.recovery.includes(hash))
      return { ...record, recovery: record.recovery.filter((unused) => unused !== hash) }
    const lastStep = this.#stepOf(record, code)
    return lastStep === null ? null : { ...record, lastStep }
  }

  /** The time step that a code of the app is of; null: none around now, or one that was used. */
  #stepOf({ user, sealed, lastStep }: SecondFactorRecord, code: string): number | null {
    const secret = this.#parts.secretBox.open(sealed, user)
    // The broker's secret is another than it was: recovery codes are left, and the operator.
    if (secret === null) return null
    const timestamp = this.#now()
    const app = totp(Secret.fromBase32(secret), user)
    const off = app.validate({ token: plain(code), timestamp, window: STEPS_OFF })
    const step = off === null ? 0 : Math.floor(timestamp / 1000 / PERIOD) + off
    return step > lastStep ? step : null
  }

  #record(user: string): Promise<SecondFactorRecord | null> {
    return this.#parts.store.accounts.secondFactor(user)
  }

  async #write(record: SecondFactorRecord): Promise<void> {
    const { store } = this.#parts
    await commit(store, { ops: [store.accounts.secondFactorOp(record)] })
  }

  async #forget(user: string): Promise<void> {
    const { store, failures } = this.#parts
    await commit(store, { ops: [store.accounts.deleteSecondFactorOp(user)] })
    failures.clear(user)
  }
}

/** Refuses a code that did not pass, in the words of every command that takes one. */
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

/** Such as `q3k9-7hmd-…`: letters that are not mistaken for digits, five bits each. */
function newRecoveryCode(): string {
  const bits = [...randomBytes(RECOVERY_BYTES)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const text = bits.match(/.{5}/g)!.map((five) => LETTERS[Number.parseInt(five, 2)])
  return text.join('').match(/.{4}/g)!.join('-')
}

/** As it was typed, or read out. */
function plain(code: string): string {
  return code.toLowerCase().replace(/[\s-]/g, '')
}
