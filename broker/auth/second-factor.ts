/**
 * Second factors: codes of an authenticator app (TOTP, RFC 6238), and recovery codes in case the app is lost. A user
 * who has one logs in with the password and a code; each code is accepted once.
 */
import { randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { Refusal } from '../../schemas/errors.js'
import type { SecondFactorRecord } from '../store/accounts.js'
import type { Op } from '../store/op.js'
import type { Store } from '../store/store.js'
import type { Transaction } from '../store/transaction.js'
import { type ForAccount, requireSameAccount } from './account-version.js'
import { accountKey } from './accounts.js'
import { afterFailure, type FailureLimits } from './failure-counts.js'
import type { SecretBox } from './secret-box.js'
import { hashSecret } from './secrets.js'
import { requireValid, type Verified } from './validity.js'

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
  readonly store: Pick<Store, 'transact' | 'accounts'>
  readonly secretBox: SecretBox
  /** Of wrong codes per user, from any address: whoever gets that far knows the password. */
  readonly limits: FailureLimits
  readonly now?: () => number
}

export interface SecondFactorStatus {
  readonly enabled: boolean
  /** Unix ms; null: it is not enabled. */
  readonly since: number | null
  readonly recoveryCodes: number
}

/** `wait`: seconds until a code may be tried again. */
export type CodeCheck = AttemptResult | 'missing'

type AttemptResult = 'passed' | 'wrong' | { readonly wait: number }

export class SecondFactors {
  readonly #deps: SecondFactorDeps
  readonly #now: () => number

  constructor(deps: SecondFactorDeps) {
    this.#deps = deps
    this.#now = deps.now ?? Date.now
  }

  /**
   * Creates a secret, effective after `confirm`; replaces an unconfirmed one.
   * @param verified By the password
   */
  async begin(verified: Verified): Promise<{ secret: string; uri: string }> {
    const { user } = verified
    const secret = new Secret({ size: SECRET_BYTES })
    const sealed = this.#deps.secretBox.seal(secret.base32, user)
    await this.#deps.store.transact(accountKey(user), async ({ directory, accounts }) => {
      await requireValid(directory, verified, this.#now(), 'password')
      await requireSameAccount(directory, verified)
      if ((await accounts.secondFactor(user))?.confirmedAt)
        throw new Refusal('conflict', 'a second factor is on already; remove it first (auth.totp.remove)')
      const record = { user, sealed, confirmedAt: null, lastStep: 0, recovery: [] }
      return { ops: [accounts.secondFactorOp(record)], value: null }
    })
    return { secret: secret.base32, uri: totp(secret, user).toString() }
  }

  /** Enables the second factor. Returns the recovery codes, which cannot be retrieved later. */
  async confirm(asking: ForAccount, code: string): Promise<string[]> {
    const { user } = asking
    const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode)
    const recovery = codes.map((one) => hashSecret(plain(one)))
    const check = await this.#attempt(user, async ({ directory, accounts }) => {
      await requireSameAccount(directory, asking)
      const record = await accounts.secondFactor(user)
      if (!record || record.confirmedAt !== null)
        throw new Refusal('conflict', 'there is nothing to confirm; begin with auth.totp.begin')
      return () => {
        const lastStep = this.#stepOf(record, code)
        return lastStep === null
          ? null
          : accounts.secondFactorOp({ ...record, confirmedAt: this.#now(), lastStep, recovery })
      }
    })
    requirePassed(check)
    return codes
  }

  /**
   * Removes it after checking a code of the app or a recovery code.
   * @param verified By the password
   */
  async remove(verified: Verified, code: string): Promise<void> {
    const { user } = verified
    const check = await this.#attempt(user, async ({ directory, accounts }) => {
      await requireValid(directory, verified, this.#now(), 'password')
      const record = await accounts.secondFactor(user)
      if (!record?.confirmedAt) throw new Refusal('not_found', 'there is no second factor to remove')
      return () => this.#after(record, code) && accounts.deleteSecondFactorOp(user)
    })
    requirePassed(check)
  }

  /** For users who are locked out; the operator has verified them. Resolves with false if there was none. */
  async reset(user: string): Promise<boolean> {
    const { value } = await this.#deps.store.transact(accountKey(user), async ({ accounts, expiring }) => {
      const isThere = (await accounts.secondFactor(user)) !== null
      const ops = [accounts.deleteSecondFactorOp(user), expiring.deleteOp('codeFailures', user)]
      return { ops: isThere ? ops : [], value: isThere }
    })
    return value
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
  async check(user: string, code: string | undefined): Promise<CodeCheck> {
    if (!(await this.isOn(user))) return 'passed'
    if (code === undefined) return 'missing'
    return this.#attempt(user, async ({ accounts }) => {
      const record = await accounts.secondFactor(user)
      return () => {
        const used = record?.confirmedAt ? this.#after(record, code) : null
        return used && accounts.secondFactorOp(used)
      }
    })
  }

  /**
   * Decides on a code, and counts it if it is wrong, in one change: of attempts at the same time, on whatever node, the later one is decided
   * when the one before is counted.
   * @param prepare Resolves with the check: what a right code writes, null if it is wrong
   */
  async #attempt(user: string, prepare: (tx: Transaction) => Promise<() => Op | null>): Promise<AttemptResult> {
    const { store, limits } = this.#deps
    const { value } = await store.transact<AttemptResult>(accountKey(user), async (tx) => {
      const check = await prepare(tx)
      const now = this.#now()
      const before = await tx.expiring.get('codeFailures', user, now)
      if (before && before.refusedUntil > now) return { value: { wait: Math.ceil((before.refusedUntil - now) / 1000) } }
      const op = check()
      if (op) return { ops: before ? [op, tx.expiring.deleteOp('codeFailures', user)] : [op], value: 'passed' }
      // There may be no account any more, and nothing is left to the next owner of the name.
      if (!(await tx.accounts.secondFactor(user))) return { value: 'wrong' }
      return { ops: [tx.expiring.putOp('codeFailures', user, afterFailure(before, limits, now))], value: 'wrong' }
    })
    return value
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
