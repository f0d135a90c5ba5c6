/** Which node serves which session. Nothing of it is written while a single node has the store. */
import type { Op } from './op.js'

/** Identifies one connection's ownership of a session over all nodes: the number of its node, and one that is used once there. */
export type SessionClaim = string

export interface SessionOwners {
  /** Undefined: nobody serves it. */
  owner(session: string): SessionClaim | undefined
  /** Who waits for the owner to give it up: the last one that asked. */
  claimant(session: string): SessionClaim | undefined
  /** All sessions that are served. */
  all(): Iterable<readonly [session: string, claim: SessionClaim]>
  ownerOp(session: string, claim: SessionClaim): Op
  deleteOwnerOp(session: string): Op
  claimantOp(session: string, claim: SessionClaim): Op
  deleteClaimantOp(session: string): Op
}

export function sessionClaim(node: number, count: number): SessionClaim {
  return `${node}.${count}`
}

export function nodeOfClaim(claim: SessionClaim): number {
  return Number.parseInt(claim, 10)
}
