/** Which node serves which session. Nothing of it is written while a single node has the store. */
import type { Op } from './op.js'

/** Identifies one connection's ownership of a session over all nodes: the number of its node, one that is used once there, and since when. */
export type SessionClaim = string

export interface SessionOwners {
  /** Undefined: nobody serves it. */
  owner(session: string): SessionClaim | undefined
  /** Who waits for the owner to give it up: the last one that asked. */
  claimant(session: string): SessionClaim | undefined
  /** By client id: the sessions of a user that are served. */
  ofUser(user: string): ReadonlyMap<string, SessionClaim>
  /** All sessions that are served. */
  all(): Iterable<readonly [session: string, claim: SessionClaim]>
  ownerOp(session: string, claim: SessionClaim): Op
  deleteOwnerOp(session: string): Op
  claimantOp(session: string, claim: SessionClaim): Op
  deleteClaimantOp(session: string): Op
}

/** @param since Unix ms */
export function sessionClaim(node: number, count: number, since: number): SessionClaim {
  return `${node}.${count}.${since}`
}

export function nodeOfClaim(claim: SessionClaim): number {
  return Number.parseInt(claim, 10)
}

/** Unix ms. */
export function sinceOfClaim(claim: SessionClaim): number {
  return Number(claim.slice(claim.lastIndexOf('.') + 1))
}
