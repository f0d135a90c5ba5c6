/**
 * The refresh tokens of one login. Each is good once and then has a successor; but the answer with it may be lost, and two windows of one
 * browser may ask at once with the same token. So a token may be shown again for a moment after its first use, and gets a successor
 * of its own; and for as long as nobody used what it was answered, which that takes the place of.
 */
import type { CredentialRecord, RefreshHead } from '../store/credentials.js'
import { sameHash } from './credentials.js'

/** Most that are good at a time; the oldest gives way: whoever has more windows than that logs in again in one of them. */
const MAX_HEADS = 16
/** How many of before are known again, as theirs. */
const MAX_HAD = 64

export interface Renewal {
  /** Hash of the token that was shown. */
  readonly shown: string
  /** Hash of the one that takes its place. */
  readonly next: string
  /** Unix ms. */
  readonly now: number
  /** Ms for which a token that was used is not yet one of before. */
  readonly grace: number
  /** Unix ms at which the next one ends. */
  readonly expiresAt: number
}

/** The record with the next token; `stolen`: what was shown was used long ago; `unknown`: it never was one of this login. */
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
  // It counts from the first use: who asks again and again gains no time by it.
  if (first && now - first.at < grace) return withHeads(record, [{ ...next, at: first.at }, ...heads], [], renewal)
  if (had.some((hash) => sameHash(hash, shown))) return 'stolen'
  if (!first) return 'unknown'
  const others = heads.filter((head) => !given.includes(head))
  const replaced = given.map(({ hash }) => hash)
  return withHeads(record, [next, ...others], replaced, renewal)
}

/** Logins of before know the current one and the one it took the place of. */
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
