/** What identifies a share group, in the store too. */
import { type Filter, isPlainFilter, parseFilter } from '../../../schemas/topics.js'

export type SharedFilter = Filter & { kind: 'shared' }

export interface GroupName {
  /** Of its records. */
  readonly id: string
  /** The user it belongs to; empty: it is open to all. */
  readonly user: string
  readonly parsed: SharedFilter
  /** What a node claims that serves the group: as that of no user's session. */
  readonly claim: string
}

/** No client id contains a control character: the id of a group is never that of a session. */
const MARK = '\u0001'
const CLAIM = `${MARK}/`

/** @param user Of a member */
export function groupName(user: string, parsed: SharedFilter): GroupName {
  const owner = isPlainFilter(parsed.of) ? '' : user
  const id = `${owner === '' ? '' : `${owner}/`}${MARK}${parsed.share}/${parsed.filter}`
  return { id, user: owner, parsed, claim: claimOfGroup(id) }
}

export function claimOfGroup(id: string): string {
  return CLAIM + id
}

export function isGroupId(id: string): boolean {
  return id.startsWith(MARK) || id[id.indexOf('/') + 1] === MARK
}

export function isGroupClaim(claimed: string): boolean {
  return claimed.startsWith(CLAIM)
}

/** Of the group that a session has a stored subscription of; null: it is not a shared one. */
export function groupOfStored(sessionId: string, topic: string): GroupName | null {
  const parsed = parseFilter(topic)
  return parsed.kind === 'shared' ? groupName(sessionId.slice(0, sessionId.indexOf('/')), parsed) : null
}

/** Whether it is a subscription to the group. */
export function isSubscribed(
  { user, parsed }: Pick<GroupName, 'user' | 'parsed'>,
  { clientId, topic }: { clientId: string; topic: string },
): boolean {
  return topic === `$share/${parsed.share}/${parsed.filter}` && (user === '' || clientId.startsWith(`${user}/`))
}

/** @param id As of `groupName` */
export function nameOfGroup(id: string): GroupName {
  const start = id.indexOf(MARK)
  const rest = id.slice(start + 1)
  const share = rest.slice(0, rest.indexOf('/'))
  const filter = rest.slice(share.length + 1)
  return groupName(id.slice(0, Math.max(0, start - 1)), parseFilter(`$share/${share}/${filter}`) as SharedFilter)
}

export function nameOfClaim(claimed: string): GroupName {
  return nameOfGroup(claimed.slice(CLAIM.length))
}
