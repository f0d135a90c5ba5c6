/**
 * Rotation of the refresh tokens of one login. A token is used once and replaced by its successor. But the response may
 * be lost, and the windows of a browser refresh at the same time with the same token. So a token may be used again
 * within a grace period of its first use, and then gets one more successor, whatever became of the others; and also
 * later, as long as no successor was used, which are then replaced. A token that is used beyond that was stolen, by the
 * one who uses it or by the one who used it before.
 */
import type { CredentialRecord, RefreshHead, UsedToken } from '../store/credentials.js'
import { sameHash } from './credentials.js'

/**
 * Most valid tokens at a time; beyond, the one that has been there longest without being used is dropped: a browser
 * with more windows has to log in again in one of them.
 */
const MAX_HEADS = 64
/** How many tokens used within the grace period are remembered. An older one is refused, and ends nothing. */
const MAX_LATELY = 64
/** How many tokens used before are remembered, to detect their reuse. */
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
 * The record with the successor. `stolen`: the token was used long ago; `unknown`: it was never a token of this login,
 * or is not remembered.
 */
export function renewed(record: CredentialRecord, renewal: Renewal): CredentialRecord | 'stolen' | 'unknown' {
  const { shown, next: hash, now, expiresAt } = renewal
  const heads = headsOf(record).filter((head) => head.expiresAt > now)
  const next = { hash, previous: shown, at: now, expiresAt }
  const isShown = ({ hash }: { readonly hash: string }): boolean => sameHash(hash, shown)
  const current = heads.find(isShown)
  if (current) return withHeads(record, [next, ...without(heads, [current])], renewal, { used: usedFor(current) })
  const unused = heads.filter(({ previous }) => previous !== null && sameHash(previous, shown))
  const lately = record.lately?.find(isShown)
  const firstUse = unused[0]?.at ?? lately?.at
  // The grace period counts from the first use, or the first one after it, and is not extended by further uses.
  if (firstUse !== undefined && isRecent(firstUse, renewal))
    return withHeads(record, [{ ...next, at: firstUse }, ...heads], renewal)
  if (lately || record.had?.some((hash) => sameHash(hash, shown))) return 'stolen'
  if (firstUse === undefined) return 'unknown'
  const replaced = unused.map(({ hash }) => hash)
  return withHeads(record, [next, ...without(heads, unused)], renewal, { replaced })
}

/** Records of earlier versions have only the current and the previous token. */
function headsOf({ heads, hash, previous, usedAt, expiresAt }: CredentialRecord): readonly RefreshHead[] {
  return heads ?? [{ hash, previous, at: usedAt, expiresAt: expiresAt ?? Number.POSITIVE_INFINITY }]
}

/** The token that a head was issued for. Null: issued at the login. */
function usedFor({ previous, at }: RefreshHead): UsedToken | null {
  return previous === null ? null : { hash: previous, at }
}

/**
 * @param used A used token, one of whose successors has been used now
 * @param replaced Hashes of unused tokens that another one took the place of
 */
function withHeads(
  record: CredentialRecord,
  heads: readonly RefreshHead[],
  renewal: Renewal,
  { used = null, replaced = [] }: { used?: UsedToken | null; replaced?: readonly string[] } = {},
): CredentialRecord {
  const { now, expiresAt } = renewal
  const { hash, previous } = heads[0]!
  const known = (record.lately ?? []).filter(({ hash }) => hash !== used?.hash)
  const all = used ? [used, ...known] : known
  const lately = all.filter(({ at }) => isRecent(at, renewal))
  const past = all.filter((token) => !lately.includes(token)).map(({ hash }) => hash)
  const had = [...new Set([...past, ...replaced, ...(record.had ?? [])])]
  return {
    ...{ ...record, hash, previous, usedAt: now, expiresAt },
    heads: heads.slice(0, MAX_HEADS),
    lately: lately.slice(0, MAX_LATELY),
    had: had.slice(0, MAX_HAD),
  }
}

function without(heads: readonly RefreshHead[], gone: readonly RefreshHead[]): RefreshHead[] {
  return heads.filter((head) => !gone.includes(head))
}

/** Clocks of nodes may differ: a use that seems to lie ahead is recent. */
function isRecent(at: number, { now, grace }: Renewal): boolean {
  return now - at < grace
}
