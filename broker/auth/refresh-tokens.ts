/**
 * Rotation of the refresh tokens of one login. A token is used once and replaced by its successor. But the response may
 * be lost, and two windows of one browser may refresh at the same time with the same token. So a token may be used
 * again within a grace period, and then gets another successor; and also later, as long as its successor was not used,
 * which is then replaced.
 */
import type { CredentialRecord, RefreshHead } from '../store/credentials.js'
import { sameHash } from './credentials.js'

/**
 * Most valid tokens at a time; the oldest is dropped: a browser with more windows has to log in again in one of them.
 */
const MAX_HEADS = 16
/** How many former tokens are remembered, to detect their reuse. */
const MAX_HAD = 64

export interface Renewal {
  /** Hash of the token presented. */
  readonly shown: string
  /** Hash of its successor. */
  readonly next: string
  /** Unix ms. */
  readonly now: number
  /** Grace period in ms. */
  readonly grace: number
  /** Unix ms at which the successor expires. */
  readonly expiresAt: number
}

/**
 * The record with the successor. `stolen`: the token was used long ago; `unknown`: it was never a token of this login.
 */
export function renewed(record: CredentialRecord, renewal: Renewal): CredentialRecord | 'stolen' | 'unknown' {
  const { shown, next: hash, now, grace, expiresAt } = renewal
  const heads = headsOf(record).filter((head) => head.expiresAt > now)
  const next = { hash, previous: shown, at: now, expiresAt }
  const had = record.had ?? []
  const current = heads.find(({ hash }) => sameHash(hash, shown))
  if (current) {
    const others = heads.filter((head) => head !== current)
    return withHeads(record, [next, ...others], [current.previous], renewal)
  }
  const given = heads.filter(({ previous }) => previous !== null && sameHash(previous, shown))
  const [first] = given
  // The grace period counts from the first use, and is not extended by further uses.
  if (first && now - first.at < grace) return withHeads(record, [{ ...next, at: first.at }, ...heads], [], renewal)
  if (had.some((hash) => sameHash(hash, shown))) return 'stolen'
  if (!first) return 'unknown'
  const others = heads.filter((head) => !given.includes(head))
  const replaced = given.map(({ hash }) => hash)
  return withHeads(record, [next, ...others], replaced, renewal)
}

/** Records of earlier versions have only the current and the previous token. */
function headsOf({ heads, hash, previous, usedAt, expiresAt }: CredentialRecord): readonly RefreshHead[] {
  return heads ?? [{ hash, previous, at: usedAt, expiresAt: expiresAt ?? Number.POSITIVE_INFINITY }]
}

function withHeads(
  record: CredentialRecord,
  heads: readonly RefreshHead[],
  gone: readonly (string | null)[],
  { now, expiresAt }: Renewal,
): CredentialRecord {
  const had = [...gone.filter((hash) => hash !== null), ...(record.had ?? [])]
  const { hash, previous } = heads[0]!
  return {
    ...{ ...record, hash, previous, usedAt: now, expiresAt },
    ...{ heads: heads.slice(0, MAX_HEADS), had: [...new Set(had)].slice(0, MAX_HAD) },
  }
}
